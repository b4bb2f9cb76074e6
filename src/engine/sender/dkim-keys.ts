import { generateKeyPair } from 'node:crypto'
import { promisify } from 'node:util'
import { err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import { DAY_MS } from '#base/time.ts'
import { parseKeyRecord } from '#codec/dkim/key-record.ts'
import { DKIM_KEYS_MAX, isSelector } from '#model/dkim-key.ts'
import type { DkimAlgorithm, DkimKey } from '#model/dkim-key.ts'
import { refuse } from '#store/directory/refusal.ts'
import type { DirectoryRefusal } from '#store/directory/refusal.ts'

/** Keys of a domain after a change, or why not. */
export type KeysChange = Outcome<readonly DkimKey[], DirectoryRefusal>

const generate = promisify(generateKeyPair)
/** RFC 8301 §3.2: signers use 2,048 bits; more do not fit what some servers check. */
const RSA_BITS = 2_048
/** The last octets of SubjectPublicKeyInfo are the key (RFC 8410 §4). */
const ED25519_BYTES = 32

/** A new pair, in the thread pool; `selector` is one that the domain has not had. */
export async function newDkimKey(
  algorithm: DkimAlgorithm,
  named: { readonly selector: string; readonly at: string },
): Promise<DkimKey> {
  const { publicKey, privateKey } =
    algorithm === 'rsa'
      ? await generate('rsa', { modulusLength: RSA_BITS })
      : await generate('ed25519')
  const der = publicKey.export({ type: 'spki', format: 'der' })
  const published = algorithm === 'rsa' ? der : der.subarray(-ED25519_BYTES)
  return {
    selector: named.selector,
    algorithm,
    publicKey: published.toString('base64'),
    privateKey: privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64'),
    state: 'made',
    madeAt: named.at,
  }
}

/** `w20261128r`: the day, and the first letter of the algorithm; with a number where that is taken. */
export function freeSelector(
  keys: readonly DkimKey[],
  algorithm: DkimAlgorithm,
  at: string,
): string {
  const plain = `w${at.slice(0, 10).replaceAll('-', '')}${algorithm[0]}`
  for (let n = 1; ; n++) {
    const selector = n === 1 ? plain : `${plain}${n}`
    if (keys.every((key) => key.selector !== selector)) return selector
  }
}

export function withKey(keys: readonly DkimKey[], key: DkimKey): KeysChange {
  if (!isSelector(key.selector))
    return err(
      refuse(
        'invalid',
        `${key.selector} is no selector`,
        'Give letters in lower case, digits and hyphens, or leave it out.',
      ),
    )
  if (keys.some(({ selector }) => selector === key.selector))
    return err(
      refuse(
        'conflict',
        `the selector ${key.selector} is or was in use`,
        'Give another one: servers of others may remember its record.',
      ),
    )
  if (keys.length >= DKIM_KEYS_MAX)
    return err(
      refuse(
        'limit',
        `more than ${DKIM_KEYS_MAX} keys of one domain`,
        'Forget retired ones: watari dkim retire DOMAIN SELECTOR.',
      ),
    )
  return ok([...keys, key])
}

/** Beyond the life of our own queue: for whoever checks a signature later. */
const PUBLISHED_LONGER_MS = 2 * DAY_MS

/** A change of keys now: its time, and until when records of what retires are needed. */
export const publishedUntil = (
  nowMs: number,
  queueLifetimeMs: number,
): { readonly at: string; readonly until: string } => ({
  at: new Date(nowMs).toISOString(),
  until: new Date(nowMs + queueLifetimeMs + PUBLISHED_LONGER_MS).toISOString(),
})

/** When a key that signs began to. */
export const signedSinceMs = ({ signsSince, madeAt }: DkimKey): number =>
  Date.parse(signsSince ?? madeAt)

/** Keys that wait for their turn. */
export const waitingKeys = (keys: readonly DkimKey[]): readonly DkimKey[] =>
  keys.filter(({ state }) => state === 'made' || state === 'published')

/** The algorithms that a next key is lacking for: those that sign. */
export const algorithmsToRotate = (keys: readonly DkimKey[]): readonly DkimAlgorithm[] =>
  keys.filter(({ state }) => state === 'signing').map(({ algorithm }) => algorithm)

/**
 * The named keys sign from now on, in the place of those of the same algorithm, which retire: their
 * records stay published `until` then, for mail that is on its way.
 */
export function activated(
  keys: readonly DkimKey[],
  selectors: readonly string[],
  now: { readonly at: string; readonly until: string },
): KeysChange {
  const chosen = keys.filter(({ selector }) => selectors.includes(selector))
  for (const selector of selectors) {
    const key = chosen.find((each) => each.selector === selector)
    if (key === undefined) return err(noKey(selector))
    if (key.privateKey === undefined)
      return err(
        refuse(
          'conflict',
          `the key ${selector} is retired`,
          'Make a new one: watari dkim create DOMAIN.',
        ),
      )
  }
  const algorithms = chosen.map(({ algorithm }) => algorithm)
  const twice = algorithms.find((algorithm, at) => algorithms.indexOf(algorithm) < at)
  if (twice !== undefined)
    return err(
      refuse(
        'conflict',
        `two keys of ${twice} wait: ${selectors.join(', ')}`,
        'Name the one that shall sign: watari dkim activate DOMAIN SELECTOR.',
      ),
    )
  return ok(
    keys.map((key) => {
      if (selectors.includes(key.selector))
        return key.state === 'signing'
          ? key
          : { ...key, state: 'signing' as const, signsSince: now.at }
      return key.state === 'signing' && algorithms.includes(key.algorithm)
        ? asRetired(key, now)
        : key
    }),
  )
}

/** The key signs no more; one that is retired already is forgotten once its record is needed no longer. */
export function retired(
  keys: readonly DkimKey[],
  selector: string,
  now: { readonly at: string; readonly until: string },
): KeysChange {
  const key = keys.find((each) => each.selector === selector)
  if (key === undefined) return err(noKey(selector))
  if (key.state !== 'retired')
    return ok(keys.map((each) => (each === key ? asRetired(key, now) : each)))
  if ((key.publishUntil ?? '') > now.at)
    return err(
      refuse(
        'conflict',
        `the record of ${selector} is needed until ${key.publishUntil}`,
        'Retire it once more after that: it is then forgotten.',
      ),
    )
  return ok(keys.filter((each) => each !== key))
}

/** The private key is gone with it: nothing can be signed by it again, by nobody. */
function asRetired(
  key: DkimKey,
  { at, until }: { readonly at: string; readonly until: string },
): DkimKey {
  const { privateKey: _, ...rest } = key
  const publishUntil = key.signsSince === undefined ? at : until
  return { ...rest, state: 'retired', retiredAt: at, publishUntil }
}

const noKey = (selector: string): DirectoryRefusal =>
  refuse('notFound', `there is no key ${selector}`, 'watari dkim show DOMAIN shows what there is.')

/** These selectors were seen in the name service. */
export const seen = (
  keys: readonly DkimKey[],
  selectors: readonly string[],
  at: string,
): readonly DkimKey[] =>
  keys.map((key) =>
    selectors.includes(key.selector)
      ? { ...key, seenAt: at, ...(key.state === 'made' && { state: 'published' as const }) }
      : key,
  )

/**
 * What the name service has of a key. published: its record · missing: no record · different: one of
 * another key · unusable: its record, with a tag that keeps others from using it · several: more than
 * one record · unknown: nobody could tell now.
 */
export type Publication = 'published' | 'missing' | 'different' | 'unusable' | 'several' | 'unknown'

/** By the TXT records of its name; undefined: nobody could tell. */
export function publicationOf(key: DkimKey, texts: readonly string[] | undefined): Publication {
  if (texts === undefined) return 'unknown'
  const [text] = texts
  if (text === undefined) return 'missing'
  if (texts.length > 1) return 'several' // RFC 6376 §3.6.2.2: nobody knows which one counts
  const record = parseKeyRecord(text)
  if (record === undefined || record.publicKey !== key.publicKey) return 'different'
  const { keyType, hashes, services, flags } = record
  const isUsable =
    keyType === key.algorithm &&
    (hashes?.includes('sha256') ?? true) &&
    (services?.some((each) => each === '*' || each === 'email') ?? true) &&
    // RFC 6376 §3.6.1: y says that signatures are to be passed over, for a test.
    !flags.includes('y')
  return isUsable ? 'published' : 'unusable'
}
