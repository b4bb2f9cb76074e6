import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readSize, writeSize } from './storage-size.ts'

test('a size is read in units of 1,024, however they are written', () => {
  for (const text of ['2GiB', '2 gb', '2g', '2048 MiB', ' 2147483648 '])
    assert.equal(readSize(text), 2 * 1024 ** 3, text)
  for (const text of ['', '二', '-1', '1.2345g', '2 GiBB', '1e3', 'none'])
    assert.equal(readSize(text), undefined, text)
})

test('a size is written so that it is read as the same', () => {
  assert.equal(writeSize(5 * 1024 ** 3), '5 GiB')
  assert.equal(writeSize(1.5 * 1024 ** 2), '1.5 MiB')
  assert.equal(writeSize(40_001), '40001')
  fc.assert(fc.property(fc.nat({ max: 2 ** 47 }), (bytes) => readSize(writeSize(bytes)) === bytes))
})
