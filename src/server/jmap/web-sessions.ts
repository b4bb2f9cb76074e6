import { createHash, randomBytes } from 'node:crypto'
import { timingSafeEqual } from 'node:crypto'
import type { Clock } from '#base/time.ts'
import type { Account, AccountId } from '#model/account.ts'
import type { JmapLimits } from './limits.ts'

/** A login of a web page. */
export interface WebSession {
  readonly accountId: AccountId
  readonly credentialVersion: number
  /** What each changing request must bring in a header: a foreign page cannot know it. */
  readonly csrfToken: string
  readonly endsAtMs: number
}

interface Kept extends WebSession {
  usedMs: number
}

const COOKIE = '__Host-watari'
const SECRET_BYTES = 32

/**
 * Sessions by cookie, in memory: a restart ends them all. Only a hash of the secret is kept, so that
 * looking it up tells nothing by its time.
 */
export class WebSessions {
  readonly #limits: JmapLimits
  readonly #clock: Clock
  /** Last used last. */
  readonly #kept = new Map<string, Kept>()

  constructor(limits: JmapLimits, clock: Clock) {
    this.#limits = limits
    this.#clock = clock
  }

  /** Begins a session; the value is for a Set-Cookie field. The account's least used one may end for it. */
  open(account: Account): { readonly session: WebSession; readonly setCookie: string } {
    this.#sweep()
    const own = [...this.#kept].filter(([, kept]) => kept.accountId === account.id)
    for (const [key] of own.slice(
      0,
      Math.max(0, own.length + 1 - this.#limits.sessionsPerAccountMax),
    ))
      this.#kept.delete(key)
    const secret = randomBytes(SECRET_BYTES).toString('base64url')
    const nowMs = this.#clock.monotonicMs()
    const session: Kept = {
      accountId: account.id,
      credentialVersion: account.credentialVersion,
      csrfToken: randomBytes(SECRET_BYTES).toString('base64url'),
      endsAtMs: nowMs + this.#limits.sessionLifetimeMs,
      usedMs: nowMs,
    }
    this.#kept.set(keyOf(secret), session)
    return { session, setCookie: `${COOKIE}=${secret}; ${ATTRIBUTES}` }
  }

  /** The session that the Cookie field names, used now; undefined where it has ended. */
  find(cookie: string | undefined): WebSession | undefined {
    const secret = secretOf(cookie)
    if (secret === undefined) return undefined
    const key = keyOf(secret)
    const session = this.#kept.get(key)
    if (session === undefined) return undefined
    this.#kept.delete(key)
    if (this.#hasEnded(session)) return undefined
    session.usedMs = this.#clock.monotonicMs()
    this.#kept.set(key, session)
    return session
  }

  close(cookie: string | undefined): void {
    const secret = secretOf(cookie)
    if (secret !== undefined) this.#kept.delete(keyOf(secret))
  }

  #hasEnded({ endsAtMs, usedMs }: Kept): boolean {
    const nowMs = this.#clock.monotonicMs()
    return nowMs >= endsAtMs || nowMs - usedMs >= this.#limits.sessionIdleMs
  }

  #sweep(): void {
    for (const [key, session] of this.#kept) if (this.#hasEnded(session)) this.#kept.delete(key)
  }
}

const ATTRIBUTES = 'Path=/; Secure; HttpOnly; SameSite=Strict'
export const NO_COOKIE = `${COOKIE}=; ${ATTRIBUTES}; Max-Age=0`

export const hasCookie = (cookie: string | undefined): boolean => secretOf(cookie) !== undefined

export const isCsrfToken = (session: WebSession, given: unknown): boolean =>
  typeof given === 'string' &&
  given.length === session.csrfToken.length &&
  timingSafeEqual(
    Buffer.from(given.padEnd(64), 'latin1'),
    Buffer.from(session.csrfToken.padEnd(64), 'latin1'),
  )

const keyOf = (secret: string): string => createHash('sha256').update(secret).digest('base64')

function secretOf(cookie: string | undefined): string | undefined {
  for (const part of (cookie ?? '').split(';')) {
    const [name, value] = part.trim().split('=', 2)
    if (name === COOKIE && value !== undefined && value !== '') return value
  }
  return undefined
}
