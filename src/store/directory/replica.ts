import type { AccountId } from '#model/account.ts'
import { openDatabase } from '#store/db/database.ts'
import type { Database, DatabaseKind } from '#store/db/database.ts'
import type { DirectoryChange } from './directory.ts'
import { accountIdOf } from './row-key.ts'
import { jsonPage } from './json-page.ts'
import type { KeyedRow, RowsText } from './rows-text.ts'

/** A node's own last copy of the directory, durable: what it starts from while control is away. */
export interface DirectoryReplica {
  /** A page in the order of creation. `seq` 0: there is no copy yet. */
  load(ask: { readonly after: number; readonly limit: number }): Promise<RowsText>
  /** Accounts whose removal the directory's log has told, and that did not come back since. */
  removed(): Promise<{ readonly accountIds: readonly AccountId[] }>
  /** Changes that follow the copy; those known already are passed over. */
  apply(batch: { readonly changes: readonly DirectoryChange[] }): Promise<void>
  /** Gathers a whole new copy beside the old one; `first` throws away what was gathered before. */
  gather(page: { readonly first: boolean; readonly rows: readonly KeyedRow[] }): Promise<void>
  /** The gathered rows become the copy, as it stood at `seq`. */
  replace(end: { readonly seq: number }): Promise<void>
}

const ROWS = { table: 'row', place: 'place', item: `'{"row":' || json || '}'` }
const SWEEP_ROWS = 2_000

export const REPLICA_DATABASE: DatabaseKind = {
  kind: 'replica',
  migrations: [
    `CREATE TABLE row (place INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, json TEXT NOT NULL) STRICT;
   CREATE TABLE incoming (place INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, json TEXT NOT NULL) STRICT;
   CREATE TABLE state (one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL) STRICT;
   INSERT INTO state VALUES (1, 0);`,
    // What is missing in a copy may be missing by mistake; this was said.
    'CREATE TABLE removed (id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;',
  ],
}

/** The replica in SQLite; opened by a storage process only. */
export class SqliteReplica implements DirectoryReplica {
  readonly #db: Database
  readonly #synchronous: number
  #sweeping: NodeJS.Immediate | undefined

  constructor(path: string) {
    this.#db = openDatabase({ path, ...REPLICA_DATABASE })
    this.#synchronous = this.#db
      .query<{ synchronous: number }>('PRAGMA synchronous')
      .get()!.synchronous
  }

  async load(ask: { readonly after: number; readonly limit: number }): Promise<RowsText> {
    const { json, last, isFull } = jsonPage(this.#db, ROWS, ask)
    return { seq: this.#seq(), json, ...(isFull && { next: last! }) }
  }

  async removed(): ReturnType<DirectoryReplica['removed']> {
    const rows = this.#db.query<{ id: AccountId }>('SELECT id FROM removed').all()
    return { accountIds: rows.map(({ id }) => id) }
  }

  async apply(batch: { readonly changes: readonly DirectoryChange[] }): Promise<void> {
    this.#db.transaction(() => {
      let seq = this.#seq()
      const put = this.#db.query(
        'INSERT INTO row (key, json) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET json = excluded.json',
      )
      const remove = this.#db.query('DELETE FROM row WHERE key = ?')
      const noteRemoved = this.#db.query('INSERT OR IGNORE INTO removed VALUES (?)')
      const forget = this.#db.query('DELETE FROM removed WHERE id = ?')
      for (const change of batch.changes) {
        if (change.seq <= seq) continue
        if (change.row === null) remove.run(change.key)
        else put.run(change.key, JSON.stringify(change.row))
        const accountId = accountIdOf(change.key)
        if (accountId !== undefined) (change.row === null ? noteRemoved : forget).run(accountId)
        seq = change.seq
      }
      this.#setSeq(seq)
    })
  }

  async gather(page: Parameters<DirectoryReplica['gather']>[0]): Promise<void> {
    clearImmediate(this.#sweeping)
    // Nothing is promised before `replace`, whose commit syncs all that was gathered with it.
    this.#unsynced(() =>
      this.#db.transaction(() => {
        if (page.first) this.#db.exec('DELETE FROM incoming')
        const put = this.#db.query(
          'INSERT INTO incoming (key, json) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET json = excluded.json',
        )
        for (const { key, row } of page.rows) put.run(key, JSON.stringify(row))
      }),
    )
  }

  async replace(end: { readonly seq: number }): Promise<void> {
    this.#db.transaction(() => {
      // Names change places, not rows: mail of this disk waits for a commit, not for a copy.
      this.#db.exec(
        'ALTER TABLE row RENAME TO old; ALTER TABLE incoming RENAME TO row; ALTER TABLE old RENAME TO incoming',
      )
      this.#setSeq(end.seq)
    })
    this.#sweep()
  }

  /** Takes the old copy away in short steps; what is left at an end goes with the next `gather`. */
  #sweep(): void {
    clearImmediate(this.#sweeping)
    this.#sweeping = setImmediate(() => {
      const gone = this.#unsynced(() =>
        this.#db
          .query('DELETE FROM incoming WHERE place < (SELECT min(place) FROM incoming) + ?')
          .run(SWEEP_ROWS),
      )
      if (gone > 0) this.#sweep()
    })
  }

  /** Nothing is promised by it: a later commit syncs it. */
  #unsynced<T>(work: () => T): T {
    this.#db.exec('PRAGMA synchronous = NORMAL')
    try {
      return work()
    } finally {
      this.#db.exec(`PRAGMA synchronous = ${this.#synchronous}`)
    }
  }

  close(): void {
    clearImmediate(this.#sweeping)
    this.#db.close()
  }

  #seq(): number {
    return (this.#db.query('SELECT seq FROM state').get() as { seq: number }).seq
  }

  #setSeq(seq: number): void {
    this.#db.query('UPDATE state SET seq = ?').run(seq)
  }
}
