import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromUtf8 } from '#base/octets.ts'
import { isFault } from '#base/outcome.ts'
import { decodeJournal, encodeJournal } from './journal-record.ts'

test('a record is read as it was written: octets, text, numbers and nothing', () => {
  const prefix = Buffer.from([0, 255, 0x24, 10])
  const rows = {
    email: { put: [[1, '会議 {"$": "x"}', prefix, null]], drop: [[2 ** 52, Buffer.from([7])]] },
    seen: { put: [], drop: [] },
  }
  const record = {
    kind: 'commit',
    n: 7,
    atMs: 1,
    from: [1, 2],
    to: [1, 9],
    rows,
  } as const
  assert.deepEqual(decodeJournal(encodeJournal(record), 'here'), record)
  assert.deepEqual(rows.email.put[0]![2], prefix, 'what was told is as it was')
})

test('what is no record of ours is corrupt', () => {
  for (const text of [
    '',
    '{',
    '{"kind":"commit","rows":{"email":{}}}',
    '{"rows":{"a":{"put":[[{}]],"drop":[]}}}',
  ])
    assert.throws(
      () => decodeJournal(fromUtf8(text), 'here'),
      (thrown) => isFault(thrown, 'corrupt'),
    )
})
