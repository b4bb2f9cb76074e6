import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { HOUR_MS, MINUTE_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { Account, AccountId } from '#model/account.ts'

/** An administrator's login from a browser. */
export interface AdminSession {
  readonly accountId: AccountId
  readonly credentialVersion: number
  /** What each changing request brings in a header: a foreign page cannot know it. */
  readonly csrfToken: string
  /** By the wall clock, to be shown. */
  readonly expiresAtMs: number
}

interface Kept extends AdminSession {
  readonly endsAtMs: number
  usedMs: number
}

const COOKIE = '__Host-watari-console'
const ATTRIBUTES = 'Path=/; Secure; HttpOnly; SameSite=Strict'
/** Ends a cookie at once. */
export const NO_COOKIE = `${COOKIE}=; ${ATTRIBUTES}; Max-Age=0`

const LIFETIME_MS = 12 * HOUR_MS
const IDLE_MS = 30 * MINUTE_MS
/** Of one account; the least used one ends for a new one. */
const PER_ACCOUNT_MAX = 20
const SECRET_BYTES = 32

/** Sessions in memory: a restart of control ends them all. Only a hash of each cookie is kept. */
export class AdminSessions {
  readonly #clock: Clock
  /** Last used last. */
  readonly #kept = new Map<string, Kept>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  open(account: Account): { readonly session: AdminSession; readonly setCookie: string } {
    for (const [key, kept] of this.#kept) if (this.#hasEnded(kept)) this.#kept.delete(key)
    const own = [...this.#kept].filter(([, kept]) => kept.accountId === account.id)
    for (const [key] of own.slice(0, Math.max(0, own.length + 1 - PER_ACCOUNT_MAX)))
      this.#kept.delete(key)
    const secret = randomBytes(SECRET_BYTES).toString('base64url')
    const nowMs = this.#clock.monotonicMs()
    const session: Kept = {
      accountId: account.id,
      credentialVersion: account.credentialVersion,
      csrfToken: randomBytes(SECRET_BYTES).toString('base64url'),
      expiresAtMs: this.#clock.nowMs() + LIFETIME_MS,
      endsAtMs: nowMs + LIFETIME_MS,
      usedMs: nowMs,
    }
    this.#kept.set(keyOf(secret), session)
    return { session, setCookie: `${COOKIE}=${secret}; ${ATTRIBUTES}` }
  }

  /** The session of a Cookie field; a look that a page takes of its own accord (`quiet`) does not keep it alive. */
  find(cookie: string | undefined, quiet: 'quiet' | 'used'): AdminSession | undefined {
    const secret = secretOf(cookie)
    if (secret === undefined) return undefined
    const key = keyOf(secret)
    const session = this.#kept.get(key)
    if (session === undefined) return undefined
    if (this.#hasEnded(session)) {
      this.#kept.delete(key)
      return undefined
    }
    if (quiet === 'used') {
      session.usedMs = this.#clock.monotonicMs()
      this.#kept.delete(key)
      this.#kept.set(key, session)
    }
    return session
  }

  close(cookie: string | undefined): void {
    const secret = secretOf(cookie)
    if (secret !== undefined) this.#kept.delete(keyOf(secret))
  }

  #hasEnded({ endsAtMs, usedMs }: Kept): boolean {
    const nowMs = this.#clock.monotonicMs()
    return nowMs >= endsAtMs || nowMs - usedMs >= IDLE_MS
  }
}

export const isCsrfToken = (session: AdminSession, given: unknown): boolean =>
  typeof given === 'string' && timingSafeEqual(digestOf(given), digestOf(session.csrfToken))

const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest()
const keyOf = (secret: string): string => digestOf(secret).toString('base64')

function secretOf(cookie: string | undefined): string | undefined {
  for (const part of (cookie ?? '').split(';')) {
    const [name, value] = part.trim().split('=', 2)
    if (name === COOKIE && value !== undefined && value !== '') return value
  }
  return undefined
}
