import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromUtf8, toUtf8 } from '#base/octets.ts'
import type { AccountId } from '#model/account.ts'
import { append } from '#store/mailbox/contract/contract-bench.ts'
import { decodeNote, encodeNote } from './note.ts'
import type { Note } from './note.ts'

const PREFIX = 'Delivered-To: 花子@campus.example\r\n'

const noteWith = (prefix: Uint8Array): Note => ({
  atMs: 1_764_000_000_000,
  commits: [
    {
      accountId: '花子' as AccountId,
      deliveryId: 'D1',
      changes: [{ ...append(['会議']), prefix }],
    },
  ],
  placed: { contents: [], outbox: [[]] },
})

const prefixIn = (octets: Uint8Array): unknown => {
  const [change] = decodeNote(octets).commits[0]!.changes
  return change?.kind === 'append' ? change.prefix : undefined
}

test('a note keeps octets, also those that came through a pipe', () => {
  for (const prefix of [fromUtf8(PREFIX), Buffer.from(PREFIX)]) {
    const read = prefixIn(encodeNote(noteWith(prefix)))
    assert.ok(read instanceof Uint8Array)
    assert.equal(toUtf8(read), PREFIX)
  }
})

test('a note of an earlier program tells octets of a pipe as numbers', () => {
  const note = noteWith(Buffer.from(PREFIX))
  const read = prefixIn(fromUtf8(JSON.stringify(note)))
  assert.ok(read instanceof Uint8Array)
  assert.equal(toUtf8(read), PREFIX)
})
