import { failpoint } from '#base/failpoint.ts'
import { Fault, isFault } from '#base/outcome.ts'
import { DAY_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { BlobRef, Blobs } from '#store/blob/blobs.ts'
import type { Database } from '#store/db/database.ts'
import { GroupCommit } from '#store/db/group-commit.ts'
import type { LookOver } from '#store/db/look-over.ts'
import type { Journal } from '#store/journal/journal.ts'
import { encodeNote } from '#store/mailbox/change/note.ts'
import { openAccount } from '#store/mailbox/change/account.ts'
import { applyCommits, contentsNow } from '#store/mailbox/change/apply.ts'
import type { Applied, Placed } from '#store/mailbox/change/apply.ts'
import { LongTransfers } from '#store/mailbox/change/long-transfer.ts'
import type { MetaParser } from '#store/mailbox/rows/content.ts'
import {
  EXPIRY_START,
  expireStep,
  formatCursor,
  noteExpiry,
  parseCursor,
} from '#store/mailbox/upkeep/expire.ts'
import type { ExpireStep } from '#store/mailbox/upkeep/expire.ts'
import { notePurge, trustClock } from '#store/mailbox/upkeep/purge-run.ts'
import { HeldMailboxes } from '#store/mailbox/view/held.ts'
import { ACCOUNTS_AT_ONCE } from './commit.ts'
import { asOurTrouble, isDatabaseDamage } from './standing.ts'
import type { AccountCommitResult, CommitRequest } from './commit.ts'
import type { StoreChanged } from './mailbox-view.ts'
import type { MailboxStore } from './mailbox-store.ts'
import type { KeptViews } from '#store/mailbox/view/kept-views.ts'
import { isNamed } from '#store/mailbox/rows/named.ts'
import { tellEntriesDone } from '#store/mailbox/objects/objects.ts'
import { eventsDone } from '#store/mailbox/change/script-event.ts'
import { reportsDone } from '#store/mailbox/change/junk-report.ts'
import { deleteOutbox, holdAnew, isClockPutBack, listOutbox } from '#store/mailbox/change/outbox.ts'
import { keysAcross } from '#store/mailbox/change/thread-keys.ts'
import { noteArrival } from '#store/mailbox/change/arrival.ts'
import { noteOperation, outcomeOf } from '#store/mailbox/change/operation.ts'
import { markRemoved } from '#store/mailbox/upkeep/removed.ts'
import { Scrubber } from '#store/mailbox/upkeep/scrub.ts'
import { Housekeeping } from '#store/mailbox/upkeep/housekeeping.ts'
import { changeScript } from '#store/mailbox/objects/scripts.ts'
import type { ScriptRefusal } from '#model/script-change.ts'
import type { Sql } from '#store/mailbox/rows/sql.ts'
import { noteRefused } from '#store/mailbox/change/quota.ts'
import { abortContents, bringsOctets, stageRequest } from '#store/mailbox/change/stage.ts'
import { UploadShelf } from './upload-shelf.ts'
import { ViewKeeper } from '#store/mailbox/view/view-keeper.ts'
import { SqliteReads } from './sqlite-reads.ts'

/** A delivery id is known for so long: a queue that repeats one later gives up before. */
const DUPLICATES_MS = 30 * DAY_MS

/** What a mail store is made of. It closes `db` and `blobs` with itself. */
export interface MailboxParts {
  readonly db: Database
  readonly sql: Sql
  readonly blobs: Blobs
  readonly clock: Clock
  readonly parser: () => MetaParser
  /** Tells each commit, so that the database can be made anew; it is closed with the store. */
  readonly journal?: Journal
  /** Views of large mailboxes in files; without it they are read from their rows each time. */
  readonly kept?: KeptViews
  /** Has SQLite look over the database's file, now and then; closed with the store. */
  readonly lookOver?: LookOver
  /** Told after COMMIT. */
  readonly onChange: (change: StoreChanged) => void
}

/** Mailboxes over one database and one volume of octets, whatever those lie on. */
export class SqliteMailboxes extends SqliteReads implements MailboxStore {
  readonly #parts: MailboxParts
  readonly #sql: Sql
  readonly #blobs: Blobs
  readonly #group: GroupCommit
  readonly #uploads: UploadShelf
  readonly #housekeeping: Housekeeping
  readonly #keeper: ViewKeeper | undefined
  readonly #scrubber: Scrubber
  readonly #transfers: LongTransfers

  constructor(given: MailboxParts) {
    const { db, blobs, journal } = given
    const group = new GroupCommit({
      db,
      name: 'mailbox',
      clock: given.clock,
      flush: () => blobs.flush(),
      ...(journal !== undefined && { journal, redo: blobs }),
    })
    const held = new HeldMailboxes(given.clock)
    super({ ...given, group, held })
    this.#keeper =
      given.kept === undefined
        ? undefined
        : new ViewKeeper({ ...given, read: (place) => this.view(place) })
    const parts: MailboxParts = {
      ...given,
      onChange: (change) => {
        if ('mailboxId' in change) this.#keeper?.note(change)
        given.onChange(change)
      },
    }
    this.#parts = parts
    this.#sql = parts.sql
    this.#blobs = blobs
    this.#group = group
    this.#uploads = new UploadShelf({
      ...parts,
      group,
      needRoom: () => this.#needRoom(),
      release: (files) => this.#releaseUnnamed(files),
    })
    this.#scrubber = new Scrubber({ ...parts, group })
    this.#transfers = new LongTransfers({ ...parts, group })
    this.#housekeeping = new Housekeeping({
      ...parts,
      group,
      held,
      release: (files) => this.#releaseUnnamed(files),
      tidyUploads: () => this.#uploads.tidy(),
      duplicatesMs: DUPLICATES_MS,
    })
  }

  async openLarge(): ReturnType<MailboxStore['openLarge']> {
    this.#needRoom()
    return { handle: await this.#blobs.openLarge() }
  }

  appendLarge(part: Parameters<MailboxStore['appendLarge']>[0]): Promise<void> {
    return this.#blobs.appendLarge(part.handle, part.octets)
  }

  abortLarge(part: Parameters<MailboxStore['abortLarge']>[0]): Promise<void> {
    return this.#blobs.abortLarge(part.handle)
  }

  async commit(request: CommitRequest): ReturnType<MailboxStore['commit']> {
    const files: BlobRef[] = []
    const transfer = this.#transfers.commit(request)
    const results = transfer === undefined ? await this.#write(request, files) : [await transfer]
    // Contents of commits that were refused or made before, and what lost its last row.
    await this.#releaseUnnamed(files)
    if (failpoint('mailbox.replied') !== 'pass') await new Promise(() => undefined)
    return { results }
  }

  async outcome({
    operation,
  }: Parameters<MailboxStore['outcome']>[0]): ReturnType<MailboxStore['outcome']> {
    const found = outcomeOf(this.#sql, operation)
    if (found === undefined) return {}
    // They may have died with the answer.
    for (const change of found.changes) this.#parts.onChange(change)
    return { results: found.results }
  }

  /** Octets, then rows; where it throws, no file is left behind. */
  async #write(request: CommitRequest, files: BlobRef[]): Promise<AccountCommitResult[]> {
    const { sql, blobs, parser, clock, onChange } = this.#parts
    let hasApplied = false
    try {
      // Flags, moves and expunges go on below the reserve: they are how room is made.
      if (bringsOctets(request)) this.#needRoom()
      const staged = await stageRequest(blobs, request, parser, files)
      const threadKeys = await keysAcross(this, request)
      const nowMs = clock.nowMs()
      let placed: Placed = { contents: [], outbox: [] }
      const results: AccountCommitResult[] = []
      const isStep = request.commits.length > ACCOUNTS_AT_ONCE
      for (;;) {
        const from = results.length
        const to = from + ACCOUNTS_AT_ONCE
        const commits = request.commits.slice(from, to)
        const step = (): Placed => ({
          ...placed,
          outbox: placed.outbox.slice(from, to),
          threadKeys,
        })
        const stage = (): void => {
          if (from === 0) placed = staged.place()
          if (this.#parts.journal !== undefined)
            blobs.appendNote(encodeNote({ atMs: nowMs, commits, placed: step() }))
        }
        const apply = (): Applied => {
          hasApplied = true
          const applied = applyCommits(sql, nowMs, commits, step())
          if (from === 0 && request.arrival !== undefined) noteArrival(sql, request.arrival, nowMs)
          if (request.operation !== undefined && to >= request.commits.length)
            noteOperation(sql, request.operation, {
              results: [...results, ...applied.results],
              changes: applied.changes,
            })
          return applied
        }
        const untilMs = request.operation?.untilMs
        const job = {
          apply,
          isStep,
          ...(staged.hasRecords && { stage }),
          ...(untilMs !== undefined && { untilMs }),
        }
        const applied = await this.#group.commit(job)
        results.push(...applied.results)
        files.push(...applied.files)
        for (const change of applied.changes) onChange(change)
        if (results.length >= request.commits.length) return results
        // Compaction may move them before the next step: the rows know where to.
        placed = {
          ...placed,
          contents: contentsNow(sql, placed.contents, commits, applied.results),
        }
      }
    } catch (thrown) {
      await abortContents(blobs, request.contents)
      // A COMMIT that failed at its sync may come true at the next start, which then knows the files.
      if (!(hasApplied && isFault(thrown, 'io'))) await this.#releaseUnnamed(files)
      throw thrown
    }
  }

  async #releaseUnnamed(files: readonly BlobRef[]): Promise<void> {
    const { sql, blobs } = this.#parts
    for (const ref of files) {
      try {
        if (!isNamed(sql, ref.file)) await blobs.release(ref)
      } catch {
        // The next start deletes it.
      }
    }
  }

  async changeScript(
    ask: Parameters<MailboxStore['changeScript']>[0],
  ): ReturnType<MailboxStore['changeScript']> {
    if (ask.change.kind === 'put') this.#needRoom()
    const nowMs = this.#parts.clock.nowMs()
    const apply = (): ScriptRefusal | undefined =>
      changeScript(openAccount(this.#sql, ask.accountId, nowMs), ask.change)
    const refusal = await this.#group.commit({ apply })
    if (refusal === undefined) this.#parts.onChange({ accountId: ask.accountId, scripts: true })
    return { refusal }
  }

  async outbox(ask: { readonly limit: number }): ReturnType<MailboxStore['outbox']> {
    const nowMs = this.#parts.clock.nowMs()
    if (isClockPutBack(this.#sql, nowMs))
      await this.#group.commit({ apply: () => holdAnew(this.#sql, nowMs) })
    return { items: listOutbox(this.#sql, { limit: ask.limit, nowMs }) }
  }

  async outboxDone(done: { readonly ids: readonly string[] }): Promise<void> {
    const { files, accountIds } = await this.#group.commit({
      apply: () => ({
        files: deleteOutbox(this.#sql, done.ids),
        accountIds: tellEntriesDone(this.#sql, done.ids),
      }),
    })
    for (const accountId of accountIds)
      this.#parts.onChange({ accountId, objects: ['EmailSubmission'] })
    await this.#releaseUnnamed(files)
  }

  async junkReportsDone(
    done: Parameters<MailboxStore['junkReportsDone']>[0],
  ): ReturnType<MailboxStore['junkReportsDone']> {
    await this.#group.commit({ apply: () => reportsDone(this.#sql, done.reports) })
  }

  async scriptEventsDone(
    done: Parameters<MailboxStore['scriptEventsDone']>[0],
  ): ReturnType<MailboxStore['scriptEventsDone']> {
    await this.#group.commit({ apply: () => eventsDone(this.#sql, done.ids) })
  }

  async noteRefused(
    ask: Parameters<MailboxStore['noteRefused']>[0],
  ): ReturnType<MailboxStore['noteRefused']> {
    const nowMs = this.#parts.clock.nowMs()
    const apply = () => noteRefused(this.#sql, ask.accountId, nowMs)
    const notice = await this.#group.commit({ apply })
    return notice === undefined ? {} : { notice }
  }

  async keepUpload(
    ask: Parameters<MailboxStore['keepUpload']>[0],
  ): ReturnType<MailboxStore['keepUpload']> {
    return { isKept: await this.#uploads.keep(ask) }
  }

  async recount(
    ask: Parameters<MailboxStore['recount']>[0] = {},
  ): ReturnType<MailboxStore['recount']> {
    return { recounted: await this.#housekeeping.recount(ask.accountId) }
  }

  purge(ask: Parameters<MailboxStore['purge']>[0]): ReturnType<MailboxStore['purge']> {
    return this.#housekeeping.purge(ask.beforeMs)
  }

  compact(): ReturnType<MailboxStore['compact']> {
    return this.#housekeeping.compact()
  }

  scrub(ask: Parameters<MailboxStore['scrub']>[0]): ReturnType<MailboxStore['scrub']> {
    return this.#scrubber.step(ask.limitBytes)
  }

  async expire(ask: Parameters<MailboxStore['expire']>[0]): ReturnType<MailboxStore['expire']> {
    const from = ask.after === undefined ? EXPIRY_START : parseCursor(ask.after)
    if (from === undefined) throw new Fault('invalid', `${ask.after} is no place in a run`)
    const all = { ...ask, from, nowMs: this.#parts.clock.nowMs() }
    const apply = (): ExpireStep => expireStep(this.#sql, all)
    const step = ask.dryRun ? apply() : await this.#group.commit({ apply })
    for (const change of step.changes) this.#parts.onChange(change)
    const { expired, looked, next } = step
    return { expired, looked, ...(next !== undefined && { next: formatCursor(next) }) }
  }

  async noteExpiry(run: { readonly ranAtMs: number }): Promise<void> {
    await this.#group.commit({ apply: () => noteExpiry(this.#sql, run.ranAtMs) })
  }

  async notePurge(run: Parameters<MailboxStore['notePurge']>[0]): Promise<void> {
    await this.#group.commit({ apply: () => notePurge(this.#sql, run) })
  }

  async trustClock(): Promise<void> {
    const nowMs = this.#parts.clock.nowMs()
    await this.#group.commit({ apply: () => trustClock(this.#sql, nowMs) })
  }

  async keepAccounts(
    ask: Parameters<MailboxStore['keepAccounts']>[0],
  ): ReturnType<MailboxStore['keepAccounts']> {
    const nowMs = this.#parts.clock.nowMs()
    return this.#group.commit({ apply: () => markRemoved(this.#sql, ask, nowMs) })
  }

  /** The segment that octets go to now; grows. */
  get segment(): number {
    return this.#blobs.position()[0]
  }

  /** What is wrong though all is served: a line each. */
  ailments(): readonly string[] {
    const { journal } = this.#parts
    const { databaseDamage } = this.#scrubber
    return [
      ...(databaseDamage === undefined ? [] : [databaseDamage]),
      ...(journal?.trouble === undefined ? [] : [journal.trouble]),
    ]
  }

  /** What a call has thrown says what to do where the database is damaged; all of that is looked over then. */
  told(thrown: unknown): unknown {
    if (!isDatabaseDamage(thrown)) return thrown
    if (this.#scrubber.databaseDamage === undefined) this.#scrubber.lookOver()
    return asOurTrouble(thrown)
  }

  /** Says whether the disk takes what is committed, where it did not the last time. Throws Fault `io`, `full`. */
  async trial(): Promise<void> {
    this.#parts.journal?.trial()
    // That it is full is no news: readers and those who make room go on.
    if (isFault(this.#group.trouble, 'full') && this.#blobs.space().full) return
    await this.#group.trial(() => void this.#blobs.append([]))
    await this.#transfers.undo()
  }

  /** Takes back what was begun and not finished when the store was last open. */
  async recover(): Promise<void> {
    // A disk that does not let it is found out by the trials.
    await this.#transfers.undo().catch(() => undefined)
  }

  /** Resolves once a snapshot that the journal is writing is there, views are kept, and no look at the database runs. */
  async idle(): Promise<void> {
    await Promise.all([this.#parts.journal?.idle(), this.#scrubber.idle(), this.#keeper?.idle()])
    await this.#parts.kept?.idle()
  }

  async close(): Promise<void> {
    this.isClosing = true
    this.#parts.lookOver?.close()
    this.#keeper?.close()
    const kept = this.#housekeeping.close()
    await this.#uploads.close()
    await kept
    await this.#parts.kept?.idle()
    await this.#group.idle()
    await this.#parts.journal?.close()
    await this.#blobs.close()
    this.#parts.db.close()
  }

  #needRoom(): void {
    const { full, freeBytes } = this.#blobs.space()
    if (full) throw new Fault('full', `only ${freeBytes} octets are free`)
  }
}
