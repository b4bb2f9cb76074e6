import { statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite'
import { failpoint } from '#base/failpoint.ts'
import { standingVersion } from './check.ts'
import type { DatabaseKind } from './check.ts'
import { ioFault } from './fault.ts'

export type SqlInput = SQLInputValue
type SqlRow = Record<string, SQLOutputValue>

export interface DatabaseOptions extends DatabaseKind {
  readonly path: string
  /** Writes the WAL to its working size at once, so that a lone COMMIT need not pay for its growth. */
  readonly walAhead?: boolean
  readonly cacheBytes?: number
  /**
   * What is durable when it returns; default every COMMIT. With `checkpoint` a power loss takes back some
   * of the last commits, in order: for one whose commits somebody else can make again.
   */
  readonly durable?: 'commit' | 'checkpoint'
  /** The WAL is put into the database after so many pages; more where commits are large. */
  readonly walPages?: number
}

/** Small pages: a COMMIT writes whole ones, and our rows are short. */
const PAGE_BYTES = 2_048
const WAL_FRAME_HEAD_BYTES = 24
/** The WAL is written from its start again after so many pages, and never cut. */
const WAL_PAGES_DEFAULT = 1_000
const CACHE_BYTES_DEFAULT = 8 * 1024 * 1024

/**
 * Opens or makes a database that this process alone uses.
 * Throws Fault `version` where it is of a version or kind that we do not know, and has changed nothing
 * then; `locked`, `io`, `corrupt`.
 */
export function openDatabase(options: DatabaseOptions): Database {
  try {
    const at = standingVersion(options)
    const db = new Database(options)
    try {
      db.migrate(options, at)
      if (options.walAhead === true) db.fillWal(options)
    } catch (thrown) {
      db.close()
      throw thrown
    }
    return db
  } catch (thrown) {
    throw ioFault(thrown, options.path)
  }
}

/** One prepared statement; `Row` is what its columns are, by our own word. */
export interface Query<Row> {
  get(...params: readonly SqlInput[]): Row | undefined
  all(...params: readonly SqlInput[]): Row[]
  iterate(...params: readonly SqlInput[]): Iterable<Row>
  /** The number of rows changed. */
  run(...params: readonly SqlInput[]): number
}

export class Database {
  readonly #db: DatabaseSync
  readonly #walPages: number
  readonly #sync: 'OFF' | 'NORMAL' | 'FULL'
  #isHeld = false
  readonly #queries = new Map<string, Query<SqlRow>>()
  readonly #arrays = new Map<string, Query<readonly SQLOutputValue[]>>()

  constructor(options: DatabaseOptions) {
    this.#walPages = options.walPages ?? WAL_PAGES_DEFAULT
    this.#sync = syncOf(options)
    this.#db = new DatabaseSync(options.path, { timeout: 0 })
    try {
      // EXCLUSIVE before the first access: the WAL's index is then kept in memory, without a shared file.
      this.#db.exec(`
        PRAGMA locking_mode = EXCLUSIVE;
        PRAGMA page_size = ${PAGE_BYTES};
        PRAGMA journal_mode = WAL;
        PRAGMA synchronous = ${this.#sync};
        PRAGMA wal_autocheckpoint = ${this.#walPages};
        PRAGMA journal_size_limit = -1;
        PRAGMA mmap_size = 0;
        PRAGMA temp_store = MEMORY;
        PRAGMA cache_size = -${Math.ceil((options.cacheBytes ?? CACHE_BYTES_DEFAULT) / 1024)};
      `)
    } catch (thrown) {
      this.#db.close()
      throw thrown
    }
  }

  /** The statement, prepared once. */
  query<Row = SqlRow>(sql: string): Query<Row> {
    let query = this.#queries.get(sql)
    if (query === undefined) {
      query = queryOf(this.#db.prepare(sql))
      this.#queries.set(sql, query)
    }
    return query as Query<Row>
  }

  /** The statement with each row as an array of its columns: no object a row. */
  arrays<Row>(sql: string): Query<Row> {
    let query = this.#arrays.get(sql)
    if (query === undefined) {
      const statement = this.#db.prepare(sql)
      statement.setReturnArrays(true)
      query = queryOf(statement) as unknown as Query<readonly SQLOutputValue[]>
      this.#arrays.set(sql, query)
    }
    return query as unknown as Query<Row>
  }

  exec(sql: string): void {
    this.#db.exec(sql)
  }

  /** Runs `work` in one transaction: all of it or, where it throws, nothing. */
  transaction<T>(work: () => T): T {
    this.query('BEGIN IMMEDIATE').run()
    try {
      const value = work()
      this.query('COMMIT').run()
      return value
    } catch (thrown) {
      this.rollback()
      throw thrown
    }
  }

  /** Takes the open transaction back; SQLite does so by itself after some errors. */
  rollback(): void {
    if (this.#db.isTransaction) this.query('ROLLBACK').run()
  }

  /** Changes what has no meaning here, so that the open transaction has something to write. */
  touch(): void {
    const { user_version: at } = this.#db.prepare('PRAGMA user_version').get() as SqlRow
    this.exec(`PRAGMA user_version = ${(Number(at) + 1) % 1_000_000}`)
  }

  /**
   * Puts all that was committed into the file and lets that stand still until `releaseFile`, while the WAL
   * takes what is committed. False where somebody reads rows now.
   */
  holdFile(): boolean {
    const done = this.#db.prepare('PRAGMA wal_checkpoint(PASSIVE)').get() as {
      readonly busy: number
      readonly log: number
      readonly checkpointed: number
    }
    const isHeld = done.busy === 0 && done.log === done.checkpointed
    if (isHeld) this.exec('PRAGMA wal_autocheckpoint = 0')
    this.#isHeld = isHeld
    return isHeld
  }

  releaseFile(): void {
    this.#isHeld = false
    this.exec(`PRAGMA wal_autocheckpoint = ${this.#walPages}`)
  }

  /** Makes all that was committed durable. Throws Fault `io`, `full`. */
  checkpoint(): void {
    try {
      if (this.#isHeld) this.#syncWal()
      else this.exec('PRAGMA wal_checkpoint(PASSIVE)')
    } catch (thrown) {
      throw ioFault(thrown, 'database')
    }
  }

  /** The same while the file stands still: a COMMIT that syncs takes along all before it. */
  #syncWal(): void {
    if (this.#sync === 'OFF') return
    this.exec('PRAGMA synchronous = FULL')
    try {
      this.transaction(() => this.touch())
    } finally {
      this.exec(`PRAGMA synchronous = ${this.#sync}`)
    }
  }

  close(): void {
    this.#queries.clear()
    this.#arrays.clear()
    if (this.#db.isOpen) this.#db.close()
  }

  /** Brings a database `at` that version to ours, or an empty one. */
  migrate({ kind, migrations }: DatabaseOptions, at: number | undefined): void {
    if (at === migrations.length) return
    this.transaction(() => {
      if (at === undefined) {
        this.exec('CREATE TABLE version (kind TEXT NOT NULL, version INTEGER NOT NULL) STRICT')
        this.query('INSERT INTO version VALUES (?, 0)').run(kind)
      }
      for (const sql of migrations.slice(at ?? 0)) this.exec(sql)
      this.query('UPDATE version SET version = ?').run(migrations.length)
    })
  }

  fillWal({ path, walPages = WAL_PAGES_DEFAULT }: DatabaseOptions): void {
    // A process that died amid this has left it behind.
    this.exec('DROP TABLE IF EXISTS wal_ahead')
    const walBytes = walPages * (PAGE_BYTES + WAL_FRAME_HEAD_BYTES)
    if ((statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) < walBytes) {
      this.exec('CREATE TABLE wal_ahead (zeros BLOB)')
      this.exec(`INSERT INTO wal_ahead VALUES (zeroblob(${walPages * PAGE_BYTES}))`)
      this.exec('DROP TABLE wal_ahead')
    }
    this.checkpoint()
  }
}

const syncOf = ({ durable = 'commit' }: DatabaseOptions): 'OFF' | 'NORMAL' | 'FULL' => {
  if (failpoint('storage.sync') === 'drop') return 'OFF'
  return durable === 'commit' ? 'FULL' : 'NORMAL'
}

function queryOf(statement: StatementSync): Query<SqlRow> {
  return {
    get: (...params) => statement.get(...params),
    all: (...params) => statement.all(...params),
    iterate: (...params) => {
      try {
        return statement.iterate(...params)
      } catch {
        // Of a walk that ended with an error SQLite tells that once more, to the next one, who has not failed.
        return statement.iterate(...params)
      }
    },
    run: (...params) => Number(statement.run(...params).changes),
  }
}
