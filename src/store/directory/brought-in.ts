import { hash, pbkdf2, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { bufferOf } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { asciiUpper } from '#base/text.ts'
import { argon2Check } from './argon2.ts'
import { bcryptCheck } from './bcrypt.ts'
import { cryptDigest, parseCrypt } from './crypt.ts'

/** Whether these octets are the password of the hash; never throws for a wrong one. */
export type Check = (password: Octets) => Promise<boolean>

/** A bcrypt of cost 14 works for a second. */
const BCRYPT_COST_MAX = 14
const PBKDF2_ROUNDS_MAX = 2_000_000

/**
 * How to check a hash that came from another system, as LDAP and Dovecot write them: `{SSHA}`,
 * `{SSHA256}`, `{SSHA512}` and the unsalted ones, `{CRYPT}` (MD5, SHA-256, SHA-512, bcrypt), `{PBKDF2}`,
 * `{ARGON2}`. Undefined for a scheme or form that we do not know, or that asks for more work than we give.
 */
export function checkOf(text: string): Check | undefined {
  const match = /^\{([A-Za-z0-9.-]{1,20})\}([\x21-\x7e]{1,1000})$/.exec(text)
  if (match === null) return undefined
  const [, scheme, body] = match as unknown as [string, string, string]
  return SCHEMES.get(asciiUpper(scheme))?.(body)
}

const SCHEMES: ReadonlyMap<string, (body: string) => Check | undefined> = new Map([
  ...[
    ['SHA', 'sha1'],
    ['SSHA', 'sha1'],
    ['SHA256', 'sha256'],
    ['SSHA256', 'sha256'],
    ['SHA512', 'sha512'],
    ['SSHA512', 'sha512'],
  ].map(
    ([name, algorithm]) =>
      [name!, (body: string) => digestCheck(body, algorithm!, name!.startsWith('SS'))] as const,
  ),
  ...['CRYPT', 'MD5-CRYPT', 'SHA256-CRYPT', 'SHA512-CRYPT', 'BLF-CRYPT'].map(
    (name) => [name, cryptCheck] as const,
  ),
  ...[
    ['PBKDF2', 'sha1'],
    ['PBKDF2-SHA1', 'sha1'],
    ['PBKDF2-SHA256', 'sha256'],
    ['PBKDF2-SHA512', 'sha512'],
  ].map(([name, algorithm]) => [name!, (body: string) => pbkdf2Check(body, algorithm!)] as const),
  ...['ARGON2', 'ARGON2I', 'ARGON2ID'].map((name) => [name, argon2Check] as const),
])

const DIGEST_BYTES: Readonly<Record<string, number>> = { sha1: 20, sha256: 32, sha512: 64 }
const SALT_BYTES_MAX = 64

/** Base64 of the digest of password and salt, with the salt behind it (RFC 2307 §5.3 and what grew from it). */
function digestCheck(body: string, algorithm: string, salted: boolean): Check | undefined {
  const octets = Buffer.from(body, 'base64')
  const length = DIGEST_BYTES[algorithm]!
  const saltBytes = octets.length - length
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(body)) return undefined
  if (salted ? saltBytes < 1 || saltBytes > SALT_BYTES_MAX : saltBytes !== 0) return undefined
  const digest = octets.subarray(0, length)
  const salt = octets.subarray(length)
  return (password) =>
    Promise.resolve(
      timingSafeEqual(hash(algorithm, Buffer.concat([password, salt]), 'buffer'), digest),
    )
}

function cryptCheck(body: string): Check | undefined {
  const bcrypt = /^\$2[abxy]\$(\d\d)\$[./A-Za-z0-9]{53}$/.exec(body)
  if (bcrypt !== null) {
    if (Number(bcrypt[1]) < 4 || Number(bcrypt[1]) > BCRYPT_COST_MAX) return undefined
    return bcryptCheck(body)
  }
  const parsed = parseCrypt(body)
  if (parsed === undefined) return undefined
  const wanted = Buffer.from(parsed.digest)
  return async (password) =>
    timingSafeEqual(Buffer.from(await cryptDigest(password, parsed)), wanted)
}

const derive = promisify(pbkdf2)

/**
 * `10000$SALT$DIGEST` as OpenLDAP's pw-pbkdf2 writes it (base64 with `.` for `+`, without padding), or
 * `$1$SALT$ROUNDS$HEX` as Dovecot does, whose salt is text.
 */
function pbkdf2Check(body: string, algorithm: string): Check | undefined {
  const ldap = /^(\d{1,8})\$([./A-Za-z0-9]{1,200})\$([./A-Za-z0-9]{16,200})$/.exec(body)
  const dovecot = /^\$1\$([^$]{1,100})\$(\d{1,8})\$([0-9a-f]{32,128})$/.exec(body)
  const read =
    ldap !== null
      ? { rounds: Number(ldap[1]), salt: adapted(ldap[2]!), digest: adapted(ldap[3]!) }
      : dovecot !== null
        ? {
            rounds: Number(dovecot[2]),
            salt: Buffer.from(dovecot[1]!, 'latin1'),
            digest: Buffer.from(dovecot[3]!, 'hex'),
          }
        : undefined
  if (read === undefined || read.rounds < 1 || read.rounds > PBKDF2_ROUNDS_MAX) return undefined
  const { rounds, salt, digest } = read
  return async (password) =>
    timingSafeEqual(
      await derive(bufferOf(password), salt, rounds, digest.length, algorithm),
      digest,
    )
}

const adapted = (text: string): Buffer => Buffer.from(text.replaceAll('.', '+'), 'base64')
