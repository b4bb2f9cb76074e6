import { DatabaseSync } from 'node:sqlite'
import { Fault } from '#base/outcome.ts'
import type { DirectoryChange, DirectoryKey, DirectoryRow } from './directory.ts'

/** A row with its name, as replicas keep it. */
export interface KeyedRow {
  readonly key: DirectoryKey
  readonly row: DirectoryRow
}

/** A node's own last copy of the directory, durable: what it starts from while control is away. */
export interface DirectoryReplica {
  /** A page in the order of creation. `seq` 0: there is no copy yet. */
  load(ask: { readonly after: number; readonly limit: number }): Promise<{
    readonly seq: number
    readonly rows: readonly DirectoryRow[]
    readonly next?: number
  }>
  /** Changes that follow the copy; those known already are passed over. */
  apply(batch: { readonly changes: readonly DirectoryChange[] }): Promise<void>
  /** Gathers a whole new copy beside the old one; `first` throws away what was gathered before. */
  gather(page: { readonly first: boolean; readonly rows: readonly KeyedRow[] }): Promise<void>
  /** The gathered rows become the copy, as it stood at `seq`. */
  replace(end: { readonly seq: number }): Promise<void>
}

const VERSION = 1

/** The replica in SQLite; opened by a storage process only. */
export class SqliteReplica implements DirectoryReplica {
  readonly #db: DatabaseSync

  constructor(path: string) {
    this.#db = new DatabaseSync(path)
    this.#db.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=5000')
    const version = (this.#db.prepare('PRAGMA user_version').get() as { user_version: number })
      .user_version
    if (version > VERSION)
      throw new Fault(
        'version',
        `${path}: version ${version}, this program knows up to ${VERSION}; start a newer Watari on it`,
      )
    this.#db.exec(`
      CREATE TABLE IF NOT EXISTS row (place INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, json TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS incoming (place INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, json TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS state (one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL);
      INSERT OR IGNORE INTO state VALUES (1, 0);
      PRAGMA user_version=${VERSION};`)
  }

  async load(ask: Parameters<DirectoryReplica['load']>[0]): ReturnType<DirectoryReplica['load']> {
    const found = this.#db
      .prepare('SELECT place, json FROM row WHERE place > ? ORDER BY place LIMIT ?')
      .all(ask.after, ask.limit) as { place: number; json: string }[]
    return {
      seq: this.#seq(),
      rows: found.map((row) => JSON.parse(row.json) as DirectoryRow),
      ...(found.length === ask.limit && { next: found.at(-1)!.place }),
    }
  }

  async apply(batch: { readonly changes: readonly DirectoryChange[] }): Promise<void> {
    this.#together(() => {
      let seq = this.#seq()
      const put = this.#db.prepare(
        'INSERT INTO row (key, json) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET json = excluded.json',
      )
      const remove = this.#db.prepare('DELETE FROM row WHERE key = ?')
      for (const change of batch.changes) {
        if (change.seq <= seq) continue
        if (change.row === null) remove.run(change.key)
        else put.run(change.key, JSON.stringify(change.row))
        seq = change.seq
      }
      this.#setSeq(seq)
    })
  }

  async gather(page: Parameters<DirectoryReplica['gather']>[0]): Promise<void> {
    this.#together(() => {
      if (page.first) this.#db.exec('DELETE FROM incoming')
      const put = this.#db.prepare(
        'INSERT INTO incoming (key, json) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET json = excluded.json',
      )
      for (const { key, row } of page.rows) put.run(key, JSON.stringify(row))
    })
  }

  async replace(end: { readonly seq: number }): Promise<void> {
    this.#together(() => {
      this.#db.exec(
        'DELETE FROM row; INSERT INTO row SELECT place, key, json FROM incoming; DELETE FROM incoming',
      )
      this.#setSeq(end.seq)
    })
  }

  close(): void {
    this.#db.close()
  }

  #together(work: () => void): void {
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      work()
      this.#db.exec('COMMIT')
    } catch (cause) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      throw cause
    }
  }

  #seq(): number {
    return (this.#db.prepare('SELECT seq FROM state').get() as { seq: number }).seq
  }

  #setSeq(seq: number): void {
    this.#db.prepare('UPDATE state SET seq = ?').run(seq)
  }
}
