import { hash } from 'node:crypto'
import type { Octets } from '#base/octets.ts'

/** A hash of crypt(3): MD5 (`$1$`), SHA-256 (`$5$`) or SHA-512 (`$6$`). */
export interface CryptHash {
  readonly kind: '1' | '5' | '6'
  /** As written; with MD5 there are always 1,000. */
  readonly rounds: number
  readonly salt: Buffer
  readonly digest: string
}

const ROUNDS_DEFAULT = 5_000
const ROUNDS_MIN = 1_000
/** The format allows 999,999,999: a single login would hold a core for half an hour. */
const ROUNDS_MAX = 500_000
/** Rounds between two looks at the rest of the world: one or two milliseconds. */
const ROUNDS_AT_ONCE = 500

/** Undefined for what is no such hash, or asks for more work than we give. */
export function parseCrypt(text: string): CryptHash | undefined {
  const md5 = /^\$1\$([^$:\n]{0,8})\$([./0-9A-Za-z]{22})$/.exec(text)
  if (md5 !== null)
    return { kind: '1', rounds: 1_000, salt: Buffer.from(md5[1]!, 'latin1'), digest: md5[2]! }
  const sha = /^\$([56])\$(?:rounds=(\d{1,9})\$)?([^$:\n]{0,16})\$([./0-9A-Za-z]{43,86})$/.exec(
    text,
  )
  if (sha === null) return undefined
  const kind = sha[1] as '5' | '6'
  const rounds = Math.max(ROUNDS_MIN, Number(sha[2] ?? ROUNDS_DEFAULT))
  const digest = sha[4]!
  if (digest.length !== (kind === '5' ? 43 : 86) || rounds > ROUNDS_MAX) return undefined
  return { kind, rounds, salt: Buffer.from(sha[3]!, 'latin1'), digest }
}

/** The digest of these octets under the hash's salt and rounds, in its own alphabet. */
export async function cryptDigest(password: Octets, under: CryptHash): Promise<string> {
  const key = Buffer.from(password)
  return under.kind === '1' ? md5Crypt(key, under.salt) : shaCrypt(key, under)
}

const shown = (algorithm: string, ...parts: readonly Octets[]): Buffer =>
  hash(algorithm, Buffer.concat(parts), 'buffer')

/** `unit` again and again until `length` octets are full. */
function repeated(unit: Buffer, length: number): Buffer {
  const out = Buffer.alloc(length)
  for (let at = 0; at < length; at += unit.length)
    unit.copy(out, at, 0, Math.min(unit.length, length - at))
  return out
}

/** Source: U. Drepper, "Unix crypt using SHA-256 and SHA-512", version 0.6; its steps are numbered. */
async function shaCrypt(key: Buffer, { kind, rounds, salt }: CryptHash): Promise<string> {
  const algorithm = kind === '5' ? 'sha256' : 'sha512'
  const b = shown(algorithm, key, salt, key) // 4 to 8
  const parts: Buffer[] = [key, salt, repeated(b, key.length)] // 1 to 3, 9, 10
  for (let bits = key.length; bits > 0; bits >>= 1) parts.push(bits & 1 ? b : key) // 11
  const a = shown(algorithm, ...parts) // 12
  const p = repeated(shown(algorithm, repeated(key, key.length * key.length)), key.length) // 13 to 16
  const s = repeated(shown(algorithm, repeated(salt, salt.length * (16 + a[0]!))), salt.length)
  let c = a
  for (let round = 0; round < rounds; round++) {
    const isOdd = (round & 1) === 1
    const mixed = [isOdd ? p : c]
    if (round % 3 !== 0) mixed.push(s)
    if (round % 7 !== 0) mixed.push(p)
    mixed.push(isOdd ? c : p)
    c = shown(algorithm, ...mixed) // 21
    if (round % ROUNDS_AT_ONCE === ROUNDS_AT_ONCE - 1) await breath()
  }
  return encoded(c, kind === '5' ? ORDER_5 : ORDER_6)
}

/** Source: FreeBSD's crypt-md5, as the C library has it. */
async function md5Crypt(key: Buffer, salt: Buffer): Promise<string> {
  const parts: Buffer[] = [key, Buffer.from('$1$'), salt]
  parts.push(repeated(shown('md5', key, salt, key), key.length))
  const zero = Buffer.alloc(1)
  for (let bits = key.length; bits > 0; bits >>= 1) parts.push(bits & 1 ? zero : key.subarray(0, 1))
  let digest = shown('md5', ...parts)
  for (let round = 0; round < 1_000; round++) {
    const isOdd = (round & 1) === 1
    const mixed = [isOdd ? key : digest]
    if (round % 3 !== 0) mixed.push(salt)
    if (round % 7 !== 0) mixed.push(key)
    mixed.push(isOdd ? digest : key)
    digest = shown('md5', ...mixed)
    if (round % ROUNDS_AT_ONCE === ROUNDS_AT_ONCE - 1) await breath()
  }
  return encoded(digest, ORDER_1)
}

const breath = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** Which octets of the digest make up four letters each, the most significant first; the last ones are fewer. */
const ORDER_1 = [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5], [11]]
const ORDER_5 = [...turned(10, [0, 10, 20], [2, 0, 1]), [31, 30]]
const ORDER_6 = [...turned(21, [0, 21, 42], [1, 2, 0]), [63]]

/** Triples whose places change seats from one to the next: (0, 10, 20), (21, 1, 11), (12, 22, 2) … */
function turned(count: number, first: readonly number[], seats: readonly number[]): number[][] {
  const triples = [[...first]]
  while (triples.length < count) {
    const last = triples.at(-1)!
    triples.push(seats.map((seat) => last[seat]! + 1))
  }
  return triples
}

function encoded(digest: Buffer, order: readonly (readonly number[])[]): string {
  let text = ''
  for (const places of order) {
    let bits = 0
    for (const place of places) bits = (bits << 8) | digest[place]!
    for (let left = places.length * 8; left > 0; left -= 6) {
      text += ALPHABET[bits & 63]
      bits >>= 6
    }
  }
  return text
}
