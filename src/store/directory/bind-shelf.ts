import type { AccountId } from '#model/account.ts'
import { openDatabase } from '#store/db/database.ts'
import type { Database } from '#store/db/database.ts'
import type { DatabaseKind } from '#store/db/check.ts'

/** A password that another directory called right, as this node keeps it: a salted hash, and of when. */
export interface KeptBind {
  readonly accountId: AccountId
  /** Of whose answer it is: another entry, or a password set since, makes it worthless. */
  readonly mark: string
  readonly hash: string
  readonly atMs: number
}

/** What a node remembers of binds on its own disk, for while nobody answers them. */
export interface BindShelf {
  get(ask: { readonly accountId: AccountId }): Promise<{ readonly kept?: KeptBind }>
  put(kept: KeptBind): Promise<void>
  /** Forgets one account's where it still has that hash. */
  drop(ask: Pick<KeptBind, 'accountId' | 'hash'>): Promise<void>
  /** Forgets what is older or, by a clock that was wrong, younger than it can be. */
  forget(ask: { readonly beforeMs: number; readonly afterMs: number }): Promise<void>
}

export const BINDS_DATABASE: DatabaseKind = {
  kind: 'binds',
  migrations: [
    `CREATE TABLE bind (
       account TEXT PRIMARY KEY, mark TEXT NOT NULL, hash TEXT NOT NULL,
       at_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
     CREATE INDEX bind_at ON bind (at_ms);`,
  ],
}

interface BindRow {
  readonly mark: string
  readonly hash: string
  readonly at_ms: number
}

/** The shelf in SQLite; opened by a storage process only. */
export class SqliteBindShelf implements BindShelf {
  readonly #db: Database

  constructor(path: string) {
    this.#db = openDatabase({ path, ...BINDS_DATABASE })
  }

  async get({ accountId }: { readonly accountId: AccountId }): ReturnType<BindShelf['get']> {
    const row = this.#db
      .query<BindRow>('SELECT mark, hash, at_ms FROM bind WHERE account = ?')
      .get(accountId)
    if (row === undefined) return {}
    return { kept: { accountId, mark: row.mark, hash: row.hash, atMs: row.at_ms } }
  }

  async put({ accountId, mark, hash, atMs }: KeptBind): Promise<void> {
    this.#db
      .query('INSERT OR REPLACE INTO bind VALUES (?, ?, ?, ?)')
      .run(accountId, mark, hash, atMs)
  }

  async drop({ accountId, hash }: Pick<KeptBind, 'accountId' | 'hash'>): Promise<void> {
    this.#db.query('DELETE FROM bind WHERE account = ? AND hash = ?').run(accountId, hash)
  }

  async forget(ask: { readonly beforeMs: number; readonly afterMs: number }): Promise<void> {
    this.#db.query('DELETE FROM bind WHERE at_ms < ? OR at_ms > ?').run(ask.beforeMs, ask.afterMs)
  }

  close(): void {
    this.#db.close()
  }
}
