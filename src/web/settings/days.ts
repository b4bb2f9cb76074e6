/** When a day of this browser's calendar begins, or one so many days after it; as UTC of whole seconds. */
export function startOf(day: string, after = 0): string | undefined {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(day)
  if (parts === null) return undefined
  const [, year, month, date] = parts.map(Number)
  return new Date(year!, month! - 1, date! + after).toISOString().replace(/\.\d{3}Z$/, 'Z')
}

/** The day of this browser's calendar at a moment; `before` so many milliseconds of it. */
export function dayOf(instant: string | undefined, before = 0): string {
  if (instant === undefined) return ''
  const at = new Date(Date.parse(instant) - before)
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
}

const FORMATS = {
  en: new Intl.DateTimeFormat('en-GB', {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    year: 'numeric',
  }),
  ja: new Intl.DateTimeFormat('ja-JP', {
    weekday: 'short',
    day: 'numeric',
    month: 'long',
    year: 'numeric',
  }),
} as const

/** `Tue, 29 Dec 2026`, `2026年12月29日(火)`. */
export const dayText = (language: 'en' | 'ja', instant: string, before = 0): string =>
  FORMATS[language].format(new Date(Date.parse(instant) - before))

/** By whose calendar. */
export const zoneName = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone
