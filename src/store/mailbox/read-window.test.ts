import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromUtf8 } from '#base/octets.ts'
import { ReadWindow } from './read-window.ts'

test('parts that lie behind one another are read together, in any order, up to the end', async () => {
  const message = fromUtf8('渡り鳥'.repeat(40_000))
  const asked: number[] = []
  const window = new ReadWindow((offset, length) => {
    asked.push(offset)
    return Promise.resolve(message.subarray(offset, offset + length))
  })
  for (let at = 0; at < message.length; at += 9)
    assert.deepEqual(await window.read(at, 9), message.subarray(at, at + 9))
  assert.ok(asked.length <= Math.ceil(message.length / 65_000), `${asked.length} reads`)
  assert.deepEqual(await window.read(0, 9), message.subarray(0, 9))
  assert.deepEqual(await window.read(message.length - 3, 9), message.subarray(-3))
  assert.equal((await window.read(message.length, 9)).length, 0)
  assert.deepEqual(await window.read(5, 200_000), message.subarray(5, 200_005))
})
