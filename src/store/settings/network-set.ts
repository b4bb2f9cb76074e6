import { isIPv4, isIPv6 } from 'node:net'
import { err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'

/** Rows handled between two breaths of the event loop. */
const SLICE_ROWS = 5_000
const HEX_DIGITS = 32

/** The first and last address of a network, as 32 hex digits; IPv4 lies in ::ffff:0:0/96. */
interface Range {
  readonly first: string
  readonly last: string
}

/** A set of IPv4 and IPv6 networks, merged and sorted: a look-up is one binary search. */
export class NetworkSet {
  readonly #first: readonly string[]
  readonly #last: readonly string[]
  /** Rows as they were given, before merging. */
  readonly rows: number

  private constructor(ranges: readonly Range[], rows: number) {
    this.#first = ranges.map(({ first }) => first)
    this.#last = ranges.map(({ last }) => last)
    this.rows = rows
  }

  static readonly empty = new NetworkSet([], 0)

  /** Builds the set, breathing between slices. Rows that are no networks are passed over: check them first. */
  static async build(rows: readonly string[]): Promise<NetworkSet> {
    const ranges: Range[] = []
    for (let from = 0; from < rows.length; from += SLICE_ROWS) {
      for (const row of rows.slice(from, from + SLICE_ROWS)) {
        const network = parseNetwork(row)
        if (network.ok) ranges.push(network.value)
      }
      if (from + SLICE_ROWS < rows.length) await new Promise((resolve) => setImmediate(resolve))
    }
    ranges.sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0))
    return new NetworkSet(merge(ranges), rows.length)
  }

  has(ip: string): boolean {
    const address = parseIp(ip)
    if (address === undefined) return false
    let low = 0
    let high = this.#first.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#first[middle]! <= address) low = middle + 1
      else high = middle
    }
    return low > 0 && address <= this.#last[low - 1]!
  }
}

function merge(sorted: readonly Range[]): Range[] {
  const merged: Range[] = []
  for (const range of sorted) {
    const before = merged.at(-1)
    if (before === undefined || range.first > before.last) merged.push(range)
    else if (range.last > before.last)
      merged[merged.length - 1] = { first: before.first, last: range.last }
  }
  return merged
}

/** One network in its one spelling, or why the text is none. */
export function parseNetwork(
  text: string,
): Outcome<Range & { readonly canonical: string }, string> {
  const slash = text.indexOf('/')
  const ip = slash < 0 ? text : text.slice(0, slash)
  const isFour = isIPv4(ip)
  const width = isFour ? 32 : 128
  const bits = slash < 0 ? width : prefixOf(text.slice(slash + 1))
  if (bits === undefined || !(isFour || (isIPv6(ip) && !ip.includes('%'))))
    return err(`${text} is no network`)
  if (bits > width) return err(`${text}: a prefix has at most ${width} bits`)
  if (bits === 0) return err(`${text} is the whole Internet`)
  const address = isFour ? MAPPED + hexOfIpv4(ip) : hexOfIpv6(ip)
  const hostBits = width - bits
  const first = clearBits(address, hostBits)
  if (first !== address)
    return err(`${text} names a host within a network; write ${formatIp(first, isFour)}/${bits}`)
  const last = hostBits === 0 ? first : setBits(first, hostBits)
  // Of IPv4 an address has one spelling, so that the text itself is it.
  const spelt = isFour ? ip : formatIp(first, false)
  return ok({ first, last, canonical: hostBits === 0 ? spelt : `${spelt}/${bits}` })
}

const prefixOf = (text: string): number | undefined =>
  /^(?:0|[1-9]\d{0,2})$/.test(text) ? Number(text) : undefined

/** The number with its last `bits` bits cleared, or set: whole digits first, then the one between. */
const clearBits = (hex: string, bits: number): string =>
  changeBits(hex, bits, { fill: '0', change: (digit, mask) => digit & ~mask })
const setBits = (hex: string, bits: number): string =>
  changeBits(hex, bits, { fill: 'f', change: (digit, mask) => digit | mask })

function changeBits(
  hex: string,
  bits: number,
  way: { readonly fill: string; readonly change: (digit: number, mask: number) => number },
): string {
  const whole = bits >> 2
  const rest = bits & 3
  const at = HEX_DIGITS - whole - 1
  const tail = way.fill.repeat(whole)
  if (rest === 0) return hex.slice(0, at + 1) + tail
  const digit = way.change(Number.parseInt(hex.charAt(at), 16), (1 << rest) - 1)
  return hex.slice(0, at) + digit.toString(16) + tail
}

/** 32 hex digits, or undefined where the text is no address. */
function parseIp(text: string): string | undefined {
  if (isIPv4(text)) return MAPPED + hexOfIpv4(text)
  const zone = text.indexOf('%')
  const bare = zone < 0 ? text : text.slice(0, zone)
  return isIPv6(bare) ? hexOfIpv6(bare) : undefined
}

function hexOfIpv6(text: string): string {
  const dotted = text.lastIndexOf(':')
  const plain = text.includes('.')
    ? `${text.slice(0, dotted + 1)}${hexOfIpv4(text.slice(dotted + 1)).replace(/^(.{4})/, '$1:')}`
    : text
  const [head = '', tail] = plain.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  let hex = ''
  for (const group of left) hex += group.padStart(4, '0')
  hex += '0000'.repeat(8 - left.length - right.length)
  for (const group of right) hex += group.padStart(4, '0')
  return hex.toLowerCase()
}

const MAPPED = `${'0'.repeat(20)}ffff`

/** Eight hex digits of an address that isIPv4 has passed. */
function hexOfIpv4(text: string): string {
  let value = 0
  let octet = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === 0x2e) {
      value = value * 256 + octet
      octet = 0
    } else octet = octet * 10 + code - 0x30
  }
  return (value * 256 + octet).toString(16).padStart(8, '0')
}

function formatIp(hex: string, four: boolean): string {
  if (four)
    return [24, 26, 28, 30].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)).join('.')
  const groups = Array.from({ length: 8 }, (_, i) =>
    hex.slice(i * 4, i * 4 + 4).replace(/^0{1,3}/, ''),
  )
  return compress(groups)
}

/** The longest run of two or more zero groups becomes `::` (RFC 5952 §4.2). */
function compress(groups: readonly string[]): string {
  let best = { at: -1, length: 1 }
  for (let at = 0; at < groups.length; at++) {
    let length = 0
    while (groups[at + length] === '0') length++
    if (length > best.length) best = { at, length }
  }
  if (best.at < 0) return groups.join(':')
  return `${groups.slice(0, best.at).join(':')}::${groups.slice(best.at + best.length).join(':')}`
}
