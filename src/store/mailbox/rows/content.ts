import { emptyOctets } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { Fault, isLost } from '#base/outcome.ts'
import type { AccountId } from '#model/account.ts'
import type { EmailId } from '#model/mailbox.ts'
import type { MessageMeta } from '#model/message.ts'
import { RECORD_BYTES_MAX } from '#store/blob/blobs.ts'
import type { BlobRef, Blobs, Content } from '#store/blob/blobs.ts'
import { encodeMeta } from '#store/mailbox/meta-records.ts'
import type { Sql } from './sql.ts'
import { threadKeys } from './thread.ts'
import { eidOf, findAccount } from './work.ts'

/** Parses one message; what `codec/mime` offers. */
export interface MetaParser {
  feed(octets: Octets): void
  finish(): MessageMeta
}

/** A content with its place, as rows name it. */
export interface PlacedContent {
  readonly ref: BlobRef
  readonly metaRef: BlobRef
  readonly threadKeys: string
}

/** A content that is parsed and, where it is large, has its place: only records are still to be written. */
export interface StagedContent {
  /** Places the records; called once, before the flush that makes them durable. */
  place(): PlacedContent
}

type BlobColumns = readonly [kind: number, file: number, offset: number, length: number]

const KINDS = ['segment', 'large', 'block'] as const
/** The offset of a block's content: the record's times this, and where it begins within. */
const WITHIN_UNIT = 2 ** 20

export const blobColumns = (ref: BlobRef): BlobColumns => [
  KINDS.indexOf(ref.kind),
  ref.file,
  ref.kind === 'block' ? ref.offset * WITHIN_UNIT + (ref.within ?? 0) : ref.offset,
  ref.length,
]

export function blobFrom([number, file, offset, length]: BlobColumns): BlobRef {
  const kind = KINDS[number] ?? 'segment'
  if (kind !== 'block') return { kind, file, offset, length }
  const within = offset % WITHIN_UNIT
  return { kind, file, offset: (offset - within) / WITHIN_UNIT, length, within }
}

const PIECE_BYTES = 256 * 1024

/** Parses the content and gives what is large its file, which `files` is told. Nothing is promised yet. */
export async function stageContent(
  blobs: Blobs,
  content: Content,
  parser: MetaParser,
  files: BlobRef[],
): Promise<StagedContent> {
  const body = await placeBody(blobs, content, files)
  const meta = await parse(blobs, body, parser)
  const metaBody = await placeBody(blobs, { octets: [encodeMeta(meta)] }, files)
  const keys = threadKeys(meta)
  return {
    place: () => ({
      ref: body.ref ?? blobs.append(body.octets),
      metaRef: metaBody.ref ?? blobs.append(metaBody.octets),
      threadKeys: keys,
    }),
  }
}

interface Body {
  readonly octets: readonly Octets[]
  /** Set where it is a file of its own; `octets` is empty then. */
  readonly ref?: BlobRef
}

/** What is too large for a record gets a file, which `files` is told. */
export async function placeBody(blobs: Blobs, content: Content, files: BlobRef[]): Promise<Body> {
  if ('octets' in content && sizeOf(content.octets) <= RECORD_BYTES_MAX)
    return { octets: content.octets }
  const ref =
    'large' in content
      ? await blobs.finishLarge(content.large, content.prefix)
      : await writeLarge(blobs, content.octets)
  files.push(ref)
  return { octets: [], ref }
}

async function writeLarge(blobs: Blobs, octets: readonly Octets[]): Promise<BlobRef> {
  const handle = await blobs.openLarge()
  try {
    for (const part of octets) await blobs.appendLarge(handle, part)
    return await blobs.finishLarge(handle, emptyOctets)
  } catch (thrown) {
    await blobs.abortLarge(handle)
    throw thrown
  }
}

async function parse(blobs: Blobs, body: Body, parser: MetaParser): Promise<MessageMeta> {
  let sizeBytes = 0
  try {
    for (const part of body.octets) {
      sizeBytes += part.byteLength
      parser.feed(part)
    }
    if (body.ref !== undefined) {
      sizeBytes = body.ref.length
      for (let at = 0; at < sizeBytes; at += PIECE_BYTES)
        parser.feed(await blobs.read(body.ref, at, PIECE_BYTES))
    }
    return parser.finish()
  } catch (thrown) {
    if (thrown instanceof Fault) throw thrown
    return opaqueMeta(body.ref?.length ?? sizeOf(body.octets))
  }
}

/** The meta of a stored message parsed once more, as a record; of one that cannot be read that of an opaque leaf. */
export async function metaAnew(blobs: Blobs, ref: BlobRef, parser: MetaParser): Promise<Octets> {
  try {
    return encodeMeta(await parse(blobs, { octets: [], ref }, parser))
  } catch (thrown) {
    if (!isLost(thrown)) throw thrown
    return encodeMeta(opaqueMeta(ref.length))
  }
}

const sizeOf = (octets: readonly Octets[]): number =>
  octets.reduce((sum, part) => sum + part.byteLength, 0)

/** A message that cannot be parsed is kept all the same, as one opaque leaf: never lost. */
const opaqueMeta = (sizeBytes: number): MessageMeta => ({
  sizeBytes,
  envelope: {},
  root: {
    type: 'application',
    subtype: 'octet-stream',
    params: [],
    encoding: '8bit',
    header: { offset: 0, length: 0 },
    body: { offset: 0, length: sizeBytes },
    lines: 0,
    parts: [],
  },
  references: [],
  preview: '',
  truncated: true,
})

/** Where an email's octets and meta lie now; nothing where there is no such email. */
export function placeOf(
  sql: Sql,
  accountId: AccountId,
  emailId: EmailId,
): Pick<PlacedContent, 'ref' | 'metaRef'> | undefined {
  const account = findAccount(sql, accountId, 0)
  const row =
    account &&
    sql.get<[number, number, number, number, number, number, number, number]>(
      `SELECT kind, file, offset, length, meta_kind, meta_file, meta_offset, meta_length
       FROM email WHERE aid = ? AND eid = ?`,
      account.aid,
      eidOf(account.tag, emailId) ?? 0,
    )
  if (row === undefined) return undefined
  const [kind, file, offset, length, ...meta] = row
  return { ref: blobFrom([kind, file, offset, length]), metaRef: blobFrom(meta) }
}

/** Deletes an email that no row has any more; the large files that it named. */
export function deleteEmail(sql: Sql, aid: number, eid: number): BlobRef[] {
  const row = sql.get<[number, number, number, number, number, number, number, number]>(
    `DELETE FROM email WHERE aid = ?1 AND eid = ?2
     AND NOT EXISTS (SELECT 1 FROM message WHERE aid = ?1 AND eid = ?2)
     AND NOT EXISTS (SELECT 1 FROM gone WHERE aid = ?1 AND eid = ?2)
     RETURNING kind, file, offset, length, meta_kind, meta_file, meta_offset, meta_length`,
    aid,
    eid,
  )
  if (row === undefined) return []
  const [kind, file, offset, length, ...meta] = row
  return [blobFrom([kind, file, offset, length]), blobFrom(meta)].filter(
    (ref) => ref.kind === 'large',
  )
}
