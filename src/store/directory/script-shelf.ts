import type { AccountId } from '#model/account.ts'
import type { Database } from '#store/db/database.ts'

/**
 * What is known of scripts in a home elsewhere, without their octets: up to where its news were taken, and of
 * each entry the change and the text by which it and the store were alike. It lies on the disk alone.
 */
export interface ScriptShelf {
  stand(): Promise<{ readonly stand?: ScriptHomeStand }>
  /** Undefined: nothing is known any more. */
  keepStand(ask: { readonly stand: ScriptHomeStand | undefined }): Promise<void>
  /** How many scripts are known, and the newest change of them. */
  sum(): Promise<{ readonly count: number; readonly csn: string }>
  byUuid(ask: { readonly uuids: readonly string[] }): Promise<readonly KnownScript[]>
  ofAccount(ask: { readonly accountId: AccountId }): Promise<readonly KnownScript[]>
  /** Of accounts behind one, up to another, both in the order of their ids; without `to` to the end. */
  between(ask: {
    readonly after: string
    readonly to?: string
    readonly limit: number
  }): Promise<readonly KnownScript[]>
  /** Those in the place of what was known of the account. */
  keep(ask: {
    readonly accountId: AccountId
    readonly scripts: readonly Omit<KnownScript, 'accountId'>[]
  }): Promise<void>
}

export interface ScriptHomeStand {
  /** What the store knows this home by. */
  readonly name: string
  /** What the provider has given behind its last news; absent: all is to be compared. */
  readonly cookieBase64?: string
}

export interface KnownScript {
  /** Of the entry. */
  readonly uuid: string
  readonly accountId: AccountId
  readonly id: string
  /** The change of the entry that was looked at last; '': none, it is to be looked at. */
  readonly csn: string
  readonly active: 0 | 1
  /** Of the text there. */
  readonly digest: string
  /** Why it is not taken. */
  readonly note: string | null
}

export const SCRIPT_SHELF_TABLES = `ALTER TABLE home ADD COLUMN scripts TEXT;
   CREATE TABLE home_script (
     uuid TEXT PRIMARY KEY, accountId TEXT NOT NULL, id TEXT NOT NULL, csn TEXT NOT NULL, active INTEGER NOT NULL,
     digest TEXT NOT NULL, note TEXT) STRICT, WITHOUT ROWID;
   CREATE INDEX home_script_account ON home_script (accountId, uuid);`

/** In the database of the directory's log, beside the home that it is of. */
export class SqliteScriptShelf implements ScriptShelf {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  async stand(): ReturnType<ScriptShelf['stand']> {
    const row = this.#db.query<{ scripts: string | null }>('SELECT scripts FROM home').get()
    const json = row?.scripts ?? undefined
    return json === undefined ? {} : { stand: JSON.parse(json) as ScriptHomeStand }
  }

  async keepStand({ stand }: Parameters<ScriptShelf['keepStand']>[0]): Promise<void> {
    this.#db.transaction(() => {
      if (stand === undefined) this.#db.query('DELETE FROM home_script').run()
      this.#db
        .query('UPDATE home SET scripts = ?')
        .run(stand === undefined ? null : JSON.stringify(stand))
    })
  }

  async sum(): ReturnType<ScriptShelf['sum']> {
    return this.#db
      .query<{ count: number; csn: string }>(
        "SELECT count(*) AS count, ifnull(max(csn), '') AS csn FROM home_script",
      )
      .get()!
  }

  async byUuid({ uuids }: { readonly uuids: readonly string[] }): Promise<readonly KnownScript[]> {
    const one = this.#db.query<KnownScript>('SELECT * FROM home_script WHERE uuid = ?')
    return uuids.flatMap((uuid) => one.get(uuid) ?? [])
  }

  async ofAccount({ accountId }: { readonly accountId: AccountId }) {
    return this.#db
      .query<KnownScript>('SELECT * FROM home_script WHERE accountId = ? ORDER BY uuid')
      .all(accountId)
  }

  async between({ after, to, limit }: Parameters<ScriptShelf['between']>[0]) {
    return this.#db
      .query<KnownScript>(
        `SELECT * FROM home_script WHERE accountId > ?1 AND (?2 IS NULL OR accountId <= ?2)
         ORDER BY accountId, uuid LIMIT ?3`,
      )
      .all(after, to ?? null, limit)
  }

  async keep({ accountId, scripts }: Parameters<ScriptShelf['keep']>[0]): Promise<void> {
    this.#db.transaction(() => {
      this.#db.query('DELETE FROM home_script WHERE accountId = ?').run(accountId)
      const put = this.#db.query('INSERT OR REPLACE INTO home_script VALUES (?, ?, ?, ?, ?, ?, ?)')
      for (const { uuid, id, csn, active, digest, note } of scripts)
        put.run(uuid, accountId, id, csn, active, digest, note)
    })
  }
}
