import { Fault } from '#base/outcome.ts'
import { openDatabase } from '#store/db/database.ts'
import type { Database } from '#store/db/database.ts'
import type { DatabaseKind } from '#store/db/check.ts'
import type { DirectoryChange, DirectoryKey, DirectoryRow } from './directory.ts'
import { HOME_STAND_TABLES, SqliteHomeShelf } from './home-shelf.ts'
import type { HomeShelf } from './home-shelf.ts'
import { SCRIPT_SHELF_TABLES, SqliteScriptShelf } from './script-shelf.ts'
import type { ScriptShelf } from './script-shelf.ts'
import { ImageFile, imagePathOf } from './image-file.ts'
import type { ChangesSince, DirectoryImages } from './image-file.ts'
import { jsonPage } from './json-page.ts'
import type { ChangesText, RowsText } from './rows-text.ts'

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

/** The truth about the directory: its rows, and the latest changes that made them. */
export interface DirectoryLog {
  /** A page of the rows in the order of their creation; `seq` is the log's end when the page was read. */
  rows(ask: { readonly after: number; readonly limit: number }): Promise<RowsText>
  /** The changes after `since`, oldest first. */
  changes(ask: { readonly since: number; readonly limit: number }): Promise<ChangesText>
  /** All or nothing; durable when it resolves. Fault `conflict` where the log does not end at `baseSeq`. */
  write(write: {
    readonly baseSeq: number
    readonly edits: readonly { readonly key: DirectoryKey; readonly row: DirectoryRow | null }[]
    readonly by: ChangeAuthor
    readonly atMs: number
    /** How far the home's own changes are in the log with it. */
    readonly mark?: string
  }): Promise<{ readonly seq: number; readonly changes: readonly DirectoryChange[] }>
  /** The latest changes first, of one row or of all. */
  history(ask: {
    readonly key?: DirectoryKey
    /** Of all rows whose keys begin so. */
    readonly prefix?: string
    readonly before?: number
    readonly limit: number
  }): Promise<{ readonly items: readonly DirectoryChangeRecord[] }>
}

const ROWS = {
  table: 'row',
  place: 'created',
  item: `'{"key":' || json_quote(key) || ',"row":' || json || '}'`,
}
const CHANGES = {
  table: 'log',
  place: 'seq',
  item: `'{"seq":' || seq || ',"key":' || json_quote(key) || ',"row":' || ifnull(json, 'null') || '}'`,
}
/** The audit and the way of a node that was away go back so far; half a gigabyte. */
const CHANGES_MAX_DEFAULT = 1_000_000
const PRUNE_ROWS = 100

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
    `CREATE TABLE lineage (id TEXT NOT NULL) STRICT;
   INSERT INTO lineage VALUES (lower(hex(randomblob(16))));`,
    `CREATE TABLE home (
     place INTEGER PRIMARY KEY CHECK (place = 1), json TEXT NOT NULL, mark TEXT) STRICT;`,
    HOME_STAND_TABLES,
    SCRIPT_SHELF_TABLES,
  ],
}

/** The log in SQLite; opened by a storage process only. */
export class SqliteDirectoryLog implements DirectoryLog, DirectoryImages {
  /** Where the rows have their home, in the same database. */
  readonly home: HomeShelf
  /** Of users' scripts, where that is their home as well. */
  readonly scriptHome: ScriptShelf
  readonly #db: Database
  readonly #image: ImageFile
  readonly #changesMax: number

  constructor(path: string, changesMax = CHANGES_MAX_DEFAULT) {
    this.#db = openDatabase({ path, ...DIRECTORY_DATABASE })
    this.home = new SqliteHomeShelf(this.#db)
    this.scriptHome = new SqliteScriptShelf(this.#db)
    this.#image = new ImageFile(imagePathOf(path))
    this.#changesMax = changesMax
  }

  async rows(ask: { readonly after: number; readonly limit: number }): Promise<RowsText> {
    const { json, last, isFull } = jsonPage(this.#db, ROWS, ask)
    return { seq: this.#seq(), json, ...(isFull && { next: last! }) }
  }

  async changes(ask: { readonly since: number; readonly limit: number }): Promise<ChangesText> {
    const { json, last } = jsonPage(this.#db, CHANGES, { after: ask.since, limit: ask.limit })
    const isCut = this.#firstSeq() > ask.since + 1
    return { seq: this.#seq(), json, isCut, ...(last !== undefined && { last }) }
  }

  async since(ask: { readonly since: number; readonly limit: number }): Promise<ChangesSince> {
    const { id } = this.#db.query<{ id: string }>('SELECT id FROM lineage').get()!
    return { ...(await this.changes(ask)), lineage: id }
  }

  readImage(ask: { readonly at: number }): ReturnType<DirectoryImages['readImage']> {
    return this.#image.read(ask)
  }

  writeImage(
    piece: Parameters<DirectoryImages['writeImage']>[0],
  ): ReturnType<DirectoryImages['writeImage']> {
    return this.#image.write(piece)
  }

  keepImage(): Promise<void> {
    return this.#image.keep()
  }

  dropImage(): Promise<void> {
    return this.#image.drop()
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
      if (write.mark !== undefined)
        this.#db.query('UPDATE home SET mark = ?1 WHERE mark IS NULL OR mark < ?1').run(write.mark)
      this.#prune(seq, write.edits.length)
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
         WHERE seq < ?1 AND ${ask.prefix === undefined ? '(?2 IS NULL OR key = ?2)' : 'key >= ?2 AND key < ?2 || char(0x10ffff)'}
         ORDER BY seq DESC LIMIT ?3`,
      )
      .all(
        ask.before ?? Number.MAX_SAFE_INTEGER,
        ask.prefix ?? ask.key ?? null,
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

  /** Takes away the oldest changes over the limit, some more than came in; the rows stay. */
  #prune(seq: number, added: number): void {
    const first = this.#firstSeq()
    const over = seq - first + 1 - this.#changesMax
    if (over > 0)
      this.#db
        .query('DELETE FROM log WHERE seq < ?')
        .run(first + Math.min(over, PRUNE_ROWS + 2 * added))
  }

  close(): void {
    this.#db.close()
    this.#image.close()
  }

  #firstSeq(): number {
    return this.#db.query<{ seq: number }>('SELECT coalesce(min(seq), 1) AS seq FROM log').get()!
      .seq
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
  if (row?.kind === 'domain') {
    const { saltKey: _, dkim, ...domain } = row.domain
    return {
      kind: 'domain',
      domain: {
        ...domain,
        ...(dkim && { dkim: dkim.map(({ privateKey: _key, ...key }) => key) }),
      },
    }
  }
  if (row?.kind === 'source') {
    const { bind, identity, ...source } = row.source
    return {
      kind: 'source',
      source: {
        ...source,
        ...(bind && { bind: { ...bind, passwordBase64: '' } }),
        ...(identity && { identity: { ...identity, key: '' } }),
      },
    }
  }
  if (row?.kind === 'choices') {
    const { awaited, ...choices } = row.choices
    return {
      kind: 'choices',
      choices: {
        ...choices,
        ...(awaited && { awaited: awaited.map((each) => ({ ...each, codeHash: '' })) }),
      },
    }
  }
  if (row?.kind !== 'account') return row
  const { credential: _, scram: _keys, appPasswords, ...account } = row.account
  return {
    kind: 'account',
    account: {
      ...account,
      ...(appPasswords && {
        appPasswords: appPasswords.map((each) => ({ ...each, hash: '', scram: '' })),
      }),
    },
  }
}
