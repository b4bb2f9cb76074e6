import { concatOctets, emptyOctets } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import type { FetchItem } from '#codec/imap/fetch-item.ts'
import { partAt } from '#codec/imap/section.ts'
import type { Prefixed } from '#codec/imap/section.ts'
import { contentDecoder } from '#codec/mime/content-decoder.ts'
import type { OctetRange } from '#model/message.ts'

/** Reads octets of the message, prefix included; undefined where it is gone. */
export type ReadRange = (range: OctetRange) => Promise<Octets | undefined>

/** A part without its transfer encoding; `pieces` gives the octets, as often as it is called. */
export interface Decoded {
  readonly length: number
  pieces(): AsyncIterable<Octets>
}

export type NotDecoded =
  /** The message has no such part. */
  | 'noPart'
  | 'gone'
  /** RFC 3516 §4.3: the answer is NO [UNKNOWN-CTE]. */
  | 'unknownEncoding'

const READ_BYTES = 256 * 1024
const PLAIN = ['7bit', '8bit', 'binary']
const ENCODED = ['base64', 'quoted-printable']

type Asked = Pick<FetchItem & { readonly kind: 'binary' }, 'path' | 'partial'>

/**
 * What BINARY asks for. A length must stand in front, and is known only once all is decoded: what is
 * one read long is kept, of a longer part only the length, and it is decoded once more when it is sent.
 */
export async function decodedPart(
  asked: Asked,
  { meta, prefixBytes }: Prefixed,
  read: ReadRange,
): Promise<Decoded | NotDecoded> {
  const isWhole = asked.path.length === 0
  const part = isWhole ? undefined : partAt(meta.root, asked.path)
  if (!isWhole && part === undefined) return 'noPart'
  const encoding = part?.encoding.trim().toLowerCase() ?? 'binary'
  const range =
    part === undefined
      ? { offset: 0, length: prefixBytes + meta.sizeBytes }
      : { offset: part.body.offset + prefixBytes, length: part.body.length }
  const { offset: skip, length: take } = asked.partial ?? { offset: 0, length: Infinity }
  if (PLAIN.includes(encoding)) {
    const from = Math.min(skip, range.length)
    const length = Math.min(take, range.length - from)
    const shown = { offset: range.offset + from, length }
    return { length, pieces: () => encodedPieces(shown, read) }
  }
  if (!ENCODED.includes(encoding)) return 'unknownEncoding'
  const pieces = (): AsyncGenerator<Octets> => decodedPieces(range, encoding, read)
  let length = 0
  const kept: Octets[] = []
  for await (const octets of pieces()) {
    length += octets.length
    if (range.length <= READ_BYTES) kept.push(octets)
  }
  if (length === 0 && range.length > 0 && (await read({ ...range, length: 1 })) === undefined)
    return 'gone'
  const shown = Math.max(0, Math.min(take, length - skip))
  if (range.length > READ_BYTES)
    return { length: shown, pieces: () => cut(pieces(), { skip, take: shown }) }
  const octets = concatOctets(kept).subarray(skip, skip + shown)
  return { length: shown, pieces: () => once(octets) }
}

async function* once(octets: Octets): AsyncGenerator<Octets> {
  yield await Promise.resolve(octets)
}

async function* encodedPieces(range: OctetRange, read: ReadRange): AsyncGenerator<Octets> {
  for (let at = 0; at < range.length;) {
    const length = Math.min(READ_BYTES, range.length - at)
    const octets = (await read({ offset: range.offset + at, length })) ?? emptyOctets
    if (octets.length === 0) return
    at += octets.length
    yield octets
  }
}

async function* decodedPieces(
  range: OctetRange,
  encoding: string,
  read: ReadRange,
): AsyncGenerator<Octets> {
  const decoder = contentDecoder(encoding)
  for await (const octets of encodedPieces(range, read)) yield decoder.push(octets)
  yield decoder.end()
}

async function* cut(
  pieces: AsyncIterable<Octets>,
  { skip, take }: { readonly skip: number; readonly take: number },
): AsyncGenerator<Octets> {
  let at = 0
  for await (const octets of pieces) {
    const shown = octets.subarray(Math.max(0, skip - at), Math.max(0, skip + take - at))
    at += octets.length
    if (shown.length > 0) yield shown
    if (at >= skip + take) return
  }
}
