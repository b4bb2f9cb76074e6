import { bufferOf, concatOctets, fromLatin1, isAscii } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { formatDate } from '#codec/mime/date.ts'
import { headerFields } from '#codec/mime/header.ts'
import type { HeaderField } from '#codec/mime/header.ts'
import { RECORD_BYTES_MAX } from '#store/blob/blobs.ts'
import type { Content } from '#store/blob/blobs.ts'
import type { Call } from '#server/jmap/room.ts'
import type { Source } from '#server/jmap/email/source.ts'

/** A stored message as it goes out. */
export interface Outgoing {
  readonly content: Content
  readonly fields: readonly HeaderField[]
  readonly is8bit: boolean
  readonly is8bitHeader: boolean
}

/** Nobody learns of blind copies (RFC 8621 §7.5); fields of our own are not to be claimed by a sender. */
const LEFT_OUT = new Set(['bcc', 'resent-bcc', 'return-path', 'delivered-to'])

/** The header's fields, without what a delivery put in front. */
export async function outgoingFields(source: Source): Promise<{
  readonly header: Octets
  readonly fields: readonly HeaderField[]
}> {
  const { offset, length } = source.meta.root.header
  const header = await source.read(source.prefixBytes + offset, length)
  return { header, fields: [...headerFields(header)] }
}

/** Makes the octets that are sent: a trace field, the header without blind copies, the body as it is. */
export async function makeOutgoing(
  call: Call,
  source: Source,
  made: { readonly header: Octets; readonly fields: readonly HeaderField[]; readonly id: string },
): Promise<Outgoing> {
  const { header, fields, id } = made
  const bodyAt = source.prefixBytes + source.meta.root.header.offset + header.length
  const bodyBytes = source.sizeBytes - bodyAt
  const front = concatOctets([
    fromLatin1(trace(call, id)),
    ...addedFields(call, fields, id),
    withoutFields(header, fields),
  ])
  let is8bit = !isAscii(front)
  const is8bitHeader = is8bit
  const look = (octets: Octets): Octets => {
    is8bit ||= !isAscii(octets)
    return octets
  }
  if (front.length + bodyBytes <= RECORD_BYTES_MAX) {
    const body = look(await source.read(bodyAt, bodyBytes))
    const content = { octets: [concatOctets([front, body])] }
    return { content, fields, is8bit, is8bitHeader }
  }
  const { store } = call.room
  const { handle } = await store.openLarge()
  try {
    for (let at = 0; at < bodyBytes; at += RECORD_BYTES_MAX) {
      const length = Math.min(RECORD_BYTES_MAX, bodyBytes - at)
      await store.appendLarge({ handle, octets: look(await source.read(bodyAt + at, length)) })
    }
  } catch (thrown) {
    await store.abortLarge({ handle }).catch(() => undefined)
    throw thrown
  }
  return { content: { prefix: front, large: handle }, fields, is8bit, is8bitHeader }
}

/** RFC 5322 §3.6.7: where it came in; the sender's own address is nobody's business. */
const trace = ({ room }: Call, id: string): string =>
  `Received: by ${room.hostname} (JMAP) id ${id};\r\n ${formatDate(room.clock.nowMs())}\r\n`

/** What a message must have (RFC 6409 §8.2, RFC 6409 §8.3). */
function addedFields(call: Call, fields: readonly HeaderField[], id: string): Octets[] {
  const has = (key: string): boolean => fields.some((field) => field.key === key)
  const { clock, hostname } = call.room
  return [
    fromLatin1(has('date') ? '' : `Date: ${formatDate(clock.nowMs())}\r\n`),
    fromLatin1(has('message-id') ? '' : `Message-ID: <${id}@${hostname}>\r\n`),
  ]
}

function withoutFields(header: Octets, fields: readonly HeaderField[]): Octets {
  const pieces: Octets[] = []
  let at = 0
  for (const { key, range } of fields) {
    if (!LEFT_OUT.has(key) && !key.startsWith('x-watari-')) continue
    pieces.push(header.subarray(at, range.offset))
    at = range.offset + range.length
  }
  pieces.push(header.subarray(at))
  return bufferOf(concatOctets(pieces))
}
