import type { Octets } from '#base/octets.ts'
import { fromLatin1, toUtf8 } from '#base/octets.ts'
import { parseDate } from '#codec/mime/date.ts'
import { decodeWords, paramOf } from '#codec/mime/encoded-word.ts'
import { headerFields } from '#codec/mime/header.ts'
import type { HeaderField } from '#codec/mime/header.ts'
import { decodeText, htmlToText } from '#codec/mime/text.ts'
import { formatAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { Door, Peer } from '#model/envelope.ts'
import type { HeaderAddress, MessageMeta } from '#model/message.ts'
import type { AuthResult } from '#model/verdict.ts'
import { bodyOf, leaves } from './views.ts'

/** What is known about a message besides its octets. */
export interface About {
  readonly reversePath: Address | null
  readonly recipients: readonly Address[]
  readonly peer: Peer
  readonly door: Door
  /** When it arrived; undefined where that is not known. */
  readonly nowMs: number | undefined
  readonly auth: readonly AuthResult[]
}

/** What the rules look at. */
export interface Facts extends About {
  readonly meta: MessageMeta
  readonly fields: readonly HeaderField[]
  readonly subject: string
  readonly from: readonly HeaderAddress[]
  /** Names of attachments, decoded. */
  readonly fileNames: readonly string[]
  /** What a reader sees, plain and out of HTML, the beginning of it. */
  readonly text: string
  readonly html: string
  readonly hasPlain: boolean
}

const TEXT_LENGTH_MAX = 200_000
const FIELDS_MAX = 2_000

export function factsOf(octets: Octets, meta: MessageMeta, about: About): Facts {
  const { header } = meta.root
  const fields: HeaderField[] = []
  for (const field of headerFields(octets.subarray(header.offset, header.offset + header.length)))
    if (fields.push(field) >= FIELDS_MAX) break
  const found = { fileNames: [] as string[], text: '', html: '', hasPlain: false }
  for (const part of leaves(meta.root)) {
    const name = paramOf(part.disposition?.params ?? [], 'filename') ?? paramOf(part.params, 'name')
    if (name !== undefined) found.fileNames.push(name)
    if (part.type !== 'text' || part.disposition?.kind === 'attachment') continue
    const room = TEXT_LENGTH_MAX - found.text.length
    if (part.subtype !== 'html') found.hasPlain = true
    if (room <= 0) continue
    const text = decodeText(part, bodyOf(octets, part).subarray(0, 4 * room)).slice(0, room)
    if (part.subtype === 'html') found.html += text
    found.text += `\n${part.subtype === 'html' ? htmlToText(text) : text}`
  }
  return {
    ...about,
    ...found,
    meta,
    fields,
    subject: decodeWords(meta.envelope.subject ?? ''),
    from: meta.envelope.from ?? [],
  }
}

/** When a message that lies in a file arrived, by its newest Received field (RFC 5321 §4.4). */
export function arrivedAtMs(octets: Octets): number | undefined {
  for (const { key, value } of headerFields(octets.subarray(0, TEXT_LENGTH_MAX)))
    if (key === 'received') return parseDate(value.slice(value.lastIndexOf(';') + 1))
  return undefined
}

/** Every address of To and Cc, lower-case. */
export const shownRecipients = (facts: Facts): readonly string[] =>
  [...(facts.meta.envelope.to ?? []), ...(facts.meta.envelope.cc ?? [])]
    .filter((address) => address.host !== undefined)
    .map((address) => utf8(`${address.mailbox ?? ''}@${address.host ?? ''}`).toLowerCase())

export const envelopeRecipients = (facts: Facts): readonly string[] =>
  facts.recipients.map((address) => formatAddress(address).toLowerCase())

const utf8 = (latin1: string): string => toUtf8(fromLatin1(latin1))
