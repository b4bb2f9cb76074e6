import { fromUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { parseAddressList } from '#codec/mime/address-list.ts'
import { addressField, composeMessage, idsField, textField } from '#codec/mime/compose.ts'
import { formatDate } from '#codec/mime/date.ts'
import { decodeWords } from '#codec/mime/encoded-word.ts'
import { headerFields, headerLength } from '#codec/mime/header.ts'
import type { SieveMessage } from '#engine/sieve/message.ts'
import { formatAddress, parseAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'

import { ownsAddress } from './mail-owner.ts'
import type { MailOwner } from './mail-owner.ts'

/** Characters of a subject that comes from a script or a mail. */
const SUBJECT_LENGTH_MAX = 500

/** What one mail in its owner's name is made of, which nobody has written by hand. */
export interface AutomaticMail {
  readonly from: Author
  /** May be empty: some are told without the others' knowledge. */
  readonly to: readonly Address[]
  readonly cc?: readonly Address[]
  readonly subject: string
  readonly text: string
  /** The text is a MIME entity, its header included. */
  readonly isMime?: boolean
  /** The field Auto-Submitted (RFC 3834 §5). */
  readonly autoSubmitted: string
  /** Further fields, whole lines. */
  readonly fields?: readonly string[]
  /** Of letters, digits and `-`: the same for the same delivery. */
  readonly id: string
  readonly nowMs: number
}

export interface Author {
  readonly name: string
  readonly address: Address
}

/** The whole message. Nothing in it that comes from elsewhere begins a line of its header. */
export function automaticMail(mail: AutomaticMail): Octets {
  const { from, to, cc = [], subject, text, autoSubmitted, id, nowMs } = mail
  const fields = [
    addressField('From', [{ name: from.name, email: formatAddress(from.address) }]),
    ...recipientField('To', to),
    ...recipientField('Cc', cc),
    textField('Subject', subject.slice(0, SUBJECT_LENGTH_MAX)),
    `Date: ${formatDate(nowMs)}`,
    `Message-ID: <${id}@${from.address.domain}>`,
    ...(mail.fields ?? []),
    `Auto-Submitted: ${autoSubmitted}`,
  ]
  if (mail.isMime !== true) return composeMessage(fields, { kind: 'text', subtype: 'plain', text })
  return mimeMessage(fields, text)
}

const recipientField = (name: string, addresses: readonly Address[]): readonly string[] =>
  addresses.length === 0
    ? []
    : [
        addressField(
          name,
          addresses.map((address) => ({ name: '', email: formatAddress(address) })),
        ),
      ]

/**
 * The entity of a script in a message of ours: of its header the fields that tell of the content, and
 * nothing that would make it another mail (RFC 5230 §4.3).
 */
function mimeMessage(fields: readonly string[], entity: string): Octets {
  const octets = fromUtf8(entity.replace(/\r\n|\r|\n/g, '\r\n'))
  const length = headerLength(octets)
  const own = [...headerFields(octets.subarray(0, length))]
    .filter(({ key, value }) => key.startsWith('content-') && /^[\t -~]*$/.test(value))
    .map(({ name, value }) => `${name}: ${value}`)
  const hasType = own.some((field) => /^content-type:/i.test(field))
  const head = [
    ...fields,
    'MIME-Version: 1.0',
    ...(hasType ? [] : ['Content-Type: text/plain; charset=utf-8']),
    ...own,
    '\r\n',
  ]
  return Buffer.concat([fromUtf8(head.join('\r\n')), octets.subarray(length)])
}

/** The addresses of a text that is made like an address field. */
export const addressesIn = (text: string): Address[] =>
  parseAddressList(text).flatMap(({ mailbox = '', host = '' }) => {
    const parsed = parseAddress(`${mailbox}@${host}`)
    return parsed.ok ? [parsed.value] : []
  })

/** In whose name: as the script says, where that is an address of theirs; else `otherwise`. */
export function authorOf(
  written: string | undefined,
  owner: MailOwner,
  own: readonly Address[],
  otherwise: Address,
): Author {
  const [first] = written === undefined ? [] : parseAddressList(written)
  const parsed = parseAddress(`${first?.mailbox ?? ''}@${first?.host ?? ''}`)
  if (first !== undefined && parsed.ok && ownsAddress(own, parsed.value))
    return { name: decodeWords(first.name ?? owner.name ?? ''), address: parsed.value } // some write encoded words
  return { name: owner.name ?? '', address: otherwise }
}

/** Message ids that References holds: the first and the last ones tell a thread. */
const REFERENCES_MAX = 20

/** What ties an answer to what it answers (RFC 5322 §3.6.4, RFC 3834 §3.1.5). */
export function threadFields(message: SieveMessage): string[] {
  const ids = (name: string): string[] =>
    message
      .header(name)
      .flatMap((value) => value.match(/<[!-;=?-~]{1,250}>/g) ?? [])
      .map((id) => id.slice(1, -1))
  const [own] = ids('message-id')
  if (own === undefined) return []
  const earlier = ids('references')
  const known = earlier.length > 0 ? earlier : ids('in-reply-to').slice(0, 1)
  const kept = [...known.slice(0, 1), ...known.slice(1).slice(1 - REFERENCES_MAX), own]
  return [idsField('In-Reply-To', [own]), idsField('References', kept)]
}
