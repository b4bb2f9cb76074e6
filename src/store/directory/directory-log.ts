import { Fault } from '#base/outcome.ts'
import { openDatabase } from '#store/db/database.ts'
import type { Database, DatabaseKind } from '#store/db/database.ts'
import type { DirectoryChange, DirectoryKey, DirectoryRow } from './directory.ts'

/** Who made a change, and from where. */
export interface ChangeAuthor {
  readonly who: string
  /** `cli`, `api 192.0.2.7`, `first run` … */
  readonly from: string
}

/** One change as the audit shows it; hashes of passwords are left out. */
export interface DirectoryChangeRecord {
  readonly seq: number
  readonly atMs: number
  readonly by: ChangeAuthor
  readonly key: DirectoryKey
  readonly before: DirectoryRow | null
  readonly after: DirectoryRow | null
}

/** The truth about the directory: its rows and every change that ever made them. */
export interface DirectoryLog {
  /** A page of the rows in the order of their creation; `seq` is the log's end when the page was read. */
  rows(ask: { readonly after: number; readonly limit: number }): Promise<{
    readonly seq: number
    readonly rows: readonly DirectoryRow[]
    /** Where the next page begins; absent at the end. */
    readonly next?: number
  }>
  /** The changes after `since`, oldest first. */
  changes(ask: { readonly since: number; readonly limit: number }): Promise<{
    readonly seq: number
    readonly changes: readonly DirectoryChange[]
  }>
  /** All or nothing; durable when it resolves. Fault `conflict` where the log does not end at `baseSeq`. */
  write(write: {
    readonly baseSeq: number
    readonly edits: readonly { readonly key: DirectoryKey; readonly row: DirectoryRow | null }[]
    readonly by: ChangeAuthor
    readonly atMs: number
  }): Promise<{ readonly seq: number; readonly changes: readonly DirectoryChange[] }>
  /** The latest changes first, of one row or of all. */
  history(ask: {
    readonly key?: DirectoryKey
    readonly before?: number
    readonly limit: number
  }): Promise<{ readonly items: readonly DirectoryChangeRecord[] }>
}

export const DIRECTORY_DATABASE: DatabaseKind = {
  kind: 'directory',
  migrations: [
    `CREATE TABLE row (
     key TEXT PRIMARY KEY, created INTEGER NOT NULL, json TEXT NOT NULL) STRICT, WITHOUT ROWID;
   CREATE UNIQUE INDEX row_created ON row (created);
   CREATE TABLE log (
     seq INTEGER PRIMARY KEY, key TEXT NOT NULL, json TEXT, before TEXT,
     at_ms INTEGER NOT NULL, who TEXT NOT NULL, source TEXT NOT NULL) STRICT;
   CREATE INDEX log_key ON log (key, seq);`,
  ],
}

/** The log in SQLite; opened by a storage process only. */
export class SqliteDirectoryLog implements DirectoryLog {
  readonly #db: Database

  constructor(path: string) {
    this.#db = openDatabase({ path, ...DIRECTORY_DATABASE })
  }

  async rows(ask: {
    readonly after: number
    readonly limit: number
  }): ReturnType<DirectoryLog['rows']> {
    const found = this.#db
      .query('SELECT created, json FROM row WHERE created > ? ORDER BY created LIMIT ?')
      .all(ask.after, ask.limit) as { created: number; json: string }[]
    return {
      seq: this.#seq(),
      rows: found.map((row) => JSON.parse(row.json) as DirectoryRow),
      ...(found.length === ask.limit && { next: found.at(-1)!.created }),
    }
  }

  async changes(ask: {
    readonly since: number
    readonly limit: number
  }): ReturnType<DirectoryLog['changes']> {
    const found = this.#db
      .query('SELECT seq, key, json FROM log WHERE seq > ? ORDER BY seq LIMIT ?')
      .all(ask.since, ask.limit) as { seq: number; key: string; json: string | null }[]
    return {
      seq: this.#seq(),
      changes: found.map(({ seq, key, json }) => ({ seq, key, row: parseRow(json) })),
    }
  }

  async write(write: Parameters<DirectoryLog['write']>[0]): ReturnType<DirectoryLog['write']> {
    return this.#db.transaction(() => {
      let seq = this.#seq()
      if (seq !== write.baseSeq)
        throw new Fault(
          'conflict',
          `the directory has changed meanwhile (${write.baseSeq} is now ${seq})`,
        )
      const changes: DirectoryChange[] = []
      for (const edit of write.edits) {
        seq++
        this.#put(seq, edit, write)
        changes.push({ seq, key: edit.key, row: edit.row })
      }
      return { seq, changes }
    })
  }

  #put(
    seq: number,
    edit: { readonly key: DirectoryKey; readonly row: DirectoryRow | null },
    write: Parameters<DirectoryLog['write']>[0],
  ): void {
    const json = edit.row === null ? null : JSON.stringify(edit.row)
    const before = this.#db.query('SELECT json FROM row WHERE key = ?').get(edit.key) as
      | { json: string }
      | undefined
    if (json === null) this.#db.query('DELETE FROM row WHERE key = ?').run(edit.key)
    else
      this.#db
        .query(
          'INSERT INTO row VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE SET json = excluded.json',
        )
        .run(edit.key, seq, json)
    this.#db
      .query('INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?)')
      .run(seq, edit.key, json, before?.json ?? null, write.atMs, write.by.who, write.by.from)
  }

  async history(ask: Parameters<DirectoryLog['history']>[0]): ReturnType<DirectoryLog['history']> {
    const found = this.#db
      .query(
        `SELECT seq, key, json, before, at_ms, who, source FROM log
         WHERE seq < ?1 AND (?2 IS NULL OR key = ?2) ORDER BY seq DESC LIMIT ?3`,
      )
      .all(
        ask.before ?? Number.MAX_SAFE_INTEGER,
        ask.key ?? null,
        ask.limit,
      ) as unknown as HistoryRow[]
    return {
      items: found.map((row) => ({
        seq: row.seq,
        atMs: row.at_ms,
        by: { who: row.who, from: row.source },
        key: row.key,
        before: withoutSecret(parseRow(row.before)),
        after: withoutSecret(parseRow(row.json)),
      })),
    }
  }

  close(): void {
    this.#db.close()
  }

  #seq(): number {
    return (this.#db.query('SELECT coalesce(max(seq), 0) AS seq FROM log').get() as { seq: number })
      .seq
  }
}

interface HistoryRow {
  readonly seq: number
  readonly key: string
  readonly json: string | null
  readonly before: string | null
  readonly at_ms: number
  readonly who: string
  readonly source: string
}

const parseRow = (json: string | null): DirectoryRow | null =>
  json === null ? null : (JSON.parse(json) as DirectoryRow)

function withoutSecret(row: DirectoryRow | null): DirectoryRow | null {
  if (row?.kind !== 'account') return row
  const { credential: _, ...account } = row.account
  return { kind: 'account', account }
}
