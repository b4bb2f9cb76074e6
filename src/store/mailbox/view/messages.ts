import { concatOctets, emptyOctets } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { Fault, isLost } from '#base/outcome.ts'
import { hasRight } from '#model/acl.ts'
import type { MailboxId, Uid } from '#model/mailbox.ts'
import { blobFrom, metaAnew } from '#store/mailbox/rows/content.ts'
import { readableRows } from './readable.ts'
import { READ_BYTES_MAX } from '#store/mailbox/mailbox-store.ts'
import type { MessageIds } from '#store/mailbox/mailbox-view.ts'
import { METAS_BYTES_MAX, METAS_MAX } from '#store/mailbox/meta-records.ts'
import type { MetaRecords } from '#store/mailbox/meta-records.ts'
import { rightsIn, strangerOf } from '#store/mailbox/rows/rights.ts'
import type { Asked } from '#store/mailbox/rows/rights.ts'
import type { Sql } from '#store/mailbox/rows/sql.ts'
import { emailIdOf, findAccount, midOf, threadIdOf, uidlOf } from '#store/mailbox/rows/work.ts'
import type { Place, Source } from './source.ts'

export interface Ask extends Asked {
  readonly mailboxId: MailboxId
}

export function placeOf(sql: Sql, ask: Ask): Place | undefined {
  const account = findAccount(sql, ask.accountId, 0)
  const mid = account && midOf(account.tag, ask.mailboxId)
  if (mid === undefined) return undefined
  const by = strangerOf(ask)
  if (by !== undefined && !hasRight(rightsIn(account!, mid, by), 'r')) return undefined
  return { account: account!, mid }
}

export async function readMetas(
  source: Source,
  ask: Ask & { readonly uids: readonly Uid[] },
): Promise<MetaRecords> {
  if (ask.uids.length > METAS_MAX)
    throw new Fault('limit', `at most ${METAS_MAX} messages can be asked for at once`)
  const place = placeOf(source.sql, ask)
  const rows =
    place === undefined
      ? []
      : readableRows<MetaRow>(source, {
          place,
          uids: ask.uids,
          columns:
            'meta_kind, meta_file, meta_offset, meta_length, coalesce(length(prefix), 0), x.eid',
        })
  const { count, taken } = inOneAnswer(ask.uids, rows)
  const octets = await readRecords(source, place?.account.aid ?? 0, taken)
  const indexOf = new Map(taken.map(([uid], index) => [uid, index]))
  const parts: Octets[] = []
  const ends = new Uint32Array(count)
  const prefixBytes = new Uint32Array(count)
  let end = 0
  for (let at = 0; at < count; at++) {
    const index = indexOf.get(ask.uids[at]!)
    if (index !== undefined) {
      parts.push(octets[index]!)
      end += octets[index]!.length
      prefixBytes[at] = taken[index]![6]
    }
    ends[at] = end
  }
  return { octets: concatOctets(parts), ends, prefixBytes }
}

/** How many of those that are asked for are answered, and their rows. */
function inOneAnswer(
  uids: readonly Uid[],
  rows: readonly MetaRow[],
): { readonly count: number; readonly taken: readonly MetaRow[] } {
  const all = rows.reduce((sum, row) => sum + row[5], 0)
  if (all <= METAS_BYTES_MAX) return { count: uids.length, taken: rows }
  const rowOf = new Map(rows.map((row) => [row[0], row]))
  const taken: MetaRow[] = []
  let bytes = 0
  let count = 0
  for (; count < uids.length; count++) {
    const row = rowOf.get(uids[count]!)
    if (row === undefined) continue
    if (taken.length > 0 && bytes + row[5] > METAS_BYTES_MAX) break
    bytes += row[5]
    taken.push(row)
  }
  return { count, taken }
}

type MetaRow = [
  uid: number,
  isGone: number,
  kind: number,
  file: number,
  offset: number,
  length: number,
  prefixBytes: number,
  eid: number,
]

/** A meta that is damaged is parsed anew: it costs its own message some time, and no other anything. */
async function readRecords(
  { sql, blobs, parser }: Source,
  aid: number,
  rows: readonly MetaRow[],
): Promise<readonly Octets[]> {
  const refs = rows.map(([, , kind, file, at, length]) => blobFrom([kind, file, at, length]))
  try {
    const contents: Octets[] = refs.map(() => emptyOctets)
    await blobs.readEach(refs, (content, index) => {
      contents[index] = Buffer.from(content)
    })
    return contents
  } catch (thrown) {
    if (!isLost(thrown)) throw thrown
  }
  const octets: Octets[] = []
  for (const [index, ref] of refs.entries())
    try {
      octets.push(await blobs.read(ref, 0, ref.length))
    } catch (thrown) {
      if (!isLost(thrown)) throw thrown
      const content = sql.get<[number, number, number, number]>(
        'SELECT kind, file, offset, length FROM email WHERE aid = ? AND eid = ?',
        aid,
        rows[index]![7],
      )
      octets.push(
        content === undefined ? emptyOctets : await metaAnew(blobs, blobFrom(content), parser()),
      )
    }
  return octets
}

export function readIds(
  source: Pick<Source, 'sql' | 'held'>,
  ask: Ask & { readonly uids: readonly Uid[] },
): (MessageIds | undefined)[] {
  const place = placeOf(source.sql, ask)
  if (place === undefined) return ask.uids.map(() => undefined)
  const { tag } = place.account
  const ids = new Map<number, MessageIds>()
  const columns = 'x.eid, e.tid, x.uidl'
  for (const [uid, , eid, tid, uidl] of readableRows<
    [uid: number, isGone: number, eid: number, tid: number, uidl: string | null]
  >(source, { place, uids: ask.uids, columns }))
    ids.set(uid, {
      uid: uid as Uid,
      emailId: emailIdOf(tag, eid),
      threadId: threadIdOf(tag, tid),
      uidl: uidl ?? uidlOf(tag, { mid: place.mid, uid }),
    })
  return ask.uids.map((uid) => ids.get(uid))
}

/** Where a content lies, and what stands before it. */
export const CONTENT_COLUMNS = 'kind, file, offset, length, prefix'
export type ContentRow = [
  uid: number,
  isGone: number,
  kind: number,
  file: number,
  offset: number,
  length: number,
  prefix: Uint8Array | null,
]

/** The prefix and the content as one run of octets. */
export async function readMessage(
  source: Source,
  ask: Ask & { readonly uid: Uid; readonly offset: number; readonly length: number },
): Promise<Octets | undefined> {
  const { sql, blobs } = source
  const place = placeOf(sql, ask)
  if (place === undefined) return undefined
  const [row] = readableRows<ContentRow>(source, {
    place,
    uids: [ask.uid],
    columns: CONTENT_COLUMNS,
  })
  if (row === undefined) return undefined
  const [, , kind, file, at, size, stored] = row
  const prefix = stored ?? emptyOctets
  const offset = Math.max(0, ask.offset)
  const end = Math.min(
    offset + Math.min(Math.max(0, ask.length), READ_BYTES_MAX),
    prefix.byteLength + size,
  )
  const head = prefix.subarray(offset, end)
  if (end <= prefix.byteLength) return head
  const from = Math.max(offset, prefix.byteLength)
  if (from >= end) return head
  const body = await blobs.read(
    blobFrom([kind, file, at, size]),
    from - prefix.byteLength,
    end - from,
  )
  return head.byteLength === 0 ? body : concatOctets([head, body])
}
