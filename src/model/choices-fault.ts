import { addressKey, domainKey, isDomain, parseAddress } from './address.ts'
import {
  AWAITED_MAX,
  CONDITIONS_MAX,
  FILTER_FIELDS,
  FILTER_FLAGS,
  FILTER_TEXT_MAX,
  FILTERS_MAX,
  JUNK_TARGETS,
  PROVED_MAX,
  SENDER_LISTS_MAX,
  SENDERS_MAX,
  VACATION_DAYS_MAX,
  VACATION_SUBJECT_MAX,
  VACATION_TEXT_MAX,
} from './choice-limits.ts'
import type { Choices, MailFilter, Sender, Vacation } from './choices.ts'
import { FOREIGN_ROOTS, MAILBOX_COMPONENT_BYTES_MAX, MAILBOX_DEPTH_MAX } from './mailbox.ts'

/** What is wrong with these choices by themselves; undefined: nothing. */
export function choicesFault(choices: Omit<Choices, 'accountId' | 'revision'>): string | undefined {
  const { junk, vacation, blocked = [], welcome = [], filters = [], lists = [] } = choices
  const { proved = [], awaited = [] } = choices
  if (
    junk !== undefined &&
    ![junk.spam, junk.suspected].every((each) => isOneOf(JUNK_TARGETS, each))
  )
    return `junk goes to one of ${JUNK_TARGETS.join(', ')}`
  if (lists.length > SENDER_LISTS_MAX) return `more than ${SENDER_LISTS_MAX} lists`
  const names = new Set(lists.map(({ name }) => name.toLowerCase()))
  if (names.size < lists.length) return 'two lists have one name'
  const unnamed = lists.find(({ name }) => !isListName(name))
  if (unnamed !== undefined)
    return `'${unnamed.name}' is no name of a list: one line of 1 to ${FILTER_TEXT_MAX} characters, without '/', and neither blocked nor welcome`
  for (const senders of [blocked, welcome, ...lists.map((each) => each.senders)]) {
    if (senders.length > SENDERS_MAX) return `more than ${SENDERS_MAX} senders`
    const odd = senders.find((each) => parseSender(each) !== each)
    if (odd !== undefined) return `'${odd}' is neither an address nor a domain`
  }
  const both = blocked.find((each) => welcome.includes(each))
  if (both !== undefined) return `${both} is both blocked and welcome`
  const away = vacation && vacationFault(vacation)
  if (away !== undefined) return away
  if (filters.length > FILTERS_MAX) return `more than ${FILTERS_MAX} filters`
  for (const filter of filters) {
    const fault = filterFault(filter)
    if (fault !== undefined) return `the filter '${filter.name}': ${fault}`
  }
  if (proved.length > PROVED_MAX) return `more than ${PROVED_MAX} confirmed addresses`
  if (awaited.length > AWAITED_MAX) return `more than ${AWAITED_MAX} addresses wait to be confirmed`
  return undefined
}

/** `@example.org` and `example.org` are the domain; in its one form, or undefined. */
export function parseSender(text: string): Sender | undefined {
  const plain = text.normalize('NFKC').trim().replace(/^@/, '')
  if (!plain.includes('@')) {
    return isDomain(plain) && !plain.startsWith('[') ? (domainKey(plain) as Sender) : undefined
  }
  const address = parseAddress(plain)
  return address.ok ? (addressKey(address.value) as Sender) : undefined
}

function vacationFault({
  from,
  until,
  subject = '',
  text,
  html = '',
  outsideText = '',
  days,
  to,
}: Vacation): string | undefined {
  for (const time of [from, until])
    if (time !== undefined && !isInstant(time)) return `'${time}' is no time in UTC`
  if (from !== undefined && until !== undefined && from >= until)
    return 'the absence ends before it begins'
  if (!isLine(subject, VACATION_SUBJECT_MAX))
    return `the subject is one line of at most ${VACATION_SUBJECT_MAX} characters`
  if (![text, html, outsideText].every(isText))
    return `the text has at most ${VACATION_TEXT_MAX} characters, and no control characters`
  if (!Number.isInteger(days) || days < 1 || days > VACATION_DAYS_MAX)
    return `one answer in 1 to ${VACATION_DAYS_MAX} days`
  return isOneOf(['everybody', 'colleagues'], to)
    ? undefined
    : 'answers go to everybody or to colleagues'
}

function filterFault(filter: MailFilter): string | undefined {
  const { name, match, conditions, folder, copy, flags = [], stop } = filter
  if (name.trim() === '' || !isLine(name, FILTER_TEXT_MAX))
    return `a name is one line of 1 to ${FILTER_TEXT_MAX} characters`
  if (!isOneOf(['all', 'any'], match)) return 'all of its conditions hold, or any'
  if (conditions.length === 0) return 'it has no condition, and would take every mail'
  if (conditions.length > CONDITIONS_MAX) return `more than ${CONDITIONS_MAX} conditions`
  for (const { field, is, value } of conditions) {
    if (!isOneOf(FILTER_FIELDS, field))
      return `a condition is about one of ${FILTER_FIELDS.join(', ')}`
    if (!isOneOf(['contains', 'equals'], is)) return 'a field contains or equals something'
    if (value.trim() === '' || !isLine(value, FILTER_TEXT_MAX))
      return `what a field is compared with is one line of 1 to ${FILTER_TEXT_MAX} characters`
  }
  if (folder !== undefined) {
    const fault = folderFault(folder)
    if (fault !== undefined) return fault
  }
  if (copy === true && folder === undefined)
    return 'a copy stays in the inbox where there is a folder'
  if (flags.some((each) => !isOneOf(FILTER_FLAGS, each)))
    return `it marks as ${FILTER_FLAGS.join(' or ')}`
  return folder === undefined && flags.length === 0 && stop !== true ? 'it does nothing' : undefined
}

function folderFault(folder: string): string | undefined {
  const path = folder.split('/')
  if (path.length > MAILBOX_DEPTH_MAX) return `'${folder}' lies deeper than ${MAILBOX_DEPTH_MAX}`
  const isLong = path.some((each) => Buffer.byteLength(each) > MAILBOX_COMPONENT_BYTES_MAX)
  if (isLong || path.some((each) => each === '' || !isLine(each, MAILBOX_COMPONENT_BYTES_MAX)))
    return `'${folder}' is no name of a mailbox`
  if (folder !== folder.normalize('NFC')) return `'${folder}' is not normalised`
  return FOREIGN_ROOTS.includes(path[0]!) ? `below '${path[0]}' lie mailboxes of others` : undefined
}

const isListName = (name: string): boolean =>
  name !== '' &&
  name.trim() === name &&
  name === name.normalize('NFC') &&
  !name.includes('/') &&
  !['blocked', 'welcome'].includes(name.toLowerCase()) &&
  isLine(name, FILTER_TEXT_MAX)

const isOneOf = (known: readonly string[], value: string): boolean => known.includes(value)

// What a line cannot hold.
const BEYOND_LINE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/
// Line ends and tabs are part of a text.
const BEYOND_TEXT = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/

const isText = (text: string): boolean =>
  text.length <= VACATION_TEXT_MAX && !BEYOND_TEXT.test(text) && text.isWellFormed()

const isLine = (text: string, max: number): boolean =>
  text.length <= max && !BEYOND_LINE.test(text) && text.isWellFormed()

function isInstant(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/.test(text)) return false
  const ms = Date.parse(text)
  return Number.isFinite(ms) && new Date(ms).toISOString().startsWith(text.slice(0, 19))
}
