import { asciiLower } from '#base/text.ts'
import { formatDate, formatZone, parseZonedDate } from '#codec/mime/date.ts'
import type { Arguments } from '#engine/sieve/arguments.ts'
import { checkedText } from '#engine/sieve/arguments.ts'
import { fail } from '#engine/sieve/language.ts'
import type { SieveExtension, SieveTestRule } from '#engine/sieve/language.ts'
import { takeKeys, takeMatch } from '#engine/sieve/match.ts'
import type { SieveRun } from '#engine/sieve/run.ts'

import { takeIndex } from './index.ts'
import { takeMime } from './mime.ts'

/** A time in a zone, in minutes east of UTC. */
export interface Zoned {
  readonly atMs: number
  readonly zoneMinutes: number
}

const two = (n: number): string => String(n).padStart(2, '0')
const DAY_MS = 86_400_000
/** Days between the epoch of Modified Julian Days and ours. */
const JULIAN_EPOCH = 40_587

/** RFC 5260 §4.2; `at` has the local time in its UTC fields. */
const PARTS: Readonly<Record<string, (at: Date, time: Zoned) => string>> = {
  year: (at) => String(at.getUTCFullYear()).padStart(4, '0'),
  month: (at) => two(at.getUTCMonth() + 1),
  day: (at) => two(at.getUTCDate()),
  date: (at) => at.toISOString().slice(0, -14),
  julian: (at) => String(Math.floor(at.getTime() / DAY_MS) + JULIAN_EPOCH),
  hour: (at) => two(at.getUTCHours()),
  minute: (at) => two(at.getUTCMinutes()),
  second: (at) => two(at.getUTCSeconds()),
  time: (at) => at.toISOString().slice(-13, -5),
  iso8601: (at, { zoneMinutes }) =>
    `${at.toISOString().slice(0, -5)}${zoneMinutes === 0 ? 'Z' : formatZone(zoneMinutes).replace(/..$/, ':$&')}`,
  std11: (_, { atMs, zoneMinutes }) => formatDate(atMs, zoneMinutes).replace(/, (\d) /, ', 0$1 '),
  zone: (_, { zoneMinutes }) => formatZone(zoneMinutes),
  weekday: (at) => String(at.getUTCDay()),
}

/** A part of it; none of a time that no calendar has. */
export function zoned(time: Zoned, part: string): readonly string[] {
  const at = new Date(time.atMs + time.zoneMinutes * 60_000)
  return Number.isNaN(at.getTime()) ? [] : [PARTS[part]!(at, time)]
}

/** Takes `:zone` or `:originalzone`: how a time is told; as it came where that is wanted, else in the local zone. */
export function takeZone(
  args: Arguments,
  hasOriginal: boolean,
): (run: SieveRun, time: Zoned) => Zoned {
  if (hasOriginal && args.flag('originalzone')) {
    if (args.stands('zone')) fail(':zone and :originalzone exclude one another')
    return (_, time) => time
  }
  const zone = args.tagText('zone')
  if (zone === undefined)
    return (run, { atMs }) => ({ atMs, zoneMinutes: run.message.zoneMinutes?.(atMs) ?? 0 })
  const checked = checkedText(zone, (text) =>
    /^[+-]\d\d[0-5]\d$/.test(text) ? text : fail(`"${text}" is no zone such as "+0900"`),
  )
  return (run, { atMs }) => {
    const [sign, hours, minutes] = [0, 1, 3].map((at) => checked.of(run).slice(at, at + 2))
    const east = Number(hours) * 60 + Number(minutes)
    return { atMs, zoneMinutes: sign!.startsWith('-') ? -east : east }
  }
}

const takePart = (args: Arguments) =>
  checkedText(args.text('a part of the date'), (text) =>
    Object.hasOwn(PARTS, asciiLower(text))
      ? asciiLower(text)
      : fail(`a date has no part "${text}"`),
  )

const date: SieveTestRule = {
  needs: 'date',
  compile(args) {
    const zone = takeZone(args, true)
    const occurrences = takeIndex(args, { first: true })
    const mime = takeMime(args)
    const match = takeMatch(args)
    const name = checkedText(args.text('the name of a field'), asciiLower)
    const part = takePart(args)
    const keys = takeKeys(args, match)
    return (run) => {
      const times = occurrences(mime.values(run, name.of(run))).flatMap((value) => {
        // RFC 5260 §4: of Received and its kin what stands behind the last semicolon.
        const time = parseZonedDate(value.slice(value.lastIndexOf(';') + 1))
        return time === undefined ? [] : zoned(zone(run, time), part.of(run))
      })
      return match(run, times, keys.of(run))
    }
  },
}

const currentdate: SieveTestRule = {
  needs: 'date',
  compile(args) {
    const zone = takeZone(args, false)
    const match = takeMatch(args)
    const part = takePart(args)
    const keys = takeKeys(args, match)
    return (run) => {
      const { nowMs } = run.message
      const now =
        nowMs === undefined ? [] : zoned(zone(run, { atMs: nowMs, zoneMinutes: 0 }), part.of(run))
      return match(run, now, keys.of(run))
    }
  },
}

/** When something was, and when it is now. */
export const dateExtension: SieveExtension = {
  names: { date: 'RFC 5260 §4' },
  tests: { date, currentdate },
}
