import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { concatOctets, toLatin1 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { localDateTime } from '#server/imap/view/fetch-lines.ts'
import type { FetchItem } from '#codec/imap/fetch-item.ts'
import { formatFlags } from '#codec/imap/flags.ts'
import type { AccountId } from '#model/account.ts'
import type { MailboxRow } from '#store/mailbox/mailbox-view.ts'
import { FakeMailboxStore } from '#test/fake/mailbox-store.ts'
import { writeRows } from './row-lines.ts'
import { Selected } from '#server/imap/view/selected.ts'
import { SharedView } from '#server/imap/view/shared-view.ts'
import type { ImapSession } from '#server/imap/session/session.ts'

type Row = readonly [flags: number, modSeq: number, size: number, date: number]

const KINDS = ['uid', 'flags', 'internalDate', 'size', 'modSeq'] as const
/** As many and as long as a mailbox may have. */
const KEYWORDS = Array.from({ length: 27 }, (_, n) => `$${'k'.repeat(250)}${n}`)

function selectedOf(rows: readonly Row[]): Selected {
  const mailbox = { id: 'M1', keywords: KEYWORDS } as unknown as MailboxRow
  return new Selected(
    new SharedView(
      new FakeMailboxStore(),
      { accountId: 'hanako' as AccountId },
      {
        mailbox,
        uids: Uint32Array.from(rows, (_, n) => 3 * n + 1),
        flags: Uint32Array.from(rows, ([flags]) => flags),
        modSeqs: Float64Array.from(rows, ([, modSeq]) => modSeq),
        sizes: Float64Array.from(rows, ([, , size]) => size),
        internalDatesMs: Float64Array.from(rows, ([, , , date]) => date),
        savedAtMs: new Float64Array(rows.length),
        vanished: new Uint32Array(0),
      },
    ),
    false,
  )
}

async function written(selected: Selected, items: readonly FetchItem[]): Promise<string> {
  const pieces: Octets[] = []
  const session = {
    out: { octets: (octets: Octets) => Promise.resolve(void pieces.push(octets)) },
  } as unknown as ImapSession
  const rows = Array.from({ length: selected.exists }, (_, row) => row)
  await writeRows(session, selected, { items, rows })
  return toLatin1(concatOctets(pieces))
}

function expected(rows: readonly Row[], kinds: readonly FetchItem['kind'][]): string {
  return rows
    .map(([flags, modSeq, size, date], row) => {
      const values: Record<string, string> = {
        uid: `UID ${3 * row + 1}`,
        flags: `FLAGS ${formatFlags(flags, KEYWORDS)}`,
        internalDate: `INTERNALDATE ${localDateTime(date)}`,
        size: `RFC822.SIZE ${size}`,
        modSeq: `MODSEQ (${modSeq})`,
      }
      return `* ${row + 1} FETCH (${kinds.map((kind) => values[kind]).join(' ')})\r\n`
    })
    .join('')
}

test('lines made of octets are what text would be, whatever the numbers', async () => {
  const number = fc.oneof(
    fc.nat(),
    fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
    fc.constantFrom(0, 9, 10, 2 ** 31 - 1, 2 ** 31, 2 ** 40 + 7, 999_999_999_999_999, 10 ** 15),
  )
  const row = fc.tuple(fc.nat(2 ** 32 - 1), number, number, fc.nat(4_000_000_000_000))
  const kinds = fc.uniqueArray(fc.constantFrom(...KINDS), { minLength: 1 })
  await fc.assert(
    fc.asyncProperty(fc.array(row, { maxLength: 30 }), kinds, async (rows, some) => {
      const text = await written(
        selectedOf(rows),
        some.map((kind) => ({ kind })),
      )
      assert.equal(text, expected(rows, some))
    }),
    { seed: 3 },
  )
})

test('many rows with all keywords fill piece after piece', async () => {
  const rows = Array.from({ length: 300 }, (_, n): Row => [2 ** 32 - 1 - n, n, n, 0])
  const text = await written(selectedOf(rows), [{ kind: 'flags' }, { kind: 'uid' }])
  assert.equal(text, expected(rows, ['flags', 'uid']))
})
