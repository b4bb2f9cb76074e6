import { setImmediate as turn } from 'node:timers/promises'
import { bufferOf, emptyOctets } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { isFault } from '#base/outcome.ts'
import { decodeCharset, knowsCharset } from '#codec/mime/charset.ts'
import { decodeContent } from '#codec/mime/content-decoder.ts'
import { paramOf } from '#codec/mime/encoded-word.ts'
import { HEADER_BYTES_MAX } from '#codec/mime/header.ts'
import type { HeaderAddress, MimePart } from '#model/message.ts'
import { Args } from '#server/jmap/method/args.ts'
import { BODY_PROPERTIES, BODY_PROPERTIES_DEFAULT, bodiesOf, describePart } from './body-parts.ts'
import type { Bodies, BodyPart } from './body-parts.ts'
import {
  asAddresses,
  asDate,
  asMessageIds,
  asText,
  headerProperty,
  rawFields,
} from './header-forms.ts'
import type { RawField } from './header-forms.ts'
import { ReadWindow } from '#store/mailbox/read-window.ts'
import { invalidArguments, MethodError } from '#server/jmap/method/method-error.ts'
import type { Source } from './source.ts'

/** What Email/get and Email/parse ask of each message, sorted out once. */
export interface EmailAsk {
  readonly properties: ReadonlySet<string>
  readonly bodyProperties: ReadonlySet<string>
  readonly fetch: { readonly text: boolean; readonly html: boolean; readonly all: boolean }
  /** 0: no limit but ours. */
  readonly maxBodyValueBytes: number
  /** Octets of text, and parts, left for the whole answer. */
  readonly budget: { bytes: number; parts: number }
}

const ADDRESS_PROPERTIES = ['sender', 'from', 'to', 'cc', 'bcc', 'replyTo'] as const

/** Parts that one answer shows; one may be told in several of its properties. */
const PARTS_SHOWN_MAX = 50_000
/** Octets of a part that are decoded at once, and shown: the rest is to be had as a blob (RFC 8621 §4.1.4 isTruncated). */
const VALUE_BYTES_MAX = 2 * 1024 * 1024
/** What is decoded before others get their turn, and what a value costs beside its octets. */
const VALUE_BYTES_PER_TURN = 256 * 1024
const VALUE_BYTES_MIN = 1_024
/** Parts that are described before others get their turn. */
const PARTS_PER_TURN = 500

type Maker = (message: Reading) => unknown

/** What a property of the message's content is made of. */
const MAKERS: Readonly<Record<string, Maker>> = {
  messageId: ({ source }) => asMessageIds(source.meta.envelope.messageId ?? ''),
  inReplyTo: ({ source }) => asMessageIds(source.meta.envelope.inReplyTo ?? ''),
  references: async (message) =>
    asMessageIds((await message.fields()).findLast(({ key }) => key === 'references')?.value ?? ''),
  ...Object.fromEntries(
    ADDRESS_PROPERTIES.map((name): [string, Maker] => [
      name,
      ({ source }) => addresses(source.meta.envelope[name]),
    ]),
  ),
  subject: ({ source: { meta } }) =>
    meta.envelope.subject === undefined ? null : asText(meta.envelope.subject),
  sentAt: ({ source: { meta } }) =>
    meta.envelope.date === undefined ? null : asDate(meta.envelope.date),
  hasAttachment: ({ bodies }) => hasAttachment(bodies),
  preview: ({ source }) => source.meta.preview,
  headers: async (message) => headerList(await message.fields()),
  bodyStructure: (message) => message.part(message.bodies.root),
  textBody: (message) => message.parts(message.bodies.text),
  htmlBody: (message) => message.parts(message.bodies.html),
  attachments: (message) => message.parts(message.bodies.attachments),
  bodyValues: (message) => message.values(),
}

export const CONTENT_PROPERTIES: readonly string[] = Object.keys(MAKERS)

const addresses = (list: readonly HeaderAddress[] | undefined) =>
  list === undefined ? null : asAddresses(list)

const headerList = (fields: readonly RawField[]) =>
  fields.map(({ name, raw }) => ({ name, value: raw }))

/** A picture that the HTML shows is none. */
export const hasAttachment = ({ attachments }: Bodies): boolean =>
  attachments.some(
    ({ part }) =>
      part.disposition?.kind === 'attachment' ||
      (part.disposition?.kind !== 'inline' && part.id === undefined),
  )

export const EMAIL_ASK_ARGS = [
  'properties',
  'bodyProperties',
  'fetchTextBodyValues',
  'fetchHTMLBodyValues',
  'fetchAllBodyValues',
  'maxBodyValueBytes',
] as const

/** Reads those arguments; `known` are properties beside the content's. */
export function emailAsk(
  args: Args,
  known: readonly string[],
  defaults: readonly string[],
  budgetBytes: number,
): EmailAsk {
  const properties = args.strings('properties') ?? defaults
  const bodyProperties = args.strings('bodyProperties') ?? BODY_PROPERTIES_DEFAULT
  for (const name of properties)
    if (!known.includes(name) && !Object.hasOwn(MAKERS, name) && headerProperty(name) === undefined)
      throw invalidArguments(`no property is called ${name.slice(0, 100)}`)
  for (const name of bodyProperties)
    if (
      !(BODY_PROPERTIES as readonly string[]).includes(name) &&
      headerProperty(name) === undefined
    )
      throw invalidArguments(`no body property is called ${name.slice(0, 100)}`)
  return {
    properties: new Set(properties),
    bodyProperties: new Set(bodyProperties),
    fetch: {
      text: args.flag('fetchTextBodyValues'),
      html: args.flag('fetchHTMLBodyValues'),
      all: args.flag('fetchAllBodyValues'),
    },
    maxBodyValueBytes: args.count('maxBodyValueBytes') ?? 0,
    budget: { bytes: budgetBytes, parts: PARTS_SHOWN_MAX },
  }
}

/** The properties of a message's content that are asked for. */
export async function shapeEmail(source: Source, ask: EmailAsk): Promise<Record<string, unknown>> {
  const reading = new Reading(source, ask)
  const shown: Record<string, unknown> = {}
  for (const name of ask.properties) {
    const maker = Object.hasOwn(MAKERS, name) ? MAKERS[name] : undefined
    if (maker !== undefined) shown[name] = await maker(reading)
    else if (name.startsWith('header:')) shown[name] = headerProperty(name)!(await reading.fields())
  }
  return shown
}

/** Reads what is needed of one message, once. */
class Reading {
  readonly source: Source
  readonly #ask: EmailAsk
  #fields: Promise<RawField[]> | undefined
  #bodies: Bodies | undefined
  readonly #window = new ReadWindow((offset, length) => this.source.read(offset, length))

  constructor(source: Source, ask: EmailAsk) {
    this.source = source
    this.#ask = ask
  }

  get bodies(): Bodies {
    this.#bodies ??= bodiesOf(this.source.meta.root)
    return this.#bodies
  }

  fields(): Promise<RawField[]> {
    const { prefixBytes, meta } = this.source
    const { offset, length } = meta.root.header
    this.#fields ??= this.#readFields(0, prefixBytes + offset + length)
    return this.#fields
  }

  async parts(list: readonly BodyPart[]): Promise<unknown[]> {
    const shown = []
    for (const each of list) shown.push(await this.part(each, false))
    return shown
  }

  async part(each: BodyPart, isDeep = true): Promise<Record<string, unknown>> {
    const { bodyProperties, budget } = this.#ask
    if (--budget.parts < 0) throw tooMuch()
    if (budget.parts % PARTS_PER_TURN === 0) await turn()
    const shown = await describePart(this.source, each, bodyProperties)
    const headers = [...bodyProperties].filter((name) => name.startsWith('header:'))
    if (bodyProperties.has('headers') || headers.length > 0) {
      const fields = await this.#partFields(each.part)
      if (bodyProperties.has('headers')) shown['headers'] = headerList(fields)
      for (const name of headers) shown[name] = headerProperty(name)!(fields)
    }
    if (isDeep && each.partId === undefined) {
      const subParts = []
      for (const child of each.children) subParts.push(await this.part(child))
      shown['subParts'] = subParts
    }
    return shown
  }

  async #partFields(part: MimePart): Promise<RawField[]> {
    if (part === this.source.meta.root) return this.fields()
    const { offset, length } = part.header
    const { prefixBytes } = this.source
    return this.#readFields(prefixBytes + offset, length)
  }

  /** As much of a header is shown as was looked at when the message came. */
  async #readFields(offset: number, length: number): Promise<RawField[]> {
    const bytes = Math.min(length, HEADER_BYTES_MAX)
    this.#spend(bytes)
    return rawFields(await this.source.read(offset, bytes).catch(noneIfDamaged))
  }

  #spend(bytes: number): void {
    const { budget } = this.#ask
    budget.bytes -= bytes
    if (budget.bytes < 0) throw tooMuch()
  }

  async values(): Promise<Record<string, unknown>> {
    const { text, html, all } = this.#ask.fetch
    const { bodies } = this
    const wanted = new Map<string, BodyPart>()
    const want = (list: readonly BodyPart[]): void => {
      for (const each of list)
        if (each.part.type === 'text' && each.partId !== undefined) wanted.set(each.partId, each)
    }
    if (text || all) want(bodies.text)
    if (html || all) want(bodies.html)
    if (all) want(leaves(bodies.root))
    const values: Record<string, unknown> = {}
    let bytes = 0
    for (const [partId, { part }] of wanted) {
      values[partId] = await this.#value(part)
      bytes += VALUE_BYTES_MIN + part.body.length
      if (bytes < VALUE_BYTES_PER_TURN) continue
      await turn()
      bytes = 0
    }
    return values
  }

  async #value(part: MimePart): Promise<Record<string, unknown>> {
    const { maxBodyValueBytes } = this.#ask
    const { offset, length } = part.body
    // Quoted-printable is three times its content at most, and a charset makes no less than a third of UTF-8.
    const wantedBytes = maxBodyValueBytes === 0 ? length : maxBodyValueBytes * 4 + 1_024
    const readBytes = Math.min(length, wantedBytes, VALUE_BYTES_MAX)
    this.#spend(readBytes)
    const octets = await this.#window
      .read(this.source.prefixBytes + offset, readBytes)
      .catch(noneIfDamaged)
    // RFC 8621 §4.1.4: the one email shows that it lacks something, and costs no other of the answer.
    if (octets.length < readBytes) return { value: '', isEncodingProblem: true, isTruncated: true }
    const charset = paramOf(part.params, 'charset')
    const decoded = decodeCharset(decodeContent(octets, part.encoding), charset)
    // A character that our own end cut in two is no problem of the mail's.
    const whole = readBytes < length ? decoded.replace(/\ufffd$/, '') : decoded
    const value = whole.replaceAll('\r\n', '\n')
    const cut = maxBodyValueBytes === 0 ? value : cutText(value, maxBodyValueBytes, part.subtype)
    return {
      value: cut,
      isEncodingProblem:
        value.includes('\ufffd') || !knowsCharset(charset) || !ENCODINGS.has(part.encoding),
      isTruncated: cut.length < value.length || readBytes < length,
    }
  }
}

const tooMuch = (): MethodError =>
  new MethodError('requestTooLarge', 'Too much for one answer: ask for less')

function noneIfDamaged(thrown: unknown): Octets {
  if (!isFault(thrown, 'corrupt')) throw thrown
  return emptyOctets
}

const ENCODINGS = new Set(['7bit', '8bit', 'binary', 'base64', 'quoted-printable'])

const leaves = (each: BodyPart): BodyPart[] =>
  each.partId === undefined ? each.children.flatMap(leaves) : [each]

/** At most so many octets of UTF-8, no character cut; HTML not within a tag (RFC 8621 §4.2). */
function cutText(text: string, bytesMax: number, subtype: string): string {
  const octets = Buffer.from(text, 'utf8')
  if (octets.length <= bytesMax) return text
  let end = bytesMax
  while (end > 0 && (octets[end]! & 0xc0) === 0x80) end--
  const cut = bufferOf(octets).toString('utf8', 0, end)
  if (subtype !== 'html') return cut
  const open = cut.lastIndexOf('<')
  return open > cut.lastIndexOf('>') ? cut.slice(0, open) : cut
}
