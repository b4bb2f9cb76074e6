import type { AccountId } from '#model/account.ts'
import { openDatabase } from '#store/db/database.ts'
import type { Database } from '#store/db/database.ts'
import type { DatabaseKind } from '#store/db/check.ts'

/** A login from a browser as it is kept: of the cookie only a hash. */
export interface StoredSession {
  readonly key: string
  readonly accountId: AccountId
  readonly credentialVersion: number
  readonly endsAtMs: number
  readonly usedAtMs: number
}

/** Where browser sessions outlive a restart of their role. */
export interface SessionShelf {
  all(): Promise<{ readonly items: readonly StoredSession[] }>
  put(session: StoredSession): Promise<void>
  drop(ask: { readonly keys: readonly string[] }): Promise<void>
}

export const SESSIONS_DATABASE: DatabaseKind = {
  kind: 'sessions',
  migrations: [
    `CREATE TABLE session (
       key TEXT PRIMARY KEY, account TEXT NOT NULL, credential_version INTEGER NOT NULL,
       ends_at_ms INTEGER NOT NULL, used_at_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;`,
  ],
}

interface SessionRow {
  readonly key: string
  readonly account: string
  readonly credential_version: number
  readonly ends_at_ms: number
  readonly used_at_ms: number
}

/** The shelf in SQLite; opened by a storage process only. */
export class SqliteSessionShelf implements SessionShelf {
  readonly #db: Database

  constructor(path: string) {
    this.#db = openDatabase({ path, ...SESSIONS_DATABASE })
  }

  async all(): ReturnType<SessionShelf['all']> {
    const rows = this.#db.query<SessionRow>('SELECT * FROM session ORDER BY used_at_ms').all()
    return {
      items: rows.map((row) => ({
        key: row.key,
        accountId: row.account as AccountId,
        credentialVersion: row.credential_version,
        endsAtMs: row.ends_at_ms,
        usedAtMs: row.used_at_ms,
      })),
    }
  }

  async put(session: StoredSession): Promise<void> {
    const { key, accountId, credentialVersion, endsAtMs, usedAtMs } = session
    this.#db
      .query('INSERT OR REPLACE INTO session VALUES (?, ?, ?, ?, ?)')
      .run(key, accountId, credentialVersion, endsAtMs, usedAtMs)
  }

  async drop({ keys }: { readonly keys: readonly string[] }): Promise<void> {
    this.#db.transaction(() => {
      for (const key of keys) this.#db.query('DELETE FROM session WHERE key = ?').run(key)
    })
  }

  close(): void {
    this.#db.close()
  }
}
