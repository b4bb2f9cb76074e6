import { Fault } from '#base/outcome.ts'
import { openDatabase } from '#store/db/database.ts'
import type { Database } from '#store/db/database.ts'
import type { DatabaseKind } from '#store/db/check.ts'
import { FIRST_CONTENT, contentHash } from './resolve.ts'
import type { SettingsSnapshot } from './resolve.ts'
import type { SettingValue } from './validate.ts'

/** Who made a generation, and from where. */
export interface SettingsAuthor {
  readonly who: string
  readonly from: string
}

/** One setting before and after; `null` stands for the default. Large tables say what came and went. */
export type SettingChange =
  | {
      readonly key: string
      readonly before: SettingValue | null
      readonly after: SettingValue | null
    }
  | {
      readonly key: string
      readonly rowsBefore: number
      readonly rowsAfter: number
      /** At most 100 of each. */
      readonly added: readonly string[]
      readonly removed: readonly string[]
    }

/** A numbered, immutable generation of the settings. */
export interface Generation extends SettingsSnapshot {
  readonly atMs: number
  readonly by: SettingsAuthor
  /** `rollback to 7` and the like. */
  readonly note: string
  readonly changes: readonly SettingChange[]
}

/** A generation without what it contains. */
export type GenerationHead = Omit<Generation, 'values' | 'tables'>

/** The truth about the settings: all generations, the tables by hash, and the staged draft. */
export interface SettingsStore {
  /** The latest, or the one of this number; generation 0 is that of the defaults. */
  generation(ask: { readonly number?: number }): Promise<{ readonly generation?: Generation }>
  /** The latest first. */
  history(ask: { readonly before?: number; readonly limit: number }): Promise<{
    readonly items: readonly GenerationHead[]
  }>
  /** All or nothing; durable when it resolves. Fault `conflict` where the latest is not `base`. */
  write(write: {
    readonly base: number
    readonly generation: Generation
    readonly tables: Readonly<Record<string, string>>
  }): Promise<void>
  table(ask: { readonly hash: string }): Promise<{ readonly text?: string }>
  /** Keeps what is staged (`null`: nothing) over a restart; tables of the draft are kept with it. */
  saveDraft(draft: {
    readonly json: string | null
    readonly tables: Readonly<Record<string, string>>
  }): Promise<void>
  draft(): Promise<{ readonly json?: string }>
}

export const SETTINGS_DATABASE: DatabaseKind = {
  kind: 'settings',
  migrations: [
    `CREATE TABLE generation (
     number INTEGER PRIMARY KEY, head TEXT NOT NULL, content TEXT NOT NULL) STRICT;
   CREATE TABLE network_table (hash TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TABLE draft (one INTEGER PRIMARY KEY CHECK (one = 1), json TEXT NOT NULL) STRICT;`,
  ],
}

/** The generations in SQLite; opened by a storage process only. */
export class SqliteSettingsStore implements SettingsStore {
  readonly #db: Database

  constructor(path: string) {
    this.#db = openDatabase({ path, ...SETTINGS_DATABASE })
  }

  async generation(ask: {
    readonly number?: number
  }): Promise<{ readonly generation?: Generation }> {
    const row = (
      ask.number === undefined
        ? this.#db.query('SELECT head, content FROM generation ORDER BY number DESC LIMIT 1').get()
        : this.#db.query('SELECT head, content FROM generation WHERE number = ?').get(ask.number)
    ) as { head: string; content: string } | undefined
    if (row !== undefined)
      return { generation: { ...JSON.parse(row.head), ...JSON.parse(row.content) } as Generation }
    return ask.number === undefined || ask.number === 0 ? { generation: GENERATION_0 } : {}
  }

  async history(
    ask: Parameters<SettingsStore['history']>[0],
  ): ReturnType<SettingsStore['history']> {
    const rows = this.#db
      .query('SELECT head FROM generation WHERE number < ? ORDER BY number DESC LIMIT ?')
      .all(ask.before ?? Number.MAX_SAFE_INTEGER, ask.limit) as { head: string }[]
    return { items: rows.map(({ head }) => JSON.parse(head) as GenerationHead) }
  }

  async write(write: Parameters<SettingsStore['write']>[0]): Promise<void> {
    const { values, tables, ...head } = write.generation
    this.#db.transaction(() => {
      const latest = this.#db
        .query('SELECT coalesce(max(number), 0) AS number FROM generation')
        .get() as { number: number }
      if (latest.number !== write.base || head.generation !== write.base + 1)
        throw new Fault(
          'conflict',
          `the settings have changed meanwhile (generation ${write.base} is now ${latest.number})`,
        )
      this.#putTables(write.tables)
      this.#db
        .query('INSERT INTO generation VALUES (?, ?, ?)')
        .run(head.generation, JSON.stringify(head), JSON.stringify({ values, tables }))
    })
  }

  async table(ask: { readonly hash: string }): Promise<{ readonly text?: string }> {
    const row = this.#db.query('SELECT text FROM network_table WHERE hash = ?').get(ask.hash)
    return row === undefined ? {} : { text: (row as { text: string }).text }
  }

  async saveDraft(draft: Parameters<SettingsStore['saveDraft']>[0]): Promise<void> {
    this.#db.transaction(() => {
      this.#db.exec('DELETE FROM draft')
      this.#putTables(draft.tables)
      if (draft.json !== null) this.#db.query('INSERT INTO draft VALUES (1, ?)').run(draft.json)
    })
  }

  async draft(): Promise<{ readonly json?: string }> {
    const row = this.#db.query('SELECT json FROM draft').get()
    return row === undefined ? {} : { json: (row as { json: string }).json }
  }

  close(): void {
    this.#db.close()
  }

  #putTables(tables: Readonly<Record<string, string>>): void {
    const put = this.#db.query('INSERT OR IGNORE INTO network_table VALUES (?, ?)')
    for (const [hash, text] of Object.entries(tables)) put.run(hash, text)
  }
}

/** The defaults, before anybody has set anything. */
const GENERATION_0: Generation = {
  generation: 0,
  hash: contentHash(FIRST_CONTENT),
  ...FIRST_CONTENT,
  atMs: 0,
  by: { who: 'watari', from: 'defaults' },
  note: 'defaults',
  changes: [],
}
