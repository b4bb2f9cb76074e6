const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']

/** Zones by name, RFC 5322 §4.3, and the one that Japanese mail writes; minutes east of UTC. */
const ZONES: Readonly<Record<string, number>> = {
  ut: 0,
  utc: 0,
  gmt: 0,
  z: 0,
  est: -300,
  edt: -240,
  cst: -360,
  cdt: -300,
  mst: -420,
  mdt: -360,
  pst: -480,
  pdt: -420,
  jst: 540,
}

const DATE =
  /^(?:[a-z]+\.?[ \t]*,?[ \t]*)?(\d{1,2})[ \t-]+([a-z]{3})[a-z]*\.?[ \t,-]+(\d{2,4})[ \t,]+(\d{1,2})[:.](\d{1,2})(?:[:.](\d{1,2})(?:\.\d+)?)?[ \t]*(?:([+-])[ \t]*(\d{2}):?(\d{2})|([a-z]+))?/

/** The time that a Date field tells, in ms; undefined where there is none (RFC 5322 §3.3, RFC 5322 §4.3). */
export const parseDate = (value: string): number | undefined => parseZonedDate(value)?.atMs

/** That time with the zone it is told in, in minutes east of UTC. */
export function parseZonedDate(
  value: string,
): { readonly atMs: number; readonly zoneMinutes: number } | undefined {
  const text = value
    .slice(0, 200)
    .toLowerCase()
    .replace(/\([^()]*\)/g, ' ')
    .trim()
  const match = DATE.exec(text)
  if (match === null) return undefined
  const month = MONTHS.indexOf(match[2]!)
  const day = Number(match[1])
  const hour = Number(match[4])
  const minute = Number(match[5])
  const second = Number(match[6] ?? 0)
  if (month < 0 || day < 1 || day > 31 || hour > 24 || minute > 59 || second > 60) return undefined
  const local = Date.UTC(fullYear(match[3]!), month, day, hour, minute, second)
  const zone = zoneMinutes(match)
  return { atMs: local - zone * 60_000, zoneMinutes: zone }
}

/** `+0900`, RFC 5322 §3.3. */
export function formatZone(minutes: number): string {
  const [sign, east] = minutes < 0 ? ['-', -minutes] : ['+', minutes]
  const two = (n: number): string => String(n).padStart(2, '0')
  return `${sign}${two(Math.floor(east / 60))}${two(east % 60)}`
}

/** RFC 5322 §3.3, in UTC if nothing else is said: `Thu, 26 Nov 2026 03:00:00 +0000`. */
export function formatDate(atMs: number, zoneEast = 0): string {
  const at = new Date(atMs + zoneEast * 60_000)
  const two = (n: number): string => String(n).padStart(2, '0')
  const month = MONTHS[at.getUTCMonth()]!
  return (
    `${DAYS[at.getUTCDay()]}, ${at.getUTCDate()} ${month[0]!.toUpperCase()}${month.slice(1)} ` +
    `${String(at.getUTCFullYear()).padStart(4, '0')} ` +
    `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())} ${formatZone(zoneEast)}`
  )
}

// RFC 5322 §4.3: two digits up to 49 are 20xx, three digits add 1900.
function fullYear(text: string): number {
  const year = Number(text)
  if (text.length === 2) return year < 50 ? 2000 + year : 1900 + year
  return text.length === 3 ? 1900 + year : year
}

function zoneMinutes(match: RegExpExecArray): number {
  if (match[7] !== undefined) {
    const minutes = Number(match[8]) * 60 + Number(match[9])
    return match[7] === '-' ? -minutes : minutes
  }
  return match[10] === undefined ? 0 : (ZONES[match[10]] ?? 0)
}
