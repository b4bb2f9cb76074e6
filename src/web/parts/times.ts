/** Times as people of each language write them. */
export type Language = 'en' | 'ja'

const FORMATS = {
  en: new Intl.DateTimeFormat('en-GB', {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
  }),
  ja: new Intl.DateTimeFormat('ja-JP', {
    weekday: 'short',
    day: 'numeric',
    month: 'long',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
  }),
} as const

const clock = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
})

/** `Wed 25 Nov 2026, 10:02`, `2026年11月25日(水) 10:02`. */
export function dateText(language: Language, iso: string): string {
  const parts = Object.fromEntries(
    FORMATS[language].formatToParts(new Date(iso)).map(({ type, value }) => [type, value]),
  )
  const { weekday, day, month, year, hour, minute } = parts
  return language === 'ja'
    ? `${year}年${month?.replace('月', '')}月${day}日(${weekday}) ${hour}:${minute}`
    : `${weekday} ${day} ${month} ${year}, ${hour}:${minute}`
}

/** `10:02:11`. */
export const clockText = (iso: string): string => clock.format(new Date(iso))

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
] as const

/** `3 minutes ago`, `3 分前`, `in 5 minutes`. */
export function relativeText(language: Language, iso: string, nowMs = Date.now()): string {
  const deltaMs = Date.parse(iso) - nowMs
  const [unit, unitMs] = UNITS.find(([, ms]) => Math.abs(deltaMs) >= ms) ?? ['second', 1_000]
  return new Intl.RelativeTimeFormat(language, { numeric: 'auto' }).format(
    Math.trunc(deltaMs / unitMs),
    unit,
  )
}

/** `340 ms`, `1.2 s`, `3 min`, as a length of time. */
export function lengthText(language: Language, ms: number): string {
  const [value, unit, digits] =
    ms < 1_000
      ? ([ms, 'millisecond', 0] as const)
      : ms < 60_000
        ? ([ms / 1_000, 'second', 1] as const)
        : ms < 3_600_000
          ? ([ms / 60_000, 'minute', 0] as const)
          : ms < 86_400_000
            ? ([ms / 3_600_000, 'hour', 1] as const)
            : ([ms / 86_400_000, 'day', 1] as const)
  return new Intl.NumberFormat(language, {
    style: 'unit',
    unit,
    unitDisplay: 'short',
    maximumFractionDigits: digits,
  }).format(value)
}

/** `1,234`. */
export const numberText = (language: Language, value: number): string =>
  new Intl.NumberFormat(language).format(value)

/** `0.6 kB`, `12 kB`, `3.4 MB`; what is not empty is 0.1 kB at least. */
export function sizeText(language: Language, bytes: number): string {
  const [value, unit] =
    bytes < 1_000_000
      ? ([bytes > 0 ? Math.max(bytes / 1_000, 0.1) : 0, 'kilobyte'] as const)
      : ([bytes / 1_000_000, 'megabyte'] as const)
  return new Intl.NumberFormat(language, {
    style: 'unit',
    unit,
    unitDisplay: 'short',
    maximumFractionDigits: value < 10 ? 1 : 0,
  }).format(value)
}
