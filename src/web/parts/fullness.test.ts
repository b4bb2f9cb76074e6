import assert from 'node:assert/strict'
import { test } from 'node:test'

import { fullest } from './fullness.ts'
import { storageText } from './storage.ts'

const octets = (used: number, limit = 10_000_000) => ({
  used,
  limit,
  warnAt: limit * 0.9,
  isOctets: true,
})

test('of two limits the fuller one counts; full is where an ordinary mail finds no room', () => {
  assert.equal(fullest([]), undefined)
  const mails = { used: 10, limit: 10, warnAt: 9, isOctets: false }
  assert.equal(fullest([octets(5_000_000), mails])?.limit, 10)
  const of = (used: number) => {
    const { fullness, percent } = fullest([octets(used)])!
    return `${fullness} ${percent}`
  }
  assert.equal(of(0), 'free 0')
  assert.equal(of(8_999_999), 'free 89')
  assert.equal(of(9_000_000), 'near 90')
  assert.equal(of(9_900_000), 'near 99')
  assert.equal(of(9_900_001), 'full 99')
  assert.equal(of(12_000_000), 'full 100')
  assert.equal(fullest([mails])?.fullness, 'full')
  assert.equal(fullest([{ ...mails, used: 9 }])?.fullness, 'near')
  assert.equal(fullest([octets(35_000, 40_000)])?.fullness, 'free')
})

test('room is told in the units that it is set in', () => {
  assert.equal(storageText('ja', 5 * 1024 ** 3), '5 GiB')
  assert.equal(storageText('en', 1.55 * 1024 ** 3), '1.6 GiB')
  assert.equal(storageText('en', 1_234 * 1024 ** 2), '1.2 GiB')
  assert.equal(storageText('en', 512 * 1024 ** 2), '512 MiB')
  assert.equal(storageText('en', 20), '0.1 KiB')
  assert.equal(storageText('en', 0), '0 KiB')
})
