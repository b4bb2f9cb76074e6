import { randomBytes } from 'node:crypto'
import type { Octets } from '#base/octets.ts'
import { argon2Check, argon2Tag, renderPhc } from './argon2.ts'
import type { Argon2Work } from './argon2.ts'
import { checkOf } from './brought-in.ts'

/** DESIGN section 5: 19 MiB and 2 passes, about 29 ms of one core. */
const OURS = {
  kind: 'argon2id',
  memoryKib: 19_456,
  passes: 2,
  lanes: 1,
  tagBytes: 32,
} as const satisfies Omit<Argon2Work, 'salt'>
const SALT_BYTES = 16
const PASSWORD_BYTES_MAX = 1_000

/** A new argon2id hash as a PHC string. The password must be a possible one. */
export async function hashPassword(password: Octets): Promise<string> {
  const work = { ...OURS, salt: randomBytes(SALT_BYTES) }
  return renderPhc(work, await argon2Tag(password, work))
}

/** Opaque octets, 1 to 1,000 of them, without NUL, CR and LF. */
export const isPassword = (password: Octets): boolean =>
  password.byteLength >= 1 &&
  password.byteLength <= PASSWORD_BYTES_MAX &&
  !password.some((octet) => octet === 0x00 || octet === 0x0a || octet === 0x0d)

/** What is worked on where there is no such account: as costly as a real one. */
const UNKNOWN: Argon2Work = { ...OURS, salt: Buffer.alloc(SALT_BYTES, 7) }

/**
 * True where the password is the one of the hash, ours or brought in. A hash that cannot be read matches
 * nothing, after the same work; a wrong password costs at least that of ours, whatever the scheme.
 */
export async function verifyPassword(password: Octets, hash: string | undefined): Promise<boolean> {
  const ours = hash === undefined ? undefined : argon2Check(hash)
  if (ours !== undefined) return ours(password)
  const broughtIn = hash === undefined ? undefined : checkOf(hash)
  if (broughtIn !== undefined && (await broughtIn(password))) return true
  await argon2Tag(password, UNKNOWN)
  return false
}

/** Whether a hash can be checked at all; what cannot be is refused when it is brought in. */
export const isKnownHash = (hash: string): boolean =>
  argon2Check(hash) !== undefined || checkOf(hash) !== undefined

/** True for a hash that is not as we make them now: worth making anew once the password is known. */
export const isDated = (hash: string): boolean =>
  !hash.startsWith(`$${OURS.kind}$v=19$m=${OURS.memoryKib},t=${OURS.passes},p=${OURS.lanes}$`)

/** `argon2id` for ours, or the scheme of a hash that was brought in: `SSHA`, `CRYPT` … */
export const schemeOf = (hash: string): string =>
  /^\{([^}]*)\}/.exec(hash)?.[1] ?? /^\$([a-z0-9]+)\$/.exec(hash)?.[1] ?? 'unknown'
