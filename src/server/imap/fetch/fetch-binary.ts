import { concatOctets, emptyOctets } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import type { FetchItem } from '#codec/imap/fetch-item.ts'
import { FieldPicker } from '#codec/imap/section.ts'
import type { WantedFields } from '#codec/imap/section.ts'
import { contentDecoder } from '#codec/mime/content-decoder.ts'
import type { OctetRange } from '#model/message.ts'

/** Reads octets of the message, prefix included; undefined where it is gone. */
export type ReadRange = (range: OctetRange) => Promise<Octets | undefined>

/** What is made of a message's octets while it is sent; `pieces` gives it, as often as it is called. */
export interface Decoded {
  readonly length: number
  pieces(): AsyncIterable<Octets>
}

export type NotDecoded =
  | 'gone'
  /** RFC 3516 §4.3: the answer is NO [UNKNOWN-CTE]. */
  | 'unknownEncoding'

/** A part as BINARY asks for it. */
export interface EncodedPart {
  readonly range: OctetRange
  readonly encoding: string
  readonly partial?: (FetchItem & { readonly kind: 'binary' })['partial']
}

const READ_BYTES = 256 * 1024
const PLAIN = ['7bit', '8bit', 'binary']
const ENCODED = ['base64', 'quoted-printable']

/** Without its transfer encoding; `mayKeep` as `counted` has it. */
export async function decodedPart(
  { range, encoding, partial }: EncodedPart,
  read: ReadRange,
  mayKeep: (bytes: number) => boolean,
): Promise<Decoded | NotDecoded> {
  const { offset: skip, length: take } = partial ?? { offset: 0, length: Infinity }
  if (PLAIN.includes(encoding)) {
    const from = Math.min(skip, range.length)
    const length = Math.min(take, range.length - from)
    const shown = { offset: range.offset + from, length }
    return { length, pieces: () => encodedPieces(shown, read) }
  }
  if (!ENCODED.includes(encoding)) return 'unknownEncoding'
  const decoded = await counted(() => decodedPieces(range, encoding, read), {
    skip,
    take,
    keeps: range.length <= READ_BYTES && mayKeep(range.length),
  })
  if (
    decoded.length === 0 &&
    range.length > 0 &&
    (await read({ ...range, length: 1 })) === undefined
  )
    return 'gone'
  return decoded
}

/** The fields of a header that HEADER.FIELDS asks for, however long it is. */
export async function pickedFields(
  {
    range,
    fields,
    partial,
  }: {
    readonly range: OctetRange
    readonly fields: WantedFields
    readonly partial?: EncodedPart['partial']
  },
  read: ReadRange,
): Promise<Decoded | 'gone'> {
  if ((await read({ ...range, length: 1 })) === undefined) return 'gone'
  const { offset: skip, length: take } = partial ?? { offset: 0, length: Infinity }
  return counted(() => fieldPieces(range, fields, read), { skip, take, keeps: false })
}

/**
 * A length must stand in front, and is known only once all is made: what is short is kept, where there
 * is room for it; of all else only the length, and it is made once more when it is sent.
 */
async function counted(
  pieces: () => AsyncGenerator<Octets>,
  ask: { readonly skip: number; readonly take: number; readonly keeps: boolean },
): Promise<Decoded> {
  const { skip, take, keeps } = ask
  let length = 0
  const kept: Octets[] = []
  for await (const octets of pieces()) {
    length += octets.length
    if (keeps) kept.push(octets)
  }
  const shown = Math.max(0, Math.min(take, length - skip))
  if (!keeps) return { length: shown, pieces: () => cut(pieces(), { skip, take: shown }) }
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

async function* fieldPieces(
  range: OctetRange,
  fields: WantedFields,
  read: ReadRange,
): AsyncGenerator<Octets> {
  const picker = new FieldPicker(fields)
  for await (const octets of encodedPieces(range, read)) yield picker.push(octets)
  yield picker.end()
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
