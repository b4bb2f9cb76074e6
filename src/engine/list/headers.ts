import { domainToASCII } from 'node:url'
import { concatOctets, CR, emptyOctets, fromLatin1, fromUtf8, LF } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { addressField, textField } from '#codec/mime/compose.ts'
import { decodeWords } from '#codec/mime/encoded-word.ts'
import { headerFields } from '#codec/mime/header.ts'
import type { HeaderField } from '#codec/mime/header.ts'
import { formatAddress, needsSmtpUtf8 } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { LeaveAddresses } from '#model/envelope.ts'
import { purposeAddress } from '#model/list.ts'
import type { ListPurpose, MailingList } from '#model/list.ts'

import { leaveField } from './leave-way.ts'
import { taggedSubject } from './subject.ts'

/** What of a post's header depends on the post. */
export interface PostHeader {
  readonly number: number
  readonly author: { readonly address: Address; readonly name?: string }
  /** Others believe mail of the author's domain from nobody else: the list itself stands in From. */
  readonly isFromList: boolean
  /** How members leave by themselves; absent: they do not. */
  readonly leave?: LeaveAddresses
  /** Where pages of lists are found, `https://mail.campus.example`; absent: there are none. */
  readonly pages?: string
}

/**
 * The header of a post as it leaves the list, its blank line included; the body is not touched. What
 * the list says itself takes the place of what others have said (RFC 2369 §4, RFC 2919 §3).
 */
export function listHeader(block: Octets, list: MailingList, post: PostHeader): Octets {
  const fields = [...headerFields(block)]
  const gone = fields.filter((field) => isReplaced(field, list, post))
  const subject = fields.find(({ key }) => key === 'subject')?.value ?? ''
  const own = [
    // First of all: the queue puts each member's own in its place (`leave-way.ts`).
    ...(post.leave === undefined ? [] : [leaveField(post.leave)]),
    ...(list.subjectTag === undefined
      ? []
      : [textField('Subject', taggedSubject(decodeWords(subject), list.subjectTag, post.number))]),
    ...(post.isFromList ? [fromField(list, post), `X-Original-From: ${originalFrom(fields)}`] : []),
    ...replyField(fields, list, post),
    ...listFields(list, post),
  ]
  return concatOctets([
    fromUtf8(own.map((line) => `${line}\r\n`).join('')),
    ...kept(
      block,
      gone.map(({ range }) => range),
    ),
  ])
}

/** Names the list in a post of it: mail that has it was here. No RFC has it; all list managers do. */
export const LOOP_FIELD = 'X-Loop'

/** Fields that a list says itself, and those that would have thousands answer. */
const REPLACED = new Set([
  'archived-at',
  'disposition-notification-to',
  'errors-to',
  'list-archive',
  'list-help',
  'list-id',
  'list-owner',
  'list-post',
  'list-subscribe',
  'list-unsubscribe',
  'list-unsubscribe-post',
  'precedence',
  'return-receipt-to',
  'sender',
  'x-confirm-reading-to',
  'x-original-from',
])

function isReplaced({ key }: HeaderField, list: MailingList, post: PostHeader): boolean {
  if (key === 'subject') return list.subjectTag !== undefined
  if (key === 'from') return post.isFromList
  if (key === 'reply-to') return list.replyTo === 'list' || post.isFromList
  // What a list elsewhere made of it names that list no more.
  return REPLACED.has(key)
}

/** RFC 2369, RFC 2919, RFC 5064; each line of ASCII, folded. */
function listFields(
  list: MailingList,
  { number, pages }: { readonly number?: number } & Pick<PostHeader, 'pages'>,
): string[] {
  const mailto = (purpose: ListPurpose, rest = ''): string =>
    `<mailto:${inUrl(purposeAddress(list.address, purpose))}${rest}>`
  const page = pages === undefined ? undefined : listPage(pages, list)
  const writes =
    list.posting === 'announce' ? 'NO (posting not allowed on this list)' : mailto('post')
  return [
    addressField('Sender', [{ name: list.name ?? '', email: ownAddress(list, 'bounces') }]),
    'Precedence: list',
    listIdField(list),
    `List-Post: ${writes}`,
    `List-Help: ${mailto('request', '?subject=help')}`,
    `List-Subscribe: ${mailto('join')}`,
    `List-Owner: ${mailto('owner')}`,
    ...(page === undefined || list.archive === 'none'
      ? []
      : [
          `List-Archive: <${page}>`,
          ...(number === undefined ? [] : [`Archived-At: <${postPage(pages!, list, number)}>`]),
        ]),
    `${LOOP_FIELD}: ${ownAddress(list, 'post')}`,
  ]
}

/** The fields of what gathers many posts, likewise. */
export const digestFields = (
  list: MailingList,
  more: Pick<PostHeader, 'pages' | 'leave'>,
): readonly string[] => [
  ...(more.leave === undefined ? [] : [leaveField(more.leave)]),
  ...listFields(list, more),
]

/** Where people find the list. */
const listPage = (pages: string, list: Pick<MailingList, 'address'>): string =>
  `${pages}/lists/${encodeURIComponent(formatAddress(list.address))}`

/** Where people find the post; it stays there. */
const postPage = (pages: string, list: Pick<MailingList, 'address'>, n: number): string =>
  `${listPage(pages, list)}/posts/${n}`

/** RFC 2919 §2: `seminar.campus.example`; signs that cannot stand there become hyphens. */
export function listIdOf({ address }: Pick<MailingList, 'address'>): string {
  const label = address.localpart.replace(/[^A-Za-z0-9!#$%&'*+\-/=?^_`{|}~.]+/g, '-')
  return `${label}.${asciiDomain(address.domain)}`.toLowerCase()
}

function listIdField(list: MailingList): string {
  if (list.name === undefined) return `List-Id: <${listIdOf(list)}>`
  return addressField('List-Id', [{ name: list.name, email: listIdOf(list) }])
}

/** RFC 5322 §3.6.2: who wrote it is found in Reply-To where the list stands in From. */
function fromField(list: MailingList, { author }: PostHeader): string {
  const shown = author.name ?? author.address.localpart
  const name = `${shown} (${list.name ?? list.address.localpart})`
  return addressField('From', [{ name, email: ownAddress(list, 'post') }])
}

const originalFrom = (fields: readonly HeaderField[]): string =>
  (fields.find(({ key }) => key === 'from')?.value ?? '')
    .replace(/[^\u0020-\u007e]/g, '?')
    .slice(0, 900)

/** Whoever answers reaches the list, the author, or both: never nobody. */
function replyField(
  fields: readonly HeaderField[],
  list: MailingList,
  { author, isFromList }: PostHeader,
): string[] {
  const toList = { name: list.name ?? '', email: ownAddress(list, 'post') }
  if (list.replyTo === 'list' && !isFromList) return [addressField('Reply-To', [toList])]
  if (!isFromList) return []
  const given = fields.find(({ key }) => key === 'reply-to')
  const own =
    given === undefined || list.replyTo === 'list' || /[^\u0020-\u007e]/.test(given.value)
      ? undefined
      : given.value
  if (own !== undefined) return [`Reply-To: ${own.slice(0, 900)}`]
  if (needsSmtpUtf8(author.address)) return [addressField('Reply-To', [toList])]
  const toAuthor = { name: author.name ?? '', email: formatAddress(author.address) }
  return [addressField('Reply-To', list.replyTo === 'list' ? [toList, toAuthor] : [toAuthor])]
}

/** In A-labels: header fields of the list are read by programs without SMTPUTF8, too. */
function ownAddress(list: MailingList, purpose: ListPurpose): string {
  const { localpart, domain } = purposeAddress(list.address, purpose)
  return `${localpart}@${asciiDomain(domain)}`
}

const asciiDomain = (domain: string): string => domainToASCII(domain) || domain

const inUrl = ({ localpart, domain }: Address): string =>
  `${encodeURIComponent(localpart)}@${asciiDomain(domain)}`

/** The block without those ranges. */
function kept(block: Octets, gone: readonly { offset: number; length: number }[]): Octets[] {
  const pieces: Octets[] = []
  let at = 0
  for (const { offset, length } of gone) {
    pieces.push(block.subarray(at, offset))
    at = offset + length
  }
  pieces.push(block.subarray(at))
  // A message without a header has a body all the same; one that is cut ends here.
  pieces.push(endsBlank(block) ? emptyOctets : fromLatin1('\r\n'))
  return pieces
}

function endsBlank(block: Octets): boolean {
  const end = block.length - 1
  if (block[end] !== LF) return false
  const before = block[end - 1] === CR ? end - 2 : end - 1
  return before < 0 || block[before] === LF
}
