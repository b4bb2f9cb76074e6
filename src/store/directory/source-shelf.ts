import { openDatabase } from '#store/db/database.ts'
import type { Database } from '#store/db/database.ts'
import type { DatabaseKind } from '#store/db/check.ts'

/** How far a copy of a source has come. */
export interface KeptStand {
  /** Of what was asked for, and of whom: a copy of anything else is worth nothing. */
  readonly mark: string
  readonly readAtMs: number
  /** contextCSN, one of each server. */
  readonly seen: readonly string[]
  /** What the last news came with, where only the host that told them understands it. */
  readonly cookie?: KeptCookie
}

export interface KeptCookie {
  readonly host: string
  readonly base64: string
}

export interface KeptEntry {
  readonly id: string
  /** JSON. */
  readonly entry: string
}

/**
 * Copies of sources on control's disk, each with the cookies that say up to where it is whole: both change
 * in one transaction, so that no cookie ever vouches for news that were not kept.
 */
export interface SourceShelf {
  /** Nothing of one that is not whole. */
  stand(ask: { readonly source: string }): Promise<{
    readonly stand?: Omit<KeptStand, 'cookie'> & { readonly cookies: readonly KeptCookie[] }
  }>
  /** In the order of their ids, behind one of them. */
  entries(ask: {
    readonly source: string
    readonly after: string
    readonly limit: number
  }): Promise<readonly KeptEntry[]>
  /** Without `stand` the copy is not whole until that comes, where it was not before. */
  change(ask: {
    readonly source: string
    readonly puts: readonly KeptEntry[]
    readonly gone: readonly string[]
    readonly stand?: KeptStand
  }): Promise<void>
  forget(ask: { readonly source: string }): Promise<void>
}

export const SOURCES_DATABASE: DatabaseKind = {
  kind: 'sources',
  migrations: [
    `CREATE TABLE stand (
       source TEXT PRIMARY KEY, mark TEXT NOT NULL, read_at_ms INTEGER NOT NULL,
       seen TEXT NOT NULL) STRICT, WITHOUT ROWID;
     CREATE TABLE cookie (
       source TEXT NOT NULL, host TEXT NOT NULL, base64 TEXT NOT NULL,
       PRIMARY KEY (source, host)) STRICT, WITHOUT ROWID;
     CREATE TABLE entry (
       source TEXT NOT NULL, id TEXT NOT NULL, entry TEXT NOT NULL,
       PRIMARY KEY (source, id)) STRICT, WITHOUT ROWID;`,
  ],
}

interface StandRow {
  readonly mark: string
  readonly read_at_ms: number
  readonly seen: string
}

/** The shelf in SQLite; opened by a storage process only. */
export class SqliteSourceShelf implements SourceShelf {
  readonly #db: Database

  constructor(path: string) {
    // What a power loss takes back, a source tells again.
    this.#db = openDatabase({ path, ...SOURCES_DATABASE, durable: 'checkpoint' })
  }

  async stand({ source }: { readonly source: string }): ReturnType<SourceShelf['stand']> {
    const row = this.#db
      .query<StandRow>('SELECT mark, read_at_ms, seen FROM stand WHERE source = ?')
      .get(source)
    if (row === undefined) return {}
    const cookies = this.#db
      .query<{ host: string; base64: string }>('SELECT host, base64 FROM cookie WHERE source = ?')
      .all(source)
    const { mark, read_at_ms: readAtMs, seen } = row
    return { stand: { mark, readAtMs, seen: JSON.parse(seen) as string[], cookies: [...cookies] } }
  }

  async entries({
    source,
    after,
    limit,
  }: Parameters<SourceShelf['entries']>[0]): ReturnType<SourceShelf['entries']> {
    return this.#db
      .query<{ id: string; entry: string }>(
        'SELECT id, entry FROM entry WHERE source = ? AND id > ? ORDER BY id LIMIT ?',
      )
      .all(source, after, limit)
      .map(({ id, entry }) => ({ id, entry }))
  }

  async change({ source, puts, gone, stand }: Parameters<SourceShelf['change']>[0]): Promise<void> {
    this.#db.transaction(() => {
      const put = this.#db.query('INSERT OR REPLACE INTO entry VALUES (?, ?, ?)')
      for (const { id, entry } of puts) put.run(source, id, entry)
      const remove = this.#db.query('DELETE FROM entry WHERE source = ? AND id = ?')
      for (const id of gone) remove.run(source, id)
      if (stand === undefined) return
      const { mark, readAtMs, seen, cookie } = stand
      this.#db
        .query('INSERT OR REPLACE INTO stand VALUES (?, ?, ?, ?)')
        .run(source, mark, readAtMs, JSON.stringify(seen))
      if (cookie !== undefined)
        this.#db
          .query('INSERT OR REPLACE INTO cookie VALUES (?, ?, ?)')
          .run(source, cookie.host, cookie.base64)
    })
  }

  async forget({ source }: { readonly source: string }): Promise<void> {
    this.#db.transaction(() => {
      for (const table of ['stand', 'cookie', 'entry'])
        this.#db.query(`DELETE FROM ${table} WHERE source = ?`).run(source)
    })
  }

  close(): void {
    this.#db.close()
  }
}
