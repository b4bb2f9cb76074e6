import type { Database } from '#store/db/database.ts'
import type { DirectoryKey } from './directory.ts'

/** Where the rows have their home, as who set it wrote it, and how far the log knows it; nothing: here. */
export interface HomeShelf {
  home(): Promise<HomeRecord | undefined>
  /** Another one, or the same from the beginning: nothing of it is known yet. */
  setHome(home: { readonly json: string } | undefined): Promise<void>
  /** Absent: all of it has to be compared. */
  stand(): Promise<{ readonly stand?: HomeStand }>
  /** In the order of their uuids, behind one of them. */
  entries(ask: { readonly after: string; readonly limit: number }): Promise<readonly HomeEntry[]>
  /**
   * In one transaction. `isWhole`: nothing of what was kept before counts; without `stand` there is none
   * until one comes.
   */
  keep(change: {
    readonly isWhole: boolean
    readonly puts: readonly HomeEntry[]
    readonly gone: readonly string[]
    readonly stand?: HomeStand
  }): Promise<void>
}

/** A home elsewhere, and how far its changes are in the log. */
export interface HomeRecord {
  readonly json: string
  readonly mark?: string
}

/**
 * Up to where the log has what a home has told. It lies in the log's own database: a backup that is put
 * back, or a crash, takes both back to the same moment.
 */
export interface HomeStand {
  /** Of what is made of entries; that of another program is worth nothing. */
  readonly shape: number
  /** What each server has given behind its last news. */
  readonly cookies: readonly { readonly server: string; readonly base64: string }[]
  /** Rows that were told and are not taken. */
  readonly waiting: readonly DirectoryKey[]
}

/** An entry there by its immutable name, with the row that it is. */
export interface HomeEntry {
  readonly uuid: string
  readonly key: DirectoryKey
}

export const HOME_STAND_TABLES = `ALTER TABLE home ADD COLUMN stand TEXT;
   CREATE TABLE home_entry (uuid TEXT PRIMARY KEY, key TEXT NOT NULL) STRICT, WITHOUT ROWID;`

/** In the database of the directory's log; opened by a storage process only. */
export class SqliteHomeShelf implements HomeShelf {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  async home(): Promise<HomeRecord | undefined> {
    const row = this.#db
      .query<{ json: string; mark: string | null }>('SELECT json, mark FROM home')
      .get()
    return row && { json: row.json, ...(row.mark !== null && { mark: row.mark }) }
  }

  async setHome(home: { readonly json: string } | undefined): Promise<void> {
    this.#db.transaction(() => {
      this.#db.query('DELETE FROM home').run()
      this.#db.query('DELETE FROM home_entry').run()
      this.#db.query('DELETE FROM home_script').run()
      if (home !== undefined)
        this.#db.query('INSERT INTO home (place, json) VALUES (1, ?)').run(home.json)
    })
  }

  async stand(): Promise<{ readonly stand?: HomeStand }> {
    const row = this.#db.query<{ stand: string | null }>('SELECT stand FROM home').get()
    return row === undefined || row.stand === null
      ? {}
      : { stand: JSON.parse(row.stand) as HomeStand }
  }

  async entries({ after, limit }: { readonly after: string; readonly limit: number }) {
    return this.#db
      .query<HomeEntry>('SELECT uuid, key FROM home_entry WHERE uuid > ? ORDER BY uuid LIMIT ?')
      .all(after, limit)
  }

  async keep({ isWhole, puts, gone, stand }: Parameters<HomeShelf['keep']>[0]): Promise<void> {
    this.#db.transaction(() => {
      if (isWhole) {
        this.#db.query('DELETE FROM home_entry').run()
        this.#db.query('UPDATE home SET stand = NULL').run()
      }
      const put = this.#db.query(
        'INSERT INTO home_entry VALUES (?1, ?2) ON CONFLICT (uuid) DO UPDATE SET key = ?2',
      )
      for (const { uuid, key } of puts) put.run(uuid, key)
      const remove = this.#db.query('DELETE FROM home_entry WHERE uuid = ?')
      for (const uuid of gone) remove.run(uuid)
      if (stand !== undefined)
        this.#db.query('UPDATE home SET stand = ?').run(JSON.stringify(stand))
    })
  }
}
