import { failpoint } from '#base/failpoint.ts'
import { MINUTE_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { BlobRef, Blobs } from '#store/blob/blobs.ts'
import type { Database } from '#store/db/database.ts'
import type { GroupCommit } from '#store/db/group-commit.ts'
import { forgetReports } from '#store/mailbox/change/junk-report.ts'
import { forgetMemories } from '#store/mailbox/change/memory.ts'
import { compact } from './compact.ts'
import type { HeldMailboxes } from '#store/mailbox/view/held.ts'
import { namedSegments } from '#store/mailbox/rows/named.ts'
import { tidyObjects } from '#store/mailbox/objects/objects.ts'
import { ROWS_AT_ONCE } from '#store/mailbox/rows/sql.ts'
import { forgetArrivals } from '#store/mailbox/change/arrival.ts'
import { forgetDeliveries, PURGE_START, purgeStep } from './purge.ts'
import type { PurgeAsk, PurgeStep } from './purge.ts'
import type { AccountId } from '#model/account.ts'
import { recountFrom, recountStep } from './recount.ts'
import type { RecountCursor, Recounted } from './recount.ts'
import { removedAccount, removeStep } from './removed.ts'
import type { Sql } from '#store/mailbox/rows/sql.ts'

export interface HousekeepingParts {
  readonly db: Database
  readonly sql: Sql
  readonly blobs: Blobs
  readonly group: GroupCommit
  readonly clock: Clock
  readonly held: HeldMailboxes
  /** Deletes those files that no row names. */
  readonly release: (files: readonly BlobRef[]) => Promise<void>
  /** Deletes uploads whose time is over. */
  readonly tidyUploads: () => Promise<void>
  /** A delivery id is known for so long. */
  readonly duplicatesMs: number
}

/** Somebody who read a row before its octets moved has read those by then. */
const READ_MS = MINUTE_MS
/** What a run writes before it gives anything back. */
const ROOM_BYTES = 2 * 64 * 1024 * 1024

/** What a store does while nobody asks it to: one thing at a time, in steps that others get between. */
export class Housekeeping {
  readonly #parts: HousekeepingParts
  #running: Promise<unknown> = Promise.resolve()
  #isClosing = false
  /** Segments that nothing names any more, with the time since when. */
  readonly #emptied = new Map<number, number>()
  readonly #damagedFiles = new Set<number>()

  constructor(parts: HousekeepingParts) {
    this.#parts = parts
  }

  /** Deletes what was expunged before that time, and what is known or kept for a time only. */
  purge(beforeMs: number): Promise<{ readonly rows: number }> {
    return this.#next(() => this.#purge(beforeMs))
  }

  /** Counts all accounts anew, or one; those that were wrong. */
  recount(accountId?: AccountId): Promise<readonly Recounted[]> {
    return this.#next(async () => {
      const { sql, group } = this.#parts
      const healed = new Map<AccountId, Recounted>()
      let from = recountFrom(sql, accountId)
      const only = accountId === undefined ? undefined : from?.aid
      while (from !== undefined && !this.#isClosing) {
        const at: RecountCursor = from
        const { recounted, next } = await group.commit({ apply: () => recountStep(sql, at) })
        if (recounted !== undefined) {
          // Of a large account a step tells a part.
          const earlier = healed.get(recounted.accountId)?.mailboxes ?? []
          const mailboxes = [...earlier, ...recounted.mailboxes]
          healed.set(recounted.accountId, { ...recounted, mailboxes })
        }
        from = only === undefined || next?.aid === only ? next : undefined
      }
      return [...healed.values()]
    })
  }

  /** Rewrites some segments, if that is worth it. */
  compact(): Promise<{ readonly moved: number; readonly damaged: number }> {
    return this.#next(async () => {
      const { blobs, clock } = this.#parts
      if (blobs.space().freeBytes < ROOM_BYTES) return { moved: 0, damaged: 0 }
      const isClosing = (): boolean => this.#isClosing
      const { emptied, moved, damaged } = await compact({
        ...this.#parts,
        damagedFiles: this.#damagedFiles,
        isClosing,
      })
      for (const file of emptied) this.#emptied.set(file, clock.monotonicMs())
      await this.#collect()
      return { moved, damaged }
    })
  }

  /** Waits for the step that runs; what is left is for another start. */
  async close(): Promise<void> {
    this.#isClosing = true
    await this.#running
  }

  #next<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#running.then(work)
    this.#running = next.catch(() => undefined)
    return next
  }

  async #purge(beforeMs: number): Promise<{ readonly rows: number }> {
    const { sql, group, clock, held } = this.#parts
    held.tidy()
    let rows = 0
    for (let from: PurgeStep['next'] = PURGE_START; from !== undefined && !this.#isClosing;) {
      const ask: PurgeAsk = { beforeMs, from, isHeld: held.has.bind(held) }
      const step: PurgeStep = await group.commit({ apply: () => purgeStep(sql, ask) })
      failpoint('mailbox.purged')
      await this.#parts.release(step.files)
      rows += step.rows
      from = step.next
    }
    for (let aid; (aid = removedAccount(sql, beforeMs)) !== undefined && !this.#isClosing;)
      rows += await this.#removeAccount(aid)
    const nowMs = clock.nowMs()
    await this.#untilDone(() => forgetDeliveries(sql, nowMs - this.#parts.duplicatesMs))
    await this.#untilDone(() => forgetArrivals(sql, nowMs - this.#parts.duplicatesMs))
    await this.#untilDone(() => forgetMemories(sql, nowMs))
    await this.#untilDone(() => forgetReports(sql, nowMs))
    await this.#untilDone(() => tidyObjects(sql, nowMs, ROWS_AT_ONCE))
    if (!this.#isClosing) await this.#parts.tidyUploads()
    await this.#collect()
    return { rows }
  }

  async #removeAccount(aid: number): Promise<number> {
    const { sql, group } = this.#parts
    let rows = 0
    for (let isDone = false; !isDone && !this.#isClosing;) {
      const step = await group.commit({ apply: () => removeStep(sql, aid) })
      await this.#parts.release(step.files)
      rows += step.rows
      isDone = step.isDone
    }
    return rows
  }

  /** `step` says whether there may be more. */
  async #untilDone(step: () => boolean): Promise<void> {
    for (let more = true; more && !this.#isClosing;)
      more = await this.#parts.group.commit({ apply: step })
  }

  /** Deletes segments of which nothing is left, but those that somebody may still be reading. */
  async #collect(): Promise<void> {
    if (this.#isClosing) return
    const { db, sql, blobs, clock } = this.#parts
    // A segment that no row names may hold commits that the database could still lose.
    db.checkpoint()
    const since = clock.monotonicMs() - READ_MS
    for (const [file, atMs] of this.#emptied) if (atMs <= since) this.#emptied.delete(file)
    await blobs.collect(new Set([...namedSegments(sql), ...this.#emptied.keys()]))
  }
}
