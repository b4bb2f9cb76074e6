import type { Log } from '#base/log.ts'
import { isFault, messageOf } from '#base/outcome.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, sleep } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import type { EmailTexts, TextSource } from '#store/mailbox/text-source.ts'
import type { IndexGap, SearchIndex } from './search-index.ts'
import { tidyIndex } from './tidy.ts'

export interface FeederParts {
  readonly store: TextSource
  readonly index: SearchIndex
  readonly clock: Clock
  readonly log: Log
}

/**
 * An account is indexed at the next look once so many changes wait, or the oldest for so long, and at once
 * where mail pours in: the more come together, the less each costs. A search is not kept waiting.
 */
const CHANGES_MAX = 50
const POURING_CHANGES = 1_000
const WAIT_MS_MAX = 10 * MINUTE_MS
const LOOK_EVERY_MS = 30 * SECOND_MS
/** A start has other things to do first. */
const FIRST_MS = 10 * SECOND_MS
const FIRST_TIDY_MS = 2 * HOUR_MS
const RETRY_MS = MINUTE_MS
const PAGE = 1_000
/** An email that was alone with so many deaths is indexed without its texts. */
const DEATHS_MAX = 2
/** Changed accounts that are noted; more are found by a look at all. */
const NOTED_MAX = 100_000

interface Part {
  readonly from: number
  readonly to: number
  readonly emails: readonly EmailTexts[]
}

interface Care {
  readonly until: number
  /** The one that was added last, alone, and how often the index's process died then. */
  readonly emailNumber: number | undefined
  readonly deaths: number
}

interface Feeding {
  /** Ends once the account has no gap; never rejects. */
  readonly done: Promise<void>
  /** Somebody waits: no pauses. */
  isUrgent: boolean
}

/**
 * Hands what comes into mailboxes on to the index, in the background and never in a delivery's way: an
 * account after the other, with pauses as long as its work. The index itself knows how far it has come,
 * so a crash of either side loses nothing.
 */
export class SearchFeeder {
  readonly #parts: FeederParts
  readonly #noted = new Map<AccountId, { changes: number; readonly sinceMs: number }>()
  readonly #waiting = new Set<AccountId>()
  readonly #feeding = new Map<AccountId, Feeding>()
  /** Accounts of which an email may be fatal: one of those numbered below `until`. */
  readonly #care = new Map<AccountId, Care>()
  readonly #stopping = new AbortController()
  #isWorking = false
  #wantsAll = false
  #sweeping: Promise<void> = Promise.resolve()
  #trouble: string | undefined

  constructor(parts: FeederParts) {
    this.#parts = parts
  }

  /** What is behind since before this start is found, then what changes. */
  start(): void {
    const { clock } = this.#parts
    clock.after(FIRST_MS, () => this.#sweep(() => this.#lookAtAll()))
    clock.after(LOOK_EVERY_MS, () => this.#look())
    clock.after(FIRST_TIDY_MS, () => this.#tidyDaily())
  }

  /** Why indexing does not go on, where it does not. */
  status(): { readonly trouble?: string } {
    return this.#trouble === undefined ? {} : { trouble: this.#trouble }
  }

  /** What is not indexed yet. */
  async lag(): Promise<{ readonly accountsBehind: number; readonly emailsBehind: number }> {
    let accountsBehind = 0
    let emailsBehind = 0
    await this.#eachBehind((_, emails) => {
      accountsBehind++
      emailsBehind += emails
    })
    return { accountsBehind, emailsBehind }
  }

  /** Something of the account has changed, perhaps by new mail. */
  changed(accountId: AccountId): void {
    const noted = this.#noted.get(accountId)
    if (noted !== undefined) noted.changes++
    else if (this.#noted.size >= NOTED_MAX) this.#wantsAll = true
    else this.#noted.set(accountId, { changes: 1, sinceMs: this.#parts.clock.monotonicMs() })
    if ((noted?.changes ?? 1) >= POURING_CHANGES) this.enqueue(accountId)
  }

  /** Indexes what is missing of an account, for at most so long: for who is about to search. */
  async catchUp(accountId: AccountId, forMs: number): Promise<void> {
    const feeding = this.#feed(accountId, true)
    const patience = new AbortController()
    const late = sleep(this.#parts.clock, forMs, patience.signal)
    await Promise.race([feeding, late])
    patience.abort()
  }

  async close(): Promise<void> {
    this.#stopping.abort()
    await Promise.all([...this.#feeding.values()].map(({ done }) => done))
    await this.#sweeping
  }

  #look(): void {
    if (this.#stopping.signal.aborted) return
    const { clock } = this.#parts
    const untilMs = clock.monotonicMs() - WAIT_MS_MAX
    for (const [accountId, { changes, sinceMs }] of this.#noted)
      if (changes >= CHANGES_MAX || sinceMs <= untilMs) this.enqueue(accountId)
    if (this.#wantsAll) this.#sweep(() => this.#lookAtAll())
    this.#wantsAll = false
    clock.after(LOOK_EVERY_MS, () => this.#look())
  }

  /** Indexes what is missing of the account as soon as it is its turn. */
  enqueue(accountId: AccountId): void {
    this.#noted.delete(accountId)
    this.#waiting.add(accountId)
    if (!this.#isWorking) void this.#work()
  }

  async #work(): Promise<void> {
    this.#isWorking = true
    for (const accountId of this.#waiting) {
      if (this.#stopping.signal.aborted) break
      this.#waiting.delete(accountId)
      await this.#feed(accountId, false)
    }
    this.#isWorking = false
  }

  #feed(accountId: AccountId, isUrgent: boolean): Promise<void> {
    const known = this.#feeding.get(accountId)
    if (known !== undefined) {
      known.isUrgent ||= isUrgent
      // It may be at its end, with new mail behind it.
      return isUrgent ? known.done.then(() => this.#feedAnew(accountId)) : known.done
    }
    return this.#feedAnew(accountId, isUrgent)
  }

  #feedAnew(accountId: AccountId, isUrgent = true): Promise<void> {
    const known = this.#feeding.get(accountId)
    if (known !== undefined) return known.done
    const state = { isUrgent }
    const done = this.#fill(accountId, state)
      .then(() => this.#settled())
      .catch((thrown: unknown) => this.#failed(accountId, thrown))
      .finally(() => this.#feeding.delete(accountId))
    this.#feeding.set(accountId, Object.assign(state, { done }))
    return done
  }

  async #fill(accountId: AccountId, state: { readonly isUrgent: boolean }): Promise<void> {
    const { store, index, clock } = this.#parts
    this.#noted.delete(accountId)
    let gap = await this.#gapOf(accountId)
    let hasAdded = false
    while (!this.#stopping.signal.aborted) {
      const startedMs = clock.monotonicMs()
      const { emails, to, next } = await store.texts({
        accountId,
        from: gap.from,
        ...(gap.to !== undefined && { before: gap.to }),
      })
      if (to <= gap.from || next <= 1) {
        // A restored database may have given fewer numbers than the index has seen.
        if (next < gap.from) await index.forget({ accountId })
        break
      }
      const part = this.#part(accountId, { from: gap.from, to, emails })
      const taken = await this.#add(accountId, part, to)
      hasAdded ||= taken
      const hasMore = taken && part.to !== gap.to
      gap = hasMore ? { ...gap, from: part.to } : await this.#gapOf(accountId)
      const tookMs = clock.monotonicMs() - startedMs
      if (!state.isUrgent) await sleep(clock, tookMs, this.#stopping.signal)
    }
    if (hasAdded) await index.flush({ accountId })
  }

  /** What is added at once: one email where the index's process has died of some, nothing of the one it died of. */
  #part(accountId: AccountId, part: Part): Part {
    const care = this.#care.get(accountId)
    if (care === undefined) return part
    if (part.from >= care.until) {
      this.#care.delete(accountId)
      return part
    }
    const [first, second] = part.emails
    const to = second?.emailNumber ?? part.to
    if (first === undefined) return part
    const isFatal = care.emailNumber === first.emailNumber && care.deaths >= DEATHS_MAX
    const emails = [isFatal ? { emailNumber: first.emailNumber } : first]
    return { from: part.from, to, emails }
  }

  async #add(accountId: AccountId, part: Part, to: number): Promise<boolean> {
    const { index } = this.#parts
    try {
      const { taken } = await index.add({ accountId, ...part })
      if (this.#care.has(accountId)) await index.flush({ accountId })
      return taken
    } catch (thrown) {
      // Mail that kills what reads it, or outlasts it, must not hold up the mail behind it.
      if (isFault(thrown, 'closed') || isFault(thrown, 'stalled')) {
        const before = this.#care.get(accountId)
        const emailNumber = part.emails[0]?.emailNumber
        const isAgain = before !== undefined && before.emailNumber === emailNumber
        const deaths = before === undefined ? 0 : isAgain ? before.deaths + 1 : 1
        const until = Math.max(to, before?.until ?? 0)
        this.#care.set(accountId, { until, emailNumber, deaths })
      }
      throw thrown
    }
  }

  async #gapOf(accountId: AccountId): Promise<IndexGap> {
    return (await this.#parts.index.gaps({ accountIds: [accountId] })).gaps[0]!
  }

  #settled(): void {
    if (this.#trouble !== undefined) this.#parts.log.info('search.answers')
    this.#trouble = undefined
  }

  #failed(accountId: AccountId, thrown: unknown): void {
    if (this.#stopping.signal.aborted) return
    this.#troubled({ accountId }, messageOf(thrown))
    this.#parts.clock.after(RETRY_MS, () => this.enqueue(accountId))
  }

  #troubled(whose: { readonly accountId?: AccountId }, cause: string): void {
    if (this.#trouble === undefined) this.#parts.log.error('search.failed', { ...whose, cause })
    this.#trouble = cause
  }

  /** One look at all accounts after the other. */
  #sweep(run: () => Promise<void>): void {
    this.#sweeping = this.#sweeping
      .then(() => (this.#stopping.signal.aborted ? undefined : run()))
      .catch((thrown: unknown) => {
        if (this.#stopping.signal.aborted) return
        this.#troubled({}, messageOf(thrown))
        this.#parts.clock.after(RETRY_MS, () => (this.#wantsAll = true))
      })
  }

  async #lookAtAll(): Promise<void> {
    let isBehind = false
    await this.#eachBehind((accountId) => {
      isBehind = true
      this.enqueue(accountId)
    })
    if (!isBehind) this.#settled()
  }

  /** Accounts that are not indexed to their end, and how many emails are missing, up to the next gap. */
  async #eachBehind(tell: (accountId: AccountId, emails: number) => void): Promise<void> {
    const { store, index } = this.#parts
    for (let after: AccountId | undefined; !this.#stopping.signal.aborted;) {
      const ask = { limit: PAGE, ...(after !== undefined && { after }) }
      const { accounts } = await store.nextEmails(ask)
      const used = accounts.filter(({ next }) => next > 1)
      const accountIds = used.map(({ accountId }) => accountId)
      const { gaps } = accountIds.length === 0 ? { gaps: [] } : await index.gaps({ accountIds })
      for (const [at, { accountId, next }] of used.entries())
        if (gaps[at]!.from !== next) tell(accountId, missing(gaps[at]!, next))
      after = accounts.at(-1)?.accountId
      if (accounts.length < PAGE) return
    }
  }

  #tidyDaily(): void {
    if (this.#stopping.signal.aborted) return
    this.#sweep(() => tidyIndex({ ...this.#parts, signal: this.#stopping.signal }))
    this.#parts.clock.after(DAY_MS, () => this.#tidyDaily())
  }
}

/** Emails of a gap; numbers begin with 1. */
const missing = ({ from, to }: IndexGap, next: number): number =>
  Math.max(0, Math.min(to ?? next, next) - Math.max(1, from))
