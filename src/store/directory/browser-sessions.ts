import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { MINUTE_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { Account, AccountId } from '#model/account.ts'
import type { SessionShelf, StoredSession } from './session-shelf.ts'

/** A login from a browser. */
export interface BrowserSession {
  readonly accountId: AccountId
  readonly credentialVersion: number
  /** What each changing request brings in a header: a foreign page cannot know it. */
  readonly csrfToken: string
  readonly endsAtMs: number
}

export interface SessionRules {
  /** Of the cookie; `__Host-` keeps it to this host and to TLS. */
  readonly cookie: string
  readonly lifetimeMs: number
  readonly idleMs: number
  /** Of one account; the least used one ends for a new one. */
  readonly perAccountMax: number
}

const ATTRIBUTES = 'Path=/; Secure; HttpOnly; SameSite=Strict'
const SECRET_BYTES = 32
/** How late the shelf may know that a session was used. */
const SHELVE_EVERY_MS = 5 * MINUTE_MS
/** A clock may be put back by so much, as clocks are that run fast. */
const PUT_BACK_MS = 5 * MINUTE_MS

type Kept = { -readonly [Key in keyof StoredSession]: StoredSession[Key] } & {
  shelvedAtMs: number
  /** By the clock that only grows, as the lifetime is: a wall clock that jumps ends no session, and lengthens none. */
  readonly overAtMs: number
  idleFromMs: number
}

/**
 * Sessions by cookie, looked up in memory and kept on a shelf, so that an open tab goes on over a
 * restart. Only a hash of the cookie is kept: a stolen shelf opens nothing.
 */
export class BrowserSessions {
  readonly #rules: SessionRules
  readonly #clock: Clock
  readonly #shelf: SessionShelf | undefined
  /** Last used last. */
  readonly #kept = new Map<string, Kept>()

  /** Without a shelf a restart ends them all. */
  constructor(parts: {
    readonly rules: SessionRules
    readonly clock: Clock
    readonly shelf?: SessionShelf
  }) {
    this.#rules = parts.rules
    this.#clock = parts.clock
    this.#shelf = parts.shelf
  }

  /** Reads the shelf; before the first request. A shelf that cannot be read ends the sessions, nothing else. */
  async load(): Promise<void> {
    const found = await this.#shelf?.all().catch(() => undefined)
    for (const session of found?.items ?? []) this.#kept.set(session.key, this.#loaded(session))
    this.#sweep()
  }

  /** How old it is, the wall clock alone can say; where that contradicts itself, the session has ended. */
  #loaded(session: StoredSession): Kept {
    const { lifetimeMs, idleMs } = this.#rules
    const [nowMs, growing] = [this.#clock.nowMs(), this.#clock.monotonicMs()]
    const leftMs = session.endsAtMs - nowMs
    const unusedMs = nowMs - session.usedAtMs
    const isPutBack = leftMs > lifetimeMs + PUT_BACK_MS || unusedMs < -PUT_BACK_MS
    return {
      ...session,
      shelvedAtMs: session.usedAtMs,
      overAtMs: growing + (isPutBack ? 0 : Math.min(leftMs, lifetimeMs)),
      idleFromMs: growing - Math.min(Math.max(0, unusedMs), idleMs),
    }
  }

  /** Begins a session; `setCookie` is for a Set-Cookie field. */
  open(account: Account): { readonly session: BrowserSession; readonly setCookie: string } {
    this.#sweep()
    const own = [...this.#kept.values()].filter(({ accountId }) => accountId === account.id)
    this.#drop(own.slice(0, Math.max(0, own.length + 1 - this.#rules.perAccountMax)))
    const secret = randomBytes(SECRET_BYTES).toString('base64url')
    const [nowMs, growing] = [this.#clock.nowMs(), this.#clock.monotonicMs()]
    const kept: Kept = {
      key: keyOf(secret),
      accountId: account.id,
      credentialVersion: account.credentialVersion,
      endsAtMs: nowMs + this.#rules.lifetimeMs,
      usedAtMs: nowMs,
      shelvedAtMs: nowMs,
      overAtMs: growing + this.#rules.lifetimeMs,
      idleFromMs: growing,
    }
    this.#kept.set(kept.key, kept)
    this.#put(kept)
    const setCookie = `${this.#rules.cookie}=${secret}; ${ATTRIBUTES}`
    return { session: sessionOf(kept, secret), setCookie }
  }

  /**
   * The session of a Cookie field, undefined where it has ended. A look that a page takes of its own
   * accord (`quiet`) does not keep it alive.
   */
  find(cookie: string | undefined, use: 'used' | 'quiet' = 'used'): BrowserSession | undefined {
    const secret = this.#secretOf(cookie)
    const kept = secret === undefined ? undefined : this.#kept.get(keyOf(secret))
    if (secret === undefined || kept === undefined) return undefined
    if (this.#hasEnded(kept)) {
      this.#drop([kept])
      return undefined
    }
    if (use === 'used') this.#touch(kept)
    return sessionOf(kept, secret)
  }

  close(cookie: string | undefined): void {
    const secret = this.#secretOf(cookie)
    const kept = secret === undefined ? undefined : this.#kept.get(keyOf(secret))
    if (kept !== undefined) this.#drop([kept])
  }

  hasCookie(cookie: string | undefined): boolean {
    return this.#secretOf(cookie) !== undefined
  }

  /** A Set-Cookie field that ends the cookie at once. */
  get noCookie(): string {
    return `${this.#rules.cookie}=; ${ATTRIBUTES}; Max-Age=0`
  }

  #touch(kept: Kept): void {
    const [nowMs, growing] = [this.#clock.nowMs(), this.#clock.monotonicMs()]
    kept.usedAtMs = nowMs
    kept.idleFromMs = growing
    this.#kept.delete(kept.key)
    this.#kept.set(kept.key, kept)
    if (Math.abs(nowMs - kept.shelvedAtMs) < SHELVE_EVERY_MS) return
    kept.shelvedAtMs = nowMs
    // What is left of it, by the clock of now: whoever starts next goes by that.
    kept.endsAtMs = nowMs + kept.overAtMs - growing
    this.#put(kept)
  }

  #hasEnded({ overAtMs, idleFromMs }: Kept): boolean {
    const growing = this.#clock.monotonicMs()
    return growing >= overAtMs || growing - idleFromMs >= this.#rules.idleMs
  }

  #sweep(): void {
    this.#drop([...this.#kept.values()].filter((kept) => this.#hasEnded(kept)))
  }

  /** While the storage does not answer, a session lives in memory alone: nobody waits for it. */
  #put({ key, accountId, credentialVersion, endsAtMs, usedAtMs }: Kept): void {
    const stored = { key, accountId, credentialVersion, endsAtMs, usedAtMs }
    void this.#shelf?.put(stored).catch(() => undefined)
  }

  #drop(ended: readonly Kept[]): void {
    if (ended.length === 0) return
    for (const { key } of ended) this.#kept.delete(key)
    void this.#shelf?.drop({ keys: ended.map(({ key }) => key) }).catch(() => undefined)
  }

  #secretOf(cookie: string | undefined): string | undefined {
    for (const part of (cookie ?? '').split(';')) {
      const [name, value] = part.trim().split('=', 2)
      if (name === this.#rules.cookie && value !== undefined && value !== '') return value
    }
    return undefined
  }
}

export const isCsrfToken = (session: BrowserSession, given: unknown): boolean =>
  typeof given === 'string' && timingSafeEqual(digestOf(given), digestOf(session.csrfToken))

const digestOf = (text: string): Buffer => createHash('sha256').update(text).digest()
const keyOf = (secret: string): string => digestOf(secret).toString('base64')

/** The token follows from the cookie's secret, which no script can read: it need not be kept. */
const sessionOf = ({ accountId, credentialVersion, endsAtMs }: Kept, secret: string) => ({
  accountId,
  credentialVersion,
  endsAtMs,
  csrfToken: createHmac('sha256', secret).update('csrf').digest('base64url'),
})
