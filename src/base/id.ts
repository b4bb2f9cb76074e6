import { randomFillSync } from 'node:crypto'

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ' // Crockford's base 32
const POOL_BYTES = 4_096
const pool = Buffer.alloc(POOL_BYTES)
let used = POOL_BYTES

/** `length` unguessable characters of Crockford's base 32, five bits each. */
export function randomId(length: number): string {
  if (used + length > POOL_BYTES) {
    randomFillSync(pool)
    used = 0
  }
  let id = ''
  for (let i = 0; i < length; i++) id += ALPHABET[pool[used++]! & 31]
  return id
}

/** 18 characters: 9 of time (ms, sorts by age until 3084), 9 random (45 bits). */
export function timedId(nowMs: number): string {
  let time = ''
  let rest = Math.max(0, Math.floor(nowMs))
  for (let i = 0; i < 9; i++) {
    time = ALPHABET[rest % 32]! + time
    rest = Math.floor(rest / 32)
  }
  return time + randomId(9)
}

/** When such an id was made; undefined for any other text. */
export function timeOf(id: string): number | undefined {
  if (!/^[0-9A-HJKMNP-TV-Z]{18}$/.test(id)) return undefined
  let ms = 0
  for (const sign of id.slice(0, 9)) ms = ms * 32 + ALPHABET.indexOf(sign)
  return ms
}
