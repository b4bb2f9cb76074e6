import { fromLatin1, toLatin1 } from '#base/octets.ts'
import { asciiLower } from '#base/text.ts'
import { parseAddressList } from '#codec/mime/address-list.ts'
import { decodeCharset } from '#codec/mime/charset.ts'
import { parseDate } from '#codec/mime/date.ts'
import { decodeWords } from '#codec/mime/encoded-word.ts'
import { headerFields } from '#codec/mime/header.ts'
import type { HeaderField } from '#codec/mime/header.ts'
import type { Octets } from '#base/octets.ts'
import type { HeaderAddress } from '#model/message.ts'

export interface EmailAddress {
  readonly name: string | null
  readonly email: string
}

/** A field as it stood: its value raw, from behind the colon to before the line's end. */
export interface RawField extends HeaderField {
  readonly raw: string
}

export function rawFields(header: Octets): RawField[] {
  return Array.from(headerFields(header), (field) => {
    const { offset, length } = field.range
    const whole = toLatin1(header.subarray(offset, offset + length))
    const raw = text8(whole.slice(whole.indexOf(':') + 1).replace(/\r?\n$/, ''))
    return { ...field, raw }
  })
}

/** A text of one character an octet: UTF-8 or guessed, where it is not ASCII. */
export const text8 = (text: string): string =>
  /[\u001b\u0080-\u00ff]/.test(text) ? decodeCharset(fromLatin1(text)) : text

export const asText = (value: string): string => decodeWords(value).normalize('NFC').trim()

/** Groups are left out, their members stay (RFC 8621 §4.1.2.3). */
export const asAddresses = (list: readonly HeaderAddress[]): EmailAddress[] =>
  list.flatMap((address) => (address.host === undefined ? [] : [emailAddress(address)]))

function emailAddress({ name, mailbox, host }: HeaderAddress): EmailAddress {
  const shown = name === undefined ? '' : asText(name)
  const at = host === undefined || host === '' ? '' : `@${text8(host)}`
  return { name: shown === '' ? null : shown, email: `${text8(mailbox ?? '')}${at}` }
}

interface AddressGroup {
  readonly name: string | null
  readonly addresses: EmailAddress[]
}

function asGroups(list: readonly HeaderAddress[]): AddressGroup[] {
  const groups: AddressGroup[] = []
  let open: AddressGroup | undefined
  for (const address of list) {
    if (address.host !== undefined) {
      if (open === undefined) {
        open = { name: null, addresses: [] }
        groups.push(open)
      }
      open.addresses.push(emailAddress(address))
    } else if (address.mailbox === undefined) open = undefined
    else {
      open = { name: asText(address.mailbox), addresses: [] }
      groups.push(open)
    }
  }
  return groups
}

/** Message ids without their brackets; null where there is none (RFC 8621 §4.1.2.5). */
export function asMessageIds(value: string): readonly string[] | null {
  const ids = [...value.matchAll(/<([^<>\s]{1,995})>/g)].map((match) => text8(match[1]!))
  return ids.length === 0 ? null : ids
}

const asUrls = (value: string): readonly string[] | null => {
  const urls = [...value.matchAll(/<([^<>]{1,2000})>/g)].map((match) => text8(match[1]!.trim()))
  return urls.length === 0 ? null : urls
}

/** RFC 3339 in the zone that the field names; null where it is no date. */
export function asDate(value: string): string | null {
  const atMs = parseDate(value)
  if (atMs === undefined) return null
  const zone = /([+-])(\d{2}):?(\d{2})\s*(?:\(.*)?$/.exec(value.trim())
  const east = zone === null ? 0 : Number(`${zone[1]!}1`) * (Number(zone[2]) * 60 + Number(zone[3]))
  const local = new Date(atMs + east * 60_000)
  if (Number.isNaN(local.getTime())) return null
  const text = local.toISOString().replace(/\.\d+Z$/, '')
  return zone === null || east === 0 ? `${text}Z` : `${text}${zone[1]!}${zone[2]!}:${zone[3]!}`
}

/** RFC 3339 in UTC. */
export const utcDate = (atMs: number): string =>
  new Date(Math.floor(atMs / 1_000) * 1_000).toISOString().replace('.000Z', 'Z')

type Form = (field: RawField) => unknown

const FORMS: Readonly<Record<string, Form>> = {
  asRaw: ({ raw }) => raw,
  asText: ({ value }) => asText(value),
  asAddresses: ({ value }) => asAddresses(parseAddressList(value)),
  asGroupedAddresses: ({ value }) => asGroups(parseAddressList(value)),
  asMessageIds: ({ value }) => asMessageIds(value),
  asDate: ({ value }) => asDate(value),
  asURLs: ({ value }) => asUrls(value),
}

const ADDRESSES = 'asAddresses asGroupedAddresses'
const MESSAGE_IDS = 'asMessageIds'
/** Fields that only some forms fit (RFC 8621 §4.1.2); others, not registered there, take any. */
const FITTING: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    'from sender reply-to to cc bcc resent-from resent-sender resent-reply-to resent-to resent-cc resent-bcc'
      .split(' ')
      .map((key) => [key, ADDRESSES]),
  ),
  ...Object.fromEntries(
    'message-id in-reply-to references resent-message-id'
      .split(' ')
      .map((key) => [key, MESSAGE_IDS]),
  ),
  date: 'asDate',
  'resent-date': 'asDate',
  subject: 'asText',
  comments: 'asText',
  keywords: 'asText',
  'list-id': 'asText',
  ...Object.fromEntries(
    'list-help list-unsubscribe list-subscribe list-post list-owner list-archive'
      .split(' ')
      .map((key) => [key, 'asURLs']),
  ),
}

/** Reads a property `header:NAME[:asFORM][:all]` of a header; undefined where it is none that we know. */
export function headerProperty(
  property: string,
): ((fields: readonly RawField[]) => unknown) | undefined {
  const match = /^header:([\u0021-\u0039\u003b-\u007e]{1,200})(?::(as[A-Za-z]+))?(:all)?$/.exec(
    property,
  )
  if (match === null) return undefined
  const key = asciiLower(match[1]!)
  const name = match[2] ?? 'asRaw'
  const form = Object.hasOwn(FORMS, name) ? FORMS[name] : undefined
  if (form === undefined) return undefined
  const fitting = FITTING[key]
  if (fitting !== undefined && name !== 'asRaw' && !fitting.split(' ').includes(name))
    return undefined
  return (fields) => {
    const own = fields.filter((field) => field.key === key)
    if (match[3] !== undefined) return own.map(form)
    return own.length === 0 ? null : form(own.at(-1)!)
  }
}
