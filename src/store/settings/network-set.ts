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
  const [ip = '', bits, ...more] = text.split('/')
  const address = parseIp(ip)
  if (address === undefined || more.length > 0) return err(`${text} is no network`)
  const four = !ip.includes(':')
  const width = four ? 32 : 128
  if (bits !== undefined && !/^(?:0|[1-9]\d{0,2})$/.test(bits)) return err(`${text} is no network`)
  const prefix = bits === undefined ? width : Number(bits)
  if (prefix > width) return err(`${text}: a prefix has at most ${width} bits`)
  if (prefix === 0) return err(`${text} is the whole Internet`)
  const hostBits = width - prefix
  const first = clearBits(address, hostBits)
  if (first !== address)
    return err(`${text} names a host within a network; write ${formatIp(first, four)}/${prefix}`)
  return ok({
    first,
    last: setBits(address, hostBits),
    canonical: hostBits === 0 ? formatIp(first, four) : `${formatIp(first, four)}/${prefix}`,
  })
}

const clearBits = (hex: string, bits: number): string =>
  changeBits(hex, bits, (digit, mask) => digit & ~mask)
const setBits = (hex: string, bits: number): string =>
  changeBits(hex, bits, (digit, mask) => digit | mask)

function changeBits(
  hex: string,
  bits: number,
  change: (digit: number, mask: number) => number,
): string {
  const whole = bits >> 2
  const rest = bits & 3
  let tail = change(0, 0xf) === 0 ? '0'.repeat(whole) : 'f'.repeat(whole)
  const at = HEX_DIGITS - whole - 1
  if (rest > 0 && at >= 0)
    tail = change(Number.parseInt(hex[at]!, 16), (1 << rest) - 1).toString(16) + tail
  return hex.slice(0, HEX_DIGITS - tail.length) + tail
}

/** 32 hex digits, or undefined where the text is no address. */
function parseIp(text: string): string | undefined {
  if (isIPv4(text)) return MAPPED + hexOfIpv4(text)
  const zone = text.indexOf('%')
  const bare = zone < 0 ? text : text.slice(0, zone)
  if (!isIPv6(bare)) return undefined
  const dotted = bare.lastIndexOf(':')
  const plain = bare.includes('.')
    ? `${bare.slice(0, dotted + 1)}${hexOfIpv4(bare.slice(dotted + 1)).replace(/^(.{4})/, '$1:')}`
    : bare
  const [head = '', tail] = plain.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0')
  return [...left, ...zeros, ...right].map((group) => group.padStart(4, '0').toLowerCase()).join('')
}

const MAPPED = `${'0'.repeat(20)}ffff`

const hexOfIpv4 = (text: string): string =>
  text
    .split('.')
    .map((octet) => Number(octet).toString(16).padStart(2, '0'))
    .join('')

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
