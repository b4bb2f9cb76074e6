import { concatOctets, emptyOctets } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { HEAD_BYTES_MAX, textPlaces } from '#codec/mime/message-texts.ts'
import type { AccountId } from '#model/account.ts'
import { isFault } from '#base/outcome.ts'
import { RECORD_BYTES_MAX } from '#store/blob/blobs.ts'
import type { BlobRef, Blobs } from '#store/blob/blobs.ts'
import { blobFrom } from '#store/mailbox/rows/content.ts'
import { decodeMeta } from '#store/mailbox/meta-records.ts'
import type { Sql } from '#store/mailbox/rows/sql.ts'
import type { EmailTexts, TextSource } from '#store/mailbox/text-source.ts'
import { findAccount } from '#store/mailbox/rows/work.ts'
import { openedMailbox } from './view.ts'

/** What one answer holds: others are answered before the next one. */
const EMAILS_MAX = 64
const BYTES_MAX = 1_048_576
/**
 * Read together: each read is a turn of a loop whose turns are long while mail is delivered, and of many
 * one after the other an answer would miss its deadline.
 */
const EMAILS_AT_ONCE = 16
const NUMBERS_MAX = 100_000

type EmailRow = [
  eid: number,
  kind: number,
  file: number,
  offset: number,
  length: number,
  metaKind: number,
  metaFile: number,
  metaOffset: number,
  metaLength: number,
  prefix: Uint8Array | null,
]

/** Where numbers end for an account that is not there. */
const NOWHERE = { to: 0, next: 0 }

export async function readTexts(
  { sql, blobs }: { readonly sql: Sql; readonly blobs: Blobs },
  ask: Parameters<TextSource['texts']>[0],
): ReturnType<TextSource['texts']> {
  const account = findAccount(sql, ask.accountId, 0)
  if (account === undefined) return { emails: [], ...NOWHERE }
  const next = account.nextEid
  const before = Math.min(ask.before ?? next, next)
  const rows = sql.all<EmailRow>(
    `SELECT eid, kind, file, offset, length, meta_kind, meta_file, meta_offset, meta_length, prefix
     FROM email WHERE aid = ? AND eid >= ? AND eid < ? ORDER BY eid LIMIT ${EMAILS_MAX}`,
    account.aid,
    ask.from,
    before,
  )
  const emails: EmailTexts[] = []
  let bytes = 0
  for (let at = 0; at < rows.length; at += EMAILS_AT_ONCE) {
    const group = rows.slice(at, at + EMAILS_AT_ONCE)
    const contents = await Promise.all(group.map((row) => readContent(blobs, row)))
    for (const [index, content] of contents.entries()) {
      const [emailNumber] = group[index]!
      if (bytes >= BYTES_MAX) return { emails, to: emailNumber, next }
      emails.push({ emailNumber, ...(content && { content }) })
      for (const octets of content?.octets ?? []) bytes += octets.length
      bytes += (content?.meta.length ?? 0) + (content?.head.length ?? 0)
    }
  }
  const last = rows.length < EMAILS_MAX ? before : rows.at(-1)![0] + 1
  return { emails, to: Math.max(ask.from, last), next }
}

/** Undefined where the octets are damaged: that must not hold up the emails after them. */
async function readContent(blobs: Blobs, row: EmailRow): Promise<EmailTexts['content']> {
  const [, kind, file, offset, length, metaKind, metaFile, metaOffset, metaLength, prefix] = row
  try {
    const meta = await blobs.read(
      blobFrom([metaKind, metaFile, metaOffset, metaLength]),
      0,
      metaLength,
    )
    const { root } = decodeMeta(meta)
    const reader = await readerOf(blobs, blobFrom([kind, file, offset, length]))
    const headBytes = Math.min(HEAD_BYTES_MAX, root.header.offset + root.header.length)
    const head = concatOctets([prefix ?? emptyOctets, await reader(0, headBytes)])
    const octets: Octets[] = []
    for (const place of textPlaces(root).places)
      octets.push(await reader(place.offset, place.length))
    return { meta, head, octets }
  } catch (thrown) {
    if (isFault(thrown, 'corrupt') || isFault(thrown, 'version')) return undefined
    throw thrown
  }
}

type Reader = (offset: number, length: number) => Promise<Octets>

/** A record is read whole, once: its CRC is of the whole. */
async function readerOf(blobs: Blobs, ref: BlobRef): Promise<Reader> {
  if (ref.length > RECORD_BYTES_MAX) return (offset, length) => blobs.read(ref, offset, length)
  const whole = await blobs.read(ref, 0, ref.length)
  return (offset, length) => Promise.resolve(whole.subarray(offset, offset + length))
}

export function readEmailNumbers(
  sql: Sql,
  ask: Parameters<TextSource['emailNumbers']>[0],
): Awaited<ReturnType<TextSource['emailNumbers']>> {
  const found = openedMailbox(sql, ask)
  const rows =
    found === undefined
      ? []
      : sql.all<[uid: number, eid: number]>(
          'SELECT uid, eid FROM message WHERE aid = ? AND mid = ? AND uid > ? ORDER BY uid',
          found.aid,
          found.row.mid,
          ask.aboveUid,
        )
  return {
    uids: Uint32Array.from(rows, ([uid]) => uid),
    emailNumbers: Float64Array.from(rows, ([, eid]) => eid),
  }
}

export function readKeptEmails(
  sql: Sql,
  ask: { readonly accountId: AccountId; readonly from: number },
): Awaited<ReturnType<TextSource['keptEmails']>> {
  const account = findAccount(sql, ask.accountId, 0)
  if (account === undefined) return { emailNumbers: new Uint32Array(0), ...NOWHERE }
  const rows = sql.all<[number]>(
    `SELECT eid FROM email WHERE aid = ? AND eid >= ? ORDER BY eid LIMIT ${NUMBERS_MAX}`,
    account.aid,
    ask.from,
  )
  const next = account.nextEid
  const to = rows.length < NUMBERS_MAX ? Math.max(ask.from, next) : rows.at(-1)![0] + 1
  return { emailNumbers: Uint32Array.from(rows, ([eid]) => eid), to, next }
}

export const readNextEmails = (
  sql: Sql,
  { after, limit }: Parameters<TextSource['nextEmails']>[0],
): Awaited<ReturnType<TextSource['nextEmails']>> => ({
  accounts: sql
    .all<[string, number]>(
      `SELECT id, next_eid FROM account WHERE id > ? AND removed_at IS NULL ORDER BY id LIMIT ?`,
      after ?? '',
      Math.min(limit, 10_000),
    )
    .map(([id, next]) => ({ accountId: id as AccountId, next })),
})
