import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

import { failpoint } from '#base/failpoint.ts'
import { Fault } from '#base/outcome.ts'
import { DAY_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import type { BlobRef, Blobs } from '#store/blob/blobs.ts'
import { openBlobs } from '#store/blob/open.ts'
import { openDatabase } from '#store/db/database.ts'
import type { Database } from '#store/db/database.ts'
import { ioFault } from '#store/db/fault.ts'
import { GroupCommit } from '#store/db/group-commit.ts'

import { openAccount } from './account.ts'
import { applyCommits } from './apply.ts'
import type { Applied, Placed } from './apply.ts'
import { placeBody, stageContent } from './content.ts'
import type { MetaParser, PlacedContent, StagedContent } from './content.ts'
import type {
  AccountCommit,
  CommitRequest,
  MailboxChanged,
  MailboxStore,
  OutboxEntry,
} from './mailbox-store.ts'
import { readIds, readMessage, readMetas } from './messages.ts'
import { deleteOutbox, listOutbox, readOutbox } from './outbox.ts'
import { MIGRATIONS } from './schema.ts'
import { listScripts, putScript } from './scripts.ts'
import { Sql } from './sql.ts'
import { listMailboxes, readView } from './view.ts'
import { saveAccount } from './work.ts'

export interface MailboxesOptions {
  /** Holds `mailbox.db`, `seg/` and `large/`; made where it is missing. Its lock must be held. */
  readonly dir: string
  readonly clock: Clock
  /** Makes a parser for one message. */
  readonly parser: () => MetaParser
  /** Told after COMMIT. */
  readonly onChange: (change: MailboxChanged) => void
  /** Free space under which appends answer Fault `full`. */
  readonly reserveBytes?: number
}

/** A mail store that can be closed, once no call runs any more. */
export type OpenMailboxes = MailboxStore & { close(): Promise<void> }

/** A delivery id is known for so long: a queue that repeats one later gives up before. */
const DUPLICATES_MS = 30 * DAY_MS
const CACHE_BYTES = 16 * 1024 * 1024

/** Opens the mailboxes of one volume; for a storage process. Throws Fault `version`, `io`, `corrupt`. */
export async function openMailboxes(options: MailboxesOptions): Promise<OpenMailboxes> {
  try {
    mkdirSync(options.dir, { recursive: true, mode: 0o700 })
  } catch (thrown) {
    throw ioFault(thrown, options.dir)
  }
  const db = openDatabase({
    path: join(options.dir, 'mailbox.db'),
    kind: 'mailbox',
    migrations: MIGRATIONS,
    walAhead: true,
    cacheBytes: CACHE_BYTES,
  })
  try {
    const sql = new Sql(db)
    sql.run('DELETE FROM dup WHERE at < ?', options.clock.nowMs() - DUPLICATES_MS)
    const large = new Set(
      sql
        .all<[number]>(
          `SELECT file FROM email WHERE kind = 1 UNION SELECT meta_file FROM email WHERE meta_kind = 1
           UNION SELECT file FROM outbox WHERE kind = 1`,
        )
        .map(([file]) => file),
    )
    const blobs = await openBlobs({
      dir: options.dir,
      clock: options.clock,
      name: 'mailbox',
      knownLarge: (file) => large.has(file),
      ...(options.reserveBytes !== undefined && { reserveBytes: options.reserveBytes }),
    })
    return new SqliteMailboxes(options, db, sql, blobs)
  } catch (thrown) {
    db.close()
    throw thrown
  }
}

/** A request's octets on their way to the disk. */
interface Staged {
  readonly contents: readonly StagedContent[]
  readonly outbox: readonly (readonly StagedEntry[])[]
}

interface StagedEntry {
  readonly entry: OutboxEntry
  readonly place: (contents: readonly PlacedContent[]) => BlobRef
  /** A file of the entry's own. */
  readonly large?: BlobRef
}

class SqliteMailboxes implements OpenMailboxes {
  readonly #options: MailboxesOptions
  readonly #db: Database
  readonly #sql: Sql
  readonly #blobs: Blobs
  readonly #group: GroupCommit

  constructor(options: MailboxesOptions, db: Database, sql: Sql, blobs: Blobs) {
    this.#options = options
    this.#db = db
    this.#sql = sql
    this.#blobs = blobs
    this.#group = new GroupCommit({ db, name: 'mailbox', flush: () => blobs.flush() })
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
    // Flags, moves and expunges go on below the reserve: they are how room is made.
    if (request.contents.length > 0) this.#needRoom()
    const staged = await this.#stage(request)
    const nowMs = this.#options.clock.nowMs()
    let placed: Placed = { contents: [], outbox: [] }
    const stage = (): void => {
      const contents = staged.contents.map((content) => content.place())
      placed = {
        contents,
        outbox: staged.outbox.map((entries) =>
          entries.map(({ entry, place }) => ({ entry, ref: place(contents) })),
        ),
      }
    }
    const apply = (): Applied => applyCommits(this.#sql, nowMs, request.commits, placed)
    const hasOctets = staged.contents.length + staged.outbox.flat().length > 0
    const applied = await this.#committed(staged, hasOctets ? { stage, apply } : { apply })
    for (const change of applied.changes) this.#options.onChange(change)
    if (!applied.results.some((result) => result.kind === 'committed')) await this.#discard(staged)
    if (failpoint('mailbox.replied') !== 'pass') await new Promise(() => undefined)
    return { results: applied.results }
  }

  async #committed(
    staged: Staged,
    job: { readonly stage?: () => void; readonly apply: () => Applied },
  ): Promise<Applied> {
    try {
      return await this.#group.commit(job)
    } catch (thrown) {
      await this.#discard(staged)
      throw thrown
    }
  }

  /** Parses contents and gives large ones their files; where one fails, none is left behind. */
  async #stage(request: CommitRequest): Promise<Staged> {
    const contents: StagedContent[] = []
    const outbox: StagedEntry[][] = []
    try {
      for (const content of request.contents)
        contents.push(await stageContent(this.#blobs, content, this.#options.parser()))
      for (const commit of request.commits) outbox.push(await this.#stageOutbox(commit))
      return { contents, outbox }
    } catch (thrown) {
      await this.#discard({ contents, outbox })
      throw thrown
    }
  }

  async #stageOutbox(commit: AccountCommit): Promise<StagedEntry[]> {
    const entries: StagedEntry[] = []
    for (const entry of commit.outbox ?? []) {
      const { content } = entry
      if (typeof content === 'number') {
        entries.push({ entry, place: (contents) => contents[content]!.ref })
        continue
      }
      const body = await placeBody(this.#blobs, { octets: [content] })
      entries.push({
        entry,
        place: () => body.ref ?? this.#blobs.append(body.octets),
        ...(body.ref !== undefined && { large: body.ref }),
      })
    }
    return entries
  }

  async #discard(staged: Staged): Promise<void> {
    const refs = [
      ...staged.contents.flatMap((content) => content.large),
      ...staged.outbox.flat().flatMap(({ large }) => large ?? []),
    ]
    // What stays behind is deleted at the next start: no row names it.
    for (const ref of refs) await this.#blobs.release(ref).catch(() => undefined)
  }

  async mailboxes(ask: { readonly accountId: AccountId }): ReturnType<MailboxStore['mailboxes']> {
    const found = listMailboxes(this.#sql, ask.accountId)
    if (found !== undefined) return found
    await this.#openAccount(ask.accountId)
    return listMailboxes(this.#sql, ask.accountId)!
  }

  #openAccount(accountId: AccountId): Promise<void> {
    const nowMs = this.#options.clock.nowMs()
    return this.#group.commit({
      apply: () => saveAccount(openAccount(this.#sql, accountId, nowMs)),
    })
  }

  async view(ask: Parameters<MailboxStore['view']>[0]): ReturnType<MailboxStore['view']> {
    return readView(this.#sql, ask)
  }

  async metas(ask: Parameters<MailboxStore['metas']>[0]): ReturnType<MailboxStore['metas']> {
    return { metas: await readMetas(this.#sql, this.#blobs, ask) }
  }

  async ids(ask: Parameters<MailboxStore['ids']>[0]): ReturnType<MailboxStore['ids']> {
    return { ids: readIds(this.#sql, ask) }
  }

  async read(ask: Parameters<MailboxStore['read']>[0]): ReturnType<MailboxStore['read']> {
    return { octets: await readMessage(this.#sql, this.#blobs, ask) }
  }

  async scripts(ask: { readonly accountId: AccountId }): ReturnType<MailboxStore['scripts']> {
    return { scripts: listScripts(this.#sql, ask.accountId) }
  }

  async putScript(put: Parameters<MailboxStore['putScript']>[0]): Promise<void> {
    const nowMs = this.#options.clock.nowMs()
    await this.#group.commit({
      apply: () => putScript(openAccount(this.#sql, put.accountId, nowMs), put),
    })
  }

  async outbox(ask: { readonly limit: number }): ReturnType<MailboxStore['outbox']> {
    return { items: listOutbox(this.#sql, ask.limit) }
  }

  async readOutbox(
    ask: Parameters<MailboxStore['readOutbox']>[0],
  ): ReturnType<MailboxStore['readOutbox']> {
    return { octets: await readOutbox(this.#sql, this.#blobs, ask) }
  }

  async outboxDone(done: { readonly ids: readonly string[] }): Promise<void> {
    const files = await this.#group.commit({ apply: () => deleteOutbox(this.#sql, done.ids) })
    for (const file of files) {
      if (this.#isNamed(file)) continue
      const ref: BlobRef = { kind: 'large', file, offset: 0, length: 0 }
      await this.#blobs.release(ref).catch(() => undefined)
    }
  }

  #isNamed(file: number): boolean {
    const found = this.#sql.get(
      `SELECT 1 FROM email WHERE kind = 1 AND file = ?1
       UNION ALL SELECT 1 FROM outbox WHERE kind = 1 AND file = ?1`,
      file,
    )
    return found !== undefined
  }

  async status(): ReturnType<MailboxStore['status']> {
    const [accounts, messages, outbox] = this.#sql.get<[number, number, number]>(
      `SELECT count(*), coalesce(sum(used_messages), 0), (SELECT count(*) FROM outbox) FROM account`,
    ) ?? [0, 0, 0]
    return { accounts, messages, outbox, ...this.#blobs.space() }
  }

  async close(): Promise<void> {
    await this.#group.idle()
    await this.#blobs.close()
    this.#db.close()
  }

  #needRoom(): void {
    const { full, freeBytes } = this.#blobs.space()
    if (full) throw new Fault('full', `only ${freeBytes} octets are free`)
  }
}
