import { DAY_MS } from '#base/time.ts'
import type { Account, FormerAddress } from './account.ts'
import type { Address } from './address.ts'
import type { Day } from './person-facts.ts'

/** What an account is at a moment. */
export type LifeState =
  | 'notBegun' // before its first day: no login
  | 'active'
  | 'grace' // after its last day, for a while: all is as before
  | 'left' // after that: no login, mail refused or sent on
  | 'suspended' // by somebody's decision: no login, mail still arrives
  | 'deleted' // can be had back for a while: no login, no mail

/** What the settings say of lives. */
export interface LifeRules {
  /** Name of a time zone, `Asia/Tokyo`; empty: the machine's. */
  readonly zone: string
  readonly graceDays: number
  readonly mailBeforeStart: boolean
  /** A former main address still takes mail so long, and is given to nobody else so long. */
  readonly formerAddressDays: number
  readonly addressReservedMonths: number
  /** A deleted account can be had back so long. */
  readonly undeleteDays: number
  /** Who was in a mailing list is known so long after; 0: for ever. */
  readonly listHistoryDays: number
}

/** As the settings are where nobody has set them. */
export const LIFE_RULES: LifeRules = {
  zone: '',
  graceDays: 14,
  mailBeforeStart: true,
  formerAddressDays: 180,
  addressReservedMonths: 24,
  undeleteDays: 30,
  listHistoryDays: 0,
}

/** The time, as lives are measured by it. */
export interface Moment {
  readonly nowMs: number
  readonly today: Day
  /** Who expired before this day has left. */
  readonly graceFrom: Day
  readonly rules: LifeRules
}

export function lifeOf(account: Account, moment: Moment): LifeState {
  if (account.deletedAt !== undefined) return 'deleted'
  if (account.disabled) return 'suspended'
  if (isBefore(account, moment)) return 'notBegun'
  const { expiresOn } = account
  if (expiresOn === undefined || expiresOn >= moment.today) return 'active'
  return expiresOn < moment.graceFrom ? 'left' : 'grace'
}

export function mayLogIn(account: Account, moment: Moment): boolean {
  const state = lifeOf(account, moment)
  return state === 'active' || state === 'grace'
}

/** A suspended account takes mail as long as its days say so. */
export function takesMail(account: Account, moment: Moment): boolean {
  if (account.deletedAt !== undefined) return false
  if (isBefore(account, moment)) return moment.rules.mailBeforeStart
  return account.expiresOn === undefined || account.expiresOn >= moment.graceFrom
}

/** Where mail of who has left goes; undefined: nowhere. */
export function forwardAfter(account: Account, moment: Moment): readonly Address[] | undefined {
  const { afterLeaving, deletedAt } = account
  if (afterLeaving === undefined || deletedAt !== undefined || isBefore(account, moment))
    return undefined
  return afterLeaving.until >= moment.today ? afterLeaving.to : undefined
}

/** Mail to an address of earlier times still arrives. */
export const isKept = (former: FormerAddress, { nowMs }: Moment): boolean =>
  Date.parse(former.keptUntil) > nowMs

/** Nobody else is given it. */
export const isReserved = (former: FormerAddress, { nowMs }: Moment): boolean =>
  Date.parse(former.reservedUntil) > nowMs

const isBefore = ({ startsOn }: Account, { today }: Moment): boolean =>
  startsOn !== undefined && startsOn > today

export function momentAt(nowMs: number, rules: LifeRules): Moment {
  const today = dayAt(nowMs, rules.zone)
  return { nowMs, today, graceFrom: daysAfter(today, -rules.graceDays), rules }
}

/** At which everybody takes mail who is not deleted, and every former address is kept: for looking at ways. */
export const NO_MOMENT: Moment = { nowMs: 0, today: '', graceFrom: '', rules: LIFE_RULES }

/** The day of the calendar in a time zone. */
export function dayAt(ms: number, zone: string): Day {
  const parts = formatOf(zone).formatToParts(ms)
  const of = (type: Intl.DateTimeFormatPartTypes): string =>
    parts.find((part) => part.type === type)!.value
  return `${of('year')}-${of('month')}-${of('day')}`
}

/** The first moment of a day in a time zone; for a day that summer time begins with, the first that there is. */
export function beginOf(day: Day, zone: string): number {
  let [from, to] = [-DAY_MS, DAY_MS].map((ms) => Date.parse(`${day}T00:00:00Z`) + ms) as [
    number,
    number,
  ]
  while (to - from > 1) {
    const middle = Math.floor((from + to) / 2)
    if (dayAt(middle, zone) >= day) to = middle
    else from = middle
  }
  return to
}

export function daysAfter(day: Day, count: number): Day {
  return new Date(Date.parse(`${day}T00:00:00Z`) + count * DAY_MS).toISOString().slice(0, 10)
}

/** How many days after `from` the other one is. */
export const daysBetween = (from: Day, to: Day): number =>
  Math.round((Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / DAY_MS)

/** Whether this machine knows the time zone. */
export function isZone(zone: string): boolean {
  if (zone === '') return true
  try {
    formatOf(zone)
    return true
  } catch {
    return false
  }
}

const formatOf = (zone: string): Intl.DateTimeFormat =>
  new Intl.DateTimeFormat('en-CA', {
    ...(zone !== '' && { timeZone: zone }),
    calendar: 'gregory',
    numberingSystem: 'latn',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  })
