import type { SettingBody } from '#contract/admin/settings.ts'

export type SettingValue = SettingBody['value']

const DURATIONS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const

const SIZES = [
  ['GiB', 1_073_741_824],
  ['MiB', 1_048_576],
  ['KiB', 1_024],
] as const

/** A value as people write it, and as the API takes it: `5d`, `50MiB`, `a, b`. */
export function textOfValue(type: string, value: SettingValue | null): string {
  if (value === null) return ''
  if (Array.isArray(value)) return value.map((each) => oneText(type, each)).join(', ')
  return oneText(type, value)
}

function oneText(type: string, value: string | number | boolean): string {
  if (typeof value !== 'number') return String(value)
  const units = type.startsWith('duration') ? DURATIONS : type === 'size' ? SIZES : []
  const unit = value === 0 ? undefined : units.find(([, size]) => value % size === 0)
  if (unit !== undefined) return `${value / unit[1]}${unit[0]}`
  return type.startsWith('duration') ? `${value}ms` : String(value)
}

/** What is sent for the text of a field: the API itself understands units. */
export function valueOfText(type: string, text: string): SettingValue {
  if (type === 'script') return text
  const trimmed = text.trim()
  if (type === 'durations' || type === 'servers' || type === 'words')
    return trimmed === '' ? [] : trimmed.split(/[,\s]+/).filter(Boolean)
  if ((type === 'integer' || type === 'number') && /^-?\d+(\.\d+)?$/.test(trimmed))
    return Number(trimmed)
  return trimmed
}
