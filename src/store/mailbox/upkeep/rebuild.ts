import { existsSync, fsyncSync, closeSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { failpoint } from '#base/failpoint.ts'
import { Fault } from '#base/outcome.ts'
import { SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import { syncFolder } from '#store/blob/files.ts'
import { filesOfVolume } from '#store/blob/scan-segment.ts'
import { segmentPath } from '#store/blob/segments.ts'
import { openDatabase } from '#store/db/database.ts'
import type { Database } from '#store/db/database.ts'
import { ioFault } from '#store/db/fault.ts'
import { lockVolume } from '#store/db/lock.ts'
import { proveJournal, replayJournal } from '#store/journal/replay.ts'
import type { JournalProof } from '#store/journal/replay.ts'
import { namedFiles, namedSegments } from '#store/mailbox/rows/named.ts'
import { MIGRATIONS } from '#store/mailbox/rows/schema.ts'
import { Sql } from '#store/mailbox/rows/sql.ts'
import { noteLost } from './lost-octets.ts'
import { recountFrom, recountStep } from './recount.ts'
import { refile } from './refile.ts'
import { changeUidValidity, lastAccount, skipNumbers } from './renumber.ts'

export interface RebuildOptions {
  /** Holds what is left of the mailboxes: `seg/`, `large/`, `journal/`. Nobody else may have it open. */
  readonly dir: string
  readonly clock: Clock
  /** Makes the report and leaves the folder as it was. */
  readonly dryRun: boolean
  /** About once a second. */
  readonly onProgress: (step: RebuildProgress) => void
}

export interface RebuildProgress {
  readonly part: 'reading' | 'writing' | 'checking'
  readonly records: number
  /** Absent while nobody knows. */
  readonly of?: number
}

/** What came back of one account, and what of it is doubtful. */
export interface RebuiltAccount {
  readonly accountId: AccountId
  readonly mailboxes: number
  readonly messages: number
  /** Expunged messages that can come back. */
  readonly expunged: number
  /** Messages that the journal does not tell of: filed anew from their segments, under new UIDs. */
  readonly refiled: number
  /** Mailboxes whose UIDVALIDITY changed. */
  readonly renumbered: number
  /** Messages whose octets are gone. */
  readonly unreadable: number
}

export interface RebuildReport {
  /** See JournalProof. */
  readonly proves: JournalProof['proves']
  readonly damaged: readonly string[]
  /** When the last change was made that came back. */
  readonly lastAtMs: number | undefined
  readonly accounts: readonly RebuiltAccount[]
  /** Holds the database that was damaged, and octets that no row names; absent where there was none. */
  readonly aside?: string
}

const NONE: ReadonlyMap<string, number> = new Map()
const SUFFIXES = ['', '-wal', '-shm', '-journal'] as const

/**
 * Makes a lost or damaged mailbox.db anew from the journal and the segments, puts it in place as its
 * last step, and keeps the old one beside it: it can be killed at any time, and begun again.
 * Throws Fault `locked`, `io`, `full`; `notFound` where there is no journal to begin with.
 */
export function rebuildMailboxes(options: RebuildOptions): RebuildReport {
  const { dir } = options
  const lock = lockVolume(dir)
  try {
    return new Rebuild(options).run()
  } catch (thrown) {
    throw ioFault(thrown, dir)
  } finally {
    lock.release()
  }
}

class Rebuild {
  readonly #options: RebuildOptions
  readonly #path: string
  #toldAtMs: number
  #records = 0

  constructor(options: RebuildOptions) {
    this.#options = options
    this.#path = join(options.dir, 'mailbox.db.rebuilt')
    this.#toldAtMs = options.clock.monotonicMs()
  }

  run(): RebuildReport {
    const { dir } = this.#options
    this.#clear()
    const proof = proveJournal(join(dir, 'journal'), () => this.#tell('reading'))
    if (proof.records === 0)
      throw new Fault(
        'notFound',
        `${dir}/journal: there is no journal, so nothing tells whose the messages in seg/ are`,
      )
    this.#records = 0
    const db = openDatabase({ ...this.#identity(proof.version), cacheBytes: 64 * 1024 * 1024 })
    try {
      // A rebuild that a crash ends is begun again: nothing of it need be durable before it is whole.
      db.exec('PRAGMA synchronous = OFF')
      const made = this.#fill(db, proof)
      db.exec('PRAGMA synchronous = FULL')
      const named = made.named
      db.close()
      const aside = this.#options.dryRun ? undefined : this.#place(proof, named)
      return { ...made.report, ...(aside !== undefined && { aside }) }
    } finally {
      db.close()
      this.#clear()
    }
  }

  #identity(version = MIGRATIONS.length) {
    return { path: this.#path, kind: 'mailbox', migrations: MIGRATIONS.slice(0, version) }
  }

  #fill(db: Database, proof: JournalProof) {
    const { dir, clock } = this.#options
    let version = proof.version ?? MIGRATIONS.length
    const migrate = (to: number): void => {
      if (to <= version) return
      db.migrate(this.#identity(to), version)
      version = to
    }
    const untold = replayJournal({
      dir: join(dir, 'journal'),
      proof,
      db,
      migrate,
      onRecord: () => this.#tell('writing', proof.records),
    })
    migrate(MIGRATIONS.length)
    const sql = new Sql(db)
    const nowMs = clock.nowMs()
    return db.transaction(() => {
      const last = lastAccount(sql)
      skipNumbers(sql, proof.proves, nowMs)
      const refiled = proof.proves === 'whole' ? NONE : refile({ sql, dir, nowMs }, untold)
      const renumbered = changeUidValidity(sql, proof.proves === 'part' ? 0 : last, nowMs)
      const unreadable = noteLost({ sql, dir, nowMs }, () => this.#tell('checking'))
      for (let from = recountFrom(sql, undefined); from !== undefined;)
        from = recountStep(sql, from).next
      // A number that is left out: what was changed here is told by the snapshot of the next start.
      sql.run('UPDATE journal SET n = ?, snapshot = NULL', proof.lastN + 1)
      const { proves, damaged, lastAtMs } = proof
      const accounts = accountsOf(sql, { renumbered, refiled, unreadable })
      return {
        report: { proves, damaged, lastAtMs, accounts },
        named: { segments: namedSegments(sql), large: namedFiles(sql) },
      }
    })
  }

  /** The old database goes aside, then the new one takes its place; a kill between them is told at the next start. */
  #place(proof: JournalProof, named: Named): string | undefined {
    const { dir, clock } = this.#options
    syncFile(this.#path)
    failpoint('rebuild.written')
    const stamp = new Date(clock.nowMs()).toISOString().replace(/[-:]|\.\d+/g, '')
    const aside = join(dir, `damaged-${stamp}`)
    const moves: [from: string, to: string][] = []
    // Else the next start would delete what no row names, and somebody may know better.
    if (proof.proves !== 'whole') moves.push(...unnamed(dir, aside, named))
    for (const suffix of SUFFIXES)
      moves.push([join(dir, `mailbox.db${suffix}`), join(aside, `mailbox.db${suffix}`)])
    const there = moves.filter(([from]) => existsSync(from))
    for (const [from, to] of there) {
      mkdirSync(join(to, '..'), { recursive: true, mode: 0o700 })
      renameSync(from, to)
    }
    failpoint('rebuild.aside')
    renameSync(this.#path, join(dir, 'mailbox.db'))
    syncFolder(dir)
    return there.length === 0 ? undefined : aside
  }

  #clear(): void {
    for (const suffix of SUFFIXES) rmSync(`${this.#path}${suffix}`, { force: true })
  }

  #tell(part: RebuildProgress['part'], of?: number): void {
    this.#records++
    const now = this.#options.clock.monotonicMs()
    if (now - this.#toldAtMs < SECOND_MS) return
    this.#toldAtMs = now
    this.#options.onProgress({ part, records: this.#records, ...(of !== undefined && { of }) })
  }
}

interface Named {
  readonly segments: ReadonlySet<number>
  readonly large: ReadonlySet<number>
}

function unnamed(dir: string, aside: string, named: Named): [string, string][] {
  const { segments, large } = filesOfVolume(dir)
  return [
    ...segments
      .filter((file) => !named.segments.has(file))
      .map((file): [string, string] => [
        segmentPath(join(dir, 'seg'), file),
        segmentPath(join(aside, 'seg'), file),
      ]),
    ...large
      .filter((file) => !named.large.has(file))
      .map((file): [string, string] => [
        join(dir, 'large', String(file)),
        join(aside, 'large', String(file)),
      ]),
  ]
}

function accountsOf(
  sql: Sql,
  told: Readonly<Record<'renumbered' | 'refiled' | 'unreadable', ReadonlyMap<string, number>>>,
): RebuiltAccount[] {
  return sql
    .all<[AccountId, number, number, number]>(
      `SELECT id, (SELECT count(*) FROM mailbox m WHERE m.aid = a.aid), used_messages,
       (SELECT count(*) FROM gone g WHERE g.aid = a.aid AND eid IS NOT NULL)
       FROM account a ORDER BY id`,
    )
    .map(([accountId, mailboxes, messages, expunged]) => ({
      accountId,
      mailboxes,
      messages,
      expunged,
      refiled: told.refiled.get(accountId) ?? 0,
      renumbered: told.renumbered.get(accountId) ?? 0,
      unreadable: told.unreadable.get(accountId) ?? 0,
    }))
}

function syncFile(path: string): void {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}
