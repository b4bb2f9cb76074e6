import type { Log } from '#base/log.ts'
import { messageOf, ok } from '#base/outcome.ts'
import { DAY_MS, HOUR_MS, SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { Account, AccountId } from '#model/account.ts'
import { isReserved } from '#model/account-life.ts'
import type { DatedPlan } from '#model/plan.ts'
import type { ChangeAuthor } from '#store/directory/directory-log.ts'
import type { DirectoryEdit } from '#store/directory/check-edits.ts'
import type { DirectoryMaster } from '#store/directory/directory-master.ts'
import type { UpkeepNotes } from '#store/directory/upkeep-notes.ts'
import { goneAtMs, released } from './account-change.ts'
import { bulkSteps, countsOf, planBulk, whyNotBy } from './bulk.ts'
import type { BulkRow, WhyNot } from './bulk.ts'
import type { Calendar } from './calendar.ts'
import { upkeepOfLists } from './list-upkeep.ts'
import type { ListsKept } from './list-upkeep.ts'

/** A start has other things to do first. */
const FIRST_MS = 30 * SECOND_MS
const EVERY_MS = HOUR_MS
/** A clock that went on by more than this since the last run may be wrong: nothing of it comes back. */
const GAP_MS = 10 * DAY_MS
/** Of one run; the next takes the rest. */
const DELETIONS_MAX = 1_000
/** Accounts that are looked at in one go, while everybody else of this process waits. */
const LOOKED_AT_ONCE = 2_000
const STEPS_AT_ONCE = 100
/** Rows of one write: whoever else changes the directory comes in between. */
const WRITTEN_AT_ONCE = 1_000
const AUTHOR: ChangeAuthor = { who: 'watari', from: 'account life' }

const NO_LISTS: ListsKept = { deleted: 0, forgotten: 0 }

/** What has to be done now. */
export interface UpkeepDue {
  /** Deleted so long ago that they go for good. */
  readonly deletions: readonly AccountId[]
  readonly plans: readonly DatedPlan[]
}

export interface UpkeepRun {
  /** The clock has jumped: nothing was done until somebody says that it is right. */
  readonly held: boolean
  readonly lastRunMs?: number
  readonly deleted: number
  readonly plans: readonly DatedPlan[]
  readonly told: number
  /** Of mailing lists. */
  readonly lists: ListsKept
}

interface UpkeepParts {
  readonly directory: DirectoryMaster
  readonly notes: UpkeepNotes
  readonly clock: Clock
  readonly log: Log
  /** What day it is, and whether that is sure; absent: the clock's. */
  readonly calendar?: Pick<Calendar, 'doubt' | 'accept'>
  /** Tells people what ends soon; how many were told. */
  readonly notices?: { run(accounts: Iterable<Account>): Promise<number> }
}

/**
 * What time does to accounts and somebody has to write down: deletions for good, plans whose day has
 * come, former addresses that come free. Whether an account is in use each node sees by itself.
 */
export class AccountUpkeep {
  readonly #parts: UpkeepParts
  #cancel: () => void
  #running: Promise<unknown> = Promise.resolve()
  #isClosed = false

  constructor(parts: UpkeepParts) {
    this.#parts = parts
    this.#cancel = parts.clock.after(FIRST_MS, () => this.#begin())
  }

  #begin(): void {
    this.#running = this.run()
      .catch((thrown: unknown) =>
        this.#parts.log.warn('directory.upkeepFailed', { cause: messageOf(thrown) }),
      )
      .finally(() => {
        if (!this.#isClosed) this.#cancel = this.#parts.clock.after(EVERY_MS, () => this.#begin())
      })
  }

  async due(): Promise<UpkeepDue> {
    const { directory } = this.#parts.directory
    const { moment } = directory
    const deletions: AccountId[] = []
    await this.#each((account) => {
      const gone = goneAtMs(account, moment)
      if (gone !== undefined && gone <= moment.nowMs) deletions.push(account.id)
    })
    const plans = directory
      .plans()
      .filter(({ on, done }) => done === undefined && on <= moment.today)
      .toSorted((a, b) => (a.on < b.on ? -1 : a.on > b.on ? 1 : a.id < b.id ? -1 : 1))
    return { deletions, plans }
  }

  /** How it stands; `isHeld`: nothing is done until somebody says that the clock is right. */
  async state(): Promise<UpkeepDue & { readonly isHeld: boolean; readonly lastRunMs?: number }> {
    const { ranAtMs } = await this.#parts.notes.lastUpkeep()
    const due = await this.due()
    return {
      ...due,
      isHeld: this.#isJump(ranAtMs),
      ...(ranAtMs !== undefined && { lastRunMs: ranAtMs }),
    }
  }

  #isJump(ranAtMs: number | undefined): boolean {
    const { calendar, clock } = this.#parts
    if (calendar?.doubt !== undefined) return true
    return ranAtMs !== undefined && clock.nowMs() - ranAtMs > GAP_MS
  }

  /** Does what is due; `accept`: the clock is right, however far it went. */
  async run({
    accept = false,
    by = AUTHOR,
  }: { accept?: boolean; by?: ChangeAuthor } = {}): Promise<UpkeepRun> {
    const { notes, clock, log, notices, directory, calendar } = this.#parts
    if (accept) await calendar?.accept(by.who)
    const { ranAtMs } = await notes.lastUpkeep()
    const due = await this.due()
    const last = ranAtMs === undefined ? {} : { lastRunMs: ranAtMs }
    if (!accept && this.#isJump(ranAtMs)) {
      log.warn('directory.upkeepHeld', {
        ...(ranAtMs !== undefined && { lastRun: new Date(ranAtMs).toISOString() }),
        deletions: due.deletions.length,
        plans: due.plans.length,
        remedy: 'look at the clock; then: watari directory upkeep --accept-clock',
      })
      return { held: true, ...last, deleted: 0, plans: [], told: 0, lists: NO_LISTS }
    }
    const plans: DatedPlan[] = []
    for (const plan of due.plans) {
      const done = await this.#apply(plan)
      if (done !== undefined) plans.push(done)
    }
    const deleted = await this.#delete(due.deletions.slice(0, DELETIONS_MAX), by)
    await this.#setFree()
    const lists = await upkeepOfLists(directory, by)
    const told = (await notices?.run(directory.directory.accounts())) ?? 0
    if (!this.#isClosed) await notes.noteUpkeep({ ranAtMs: clock.nowMs() })
    return { held: false, ...last, deleted, plans, told, lists }
  }

  /**
   * The accounts in several writes, others coming in between, and that it is done with the last of them:
   * what was cut off in the middle goes on at the next run, where those who were changed are the same.
   */
  async #apply(plan: DatedPlan): Promise<DatedPlan | undefined> {
    const { directory, log } = this.#parts
    const now = directory.directory
    const why = whyNotBy(plan.byRole)
    const rows = await this.#rowsOf(plan, why)
    const counts = countsOf({ rows })
    const ids = rows.flatMap(({ id, outcome }) => (outcome === 'changed' && id ? [id] : []))
    let done: DatedPlan | undefined
    for (let at = 0; at === 0 || at < ids.length; at += WRITTEN_AT_ONCE) {
      const users = ids.slice(at, at + WRITTEN_AT_ONCE)
      const written = await directory.update(
        () => {
          // Somebody has cancelled it meanwhile.
          if (now.plan(plan.id)?.done !== undefined || now.plan(plan.id) === undefined)
            return ok([])
          const planned = planBulk(
            now,
            { where: { ...plan.where, users }, change: plan.change },
            why,
          )
          const step = countsOf(planned)
          counts.changed -= users.length - step.changed
          counts.same += step.same
          counts.refused += step.refused
          if (at + WRITTEN_AT_ONCE < ids.length) return ok(planned.edits)
          done = { ...plan, done: { at: new Date(now.moment.nowMs).toISOString(), ...counts } }
          return ok([...planned.edits, { kind: 'put', row: { kind: 'plan', plan: done } }])
        },
        { who: plan.by, from: `plan ${plan.id}` },
      )
      if (written.ok) continue
      log.warn('directory.planFailed', { plan: plan.id, cause: written.error.message })
      return undefined
    }
    return done
  }

  async #rowsOf(plan: DatedPlan, why: WhyNot): Promise<readonly BulkRow[]> {
    const rows: BulkRow[] = []
    for (const step of bulkSteps(this.#parts.directory.directory, plan, why)) {
      if (step !== undefined) rows.push(step.row)
      if (step === undefined || rows.length % STEPS_AT_ONCE === 0) await new Promise(setImmediate)
    }
    return rows
  }

  async #delete(ids: readonly AccountId[], by: ChangeAuthor): Promise<number> {
    const { directory } = this.#parts
    let deleted = 0
    const written = await directory.update((now) => {
      const { moment } = now
      const edits = ids.flatMap((id): DirectoryEdit[] => {
        const account = now.account(id)
        // Somebody may have had it back meanwhile.
        const gone = account && goneAtMs(account, moment)
        return gone !== undefined && gone <= moment.nowMs ? removalOf(now, id) : []
      })
      deleted = edits.filter(
        (edit) => edit.kind === 'remove' && edit.key.startsWith('account:'),
      ).length
      return ok(edits)
    }, by)
    return written.ok ? deleted : 0
  }

  /** Former addresses that others may have from now on. */
  async #setFree(): Promise<void> {
    const { directory } = this.#parts
    const { moment } = directory.directory
    const over: Account[] = []
    await this.#each((account) => {
      const { formerAddresses = [] } = account
      if (formerAddresses.some((former) => !isReserved(former, moment))) over.push(account)
    })
    if (over.length === 0) return
    await directory.update(
      (now) =>
        ok(
          over.flatMap(({ id }): DirectoryEdit[] => {
            const account = now.account(id)
            if (account === undefined) return []
            const ended = account.formerAddresses?.filter((each) => !isReserved(each, moment)) ?? []
            const after = ended.reduce((left, { address }) => released(left, address), account)
            return ended.length === 0
              ? []
              : [{ kind: 'put', row: { kind: 'account', account: after } }]
          }),
        ),
      AUTHOR,
    )
  }

  async #each(look: (account: Account) => void): Promise<void> {
    let looked = 0
    for (const account of this.#parts.directory.directory.accounts()) {
      look(account)
      if (++looked % LOOKED_AT_ONCE === 0) await new Promise(setImmediate)
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#cancel()
    await this.#running
  }
}

/** The account's row and what hangs on it. */
export const removalOf = (
  now: Pick<DirectoryMaster['directory'], 'forward' | 'choices'>,
  id: AccountId,
): DirectoryEdit[] => [
  ...(now.forward(id) === undefined ? [] : [{ kind: 'remove', key: `forward:${id}` } as const]),
  ...(now.choices(id) === undefined ? [] : [{ kind: 'remove', key: `choices:${id}` } as const]),
  { kind: 'remove', key: `account:${id}` },
]
