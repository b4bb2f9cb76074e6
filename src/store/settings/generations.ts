import { DatabaseSync } from 'node:sqlite'
import { Fault } from '#base/outcome.ts'
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

const VERSION = 1

/** The generations in SQLite; opened by a storage process only. */
export class SqliteSettingsStore implements SettingsStore {
  readonly #db: DatabaseSync

  constructor(path: string) {
    this.#db = new DatabaseSync(path)
    this.#db.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=5000')
    const found = this.#db.prepare('PRAGMA user_version').get() as { user_version: number }
    if (found.user_version > VERSION)
      throw new Fault(
        'version',
        `${path}: version ${found.user_version}, this program knows up to ${VERSION}; start a newer Watari on it`,
      )
    this.#db.exec(`
      CREATE TABLE IF NOT EXISTS generation (number INTEGER PRIMARY KEY, head TEXT NOT NULL, content TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS network_table (hash TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS draft (one INTEGER PRIMARY KEY CHECK (one = 1), json TEXT NOT NULL);
      PRAGMA user_version=${VERSION};`)
  }

  async generation(ask: {
    readonly number?: number
  }): Promise<{ readonly generation?: Generation }> {
    const row = (
      ask.number === undefined
        ? this.#db
            .prepare('SELECT head, content FROM generation ORDER BY number DESC LIMIT 1')
            .get()
        : this.#db.prepare('SELECT head, content FROM generation WHERE number = ?').get(ask.number)
    ) as { head: string; content: string } | undefined
    if (row !== undefined)
      return { generation: { ...JSON.parse(row.head), ...JSON.parse(row.content) } as Generation }
    return ask.number === undefined || ask.number === 0 ? { generation: GENERATION_0 } : {}
  }

  async history(
    ask: Parameters<SettingsStore['history']>[0],
  ): ReturnType<SettingsStore['history']> {
    const rows = this.#db
      .prepare('SELECT head FROM generation WHERE number < ? ORDER BY number DESC LIMIT ?')
      .all(ask.before ?? Number.MAX_SAFE_INTEGER, ask.limit) as { head: string }[]
    return { items: rows.map(({ head }) => JSON.parse(head) as GenerationHead) }
  }

  async write(write: Parameters<SettingsStore['write']>[0]): Promise<void> {
    const { values, tables, ...head } = write.generation
    this.#together(() => {
      const latest = this.#db
        .prepare('SELECT coalesce(max(number), 0) AS number FROM generation')
        .get() as { number: number }
      if (latest.number !== write.base || head.generation !== write.base + 1)
        throw new Fault(
          'conflict',
          `the settings have changed meanwhile (generation ${write.base} is now ${latest.number})`,
        )
      this.#putTables(write.tables)
      this.#db
        .prepare('INSERT INTO generation VALUES (?, ?, ?)')
        .run(head.generation, JSON.stringify(head), JSON.stringify({ values, tables }))
    })
  }

  async table(ask: { readonly hash: string }): Promise<{ readonly text?: string }> {
    const row = this.#db.prepare('SELECT text FROM network_table WHERE hash = ?').get(ask.hash)
    return row === undefined ? {} : { text: (row as { text: string }).text }
  }

  async saveDraft(draft: Parameters<SettingsStore['saveDraft']>[0]): Promise<void> {
    this.#together(() => {
      this.#db.exec('DELETE FROM draft')
      this.#putTables(draft.tables)
      if (draft.json !== null) this.#db.prepare('INSERT INTO draft VALUES (1, ?)').run(draft.json)
    })
  }

  async draft(): Promise<{ readonly json?: string }> {
    const row = this.#db.prepare('SELECT json FROM draft').get()
    return row === undefined ? {} : { json: (row as { json: string }).json }
  }

  close(): void {
    this.#db.close()
  }

  #putTables(tables: Readonly<Record<string, string>>): void {
    const put = this.#db.prepare('INSERT OR IGNORE INTO network_table VALUES (?, ?)')
    for (const [hash, text] of Object.entries(tables)) put.run(hash, text)
  }

  #together(work: () => void): void {
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      work()
      this.#db.exec('COMMIT')
    } catch (cause) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      throw cause
    }
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
