import { asciiLower } from '#base/text.ts'
import { mainAddressOf } from '#model/account.ts'
import type { AccountId } from '#model/account.ts'
import { formatAddress, parseAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import {
  LIST_AUDIENCES,
  LIST_LEAVINGS,
  LIST_POSTINGS,
  LIST_SUBSCRIPTIONS,
} from '#model/list-words.ts'
import { addressesOfList } from '#model/list.ts'
import type { MailingList } from '#model/list.ts'
import { isDay } from '#model/person-facts.ts'
import type { Directory } from '#store/directory/directory.ts'
import { refuse } from '#store/directory/refusal.ts'
import type { DirectoryRefusal } from '#store/directory/refusal.ts'
import { notLocal, ofAnotherList, ofFormerOwner } from './address.ts'
import { isLine } from './line.ts'
import { isThere, noAccount } from './member.ts'

const ADDRESSES_MAX = 100
/** `-bounces`, a plus and a mark come behind it, in 64 octets (RFC 5321 §4.5.3.1.1). */
const LOCALPART_BYTES_MAX = 40
const PERSONS_MAX = 1_000
const LINE_LENGTH_MAX = 256
const TAG_LENGTH_MAX = 80
const DESCRIPTION_LENGTH_MAX = 10_000
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
    const foreign = notLocal(directory, name)
    if (foreign !== undefined) return foreign
    const to = directory.domain(name)?.convertTo
    if (to !== undefined)
      return refuse(
        'conflict',
        `addresses of ${name} are those of ${to}`,
        `Make the list as ${localpart}@${to}.`,
      )
  }
  for (const { address } of addressesOfList(list)) {
    const taken = takenBy(directory, address, list)
    if (taken !== undefined) return taken
  }
  return undefined
}

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
  const former = ofFormerOwner(directory, address)
  if (former !== undefined) return former
  if (directory.alias(address) !== undefined)
    return refuse(
      'conflict',
      `${text} is an alias`,
      `Remove it first: watari alias rm ${text}; or make a list of what it leads to: watari list create ${text}`,
    )
  return ofAnotherList(directory, address, list.id)
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
