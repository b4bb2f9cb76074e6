import { randomId } from '#base/id.ts'
import {
  addressField,
  composeMessage,
  idsField,
  parameter,
  textField,
} from '#codec/mime/compose.ts'
import type { ComposedPart } from '#codec/mime/compose.ts'
import { formatDate } from '#codec/mime/date.ts'
import { needsSmtpUtf8, parseAddress } from '#model/address.ts'
import { isObject } from '#server/jmap/method/args.ts'
import type { Args } from '#server/jmap/method/args.ts'
import { fileEmail, readPlacing, utcMs } from './filing.ts'
import { invalidProperties, SetRefusal } from '#server/jmap/method/method-error.ts'
import type { Call } from '#server/jmap/room.ts'
import type { Properties } from '#server/jmap/method/set-frame.ts'
import { findBlob, readBlob } from './source.ts'

const ADDRESS_FIELDS: readonly (readonly [property: string, field: string])[] = [
  ['sender', 'Sender'],
  ['from', 'From'],
  ['replyTo', 'Reply-To'],
  ['to', 'To'],
  ['cc', 'Cc'],
  ['bcc', 'Bcc'],
]
const ID_FIELDS: readonly (readonly [property: string, field: string])[] = [
  ['messageId', 'Message-ID'],
  ['inReplyTo', 'In-Reply-To'],
  ['references', 'References'],
]
const KNOWN = new Set([
  ...ADDRESS_FIELDS.map(([property]) => property),
  ...ID_FIELDS.map(([property]) => property),
  ...'mailboxIds keywords receivedAt subject sentAt bodyStructure bodyValues textBody htmlBody attachments'.split(
    ' ',
  ),
])
const LIST_MAX = 1_000

/** Writes a message from its properties and files it (RFC 8621 §4.6). Throws SetRefusal. */
export async function createEmail(
  call: Call,
  args: Args,
  properties: Properties,
): Promise<{ readonly id: string; readonly [more: string]: unknown }> {
  for (const name of Object.keys(properties))
    if (!KNOWN.has(name) && !/^header:X-[A-Za-z0-9-]{1,60}:asText$/i.test(name))
      throw invalidProperties('that cannot be set', name.slice(0, 100))
  const placing = await readPlacing(call, args, properties)
  const fields = [...fieldsOf(call, properties), ...ownFields(properties)]
  const content = await new BodyWriter(call, properties).write()
  return fileEmail(call, composeMessage(fields, content), placing)
}

function fieldsOf(call: Call, properties: Properties): string[] {
  const fields: string[] = []
  const sentAt = properties['sentAt'] ?? null
  const atMs = sentAt === null ? call.room.clock.nowMs() : utcMs(sentAt, 'sentAt')
  fields.push(`Date: ${formatDate(atMs)}`)
  for (const [property, field] of ADDRESS_FIELDS) {
    const list = listOf(properties, property)
    if (list.length > 0)
      fields.push(
        addressField(
          field,
          list.map((each) => readAddress(each, property)),
        ),
      )
  }
  const subject = properties['subject'] ?? null
  if (subject !== null) {
    if (typeof subject !== 'string') throw invalidProperties('subject is a text', 'subject')
    fields.push(textField('Subject', subject))
  }
  const made = { ...properties }
  if ((made['messageId'] ?? null) === null)
    made['messageId'] = [`${randomId(24)}@${call.login.domain}`]
  for (const [property, field] of ID_FIELDS) {
    const ids = listOf(made, property).map((id) => {
      if (typeof id === 'string' && /^[\u0021-\u003b=\u003f-\u007e]{1,900}$/.test(id)) return id
      throw invalidProperties(`${property} holds what is no message id`, property)
    })
    if (ids.length > 0) fields.push(idsField(field, ids))
  }
  return fields
}

/** Fields that a program adds for itself. */
const ownFields = (properties: Properties): string[] =>
  Object.entries(properties)
    .filter(([name]) => name.startsWith('header:'))
    .map(([name, value]) => {
      if (typeof value !== 'string') throw invalidProperties('a field is a text', name)
      return textField(name.split(':')[1]!, value)
    })

function listOf(properties: Properties, property: string): readonly unknown[] {
  const value = properties[property] ?? []
  if (!Array.isArray(value) || value.length > LIST_MAX)
    throw invalidProperties(`${property} is a list of at most ${LIST_MAX}`, property)
  return value as unknown[]
}

function readAddress(
  value: unknown,
  property: string,
): { readonly name: string; readonly email: string } {
  const { name = null, email } = isObject(value) ? value : {}
  const parsed = typeof email === 'string' ? parseAddress(email) : undefined
  if (parsed?.ok !== true || (name !== null && typeof name !== 'string'))
    throw invalidProperties(`${property} holds what is no address`, property)
  if (needsSmtpUtf8(parsed.value))
    throw invalidProperties('an address of ASCII is needed here', property)
  return { name: name ?? '', email: email as string }
}

/** Puts the body's parts together. */
class BodyWriter {
  readonly #call: Call
  readonly #properties: Properties
  readonly #values: Readonly<Record<string, unknown>>
  #parts = 0
  #bytesLeft: number

  constructor(call: Call, properties: Properties) {
    this.#call = call
    this.#properties = properties
    const values = properties['bodyValues'] ?? {}
    if (!isObject(values)) throw invalidProperties('bodyValues is an object', 'bodyValues')
    this.#values = values
    this.#bytesLeft = call.room.limits.maxSizeUpload
  }

  async write(): Promise<ComposedPart> {
    const structure = this.#properties['bodyStructure'] ?? null
    const hasLists = ['textBody', 'htmlBody', 'attachments'].some(
      (name) => (this.#properties[name] ?? null) !== null,
    )
    if (structure !== null) {
      if (hasLists)
        throw invalidProperties('bodyStructure and lists of parts are two ways', 'bodyStructure')
      return this.#part(structure, 'bodyStructure', 'text/plain')
    }
    const texts = [
      await this.#only('textBody', 'text/plain'),
      await this.#only('htmlBody', 'text/html'),
    ].filter((part) => part !== undefined)
    const body =
      texts.length === 2
        ? multipart('alternative', texts)
        : (texts[0] ?? { kind: 'text', subtype: 'plain', text: '' })
    const attachments: ComposedPart[] = []
    for (const each of listOf(this.#properties, 'attachments'))
      attachments.push(await this.#part(each, 'attachments', 'application/octet-stream'))
    return attachments.length === 0 ? body : multipart('mixed', [body, ...attachments])
  }

  async #only(property: string, type: string): Promise<ComposedPart | undefined> {
    const list = listOf(this.#properties, property)
    if (list.length > 1) throw invalidProperties(`${property} is one part`, property)
    if (list.length === 0) return undefined
    if (!isObject(list[0]) || (list[0]['type'] ?? type) !== type)
      throw invalidProperties(`${property} is of type ${type}`, property)
    return this.#part(list[0], property, type)
  }

  async #part(
    given: unknown,
    property: string,
    typeDefault: string,
    depth = 0,
  ): Promise<ComposedPart> {
    if (!isObject(given) || depth > 20 || ++this.#parts > LIST_MAX)
      throw invalidProperties(`${property} holds what is no part`, property)
    const type = given['type'] ?? typeDefault
    if (typeof type !== 'string' || !TYPE.test(type))
      throw invalidProperties('that is no type of a part', property)
    const subParts = given['subParts'] ?? null
    if (type.startsWith('multipart/')) {
      if (!Array.isArray(subParts) || subParts.length === 0)
        throw invalidProperties('a multipart has parts', property)
      const parts: ComposedPart[] = []
      for (const each of subParts as unknown[])
        parts.push(await this.#part(each, property, 'text/plain', depth + 1))
      return multipart(type.slice('multipart/'.length), parts)
    }
    const fields = partFields(given, property)
    const { partId = null, blobId = null } = given
    if ((partId === null) === (blobId === null))
      throw invalidProperties('a part has either partId or blobId', property)
    if (partId !== null) {
      if (!type.startsWith('text/')) throw invalidProperties('a text has a text type', property)
      return { kind: 'text', subtype: type.slice(5), text: this.#text(partId), fields }
    }
    return { kind: 'octets', type, octets: await this.#octets(blobId), fields }
  }

  #text(partId: unknown): string {
    const value =
      typeof partId === 'string' && Object.hasOwn(this.#values, partId)
        ? this.#values[partId]
        : undefined
    if (!isObject(value) || typeof value['value'] !== 'string')
      throw invalidProperties('there is no value of that part', 'bodyValues')
    if (value['isEncodingProblem'] === true || value['isTruncated'] === true)
      throw invalidProperties('a value is whole', 'bodyValues')
    const text = value['value'].toWellFormed()
    this.#spend(Buffer.byteLength(text))
    return text
  }

  async #octets(blobId: unknown): Promise<Uint8Array> {
    const blob = typeof blobId === 'string' ? await findBlob(this.#call, blobId) : undefined
    if (blob === undefined)
      throw new SetRefusal({ type: 'blobNotFound', notFound: [String(blobId).slice(0, 300)] })
    this.#spend(blob.length)
    return readBlob(blob)
  }

  #spend(bytes: number): void {
    this.#bytesLeft -= bytes
    if (this.#bytesLeft < 0)
      throw new SetRefusal({ type: 'tooLarge', maxSize: this.#call.room.limits.maxSizeUpload })
  }
}

const TYPE = /^[a-z0-9!#$&^_.+-]{1,100}\/[a-z0-9!#$&^_.+-]{1,100}$/i

const multipart = (subtype: string, parts: readonly ComposedPart[]): ComposedPart => ({
  kind: 'multipart',
  subtype,
  boundary: `=_${randomId(24)}`, // no line of base64 or of a text of ours begins so
  parts,
})

function partFields(given: Readonly<Record<string, unknown>>, property: string): string[] {
  const text = (name: string): string | undefined => {
    const value = given[name] ?? undefined
    if (value !== undefined && typeof value !== 'string')
      throw invalidProperties(`${name} is a text`, property)
    return value
  }
  const name = text('name')
  const kind = text('disposition') ?? (given['blobId'] === undefined ? undefined : 'attachment')
  if (kind !== undefined && !/^[a-z-]{1,30}$/i.test(kind))
    throw invalidProperties('that is no disposition', property)
  const cid = text('cid')
  if (cid !== undefined && !/^[\u0021-\u003b=\u003f-\u007e]{1,200}$/.test(cid))
    throw invalidProperties('that is no cid', property)
  const fields: string[] = []
  if (kind !== undefined || name !== undefined)
    fields.push(
      `Content-Disposition: ${kind ?? 'inline'}${name === undefined ? '' : `;\r\n ${parameter('filename', name)}`}`,
    )
  if (cid !== undefined) fields.push(`Content-ID: <${cid}>`)
  return fields
}
