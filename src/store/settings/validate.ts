import { isIPv6 } from 'node:net'
import { err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import { counted } from '#base/text.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '#base/time.ts'
import { isZone } from '#model/account-life.ts'
import { isTag } from '#model/person-facts.ts'
import { parseNetwork } from './network-set.ts'
import { actionsOf } from './option.ts'
import type { Option } from './option.ts'
import { isSettingKey, optionOf, SETTING_KEYS } from './table.ts'
import type { SettingKey } from './table.ts'

/** A value as it stands in JSON: a generation, the API's body, a file of an editor. */
export type SettingValue = number | boolean | string | readonly number[] | readonly string[]

/** Why a value is refused, in a sentence that names the setting, and what to write instead. */
export interface SettingRefusal {
  readonly code: 'invalid' | 'notFound' | 'conflict'
  readonly message: string
  readonly remedy: string
}

/** The key, or a refusal that names what is near to it. */
export function readKey(text: string): Outcome<SettingKey, SettingRefusal> {
  if (isSettingKey(text)) return ok(text)
  const wanted = text.toLowerCase()
  const near = SETTING_KEYS.filter(
    (key) => key.toLowerCase() === wanted || key.split('.')[0] === wanted.split('.')[0],
  )
  return err({
    code: 'notFound',
    message: `there is no setting ${text}`,
    remedy: near.length > 0 ? `There is: ${near.join(', ')}` : 'watari settings show lists them.',
  })
}

/** The value in the option's own form; text is understood wherever it can be. */
export function readValue(key: SettingKey, value: unknown): Outcome<SettingValue, SettingRefusal> {
  const option = optionOf(key)
  const read = readers[option.type](option as never, value)
  if (read.ok) return read
  return err({ code: 'invalid', message: `${key}: ${read.error}`, remedy: remedyOf(option) })
}

const ZONE_LENGTH_MAX = 64

type Read = Outcome<SettingValue, string>

const readers: {
  readonly [T in Option['type']]: (option: Extract<Option, { type: T }>, value: unknown) => Read
} = {
  integer: (option, value) => {
    const number = readNumber(value)
    return number === undefined || !Number.isInteger(number)
      ? err(`${shown(value)} is no whole number`)
      : bounded(option, number, String)
  },
  number: (option, value) => {
    const number = readNumber(value)
    return number === undefined
      ? err(`${shown(value)} is no number`)
      : bounded(option, number, String)
  },
  duration: (option, value) => {
    const ms = readDuration(value)
    return ms === undefined
      ? err(`${shown(value)} is no duration`)
      : bounded(option, ms, formatDuration)
  },
  size: (option, value) => {
    const size = readSize(value)
    return size === undefined
      ? err(`${shown(value)} is no size`)
      : bounded(option, size, formatSize)
  },
  boolean: (_, value) => {
    if (value === true || value === 'true' || value === 'on' || value === 'yes') return ok(true)
    if (value === false || value === 'false' || value === 'off' || value === 'no') return ok(false)
    return err(`${shown(value)} is neither true nor false`)
  },
  durations: (option, value) => {
    const items = readList(value)
    if (items === undefined || items.length === 0) return err('the list is empty')
    if (items.length > option.countMax) return err(`more than ${counted(option.countMax, 'value')}`)
    const all: number[] = []
    for (const item of items) {
      const ms = readDuration(item)
      if (ms === undefined) return err(`${shown(item)} is no duration`)
      const fits = bounded(option, ms, formatDuration)
      if (!fits.ok) return fits
      all.push(ms)
    }
    return ok(all)
  },
  servers: (option, value) => {
    const items = readList(value)
    if (items === undefined) return err(`${shown(value)} is no list`)
    if (items.length > option.countMax)
      return err(`more than ${counted(option.countMax, 'server')}`)
    const all: string[] = []
    for (const item of items) {
      const server = readServer(item, option.port)
      if (server === undefined) return err(`${shown(item)} is no HOST:PORT`)
      all.push(server)
    }
    return ok(all)
  },
  networks: (_, value) => {
    const items = readList(value)
    if (items === undefined) return err(`${shown(value)} is no list`)
    return readNetworks(items)
  },
  zone: (_, value) =>
    typeof value === 'string' && value.length <= ZONE_LENGTH_MAX && isZone(value.trim())
      ? ok(value.trim())
      : err(`${shown(value)} is no time zone`),
  words: (option, value) => {
    const items = readList(value)
    if (items === undefined) return err(`${shown(value)} is no list`)
    if (items.length > option.countMax) return err(`more than ${counted(option.countMax, 'word')}`)
    const odd = items.find((item) => typeof item !== 'string' || !isTag(item))
    if (odd !== undefined) return err(`${shown(odd)} is no word`)
    return ok(items as readonly string[])
  },
  // Whether it can run is asked where scripts are known (SettingsMaster).
  script: (option, value) => {
    if (typeof value !== 'string' || !value.isWellFormed()) return err(`${shown(value)} is no text`)
    return Buffer.byteLength(value) > option.bytesMax
      ? err(`it has more than ${formatSize(option.bytesMax)}`)
      : ok(value)
  },
  origin: (_, value) => {
    const text = typeof value === 'string' ? value.trim().replace(/\/$/, '') : undefined
    if (text === '') return ok('')
    const origin = text === undefined || text.length > 300 ? undefined : URL.parse(text)?.origin
    return origin?.startsWith('https://') && origin === text?.toLowerCase()
      ? ok(origin)
      : err(`${shown(value)} is no https://HOST`)
  },
  choice: (option, value) =>
    typeof value === 'string' && option.oneOf.includes(value)
      ? ok(value)
      : err(`${shown(value)} is none of ${option.oneOf.join(', ')}`),
  action: (option, value) =>
    typeof value === 'string' && (actionsOf(option) as readonly string[]).includes(value)
      ? ok(value)
      : err(`${shown(value)} is no action`),
}

/** Sorted and without doubles; the first row that is no network refuses the list, by its number. */
function readNetworks(items: readonly unknown[]): Read {
  const rows = new Map<string, string>()
  for (const [index, item] of items.entries()) {
    const network =
      typeof item === 'string' ? parseNetwork(item.trim()) : err(`${shown(item)} is no network`)
    if (!network.ok)
      return err(items.length > 1 ? `row ${index + 1}: ${network.error}` : network.error)
    rows.set(network.value.canonical, network.value.first)
  }
  return ok(
    [...rows]
      .sort(([a, firstA], [b, firstB]) =>
        firstA < firstB ? -1 : firstA > firstB ? 1 : a < b ? -1 : 1,
      )
      .map(([canonical]) => canonical),
  )
}

function bounded(
  option: { readonly min: number; readonly max: number },
  value: number,
  show: (n: number) => string,
): Outcome<number, string> {
  if (value < option.min) return err(`${show(value)} is below ${show(option.min)}`)
  if (value > option.max) return err(`${show(value)} is above ${show(option.max)}`)
  return ok(value)
}

function readNumber(value: unknown): number | undefined {
  if (typeof value === 'number' && Number.isFinite(value)) return value
  return typeof value === 'string' && /^[+-]?\d+(?:\.\d+)?$/.test(value) ? Number(value) : undefined
}

const DURATION_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: SECOND_MS,
  m: MINUTE_MS,
  min: MINUTE_MS,
  h: HOUR_MS,
  d: DAY_MS,
  w: 7 * DAY_MS,
}

function readDuration(value: unknown): number | undefined {
  if (typeof value === 'number')
    return Number.isSafeInteger(value) && value >= 0 ? value : undefined
  const match = typeof value === 'string' ? /^(\d+(?:\.\d+)?)\s*([a-z]*)$/.exec(value.trim()) : null
  if (match === null) return undefined
  const unit = DURATION_UNITS[match[2] === '' ? 'ms' : match[2]!]
  return unit === undefined ? undefined : Math.round(Number(match[1]) * unit)
}

const SIZE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1024,
  kib: 1024,
  m: 1024 ** 2,
  mib: 1024 ** 2,
  g: 1024 ** 3,
  gib: 1024 ** 3,
  kb: 1000,
  mb: 1000 ** 2,
  gb: 1000 ** 3,
}

function readSize(value: unknown): number | undefined {
  if (typeof value === 'number')
    return Number.isSafeInteger(value) && value >= 0 ? value : undefined
  const match =
    typeof value === 'string' ? /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(value.trim()) : null
  if (match === null) return undefined
  const unit = SIZE_UNITS[match[2]!.toLowerCase()]
  return unit === undefined ? undefined : Math.round(Number(match[1]) * unit)
}

/** A list, or text with commas, blanks or line ends between the items. */
function readList(value: unknown): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value
  if (typeof value === 'string') return value.split(/[\s,]+/).filter((item) => item !== '')
  return typeof value === 'number' ? [value] : undefined
}

function readServer(item: unknown, port: number): string | undefined {
  if (typeof item !== 'string') return undefined
  if (isIPv6(item)) return `[${item}]:${port}`
  const match = /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_.-]+)(?::(\d{1,5}))?$/.exec(item)
  if (match === null) return undefined
  const given = match[2] === undefined ? port : Number(match[2])
  if (given < 1 || given > 65_535) return undefined
  if (match[1]!.startsWith('[') && !isIPv6(match[1]!.slice(1, -1))) return undefined
  return `${match[1]}:${given}`
}

const shown = (value: unknown): string => {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value))
  return text === '' ? 'an empty text' : text.length > 80 ? `${text.slice(0, 79)}…` : text
}

function remedyOf(option: Option): string {
  switch (option.type) {
    case 'integer':
    case 'number':
      return `Give a number from ${option.min} to ${option.max}.`
    case 'duration':
      return `Give a duration from ${formatDuration(option.min)} to ${formatDuration(option.max)}, such as 90s, 4h or 5d.`
    case 'size':
      return `Give a size from ${formatSize(option.min)} to ${formatSize(option.max)}, such as 50MiB.`
    case 'boolean':
      return 'Give true or false.'
    case 'durations':
      return `Give durations from ${formatDuration(option.min)} to ${formatDuration(option.max)}, such as 1m,5m,1h.`
    case 'servers':
      return `Give HOST:PORT, such as 127.0.0.1:${option.port} or [::1]:${option.port}.`
    case 'networks':
      return 'Give networks such as 192.0.2.0/24, 2001:db8::/32 or a single address.'
    case 'zone':
      return 'Give a name such as Asia/Tokyo, or an empty text for that of each machine.'
    case 'words':
      return 'Give words with commas between them.'
    case 'script':
      return 'Give a Sieve script; watari sieve check FILE says what is wrong with one.'
    case 'origin':
      return 'Give https://HOST or https://HOST:PORT, or an empty text.'
    case 'choice':
      return `Give one of ${option.oneOf.join(', ')}.`
    case 'action':
      return `Give one of ${actionsOf(option).join(', ')}.`
  }
}

/** `5d`, `90s`, `1500ms`: the largest unit that divides it. */
export function formatDuration(ms: number): string {
  for (const [unit, unitMs] of [
    ['d', DAY_MS],
    ['h', HOUR_MS],
    ['m', MINUTE_MS],
    ['s', SECOND_MS],
  ] as const)
    if (ms > 0 && ms % unitMs === 0) return `${ms / unitMs}${unit}`
  return `${ms}ms`
}

export function formatSize(bytes: number): string {
  for (const [unit, factor] of [
    ['GiB', 1024 ** 3],
    ['MiB', 1024 ** 2],
    ['KiB', 1024],
  ] as const)
    if (bytes > 0 && bytes % factor === 0) return `${bytes / factor}${unit}`
  return String(bytes)
}
