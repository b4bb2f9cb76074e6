import { randomInt } from 'node:crypto'
import type { Turn } from '#base/deadline.ts'
import type { Log } from '#base/log.ts'
import { isFault, messageOf } from '#base/outcome.ts'
import type { Octets } from '#base/octets.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, sleep } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { Account } from '#model/account.ts'
import type { Origin } from '#model/source.ts'
import type { BindShelf } from './bind-shelf.ts'
import type { HashPool } from './hash-pool.ts'

/** Asks another directory whether a password is somebody's there; throws a Fault where it does not answer. */
export type Bind = (origin: Origin, password: Octets) => Promise<boolean>

/** What is kept of binds: where, and how long. */
export interface Remembering {
  readonly shelf: BindShelf
  /** 0: nothing is kept. */
  readonly days: () => number
}

/** How passwords of other directories are asked about. */
export interface BindRules {
  readonly bind: Bind
  readonly remembering?: Remembering
  /** Of one account, how many different wrong passwords are asked about in ten minutes; absent: ten. */
  readonly wrongMax?: () => number
}

/** An account whose password another directory decides about. */
export type BoundAccount = Account & { readonly bind: Origin }

interface Asked {
  readonly password: Octets
  /** Names the password of this account without telling it. */
  readonly mark: string
  readonly turn: Turn
}

/** Where nobody answers: it was right before, is not what was, or nothing is known. */
type AnswerAway = 'rightBefore' | 'doubted' | 'away'
export type BoundAnswer = 'right' | 'wrong' | 'slowed' | AnswerAway

/** The same wrong password is not asked about again meanwhile, each time twice as long. */
const WRONG_MS = MINUTE_MS
const WRONG_MS_MAX = HOUR_MS
const ENTRIES_MAX = 100_000
const WRONG_PER_MS = 10 * MINUTE_MS
const WRONG_PER_TIME_MAX = 10
/** What is kept is made anew after this, or sooner where it is kept for a shorter time. */
const RENEW_MS = DAY_MS
/** A source that did not answer so long ago may be there again. */
const AWAY_MS = MINUTE_MS
const DURATIONS_MAX = 32

/**
 * Passwords that another directory decides about. What it calls right is kept as a salted hash on this
 * node's disk, and counts while it does not answer, only then; what it calls wrong is forgotten. Wrong ones
 * are asked about as seldom as can be, since it may lock their owner out after a few.
 */
export class BoundPasswords {
  readonly #clock: Clock
  readonly #log: Log
  readonly #rules: BindRules
  readonly #pool: HashPool
  /** Wrong passwords by their marks, and until when they are not asked about again. */
  readonly #wrong = new Map<string, { readonly untilMs: number; readonly waitMs: number }>()
  /** When passwords of an account were asked about that have not turned out right. */
  readonly #tried = new Map<string, readonly number[]>()
  /** What this process has kept: the mark of the password, and when. */
  readonly #kept = new Map<string, { readonly mark: string; readonly atMs: number }>()
  /** How long the last answers took that called a password wrong. */
  readonly #durations: number[] = []
  #awayAtMs = Number.NEGATIVE_INFINITY

  constructor(parts: {
    readonly clock: Clock
    readonly log: Log
    readonly rules: BindRules
    readonly pool: HashPool
  }) {
    this.#clock = parts.clock
    this.#log = parts.log
    this.#rules = parts.rules
    this.#pool = parts.pool
  }

  /** A source has not answered lately: who is not known may be known to it. */
  get isAway(): boolean {
    return this.#clock.monotonicMs() - this.#awayAtMs < AWAY_MS
  }

  async check(account: BoundAccount, ask: Asked): Promise<BoundAnswer> {
    if ((this.#wrong.get(ask.mark)?.untilMs ?? 0) > this.#clock.monotonicMs()) {
      await this.#pool.verify(ask.password, undefined, ask.turn)
      await this.looksAsked()
      return 'wrong'
    }
    // Whoever has what was right last is no guesser, however many of those there are.
    if (!this.#mayTry(account.id) && !(await this.#isKept(account, ask))) return 'slowed'
    const startMs = this.#clock.monotonicMs()
    this.#triedAt(account.id, startMs)
    let isRight: boolean
    try {
      isRight = await this.#rules.bind(account.bind, ask.password)
    } catch (thrown) {
      if (!isFault(thrown)) throw thrown
      this.#notTriedAt(account.id, startMs)
      this.#awayAtMs = this.#clock.monotonicMs()
      this.#log.warn('auth.sourceAway', { source: account.bind.source, error: thrown.message })
      return this.#whileAway(account, ask)
    }
    this.#awayAtMs = Number.NEGATIVE_INFINITY
    if (isRight) {
      this.#tried.delete(account.id)
      void this.#keep(account, ask)
      return 'right'
    }
    const nowMs = this.#clock.monotonicMs()
    this.#durations.push(nowMs - startMs)
    if (this.#durations.length > DURATIONS_MAX) this.#durations.shift()
    const waitMs = Math.min(WRONG_MS_MAX, 2 * (this.#wrong.get(ask.mark)?.waitMs ?? WRONG_MS / 2))
    put(this.#wrong, ask.mark, { untilMs: nowMs + waitMs, waitMs })
    await this.#contradict(account, ask)
    return 'wrong'
  }

  /** Waits as long as a source may take that calls a password wrong: whether one was asked shows nothing. */
  async looksAsked(): Promise<void> {
    const { length } = this.#durations
    const waitMs = length === 0 ? 0 : this.#durations[randomInt(length)]!
    if (waitMs > 0) await sleep(this.#clock, waitMs)
  }

  async #whileAway(account: BoundAccount, ask: Asked): Promise<AnswerAway> {
    const kept = await this.#hashOf(account)
    if (await this.#pool.verify(ask.password, kept, ask.turn)) {
      this.#log.info('auth.byRemembered', { accountId: account.id, source: account.bind.source })
      return 'rightBefore'
    }
    return kept === undefined ? 'away' : 'doubted'
  }

  async #isKept(account: BoundAccount, ask: Asked): Promise<boolean> {
    return this.#pool.verify(ask.password, await this.#hashOf(account), ask.turn)
  }

  /** A password that is wrong now, though it was right: it never counts again. Costs one hash in each case. */
  async #contradict(account: BoundAccount, ask: Asked): Promise<void> {
    const hash = await this.#hashOf(account)
    if (!(await this.#pool.verify(ask.password, hash, ask.turn)) || hash === undefined) return
    this.#kept.delete(account.id)
    await this.#quietly(async () =>
      this.#rules.remembering?.shelf.drop({ accountId: account.id, hash }),
    )
  }

  /** What is kept and counts still; undefined also where the disk does not say. */
  async #hashOf(account: BoundAccount): Promise<string | undefined> {
    const { remembering } = this.#rules
    const days = remembering?.days() ?? 0
    if (remembering === undefined || days === 0) return undefined
    try {
      const { kept } = await remembering.shelf.get({ accountId: account.id })
      if (kept?.mark !== markOf(account)) return undefined
      // Of a clock that was ahead nobody knows how old it is.
      const ageMs = Math.abs(this.#clock.nowMs() - kept.atMs)
      return ageMs <= days * DAY_MS ? kept.hash : undefined
    } catch (thrown) {
      if (!isFault(thrown)) throw thrown
      return undefined
    }
  }

  /** Never rejects. */
  async #keep(account: BoundAccount, { password, mark }: Asked): Promise<void> {
    const { remembering } = this.#rules
    const days = remembering?.days() ?? 0
    if (remembering === undefined || days === 0) return
    const before = this.#kept.get(account.id)
    const atMs = this.#clock.monotonicMs()
    if (before?.mark === mark && atMs - before.atMs < Math.min(RENEW_MS, (days * DAY_MS) / 4))
      return
    put(this.#kept, account.id, { mark, atMs })
    const isKept = await this.#quietly(async () => {
      const hash = await this.#pool.hash(password)
      const kept = { accountId: account.id, mark: markOf(account), hash }
      await remembering.shelf.put({ ...kept, atMs: this.#clock.nowMs() })
    })
    if (!isKept) this.#kept.delete(account.id)
  }

  async #quietly(work: () => Promise<void>): Promise<boolean> {
    try {
      await work()
      return true
    } catch (thrown) {
      this.#log.warn('auth.bindNotKept', { cause: messageOf(thrown) })
      return false
    }
  }

  #mayTry(id: string): boolean {
    const sinceMs = this.#clock.monotonicMs() - WRONG_PER_MS
    const lately = (this.#tried.get(id) ?? []).filter((atMs) => atMs > sinceMs)
    return lately.length < (this.#rules.wrongMax?.() ?? WRONG_PER_TIME_MAX)
  }

  #triedAt(id: string, atMs: number): void {
    const lately = (this.#tried.get(id) ?? []).filter((each) => each > atMs - WRONG_PER_MS)
    put(this.#tried, id, [...lately, atMs])
  }

  #notTriedAt(id: string, atMs: number): void {
    const tried = this.#tried.get(id) ?? []
    const place = tried.indexOf(atMs)
    if (place >= 0) this.#tried.set(id, tried.toSpliced(place, 1))
  }
}

/** By the person, not the name: who is called otherwise at the source is who they were. */
const markOf = ({ bind, credentialVersion }: BoundAccount): string =>
  `${bind.source} ${bind.key} ${credentialVersion}`

/** Sets the entry as the youngest; the oldest goes when there are too many. */
function put<V>(table: Map<string, V>, key: string, value: V): void {
  table.delete(key)
  table.set(key, value)
  if (table.size > ENTRIES_MAX) table.delete(table.keys().next().value!)
}
