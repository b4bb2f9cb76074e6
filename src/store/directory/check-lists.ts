import { asciiLower } from '#base/text.ts'
import { dnKeyOf, parseDn } from '#codec/ldap/dn.ts'
import { parseFilter } from '#codec/ldap/filter.ts'
import type { Filter } from '#codec/ldap/filter.ts'
import { mainAddressOf } from '#model/account.ts'
import type { AccountId } from '#model/account.ts'
import { isReserved } from '#model/account-life.ts'
import { formatAddress, parseAddress, withoutDetail } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import { memberKey } from '#model/list-member.ts'
import type { ListMember, MemberRef } from '#model/list-member.ts'
import {
  ALL_PEOPLE,
  LIST_AUDIENCES,
  LIST_LEAVINGS,
  LIST_POSTINGS,
  LIST_SUBSCRIPTIONS,
  MEMBER_DELIVERIES,
} from '#model/list-words.ts'
import { addressesOfList } from '#model/list.ts'
import type { MailingList } from '#model/list.ts'
import { isDay } from '#model/person-facts.ts'
import type { Directory } from './directory.ts'
import { refuse } from './refusal.ts'
import type { DirectoryRefusal } from './refusal.ts'

const ADDRESSES_MAX = 100
/** `-bounces`, a plus and a mark come behind it, in 64 octets (RFC 5321 §4.5.3.1.1). */
const LOCALPART_BYTES_MAX = 40
const PERSONS_MAX = 1_000
const LINE_LENGTH_MAX = 256
const TAG_LENGTH_MAX = 80
const DESCRIPTION_LENGTH_MAX = 10_000
const TERMS_MAX = 1_000
const FILTER_LENGTH_MAX = 1_000
const NUMBER_MAX = 2 ** 31

/** Undefined where the list may be written into this directory as it stands. */
export function checkList(directory: Directory, list: MailingList): DirectoryRefusal | undefined {
  const before = directory.list(list.id)
  return (
    checkAddresses(directory, list) ??
    checkText(list) ??
    checkRules(list) ??
    checkPersons(directory, list, before)
  )
}

function checkAddresses(directory: Directory, list: MailingList): DirectoryRefusal | undefined {
  if (list.addresses.length > ADDRESSES_MAX)
    return refuse('limit', `more than ${ADDRESSES_MAX} addresses`, 'Use aliases instead.')
  for (const address of [list.address, ...list.addresses]) {
    const { localpart, domain: name } = address
    const text = formatAddress(address)
    if (
      !parseAddress(text).ok ||
      localpart !== asciiLower(localpart).normalize('NFC') ||
      /[+"]/.test(localpart)
    )
      return refuse(
        'invalid',
        `${text} is no address for a list`,
        'Give list@domain in lower case, without "+" and quotes.',
      )
    if (Buffer.byteLength(localpart) > LOCALPART_BYTES_MAX)
      return refuse(
        'limit',
        `${text} has more than ${LOCALPART_BYTES_MAX} octets before the @`,
        'Choose a shorter one; the long one can be an alias that leads to it.',
      )
    const domain = directory.domain(name)
    if (domain === undefined)
      return refuse(
        'notFound',
        `${name} is no local domain`,
        `Add it first: watari domain add ${name}`,
      )
    if (domain.convertTo !== undefined)
      return refuse(
        'conflict',
        `addresses of ${name} are those of ${domain.convertTo}`,
        `Make the list as ${localpart}@${domain.convertTo}.`,
      )
  }
  for (const { address } of addressesOfList(list)) {
    const taken = takenBy(directory, address, list)
    if (taken !== undefined) return taken
  }
  return undefined
}

/** A list has its address, and those of its purposes, for itself alone. */
function takenBy(
  directory: Directory,
  address: Address,
  list: MailingList,
): DirectoryRefusal | undefined {
  const text = formatAddress(address)
  const owner = directory.byAddress(address)
  if (owner !== undefined)
    return refuse(
      'conflict',
      `${text} belongs to ${formatAddress(mainAddressOf(owner))}`,
      'Choose another address for the list.',
    )
  const former = directory.byFormerAddress(address)
  if (former !== undefined && isReserved(former.former, directory.moment))
    return refuse(
      'conflict',
      `${text} was an address of ${formatAddress(mainAddressOf(former.account))}, and is kept from others until ${former.former.reservedUntil.slice(0, 10)}`,
      `Choose another one, or set it free: watari user release ${text}`,
    )
  if (directory.alias(address) !== undefined)
    return refuse(
      'conflict',
      `${text} is an alias`,
      `Remove it first: watari alias rm ${text}; or make a list of what it leads to: watari list create ${text}`,
    )
  return ofAnotherList(directory, address, list.id)
}

/**
 * Why this address can be nobody else's: a list's own ones, those of its purposes, and what they are with a
 * detail, where marks of ours stand. An alias there would get the bounces, and answers to our questions.
 */
export function ofAnotherList(
  directory: Directory,
  address: Address,
  than?: AccountId,
): DirectoryRefusal | undefined {
  const named = directory.listByAddress(address) ?? directory.listByAddress(withoutDetail(address))
  if (named === undefined || named.list.id === than) return undefined
  const { list, purpose } = named
  const of = formatAddress(list.address)
  const what = purpose === 'post' ? 'an address' : `the address for ${purpose}`
  const deleted =
    list.deletedAt === undefined ? '' : ', which was deleted and can still be had back'
  return refuse(
    'conflict',
    `${formatAddress(address)} is ${what} of the list ${of}${deleted}`,
    deleted === ''
      ? 'Choose another address.'
      : `Choose another address; or: watari list undelete ${of}, watari list delete ${of} --for-good`,
  )
}

function checkText(list: MailingList): DirectoryRefusal | undefined {
  const lines = [list.name, list.subjectTag]
  if (lines.some((text) => text !== undefined && !isLine(text, LINE_LENGTH_MAX)))
    return refuse(
      'invalid',
      `the name and the tag of the subject are one line of 1 to ${LINE_LENGTH_MAX} characters`,
      'Shorten it.',
    )
  if (list.subjectTag !== undefined && list.subjectTag.length > TAG_LENGTH_MAX)
    return refuse(
      'limit',
      `the tag of the subject is longer than ${TAG_LENGTH_MAX} characters`,
      'Give a short one, such as [seminar:%n].',
    )
  const { description = '' } = list
  if (description.length > DESCRIPTION_LENGTH_MAX || NO_TEXT.test(description))
    return refuse(
      'invalid',
      `the description is longer than ${DESCRIPTION_LENGTH_MAX} characters, or has control characters`,
      'Shorten it.',
    )
  return undefined
}

/** Fields of a header are made of it: nothing that ends one, or turns its text around. */
const isLine = (text: string, lengthMax: number): boolean =>
  text.trim() !== '' && text.length <= lengthMax && !NO_LINE.test(text)

// What a line cannot hold.
const NO_LINE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/
// What a text cannot hold.
const NO_TEXT = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/

/** Rows come from LDAP servers, too, where others write what they like. */
const WORDS: Readonly<Record<string, readonly (string | undefined)[]>> = {
  posting: LIST_POSTINGS,
  others: ['hold', 'refuse'],
  subscription: LIST_SUBSCRIPTIONS,
  leaving: [undefined, ...LIST_LEAVINGS],
  archive: LIST_AUDIENCES,
  roster: ['owners', 'members'],
  replyTo: ['author', 'list'],
  digest: [undefined, 'day', 'week'],
  attachments: ['keep', 'remove', 'refuse'],
  language: ['ja', 'en'],
}

const NUMBERS = [
  'numberFrom',
  'retainDays',
  'sizeMaxBytes',
  'warnAbove',
  'withdrawSeconds',
] as const

function checkRules(list: MailingList): DirectoryRefusal | undefined {
  const values = list as unknown as Readonly<Record<string, string | undefined>>
  for (const [name, words] of Object.entries(WORDS))
    if (!words.includes(values[name]))
      return refuse(
        'invalid',
        `${values[name]} is no value for ${name}`,
        `Give one of: ${words.filter((word) => word !== undefined).join(', ')}.`,
      )
  for (const name of NUMBERS) {
    const value = list[name]
    if (value !== undefined && (!Number.isSafeInteger(value) || value < 0 || value > NUMBER_MAX))
      return refuse('invalid', `${value} is no value for ${name}`, 'Give a whole number from 0 on.')
  }
  return undefined
}

function checkPersons(
  directory: Directory,
  list: MailingList,
  before: MailingList | undefined,
): DirectoryRefusal | undefined {
  const { owners, moderators, senders = [] } = list
  if ([owners, moderators, senders].some(({ length }) => length > PERSONS_MAX))
    return refuse('limit', `more than ${PERSONS_MAX} owners, moderators or senders`, 'Name fewer.')
  const persons = [...owners, ...moderators.map(({ account }) => account)]
  if (new Set(owners).size < owners.length || new Set(persons).size < persons.length)
    return refuse(
      'invalid',
      'somebody is named twice',
      'Name each owner and moderator once; an owner moderates, too.',
    )
  if (new Set(senders).size < senders.length)
    return refuse('invalid', 'somebody is named twice', 'Name each sender once.')
  // Who has gone since stays named, so that the list can be changed all the same.
  const known = new Set([
    ...(before?.owners ?? []),
    ...(before?.moderators ?? []).map(({ account }) => account),
    ...(before?.senders ?? []),
  ])
  const stranger = [...persons, ...senders].find((id) => !known.has(id) && !isThere(directory, id))
  if (stranger !== undefined) return noAccount(stranger)
  const day = moderators.find(({ until }) => until !== undefined && !isDay(until))
  if (day !== undefined)
    return refuse('invalid', `${day.until} is no day`, 'Give one such as 2031-09-30.')
  return undefined
}

/** Undefined where the member may be written into this directory as it stands. */
export function checkMember(
  directory: Directory,
  member: ListMember,
): DirectoryRefusal | undefined {
  if (directory.list(member.list) === undefined)
    return refuse('notFound', `there is no list ${member.list}`, 'watari list ls shows the lists.')
  if (member.as !== 'member' && member.as !== 'excluded')
    return refuse(
      'invalid',
      `${member.as as string} is no way to be in a list`,
      'Give member, or excluded.',
    )
  if (!MEMBER_DELIVERIES.includes(member.delivery))
    return refuse(
      'invalid',
      `${member.delivery} is no way to get posts`,
      `Give one of: ${MEMBER_DELIVERIES.join(', ')}.`,
    )
  const { terms } = member
  if (terms.length === 0 || terms.length > TERMS_MAX || !inOrder(terms))
    return refuse(
      'invalid',
      `a member has 1 to ${TERMS_MAX} terms, one after another`,
      'Let a term end after it has begun.',
    )
  // What it names may have gone since: it is told as unresolved then.
  if (directory.member(member.list, memberKey(member)) !== undefined) return undefined
  return checkRef(directory, member.who, member.list)
}

function inOrder(terms: ListMember['terms']): boolean {
  let afterMs = -Infinity
  for (const [index, { from, until }] of terms.entries()) {
    const fromMs = Date.parse(from)
    const untilMs = until === undefined ? Infinity : Date.parse(until)
    if (!(fromMs >= afterMs && untilMs >= fromMs)) return false
    if (until === undefined && index < terms.length - 1) return false
    afterMs = untilMs
  }
  return true
}

function checkRef(
  directory: Directory,
  who: MemberRef,
  list: AccountId,
): DirectoryRefusal | undefined {
  switch (who.kind) {
    case 'account':
      return isThere(directory, who.id) ? undefined : noAccount(who.id)
    case 'list':
      if (who.id === list)
        return refuse('conflict', 'a list cannot be in itself', 'Name another list.')
      return directory.list(who.id)?.deletedAt === undefined && directory.list(who.id) !== undefined
        ? undefined
        : refuse('notFound', `there is no list ${who.id}`, 'watari list ls shows the lists.')
    case 'group':
      return directory.alias(who.address) === undefined
        ? refuse(
            'notFound',
            `${formatAddress(who.address)} is no group`,
            'watari alias ls shows the groups.',
          )
        : undefined
    case 'filter':
      return checkFilter(directory, who)
    case 'address': {
      const text = formatAddress(who.address)
      if (!parseAddress(text).ok)
        return refuse('invalid', `${text} is no address`, 'Give user@example.org.')
      return who.name === undefined || isLine(who.name, LINE_LENGTH_MAX)
        ? undefined
        : refuse('invalid', 'a name is one line', 'Shorten it.')
    }
    default:
      return refuse('invalid', 'it is of a kind that this program does not know', 'Update it.')
  }
}

function checkFilter(
  directory: Directory,
  { source, base = '', filter }: MemberRef & { readonly kind: 'filter' },
): DirectoryRefusal | undefined {
  const of = directory.source(source)
  if (of === undefined && source !== ALL_PEOPLE)
    return refuse(
      'notFound',
      `there is no source ${source}`,
      'watari directory sources ls shows them.',
    )
  if (filter === '' || `${base}${filter}`.length > FILTER_LENGTH_MAX || NO_LINE.test(base + filter))
    return refuse(
      'invalid',
      `a filter is one line of at most ${FILTER_LENGTH_MAX} characters, with its base`,
      'Give one such as (memberOf=cn=staff,ou=groups,dc=example).',
    )
  const parsed = parseFilter(filter)
  if (!parsed.ok)
    return refuse('invalid', `${filter}: ${parsed.error}`, 'Give one such as (ou=physics).')
  const secret = typesIn(parsed.value).find((type) => SECRETS.has(bareType(type)))
  if (secret !== undefined)
    return refuse(
      'invalid',
      `${secret} is secret: who gets posts is not decided by it`,
      'Ask for something else, such as (ou=physics).',
    )
  if (base !== '' && (of === undefined || !isBelow(base, of.base)))
    return refuse(
      'invalid',
      of === undefined
        ? 'our own directory has no base'
        : `${base} does not lie below ${of.base}, which is all that is read of ${source}`,
      'Leave it out to ask for all people.',
    )
  return undefined
}

/** Answers to filters would tell, sign by sign, what only their own server may compare. */
const SECRETS: ReadonlySet<string> = new Set([
  'userpassword',
  '2.5.4.35',
  'authpassword',
  '1.3.6.1.4.1.4203.1.3.4',
  'unicodepwd',
  'dbcspwd',
  'ntpwdhistory',
  'lmpwdhistory',
  'sambantpassword',
  'sambalmpassword',
  'sambapasswordhistory',
  'pwdhistory',
  'krbprincipalkey',
  'oathsecret',
  'watariscram',
  'watarirest',
  'watarisaltkey',
])

const bareType = (type: string): string => asciiLower(type).split(';')[0]!

function typesIn(filter: Filter): readonly string[] {
  if ('filters' in filter) return filter.filters.flatMap(typesIn)
  if (filter.kind === 'not') return typesIn(filter.filter)
  // Without a type it asks all attributes (RFC 4511 §4.5.1.7.7).
  return [filter.type ?? 'userPassword']
}

function isBelow(base: string, top: string): boolean {
  const [parts, above] = [parseDn(base), parseDn(top)]
  if (parts === undefined || above === undefined || parts.length < above.length) return false
  return dnKeyOf(parts.slice(parts.length - above.length)) === dnKeyOf(above)
}

const isThere = (directory: Directory, id: AccountId): boolean => {
  const account = directory.account(id)
  return account !== undefined && account.deletedAt === undefined
}

const noAccount = (id: AccountId): DirectoryRefusal =>
  refuse('notFound', `there is no account ${id}`, 'watari user ls shows the accounts.')

/** Undefined where the list may go. */
export function checkListRemoval(
  directory: Directory,
  id: AccountId,
): DirectoryRefusal | undefined {
  const list = directory.list(id)
  return list !== undefined && directory.members(id).next().done !== true
    ? refuse(
        'conflict',
        `${formatAddress(list.address)} has members`,
        'Remove its members first, in steps.',
      )
    : undefined
}
