import { beginOf, daysAfter } from '#model/account-life.ts'
import type { Moment } from '#model/account-life.ts'
import { isInFrom } from '#model/list-member.ts'
import type { MemberTerm } from '#model/list-member.ts'
import { isDay } from '#model/person-facts.ts'
import { ApiError } from '#server/admin/errors.ts'

/** The first moment after a day, as terms have it. */
export function endOfDay(day: string, { rules }: Moment): string {
  if (!isDay(day)) throw noDay(day)
  return new Date(beginOf(daysAfter(day, 1), rules.zone)).toISOString()
}

/** Whether terms have somebody in at some moment of a day, or at a moment; of now: or from some day to come. */
export function whenIn(
  on: string | undefined,
  { nowMs, rules }: Moment,
): (terms: readonly MemberTerm[]) => boolean {
  if (on === undefined) return (terms) => isInFrom(terms, nowMs)
  const atMs = /^\d{4}-\d{2}-\d{2}T/.test(on) ? Date.parse(on) : NaN
  if (!isDay(on) && !Number.isFinite(atMs)) throw noDay(on)
  const [fromMs, untilMs] = isDay(on)
    ? [beginOf(on, rules.zone), beginOf(daysAfter(on, 1), rules.zone)]
    : [atMs, atMs + 1]
  return (terms) =>
    terms.some(
      ({ from, until }) =>
        Date.parse(from) < untilMs && (until === undefined || Date.parse(until) > fromMs),
    )
}

const noDay = (text: string): ApiError =>
  new ApiError('invalid', `${text} is no day`, 'Give one such as 2027-03-31.')
