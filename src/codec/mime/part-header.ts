import { bufferOf } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { asciiLower } from '#base/text.ts'
import type { HeaderAddress, HeaderEnvelope, MimePart } from '#model/message.ts'
import { ADDRESSES_MAX, parseAddressList } from './address-list.ts'
import { parseContentType, parseDisposition, withoutComments } from './content-type.ts'
import { parseDate } from './date.ts'
import { firstField, headerFields, HEADER_BYTES_MAX } from './header.ts'
import type { HeaderField } from './header.ts'

/** What one part's header says about it. */
export interface Description {
  readonly type: string
  readonly subtype: string
  readonly boundary: string | undefined
  readonly fields: Omit<MimePart, 'header' | 'body' | 'lines' | 'parts' | 'message'>
  readonly envelope: HeaderEnvelope
  readonly references: readonly string[]
  /** Of those, how many at the end stand in In-Reply-To alone; undefined where there is no such field. */
  readonly repliedCount: number | undefined
  readonly sentAtMs: number | undefined
  /** A limit cut something off. */
  readonly isCut: boolean
}

const REFERENCES_MAX = 200
/** Fields of one header that are looked at. */
const FIELDS_MAX = 10_000

/** Reads a part's header; `isMessage` where it is a message's own, so that it has an ENVELOPE. */
export function describeHeader(
  header: Octets,
  kind: { readonly isDigest: boolean; readonly isMessage: boolean },
): Description {
  const fields: HeaderField[] = []
  for (const field of headerFields(header)) {
    if (fields.length >= FIELDS_MAX) break
    if (kind.isMessage || field.key.startsWith('content-')) fields.push(field)
  }
  const type = contentType(fields, kind.isDigest)
  const { envelope, isCut } = kind.isMessage ? envelopeOf(fields) : { envelope: {}, isCut: false }
  return {
    type: type.type,
    subtype: type.subtype,
    boundary:
      type.type === 'multipart'
        ? type.params.find(([name]) => name === 'boundary')?.[1].trimEnd() || undefined
        : undefined,
    fields: { ...type, ...contentFields(fields) },
    envelope,
    ...(kind.isMessage ? referencesOf(fields) : { references: [], repliedCount: undefined }),
    sentAtMs: envelope.date === undefined ? undefined : parseDate(envelope.date),
    isCut: isCut || fields.length >= FIELDS_MAX,
  }
}

export const emptyDescription: Description = describeHeader(new Uint8Array(0), {
  isDigest: false,
  isMessage: false,
})

/** Octets of a header as they come in, up to a limit. */
export class HeaderBuffer {
  readonly #pieces: Octets[] = []
  #length = 0

  /** Keeps a copy of what fits; says how many octets it kept. */
  add(piece: Octets, bytesMax: number): number {
    const kept = Math.max(0, Math.min(piece.length, bytesMax, HEADER_BYTES_MAX - this.#length))
    if (kept > 0) this.#pieces.push(Buffer.from(piece.subarray(0, kept)))
    this.#length += kept
    return kept
  }
  /** Forgets what lies behind `length`. */
  cut(length: number): void {
    this.#length = Math.min(this.#length, length)
  }
  octets(): Octets {
    return bufferOf(Buffer.concat(this.#pieces)).subarray(0, this.#length)
  }
}

// RFC 2046 §5.1.5: a digest's parts are messages where they do not say otherwise.
function contentType(
  fields: readonly HeaderField[],
  isDigest: boolean,
): Pick<MimePart, 'type' | 'subtype' | 'params'> {
  const value = firstField(fields, 'content-type')
  const parsed = value === undefined ? undefined : parseContentType(value)
  if (parsed !== undefined) return parsed
  if (isDigest && value === undefined) return { type: 'message', subtype: 'rfc822', params: [] }
  return { type: 'text', subtype: 'plain', params: [] }
}

function contentFields(
  fields: readonly HeaderField[],
): Omit<Description['fields'], 'type' | 'subtype' | 'params'> {
  const value = (key: string): string | undefined => firstField(fields, key) || undefined
  const encoding = /^[^\s;()<>@,:"/[\]?=]+/.exec(
    asciiLower(withoutComments(value('content-transfer-encoding') ?? '').trim()),
  )
  const disposition = parseDisposition(value('content-disposition') ?? '')
  const id = value('content-id')
  const description = value('content-description')
  const language = withoutComments(value('content-language') ?? '')
    .split(',')
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '')
  const location = value('content-location')
  const md5 = value('content-md5')
  return {
    encoding: encoding === null ? '7bit' : encoding[0],
    ...(disposition === undefined ? {} : { disposition }),
    ...(id === undefined ? {} : { id }),
    ...(description === undefined ? {} : { description }),
    ...(language.length === 0 ? {} : { language }),
    ...(location === undefined ? {} : { location }),
    ...(md5 === undefined ? {} : { md5 }),
  }
}

function envelopeOf(fields: readonly HeaderField[]): {
  readonly envelope: HeaderEnvelope
  readonly isCut: boolean
} {
  let left = ADDRESSES_MAX
  const addresses = (values: readonly string[]): readonly HeaderAddress[] => {
    const list = values.flatMap((value) => parseAddressList(value, left))
    left = Math.max(0, left - list.length)
    return list
  }
  const envelope: Record<string, unknown> = {}
  for (const [name, key] of TEXT_FIELDS) {
    const value = firstField(fields, key)
    if (value !== undefined) envelope[name] = value
  }
  for (const [name, key, isJoined] of ADDRESS_FIELDS) {
    const values = fields.filter((field) => field.key === key).map((field) => field.value)
    // A second From is no author; a second To is seen in mail and means more recipients.
    const list = addresses(isJoined ? values : values.slice(0, 1))
    if (list.length > 0) envelope[name] = list
  }
  return { envelope, isCut: left === 0 }
}

const TEXT_FIELDS = [
  ['date', 'date'],
  ['subject', 'subject'],
  ['inReplyTo', 'in-reply-to'],
  ['messageId', 'message-id'],
] as const
const ADDRESS_FIELDS = [
  ['from', 'from', false],
  ['sender', 'sender', false],
  ['replyTo', 'reply-to', false],
  ['to', 'to', true],
  ['cc', 'cc', true],
  ['bcc', 'bcc', true],
] as const

function referencesOf(
  fields: readonly HeaderField[],
): Pick<Description, 'references' | 'repliedCount'> {
  const replied = firstField(fields, 'in-reply-to')
  const named = new Set(idsIn(firstField(fields, 'references')))
  const ids = [...new Set([...named, ...idsIn(replied)])]
  return {
    references: ids.length <= REFERENCES_MAX ? ids : [ids[0]!, ...ids.slice(1 - REFERENCES_MAX)],
    repliedCount: replied === undefined ? undefined : ids.length - named.size,
  }
}

const idsIn = (text: string | undefined): readonly string[] =>
  text?.match(/<[^<>\s]{1,995}>/g) ?? []
