import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Writes } from './writes.ts'

test('what was told while a change was on its way is asked again', async () => {
  const writes = new Writes()
  const slow = Promise.withResolvers<void>()
  let asked = 0
  let all = 0
  const found = writes.after(async () => {
    asked++
    if (asked === 1) await slow.promise
    return asked
  })
  await writes.run(
    () => Promise.resolve(),
    () => all++,
  )
  slow.resolve()
  assert.equal(await found, 2)
  assert.equal(all, 1)
  const failing = writes.run(
    () => Promise.reject(new Error('渡り')),
    () => all++,
  )
  const later = writes.after(() => Promise.resolve('後'))
  await assert.rejects(failing, /渡り/)
  assert.equal(await later, '後')
  assert.equal(all, 2)
})
