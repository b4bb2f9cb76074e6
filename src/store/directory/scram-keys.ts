import { createHmac, hash, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { bufferOf, fromUtf8, toUtf8Strict } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { saslPrep } from '#codec/sasl/saslprep.ts'

const SALT_BYTES = 16
const KEY_BYTES = 32

interface KeyPair {
  readonly storedKey: Buffer
  readonly serverKey: Buffer
}

/** What SCRAM-SHA-256 checks a login with (RFC 5802 §3); the password cannot be read from it. */
export interface ScramKeys {
  readonly iterations: number
  readonly salt: Buffer
  /**
   * Of the password as SASLprep makes it, and where that changes it, of its octets as they are: some
   * clients prepare, some do not, and both are right with the password that people know.
   */
  readonly pairs: readonly KeyPair[]
}

const derive = promisify(pbkdf2)

/**
 * Keys of a password in the form of RFC 5803 §2, with one more pair behind where there is one. Undefined
 * where SASLprep refuses the password or it is no UTF-8: clients that keep to the standard could not use them.
 */
export async function makeScramKeys(
  password: Octets,
  iterations: number,
  salt: Octets = randomBytes(SALT_BYTES),
): Promise<string | undefined> {
  const text = toUtf8Strict(password)
  const prepared = text === undefined ? undefined : saslPrep(text)
  if (prepared === undefined) return undefined
  const forms = prepared === text ? [password] : [fromUtf8(prepared), password]
  const pairs = await Promise.all(
    forms.map(async (form) =>
      pairOf(await derive(bufferOf(form), bufferOf(salt), iterations, KEY_BYTES, 'sha256')),
    ),
  )
  const shown = pairs.map((pair) => `$${base64(pair.storedKey)}:${base64(pair.serverKey)}`)
  return `SCRAM-SHA-256$${iterations}:${base64(bufferOf(salt))}${shown.join('')}`
}

const pairOf = (salted: Buffer): KeyPair => ({
  storedKey: hash('sha256', hmac(salted, 'Client Key'), 'buffer'),
  serverKey: hmac(salted, 'Server Key'),
})

const FORM =
  /^SCRAM-SHA-256\$(\d{4,7}):([A-Za-z0-9+/]{8,88}={0,2})((?:\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=){1,2})$/

/** Undefined for what is no such text. */
export function parseScramKeys(text: string): ScramKeys | undefined {
  const match = FORM.exec(text)
  if (match === null) return undefined
  const pairs = match[3]!
    .slice(1)
    .split('$')
    .map((pair) => pair.split(':').map((key) => Buffer.from(key, 'base64')))
  return {
    iterations: Number(match[1]),
    salt: Buffer.from(match[2]!, 'base64'),
    pairs: pairs.map(([storedKey, serverKey]) => ({
      storedKey: storedKey!,
      serverKey: serverKey!,
    })),
  }
}

/** How many iterations stand in the text of keys. */
export const iterationsOf = (text: string): number => Number(/^[^$]*\$(\d+):/.exec(text)?.[1] ?? 0)

/** Salt and iterations of the text of keys, to be compared. */
export const scramBasisOf = (text: string): string => text.slice(0, text.indexOf('$', 14))

/**
 * The signature that proves us to the client, where its proof is right (RFC 5802 §3). A wrong one costs
 * the same, and so do keys of one pair and of two.
 */
export function checkProof(
  keys: ScramKeys,
  { proof, authMessage }: { readonly proof: Octets; readonly authMessage: string },
): Buffer | undefined {
  const first = keys.pairs[0]!
  const [one, two] = [first, keys.pairs[1] ?? first].map((pair) => signed(pair, proof, authMessage))
  return one ?? two
}

function signed(pair: KeyPair, proof: Octets, authMessage: string): Buffer | undefined {
  const clientKey = hmac(pair.storedKey, authMessage)
  for (let at = 0; at < KEY_BYTES; at++) clientKey[at] = clientKey[at]! ^ (proof[at] ?? 0)
  const isRight = timingSafeEqual(hash('sha256', clientKey, 'buffer'), pair.storedKey)
  const signature = hmac(pair.serverKey, authMessage)
  return isRight && proof.length === KEY_BYTES ? signature : undefined
}

/** A secret of a domain, for `noKeys`. */
export const newSaltKey = (): string => randomBytes(KEY_BYTES).toString('base64')

/** Keys that no proof fits, for a name that has none: the same for the same name. */
export function noKeys(secret: string, name: string, iterations: number): ScramKeys {
  const salt = hmac(fromUtf8(secret), name).subarray(0, SALT_BYTES)
  const pair = { storedKey: randomBytes(KEY_BYTES), serverKey: randomBytes(KEY_BYTES) }
  return { iterations, salt, pairs: [pair] }
}

const hmac = (key: Octets, text: string): Buffer =>
  createHmac('sha256', key).update(text, 'utf8').digest()

const base64 = (octets: Buffer): string => octets.toString('base64')
