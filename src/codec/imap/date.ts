import type { Scanner } from './scanner.ts'

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const MONTH = new Map(MONTHS.map((name, index) => [name.toUpperCase(), index]))

const MINUTE_MS = 60_000
/** The last day but one that four digits of a year can name, in any zone. */
const MS_MAX = 253_402_214_400_000

const pad = (value: number, width = 2): string => String(value).padStart(width, '0')

/** `" 1-Nov-2026 08:00:00 +0900"` with its quotes, in a zone so far ahead of UTC (RFC 9051 §9 date-time). */
export function formatDateTime(ms: number, zoneMinutes: number): string {
  const date = new Date(Math.min(Math.max(0, ms), MS_MAX) + zoneMinutes * MINUTE_MS)
  const away = Math.abs(zoneMinutes)
  const zone = `${zoneMinutes < 0 ? '-' : '+'}${pad(Math.floor(away / 60))}${pad(away % 60)}`
  return (
    `"${String(date.getUTCDate()).padStart(2)}-${MONTHS[date.getUTCMonth()]!}-` +
    `${pad(date.getUTCFullYear(), 4)} ${pad(date.getUTCHours())}:${pad(date.getUTCMinutes())}:` +
    `${pad(date.getUTCSeconds())} ${zone}"`
  )
}

const DATE_TIME = /^([ 0-3]?\d)-([A-Za-z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)$/

/** A quoted date-time to ms. */
export function readDateTime(scanner: Scanner): number {
  const match = DATE_TIME.exec(scanner.string())
  if (match === null) return scanner.fail('Bad date-time')
  const [hour, minute, second] = [Number(match[4]), Number(match[5]), Number(match[6])]
  // 60: a leap second.
  if (hour > 23 || minute > 59 || second > 60) return scanner.fail('Bad time')
  const dayMs = dayOf(scanner, match)
  const ms = dayMs + ((hour * 60 + minute) * 60 + second) * 1_000
  const zone = (Number(match[8]) * 60 + Number(match[9])) * 60_000
  return match[7] === '+' ? ms - zone : ms + zone
}

const DATE = /^(\d{1,2})-([A-Za-z]{3})-(\d{4})$/

/** A date of SEARCH, quoted or not, to the ms at which that day begins in UTC. */
export function readDate(scanner: Scanner): number {
  const match = DATE.exec(scanner.astring())
  if (match === null) return scanner.fail('Bad date')
  return dayOf(scanner, match)
}

/** The ms at which a day of the calendar begins in UTC; 30 February is none. */
function dayOf(scanner: Scanner, [, day, month, year]: RegExpExecArray): number {
  const number = MONTH.get(month!.toUpperCase()) ?? scanner.fail('Bad month')
  const date = new Date(0)
  date.setUTCFullYear(Number(year), number, Number(day))
  if (date.getUTCMonth() !== number || Number(day) === 0) return scanner.fail('No such day')
  return date.getTime()
}

const HEADER_DATE = /(\d{1,2})\s+([A-Za-z]{3})[A-Za-z]*\s+(\d{2,4})\b/

/**
 * The day that a Date field names, as its sender's calendar had it: SENTON and its kin ignore
 * time and zone (RFC 9051 §6.4.4).
 */
export function headerDay(field: string): number | undefined {
  const match = HEADER_DATE.exec(field)
  const month = match === null ? undefined : MONTH.get(match[2]!.toUpperCase())
  if (match === null || month === undefined) return undefined
  const year = Number(match[3])
  const full = match[3]!.length === 4 ? year : year < 50 ? year + 2_000 : year + 1_900 // RFC 5322 §4.3
  return Date.UTC(full, month, Number(match[1]))
}
