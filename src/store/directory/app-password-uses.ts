import type { AccountId } from '#model/account.ts'
import type { AppPasswordUse, AppProtocol } from '#model/app-password.ts'
import { openDatabase } from '#store/db/database.ts'
import type { Database } from '#store/db/database.ts'
import type { DatabaseKind } from '#store/db/check.ts'

/** When app passwords were used last: facts of the nodes, no part of the directory. */
export interface AppPasswordUses {
  usesOf(ask: {
    readonly accountId: AccountId
  }): Promise<{ readonly items: readonly AppPasswordUse[] }>
  /** Takes them where they are later than what is known. */
  noteUses(ask: { readonly uses: readonly AppPasswordUse[] }): Promise<void>
}

export const USES_DATABASE: DatabaseKind = {
  kind: 'uses',
  migrations: [
    `CREATE TABLE used (
       account TEXT NOT NULL, id TEXT NOT NULL, at TEXT NOT NULL, ip TEXT NOT NULL,
       protocol TEXT NOT NULL, PRIMARY KEY (account, id)) STRICT, WITHOUT ROWID;
     CREATE INDEX used_at ON used (at);`,
  ],
}

/** What was not used for so long is forgotten, and with it what was taken back or has gone. */
const KEPT_YEARS = 2
/** Of one note. */
const FORGOTTEN_AT_ONCE = 100

interface UsedRow {
  readonly account: string
  readonly id: string
  readonly at: string
  readonly ip: string
  readonly protocol: string
}

/** The uses in SQLite; opened by a storage process only. */
export class SqliteAppPasswordUses implements AppPasswordUses {
  readonly #db: Database

  constructor(path: string) {
    this.#db = openDatabase({ path, ...USES_DATABASE })
  }

  async usesOf({
    accountId,
  }: {
    readonly accountId: AccountId
  }): ReturnType<AppPasswordUses['usesOf']> {
    const rows = this.#db.query<UsedRow>('SELECT * FROM used WHERE account = ?').all(accountId)
    return {
      items: rows.map(({ account, protocol, ...row }) => ({
        accountId: account as AccountId,
        ...row,
        protocol: protocol as AppProtocol,
      })),
    }
  }

  async noteUses({ uses }: { readonly uses: readonly AppPasswordUse[] }): Promise<void> {
    const last = uses.reduce((latest, { at }) => (at > latest ? at : latest), '')
    const before = `${Number(last.slice(0, 4)) - KEPT_YEARS}${last.slice(4)}`
    this.#db.transaction(() => {
      const put = this.#db.query(
        `INSERT INTO used VALUES (?, ?, ?, ?, ?) ON CONFLICT (account, id) DO UPDATE
         SET at = excluded.at, ip = excluded.ip, protocol = excluded.protocol
         WHERE excluded.at > used.at`,
      )
      for (const { accountId, id, at, ip, protocol } of uses)
        put.run(accountId, id, at, ip, protocol)
      this.#db
        .query(
          `DELETE FROM used WHERE (account, id) IN
           (SELECT account, id FROM used WHERE at < ? LIMIT ${FORGOTTEN_AT_ONCE})`,
        )
        .run(before)
    })
  }

  close(): void {
    this.#db.close()
  }
}
