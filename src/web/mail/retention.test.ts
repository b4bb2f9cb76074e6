import assert from 'node:assert/strict'
import { it } from 'node:test'

import { EN } from './words-en.ts'
import { JA } from './words-ja.ts'
import { daysLeft } from './retention.ts'

it('counts the days that a mail still has, never more than there are', () => {
  const nowMs = Date.UTC(2026, 10, 27, 6)
  for (const [expiresAt, days] of [
    ['2026-11-30T06:00:00Z', 3],
    ['2026-11-30T05:59:59Z', 2],
    ['2026-11-27T18:00:00Z', 0],
    ['2026-11-20T00:00:00Z', 0],
  ] as const)
    assert.equal(daysLeft(expiresAt, nowMs), days, expiresAt)
})

it('everything that is said in English is said in Japanese', () => {
  const keysOf = (words: Readonly<Record<string, string>>): readonly string[] =>
    [...new Set(Object.keys(words).map((key) => key.replace(/_(?:one|other)$/, '')))].toSorted()
  assert.deepEqual(keysOf(JA), keysOf(EN))
})
