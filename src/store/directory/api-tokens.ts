import { createHash, randomBytes } from 'node:crypto'
import { messageOf, err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import type { Log } from '#base/log.ts'
import { DAY_MS, HOUR_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import { TOKENS_MAX } from '#model/api-token.ts'
import type { ApiToken, TokenRole } from '#model/api-token.ts'
import type { ApiTokenShelf } from './api-token-shelf.ts'
import type { ChangeAuthor } from './directory-log.ts'

const SECRET_BYTES = 32
/** What lets somebody see that a file holds one. */
const PREFIX = 'watari_'
/** A program that asks each second is noted each hour. */
const NOTED_EACH_MS = HOUR_MS

/** Tokens of programs, in memory as the shelf has them: made and taken back without a restart. */
export class ApiTokens {
  readonly #parts: { readonly shelf: ApiTokenShelf; readonly clock: Clock; readonly log: Log }
  readonly #taken: ReadonlySet<string>
  readonly #byHash = new Map<string, ApiToken>()
  /** Changes are made one after the other. */
  #turn: Promise<unknown> = Promise.resolve()

  /** `taken`: names of the tokens of host.yaml, whose acts must not be mistaken for those of others. */
  constructor(parts: {
    readonly shelf: ApiTokenShelf
    readonly clock: Clock
    readonly log: Log
    readonly taken: readonly string[]
  }) {
    this.#parts = parts
    this.#taken = new Set(parts.taken)
  }

  async load(): Promise<void> {
    const { items } = await this.#parts.shelf.tokens()
    for (const token of items) this.#byHash.set(token.sha256, token)
  }

  get all(): readonly ApiToken[] {
    return [...this.#byHash.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** Whose token this is, where its time is not over; its use is noted. `from`: who asks, and where. */
  holder(sha256: string, from: string): ApiToken | 'expired' | undefined {
    const token = this.#byHash.get(sha256)
    if (token === undefined) return undefined
    const nowMs = this.#parts.clock.nowMs()
    if (nowMs >= Date.parse(token.expiresAt)) return 'expired'
    const usedMs = Date.parse(token.lastUse?.at ?? '')
    if (!(nowMs >= usedMs && nowMs - usedMs < NOTED_EACH_MS)) this.#note(token, nowMs, from)
    return token
  }

  /** A new one, whose secret is known to its holder only from now on. */
  make(
    ask: { readonly name: string; readonly role: TokenRole; readonly days: number },
    by: ChangeAuthor,
  ): Promise<Outcome<{ readonly secret: string; readonly token: ApiToken }, 'exists' | 'limit'>> {
    return this.#inTurn(async () => {
      const { name, role, days } = ask
      if (this.#taken.has(name) || this.#named(name) !== undefined) return err('exists')
      if (this.#byHash.size >= TOKENS_MAX) return err('limit')
      const secret = PREFIX + randomBytes(SECRET_BYTES).toString('base64url')
      const nowMs = this.#parts.clock.nowMs()
      const token: ApiToken = {
        name,
        role,
        sha256: createHash('sha256').update(secret).digest('hex'),
        createdAt: new Date(nowMs).toISOString(),
        expiresAt: new Date(nowMs + days * DAY_MS).toISOString(),
      }
      await this.#parts.shelf.putToken({ name, token, by, at: token.createdAt })
      this.#byHash.set(token.sha256, token)
      return ok({ secret, token })
    })
  }

  /** It opens nothing any more; false: there is none of that name. */
  remove(name: string, by: ChangeAuthor): Promise<boolean> {
    return this.#inTurn(async () => {
      const token = this.#named(name)
      if (token === undefined) return false
      // Before the disk is asked: whatever that does, who has lost one is safe.
      this.#byHash.delete(token.sha256)
      const at = new Date(this.#parts.clock.nowMs()).toISOString()
      await this.#parts.shelf.putToken({ name, token: null, by, at })
      return true
    })
  }

  #named(name: string): ApiToken | undefined {
    return this.#byHash.values().find((each) => each.name === name)
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => undefined)
    return done
  }

  #note(token: ApiToken, nowMs: number, from: string): void {
    const at = new Date(nowMs).toISOString()
    this.#byHash.set(token.sha256, { ...token, lastUse: { at, from } })
    const { shelf, log } = this.#parts
    shelf
      .noteTokenUse({ name: token.name, at, from })
      .catch((cause: unknown) => log.warn('token.useNotNoted', { cause: messageOf(cause) }))
  }
}
