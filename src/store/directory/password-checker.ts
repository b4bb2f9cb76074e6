import { createHmac, randomBytes } from 'node:crypto'
import type { Turn } from '#base/deadline.ts'
import { isFault } from '#base/outcome.ts'
import type { Octets } from '#base/octets.ts'
import { MINUTE_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { Account } from '#model/account.ts'
import type { Origin } from '#model/source.ts'
import type { BoundAccount, BoundAnswer, BoundPasswords } from './bound-passwords.ts'
import type { HashPool } from './hash-pool.ts'
import { verifyPassword } from './password.ts'

/** How long a check that succeeded is remembered. */
const REMEMBER_MS = 10 * MINUTE_MS
/** Right only because nobody answers who would know better. */
const REMEMBER_MEANWHILE_MS = MINUTE_MS
const REMEMBERED_MAX = 100_000

/** What a password is: `busy`: too many want to know; the others as where another directory decides. */
export type PasswordAnswer = BoundAnswer | 'busy'

/** Checks passwords by hash or by asking another directory, and remembers in memory what was right. */
export class PasswordChecker {
  readonly #clock: Clock
  readonly #pool: HashPool
  readonly #bound: BoundPasswords | undefined
  /** Made anew by each process: what is remembered is worth nothing elsewhere. */
  readonly #secret = randomBytes(32)
  readonly #remembered = new Map<string, number>()
  readonly #running = new Map<string, Promise<PasswordAnswer>>()

  constructor(parts: {
    readonly clock: Clock
    readonly pool: HashPool
    readonly bound: BoundPasswords | undefined
  }) {
    this.#clock = parts.clock
    this.#pool = parts.pool
    this.#bound = parts.bound
  }

  async check(
    account: Account | undefined,
    ask: {
      readonly login: string
      readonly password: Octets
      /** Asked again when its turn comes. */
      readonly mayTry: () => boolean
      readonly turn: Turn
    },
  ): Promise<PasswordAnswer> {
    const { login, password } = ask
    const usable = account !== undefined && !account.disabled ? account : undefined
    const key =
      usable === undefined
        ? this.mark(`? ${login}`, password)
        : this.mark(`${usable.id} ${usable.credentialVersion} ${secretOf(usable)}`, password)
    if ((this.#remembered.get(key) ?? 0) > this.#clock.monotonicMs()) return 'right'
    const answer = await this.#once(key, () => this.#verify(usable, { ...ask, mark: key }))
    if (answer === 'right') this.#remember(key, REMEMBER_MS)
    if (answer === 'rightBefore') this.#remember(key, REMEMBER_MEANWHILE_MS)
    return answer
  }

  /** A password that is wrong elsewhere costs the same work and time here as one that is wrong here. */
  async #verify(
    account: Account | undefined,
    ask: {
      readonly password: Octets
      readonly mark: string
      readonly mayTry: () => boolean
      readonly turn: Turn
    },
  ): Promise<PasswordAnswer> {
    const { password, turn } = ask
    try {
      if (account !== undefined && isBound(account)) {
        if (this.#bound === undefined) return 'away'
        return ask.mayTry() ? await this.#bound.check(account, ask) : 'slowed'
      }
      const answer = await this.#pool.run(async () => {
        if (!ask.mayTry()) return 'slowed'
        return (await verifyPassword(password, account?.credential)) ? 'right' : 'wrong'
      }, turn)
      if (answer === 'wrong') await this.#bound?.looksAsked()
      return answer
    } catch (thrown) {
      if (isFault(thrown)) return 'busy'
      throw thrown
    }
  }

  /** Names these octets without telling them. */
  mark(context: string, password: Octets): string {
    return createHmac('sha256', this.#secret)
      .update(`${Buffer.byteLength(context)} ${context} `)
      .update(password)
      .digest('base64')
  }

  /** The same question asked by many connections at once is worked on once. */
  #once(key: string, question: () => Promise<PasswordAnswer>): Promise<PasswordAnswer> {
    const running = this.#running.get(key)
    if (running !== undefined) return running
    const work = question().finally(() => this.#running.delete(key))
    this.#running.set(key, work)
    return work
  }

  #remember(key: string, forMs: number): void {
    this.#remembered.delete(key)
    this.#remembered.set(key, this.#clock.monotonicMs() + forMs)
    if (this.#remembered.size > REMEMBERED_MAX)
      this.#remembered.delete(this.#remembered.keys().next().value!)
  }
}

const isBound = (account: Account): account is BoundAccount =>
  account.credential === undefined && account.bind !== undefined

/** What a right password was right by. */
const secretOf = ({ credential, bind }: Account): string => credential ?? nameOf(bind)

const nameOf = (origin: Origin | undefined): string =>
  origin === undefined ? '' : `${origin.source} ${origin.key} ${origin.dn}`
