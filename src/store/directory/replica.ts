import type { AccountId } from '#model/account.ts'
import { openDatabase } from '#store/db/database.ts'
import type { Database } from '#store/db/database.ts'
import type { DatabaseKind } from '#store/db/check.ts'
import type { DirectoryChange } from './directory.ts'
import { ImageFile, imagePathOf } from './image-file.ts'
import type { ChangesSince, DirectoryImages } from './image-file.ts'
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
const RECENT = {
  table:
    '(SELECT recent.seq AS seq, recent.key AS key, row.json AS json FROM recent LEFT JOIN row USING (key))',
  place: 'seq',
  item: `'{"seq":' || seq || ',"key":' || json_quote(key) || ',"row":' || ifnull(json, 'null') || '}'`,
}
const SWEEP_ROWS = 2_000
/** A start reads so many rows one by one rather than all of them. */
const RECENT_MAX_DEFAULT = 50_000

export const REPLICA_DATABASE: DatabaseKind = {
  kind: 'replica',
  migrations: [
    `CREATE TABLE row (place INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, json TEXT NOT NULL) STRICT;
   CREATE TABLE incoming (place INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, json TEXT NOT NULL) STRICT;
   CREATE TABLE state (one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL) STRICT;
   INSERT INTO state VALUES (1, 0);`,
    // What is missing in a copy may be missing by mistake; this was said.
    'CREATE TABLE removed (id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;',
    // What has changed since an image was made; of changes before `since` it does not tell.
    `CREATE TABLE recent (seq INTEGER PRIMARY KEY, key TEXT NOT NULL) STRICT;
   ALTER TABLE state ADD COLUMN since INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE state ADD COLUMN lineage TEXT NOT NULL DEFAULT '';
   UPDATE state SET since = seq, lineage = lower(hex(randomblob(16)));`,
  ],
}

/** The replica in SQLite; opened by a storage process only. */
export class SqliteReplica implements DirectoryReplica, DirectoryImages {
  readonly #db: Database
  readonly #image: ImageFile
  readonly #recentMax: number
  readonly #synchronous: number
  #sweeping: NodeJS.Immediate | undefined

  constructor(path: string, recentMax = RECENT_MAX_DEFAULT) {
    this.#recentMax = recentMax
    this.#db = openDatabase({ path, ...REPLICA_DATABASE })
    this.#image = new ImageFile(imagePathOf(path))
    this.#synchronous = this.#db
      .query<{ synchronous: number }>('PRAGMA synchronous')
      .get()!.synchronous
  }

  async load(ask: { readonly after: number; readonly limit: number }): Promise<RowsText> {
    const { json, last, isFull } = jsonPage(this.#db, ROWS, ask)
    return { seq: this.#seq(), json, ...(isFull && { next: last! }) }
  }

  async since(ask: { readonly since: number; readonly limit: number }): Promise<ChangesSince> {
    const { json, last } = jsonPage(this.#db, RECENT, { after: ask.since, limit: ask.limit })
    const { seq, since, lineage } = this.#state()
    return { seq, json, isCut: ask.since < since, lineage, ...(last !== undefined && { last }) }
  }

  readImage(ask: { readonly at: number }): ReturnType<DirectoryImages['readImage']> {
    return this.#image.read(ask)
  }

  writeImage(
    piece: Parameters<DirectoryImages['writeImage']>[0],
  ): ReturnType<DirectoryImages['writeImage']> {
    return this.#image.write(piece)
  }

  async keepImage(end: { readonly seq: number }): Promise<void> {
    await this.#image.keep()
    this.#unsynced(() => this.#db.transaction(() => this.#forgetRecent(end.seq)))
  }

  dropImage(): Promise<void> {
    return this.#image.drop()
  }

  #forgetRecent(seq: number): void {
    this.#db.query('DELETE FROM recent WHERE seq <= ?').run(seq)
    this.#db.query('UPDATE state SET since = max(since, ?)').run(seq)
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
      const note = this.#db.query('INSERT INTO recent VALUES (?, ?)')
      for (const change of batch.changes) {
        if (change.seq <= seq) continue
        if (change.row === null) remove.run(change.key)
        else put.run(change.key, JSON.stringify(change.row))
        const accountId = accountIdOf(change.key)
        if (accountId !== undefined) (change.row === null ? noteRemoved : forget).run(accountId)
        note.run(change.seq, change.key)
        seq = change.seq
      }
      this.#setSeq(seq)
      const { first } = this.#db
        .query<{ first: number | null }>('SELECT min(seq) AS first FROM recent')
        .get()!
      if (first !== null && seq - first > this.#recentMax)
        this.#forgetRecent(seq - this.#recentMax / 2)
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
      this.#db.exec(
        'DELETE FROM recent; UPDATE state SET since = seq, lineage = lower(hex(randomblob(16)))',
      )
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
    this.#image.close()
  }

  #seq(): number {
    return this.#state().seq
  }

  #state(): { readonly seq: number; readonly since: number; readonly lineage: string } {
    return this.#db
      .query<{ seq: number; since: number; lineage: string }>('SELECT * FROM state')
      .get()!
  }

  #setSeq(seq: number): void {
    this.#db.query('UPDATE state SET seq = ?').run(seq)
  }
}
