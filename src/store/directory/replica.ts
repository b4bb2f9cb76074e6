import { openDatabase } from '#store/db/database.ts'
import type { Database, DatabaseKind } from '#store/db/database.ts'
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

export const REPLICA_DATABASE: DatabaseKind = {
  kind: 'replica',
  migrations: [
    `CREATE TABLE row (place INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, json TEXT NOT NULL) STRICT;
   CREATE TABLE incoming (place INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, json TEXT NOT NULL) STRICT;
   CREATE TABLE state (one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL) STRICT;
   INSERT INTO state VALUES (1, 0);`,
  ],
}

/** The replica in SQLite; opened by a storage process only. */
export class SqliteReplica implements DirectoryReplica {
  readonly #db: Database
  readonly #synchronous: number

  constructor(path: string) {
    this.#db = openDatabase({ path, ...REPLICA_DATABASE })
    this.#synchronous = this.#db
      .query<{ synchronous: number }>('PRAGMA synchronous')
      .get()!.synchronous
  }

  async load(ask: Parameters<DirectoryReplica['load']>[0]): ReturnType<DirectoryReplica['load']> {
    const found = this.#db
      .query('SELECT place, json FROM row WHERE place > ? ORDER BY place LIMIT ?')
      .all(ask.after, ask.limit) as { place: number; json: string }[]
    return {
      seq: this.#seq(),
      rows: found.map((row) => JSON.parse(row.json) as DirectoryRow),
      ...(found.length === ask.limit && { next: found.at(-1)!.place }),
    }
  }

  async apply(batch: { readonly changes: readonly DirectoryChange[] }): Promise<void> {
    this.#db.transaction(() => {
      let seq = this.#seq()
      const put = this.#db.query(
        'INSERT INTO row (key, json) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET json = excluded.json',
      )
      const remove = this.#db.query('DELETE FROM row WHERE key = ?')
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
    // Nothing is promised before `replace`, whose commit syncs all that was gathered with it.
    this.#db.exec('PRAGMA synchronous = NORMAL')
    try {
      this.#db.transaction(() => {
        if (page.first) this.#db.exec('DELETE FROM incoming')
        const put = this.#db.query(
          'INSERT INTO incoming (key, json) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET json = excluded.json',
        )
        for (const { key, row } of page.rows) put.run(key, JSON.stringify(row))
      })
    } finally {
      this.#db.exec(`PRAGMA synchronous = ${this.#synchronous}`)
    }
  }

  async replace(end: { readonly seq: number }): Promise<void> {
    this.#db.transaction(() => {
      this.#db.exec(
        'DELETE FROM row; INSERT INTO row SELECT place, key, json FROM incoming; DELETE FROM incoming',
      )
      this.#setSeq(end.seq)
    })
  }

  close(): void {
    this.#db.close()
  }

  #seq(): number {
    return (this.#db.query('SELECT seq FROM state').get() as { seq: number }).seq
  }

  #setSeq(seq: number): void {
    this.#db.query('UPDATE state SET seq = ?').run(seq)
  }
}
