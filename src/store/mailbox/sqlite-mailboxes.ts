import { failpoint } from '#base/failpoint.ts'
import { Fault, isFault } from '#base/outcome.ts'
import { DAY_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import type { BlobRef, Blobs } from '#store/blob/blobs.ts'
import type { Database } from '#store/db/database.ts'
import { GroupCommit } from '#store/db/group-commit.ts'
import type { LookOver } from '#store/db/look-over.ts'
import type { Journal } from '#store/journal/journal.ts'
import { encodeNote } from '#store/mailbox/change/note.ts'
import { openAccount } from '#store/mailbox/change/account.ts'
import { emailChanges, mailboxChanges } from '#store/mailbox/view/changes.ts'
import { readEmails, readThreads } from '#store/mailbox/view/emails.ts'
import { applyCommits, contentsNow } from '#store/mailbox/change/apply.ts'
import type { Applied, Placed } from '#store/mailbox/change/apply.ts'
import { LongTransfers } from '#store/mailbox/change/long-transfer.ts'
import type { MetaParser } from '#store/mailbox/rows/content.ts'
import {
  EXPIRY_START,
  expireStep,
  formatCursor,
  lastExpiry,
  noteExpiry,
  parseCursor,
} from '#store/mailbox/upkeep/expire.ts'
import type { ExpireStep } from '#store/mailbox/upkeep/expire.ts'
import { lastPurge, notePurge, trustClock } from '#store/mailbox/upkeep/purge-run.ts'
import { HeldMailboxes } from '#store/mailbox/view/held.ts'
import { ACCOUNTS_AT_ONCE } from './commit.ts'
import { asOurTrouble, isDatabaseDamage } from './standing.ts'
import type { AccountCommitResult, CommitRequest } from './commit.ts'
import type { StoreChanged } from './mailbox-view.ts'
import type { MailboxStore } from './mailbox-store.ts'
import type { KeptViews } from '#store/mailbox/view/kept-views.ts'
import { readIds, readMessage, readMetas } from '#store/mailbox/view/messages.ts'
import { readPieces } from '#store/mailbox/view/pieces.ts'
import type { Source } from '#store/mailbox/view/messages.ts'
import { isNamed } from '#store/mailbox/rows/named.ts'
import {
  listObjects,
  objectChanges,
  objectStates,
  tellEntriesDone,
} from '#store/mailbox/objects/objects.ts'
import {
  deleteOutbox,
  holdAnew,
  isClockPutBack,
  listOutbox,
  readOutbox,
} from '#store/mailbox/change/outbox.ts'
import { strangerOf } from '#store/mailbox/rows/rights.ts'
import type { Asked } from '#store/mailbox/rows/rights.ts'
import { keysAcross } from '#store/mailbox/change/thread-keys.ts'
import { markRemoved } from '#store/mailbox/upkeep/removed.ts'
import { listDamaged } from '#store/mailbox/upkeep/damaged.ts'
import { Scrubber } from '#store/mailbox/upkeep/scrub.ts'
import { Housekeeping } from '#store/mailbox/upkeep/housekeeping.ts'
import { listExpunged } from '#store/mailbox/change/restore.ts'
import { changeScript, listScripts, readScript } from '#store/mailbox/objects/scripts.ts'
import type { ScriptRefusal } from '#store/mailbox/objects/scripts.ts'
import type { Sql } from '#store/mailbox/rows/sql.ts'
import { deletedBytes, noteRefused, readUsage } from '#store/mailbox/change/quota.ts'
import { abortContents, bringsOctets, stageRequest } from '#store/mailbox/change/stage.ts'
import {
  readEmailNumbers,
  readKeptEmails,
  readNextEmails,
  readTexts,
} from '#store/mailbox/view/texts.ts'
import { UploadShelf } from './upload-shelf.ts'
import { findUpload } from '#store/mailbox/objects/uploads.ts'
import { readFiling } from '#store/mailbox/view/filing.ts'
import {
  countFrom,
  listMailboxes,
  openedMailbox,
  readAcl,
  readView,
  sharedWith,
} from '#store/mailbox/view/view.ts'
import { ViewKeeper } from '#store/mailbox/view/view-keeper.ts'
import { readWholeView } from '#store/mailbox/view/whole-view.ts'
import { findAccount, saveAccount } from '#store/mailbox/rows/work.ts'
import type { AccountWork } from '#store/mailbox/rows/work.ts'

const EXPUNGED_MAX = 1_000
/** What a stranger finds of an account that has no mailbox yet. */
const NOBODYS = {
  state: { modSeq: 0, nextEmail: 0, nextMailbox: 0 },
  mailboxes: [],
  subscriptions: [],
} as const
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
export class SqliteMailboxes implements MailboxStore {
  readonly #parts: MailboxParts
  readonly #sql: Sql
  readonly #blobs: Blobs
  readonly #group: GroupCommit
  readonly #source: Source
  readonly #uploads: UploadShelf
  readonly #housekeeping: Housekeeping
  readonly #keeper: ViewKeeper | undefined
  readonly #scrubber: Scrubber
  readonly #transfers: LongTransfers
  #isClosing = false

  constructor(given: MailboxParts) {
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
    this.#blobs = parts.blobs
    this.#source = { ...parts, held: new HeldMailboxes(parts.clock) }
    this.#group = new GroupCommit({
      db: parts.db,
      name: 'mailbox',
      flush: () => parts.blobs.flush(),
      ...(parts.journal !== undefined && { journal: parts.journal, redo: parts.blobs }),
    })
    this.#uploads = new UploadShelf({
      ...parts,
      group: this.#group,
      needRoom: () => this.#needRoom(),
      release: (files) => this.#releaseUnnamed(files),
    })
    this.#scrubber = new Scrubber({ ...parts, group: this.#group })
    this.#transfers = new LongTransfers({ ...parts, group: this.#group })
    this.#housekeeping = new Housekeeping({
      ...parts,
      group: this.#group,
      held: this.#source.held,
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
      for (;;) {
        const from = results.length
        const commits = request.commits.slice(from, from + ACCOUNTS_AT_ONCE)
        const step = (): Placed => ({
          ...placed,
          outbox: placed.outbox.slice(from, from + ACCOUNTS_AT_ONCE),
          threadKeys,
        })
        const stage = (): void => {
          if (from === 0) placed = staged.place()
          if (this.#parts.journal !== undefined)
            blobs.appendNote(encodeNote({ atMs: nowMs, commits, placed: step() }))
        }
        const apply = (): Applied => {
          hasApplied = true
          return applyCommits(sql, nowMs, commits, step())
        }
        const job = staged.hasRecords ? { stage, apply } : { apply }
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

  async mailboxes(ask: Asked): ReturnType<MailboxStore['mailboxes']> {
    const found = listMailboxes(this.#sql, ask)
    if (found !== undefined) return found
    if (strangerOf(ask) !== undefined) return NOBODYS
    await this.#openAccount(ask.accountId)
    return listMailboxes(this.#sql, ask)!
  }

  async sharedWith(ask: { readonly by: AccountId }): ReturnType<MailboxStore['sharedWith']> {
    return { owners: sharedWith(this.#sql, ask.by) }
  }

  async acl(ask: Parameters<MailboxStore['acl']>[0]): ReturnType<MailboxStore['acl']> {
    return { entries: readAcl(this.#sql, ask) }
  }

  #openAccount(accountId: AccountId): Promise<void> {
    const nowMs = this.#parts.clock.nowMs()
    return this.#group.commit({
      apply: () => saveAccount(openAccount(this.#sql, accountId, nowMs)),
    })
  }

  async view(ask: Parameters<MailboxStore['view']>[0]): ReturnType<MailboxStore['view']> {
    const { kept } = this.#parts
    if (kept === undefined || ask.since !== undefined) return readView(this.#sql, ask)
    return readWholeView(
      {
        sql: this.#sql,
        kept,
        hasRoom: () => !this.#isClosing && !this.#blobs.space().full,
        vouch: (apply) => this.#group.commit({ apply }),
      },
      ask,
    )
  }

  async countFrom(
    ask: Parameters<MailboxStore['countFrom']>[0],
  ): ReturnType<MailboxStore['countFrom']> {
    return { messages: countFrom(this.#sql, ask) }
  }

  async metas(ask: Parameters<MailboxStore['metas']>[0]): ReturnType<MailboxStore['metas']> {
    return readMetas(this.#source, ask)
  }

  async ids(ask: Parameters<MailboxStore['ids']>[0]): ReturnType<MailboxStore['ids']> {
    return { ids: readIds(this.#source, ask) }
  }

  async emails(ask: Parameters<MailboxStore['emails']>[0]): ReturnType<MailboxStore['emails']> {
    return readEmails(await this.#account(ask), ask.emailIds)
  }

  async threads(ask: Parameters<MailboxStore['threads']>[0]): ReturnType<MailboxStore['threads']> {
    return readThreads(await this.#account(ask), ask.threadIds)
  }

  async emailChanges(
    ask: Parameters<MailboxStore['emailChanges']>[0],
  ): ReturnType<MailboxStore['emailChanges']> {
    return emailChanges(await this.#account(ask), ask)
  }

  async mailboxChanges(
    ask: Parameters<MailboxStore['mailboxChanges']>[0],
  ): ReturnType<MailboxStore['mailboxChanges']> {
    return mailboxChanges(await this.#account(ask), ask.since)
  }

  /** Made at first use, as by `mailboxes`; not by strangers: Fault `notFound`. */
  async #account(ask: Asked): Promise<AccountWork> {
    const stranger = strangerOf(ask)
    const find = (): AccountWork | undefined => findAccount(this.#sql, ask.accountId, 0)
    const found = find()
    if (found === undefined && stranger !== undefined)
      throw new Fault('notFound', 'the account has no mailbox')
    if (found === undefined) await this.#openAccount(ask.accountId)
    const work = found ?? find()!
    if (stranger !== undefined) work.by = stranger
    return work
  }

  async read(ask: Parameters<MailboxStore['read']>[0]): ReturnType<MailboxStore['read']> {
    return { octets: await readMessage(this.#source, ask) }
  }

  async pieces(ask: Parameters<MailboxStore['pieces']>[0]): ReturnType<MailboxStore['pieces']> {
    return readPieces(this.#source, ask)
  }

  async texts(ask: Parameters<MailboxStore['texts']>[0]): ReturnType<MailboxStore['texts']> {
    return readTexts(this.#parts, ask)
  }

  async emailNumbers(
    ask: Parameters<MailboxStore['emailNumbers']>[0],
  ): ReturnType<MailboxStore['emailNumbers']> {
    return readEmailNumbers(this.#sql, ask)
  }

  async keptEmails(
    ask: Parameters<MailboxStore['keptEmails']>[0],
  ): ReturnType<MailboxStore['keptEmails']> {
    return readKeptEmails(this.#sql, ask)
  }

  async nextEmails(
    ask: Parameters<MailboxStore['nextEmails']>[0],
  ): ReturnType<MailboxStore['nextEmails']> {
    return readNextEmails(this.#sql, ask)
  }

  async filing(ask: Parameters<MailboxStore['filing']>[0]): ReturnType<MailboxStore['filing']> {
    return { accounts: ask.accountIds.map((accountId) => readFiling(this.#sql, accountId)) }
  }

  async scripts(ask: { readonly accountId: AccountId }): ReturnType<MailboxStore['scripts']> {
    return { scripts: listScripts(this.#sql, ask.accountId) }
  }

  async script(ask: Parameters<MailboxStore['script']>[0]): ReturnType<MailboxStore['script']> {
    return { script: readScript(this.#sql, ask.accountId, ask.name) }
  }

  async changeScript(
    ask: Parameters<MailboxStore['changeScript']>[0],
  ): ReturnType<MailboxStore['changeScript']> {
    if (ask.change.kind === 'put') this.#needRoom()
    const nowMs = this.#parts.clock.nowMs()
    const apply = (): ScriptRefusal | undefined =>
      changeScript(openAccount(this.#sql, ask.accountId, nowMs), ask.change)
    return { refusal: await this.#group.commit({ apply }) }
  }

  async outbox(ask: { readonly limit: number }): ReturnType<MailboxStore['outbox']> {
    const nowMs = this.#parts.clock.nowMs()
    if (isClockPutBack(this.#sql, nowMs))
      await this.#group.commit({ apply: () => holdAnew(this.#sql, nowMs) })
    return { items: listOutbox(this.#sql, { limit: ask.limit, nowMs }) }
  }

  async readOutbox(
    ask: Parameters<MailboxStore['readOutbox']>[0],
  ): ReturnType<MailboxStore['readOutbox']> {
    return { octets: await readOutbox(this.#sql, this.#blobs, ask) }
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

  async objects(ask: Parameters<MailboxStore['objects']>[0]): ReturnType<MailboxStore['objects']> {
    return listObjects(this.#sql, ask.accountId, ask.kind)
  }

  async objectChanges(
    ask: Parameters<MailboxStore['objectChanges']>[0],
  ): ReturnType<MailboxStore['objectChanges']> {
    return objectChanges(this.#sql, ask)
  }

  async objectStates(
    ask: Parameters<MailboxStore['objectStates']>[0],
  ): ReturnType<MailboxStore['objectStates']> {
    return { states: objectStates(this.#sql, ask.accountId) }
  }

  async usage(ask: Parameters<MailboxStore['usage']>[0]): ReturnType<MailboxStore['usage']> {
    return readUsage(this.#sql, ask)
  }

  async deletedBytes(
    ask: Parameters<MailboxStore['deletedBytes']>[0],
  ): ReturnType<MailboxStore['deletedBytes']> {
    const found = openedMailbox(this.#sql, ask)
    return { bytes: found === undefined ? 0 : deletedBytes(this.#sql, found.aid, found.row.mid) }
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

  async upload(ask: Parameters<MailboxStore['upload']>[0]): ReturnType<MailboxStore['upload']> {
    const { type, sizeBytes } = findUpload(this.#sql, ask) ?? {}
    const isThere = type !== undefined && sizeBytes !== undefined
    return { upload: isThere ? { type, sizeBytes } : undefined }
  }

  async readUpload(
    ask: Parameters<MailboxStore['readUpload']>[0],
  ): ReturnType<MailboxStore['readUpload']> {
    const ref = findUpload(this.#sql, ask)?.ref
    return { octets: ref && (await this.#blobs.read(ref, ask.offset, ask.length)) }
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

  async damaged(): ReturnType<MailboxStore['damaged']> {
    return { messages: listDamaged(this.#sql) }
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

  async lastExpiry(): ReturnType<MailboxStore['lastExpiry']> {
    const ranAtMs = lastExpiry(this.#sql)
    return ranAtMs === undefined ? {} : { ranAtMs }
  }

  async noteExpiry(run: { readonly ranAtMs: number }): Promise<void> {
    await this.#group.commit({ apply: () => noteExpiry(this.#sql, run.ranAtMs) })
  }

  async lastPurge(): ReturnType<MailboxStore['lastPurge']> {
    const run = lastPurge(this.#sql)
    return run === undefined ? {} : { run }
  }

  async notePurge(run: Parameters<MailboxStore['notePurge']>[0]): Promise<void> {
    await this.#group.commit({ apply: () => notePurge(this.#sql, run) })
  }

  async trustClock(): Promise<void> {
    const nowMs = this.#parts.clock.nowMs()
    await this.#group.commit({ apply: () => trustClock(this.#sql, nowMs) })
  }

  async expunged(
    ask: Parameters<MailboxStore['expunged']>[0],
  ): ReturnType<MailboxStore['expunged']> {
    if (ask.limit > EXPUNGED_MAX)
      throw new Fault('limit', `at most ${EXPUNGED_MAX} emails can be asked for at once`)
    return { emails: listExpunged(await this.#account(ask), ask) }
  }

  async keepAccounts(
    ask: Parameters<MailboxStore['keepAccounts']>[0],
  ): ReturnType<MailboxStore['keepAccounts']> {
    const nowMs = this.#parts.clock.nowMs()
    return this.#group.commit({ apply: () => markRemoved(this.#sql, ask, nowMs) })
  }

  async status(): ReturnType<MailboxStore['status']> {
    const [accounts, messages, outbox] = this.#sql.get<[number, number, number]>(
      `SELECT count(*), coalesce(sum(used_messages), 0), (SELECT count(*) FROM outbox) FROM account`,
    ) ?? [0, 0, 0]
    return { accounts, messages, outbox, ...this.#blobs.space() }
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
    this.#isClosing = true
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
