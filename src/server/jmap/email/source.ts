import { concatOctets, emptyOctets, toLatin1 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import { decodeContent } from '#codec/mime/content-decoder.ts'
import { MimeIndexer } from '#codec/mime/indexer.ts'
import type { MessageMeta, MimePart } from '#model/message.ts'
import { READ_BYTES_MAX } from '#store/mailbox/mailbox-store.ts'
import { loadEmails, loadMeta } from './emails.ts'
import type { Email } from './emails.ts'
import { scriptOctets } from './script-blob.ts'
import { asked } from '#server/jmap/room.ts'
import type { Call } from '#server/jmap/room.ts'

/** A message's octets with their structure, wherever they lie. Offsets of the structure count from after the prefix. */
export interface Source {
  readonly blobId: string
  readonly meta: MessageMeta
  readonly prefixBytes: number
  readonly sizeBytes: number
  /** Octets from `offset` of the whole, prefix included; throws Fault `notFound` where they are gone. */
  read(offset: number, length: number): Promise<Octets>
}

/** What a blob id stands for: all of a source, or the content of one of its parts. */
export interface Blob {
  readonly source: Pick<Source, 'read'>
  readonly offset: number
  readonly length: number
  readonly encoding: string
  readonly type: string
}

/** A message within a message is taken apart in memory up to this size. */
const INNER_BYTES_MAX = 32 * 1024 * 1024
const INNER_DEPTH_MAX = 4
/** Octets in which a message shows what it is. */
const HEAD_BYTES = 4_096

/*
 * Blob ids: `G` and the email's id; a part of it by `_` and its number, `_` between its steps; what
 * lies in a message within it by `-` and the next number: GEabc1_2-1_3. Uploads and scripts have ids of their own.
 */
const BLOB = /^G(E[0-9A-Za-z]{2,60})((?:_\d{1,5})*(?:-\d{1,5}(?:_\d{1,5})*)*)$/

export const emailBlobId = (emailId: string): string => `G${emailId}`

/** The email that a blob is of, or within; undefined for uploads and scripts. */
export const emailIdOf = (blobId: string): string | undefined => BLOB.exec(blobId)?.[1]

/** The blob of a part of the message that `blobId` is; `partId` as in `1.2`. */
export function partBlobId(blobId: string, partId: string): string {
  const number = partId.replaceAll('.', '_')
  return /_/.test(blobId) || !blobId.startsWith('G') ? `${blobId}-${number}` : `${blobId}_${number}`
}

/** The source of an email that is there. */
export function storedSource(
  call: Call,
  email: Email,
  stored: { readonly meta: MessageMeta; readonly prefixBytes: number },
): Source {
  const { mailboxId, uid, sizeBytes } = email.places[0]!
  const ask = { ...asked(call), mailboxId, uid }
  return {
    blobId: emailBlobId(email.emailId),
    ...stored,
    sizeBytes,
    read: (offset, length) =>
      inPieces(
        length,
        async (at, bytes) =>
          (await call.room.store.read({ ...ask, offset: offset + at, length: bytes })).octets,
      ),
  }
}

/** Reads so many octets, or fewer where they end, by as many calls as it needs. */
async function inPieces(
  length: number,
  read: (at: number, bytes: number) => Promise<Octets | undefined>,
): Promise<Octets> {
  const parts: Octets[] = []
  for (let at = 0; at < length;) {
    const octets = await read(at, Math.min(READ_BYTES_MAX, length - at))
    if (octets === undefined) throw new Fault('notFound', 'the octets are gone')
    if (octets.length === 0) break
    parts.push(octets)
    at += octets.length
  }
  return parts.length === 0 ? emptyOctets : concatOctets(parts)
}

/** Octets in memory as a message. */
export function memorySource(blobId: string, octets: Octets): Source {
  const indexer = new MimeIndexer()
  indexer.feed(octets)
  return {
    blobId,
    meta: indexer.finish(),
    prefixBytes: 0,
    sizeBytes: octets.length,
    read: (offset, length) => Promise.resolve(octets.subarray(offset, offset + length)),
  }
}

/** Has a header field somewhere at its beginning (RFC 5322 §2.1): all else is some other file. */
export const isMessage = (octets: Octets): boolean =>
  /(?:^|\n)[\u0021-\u0039\u003b-\u007e]+[ \t]*:/.test(toLatin1(octets.subarray(0, HEAD_BYTES)))

/** What the id stands for to this account; undefined where there is no such thing. */
export async function findBlob(call: Call, id: string): Promise<Blob | undefined> {
  if (id.startsWith('U')) return findUploaded(call, id)
  if (id.startsWith('S')) return findScript(call, id)
  const match = BLOB.exec(id)
  if (match === null) return undefined
  const source = await emailSource(call, match[1]!)
  return source && blobWithin(source, match[2]!)
}

async function emailSource(call: Call, emailId: string): Promise<Source | undefined> {
  const [email] = (await loadEmails(call, [emailId])).emails
  const stored = email && (await loadMeta(call, email))
  return stored && storedSource(call, email, stored)
}

async function findUploaded(call: Call, id: string): Promise<Blob | undefined> {
  const { store } = call.room
  // Whoever uploads keeps it, in whichever account it is used.
  const accountId = call.login.id
  const [base = '', ...inner] = id.split('-')
  const { upload } = await store.upload({ accountId, id: base })
  if (upload === undefined) return undefined
  const read = (offset: number, length: number): Promise<Octets> =>
    inPieces(length, async (at, bytes) => {
      const ask = { accountId, id: base, offset: offset + at, length: bytes }
      return (await store.readUpload(ask)).octets
    })
  if (inner.length === 0)
    return {
      source: { read },
      offset: 0,
      length: upload.sizeBytes,
      encoding: 'binary',
      type: upload.type,
    }
  if (upload.sizeBytes > INNER_BYTES_MAX) return undefined
  return blobWithin(memorySource(base, await read(0, upload.sizeBytes)), `-${inner.join('-')}`)
}

async function findScript(call: Call, id: string): Promise<Blob | undefined> {
  const octets = await scriptOctets(call, id)
  if (octets === undefined) return undefined
  const read = (offset: number, length: number): Promise<Octets> =>
    Promise.resolve(octets.subarray(offset, offset + length))
  const { length } = octets
  return { source: { read }, offset: 0, length, encoding: 'binary', type: 'application/sieve' }
}

async function blobWithin(source: Source, path: string): Promise<Blob | undefined> {
  const [first = '', ...inner] = path.split('-')
  const steps = first === '' && inner.length > 0 ? inner : [first.replace(/^_/, ''), ...inner]
  if (steps.length > INNER_DEPTH_MAX) return undefined
  let within = source
  for (const [index, step] of steps.entries()) {
    if (step === '')
      return {
        source: within,
        offset: 0,
        length: within.sizeBytes,
        encoding: 'binary',
        type: 'message/rfc822',
      }
    const part = partOf(within.meta.root, step.replaceAll('_', '.'))
    if (part === undefined) return undefined
    const blob = partBlob(within, part)
    if (index === steps.length - 1) return blob
    if (blob.length > INNER_BYTES_MAX) return undefined
    within = memorySource('', await readBlob(blob))
  }
  return undefined
}

const partBlob = (source: Source, part: MimePart): Blob => ({
  source,
  offset: source.prefixBytes + part.body.offset,
  length: part.body.length,
  encoding: part.encoding,
  type: `${part.type}/${part.subtype}`,
})

/** All octets of a blob, its transfer encoding undone. */
export async function readBlob(blob: Blob): Promise<Octets> {
  return decodeContent(await blob.source.read(blob.offset, blob.length), blob.encoding)
}

/** The part of that number: `1` is a message that has no other; a message within is one part. */
function partOf(root: MimePart, partId: string): MimePart | undefined {
  if (root.type !== 'multipart') return partId === '1' ? root : undefined
  let part: MimePart | undefined = root
  for (const step of partId.split('.'))
    part = part?.type === 'multipart' ? part.parts[Number(step) - 1] : undefined
  return part?.type === 'multipart' ? undefined : part
}
