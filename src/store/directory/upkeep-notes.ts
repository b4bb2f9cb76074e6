import { openDatabase } from '#store/db/database.ts'
import type { Database } from '#store/db/database.ts'
import type { DatabaseKind } from '#store/db/check.ts'

/** When accounts were looked after last: a clock that went on by much more since may be wrong. */
export interface UpkeepNotes {
  lastUpkeep(): Promise<{ readonly ranAtMs?: number }>
  noteUpkeep(run: { readonly ranAtMs: number }): Promise<void>
  /** What time it was when that was known last; before that was noted: of the last run. */
  knownTime(): Promise<{ readonly knownMs?: number }>
  noteTime(time: { readonly knownMs: number }): Promise<void>
}

export const UPKEEP_DATABASE: DatabaseKind = {
  kind: 'upkeep',
  migrations: [
    'CREATE TABLE upkeep (one INTEGER PRIMARY KEY CHECK (one = 1), ran_at_ms INTEGER NOT NULL) STRICT;',
    `CREATE TABLE known (one INTEGER PRIMARY KEY CHECK (one = 1), known_ms INTEGER NOT NULL) STRICT;
   INSERT INTO known SELECT one, ran_at_ms FROM upkeep;`,
  ],
}

/** The notes in SQLite; opened by a storage process only. */
export class SqliteUpkeepNotes implements UpkeepNotes {
  readonly #db: Database

  constructor(path: string) {
    this.#db = openDatabase({ path, ...UPKEEP_DATABASE })
  }

  async lastUpkeep(): ReturnType<UpkeepNotes['lastUpkeep']> {
    const row = this.#db.query<{ ran_at_ms: number }>('SELECT ran_at_ms FROM upkeep').get()
    return row === undefined ? {} : { ranAtMs: row.ran_at_ms }
  }

  async noteUpkeep({ ranAtMs }: { readonly ranAtMs: number }): Promise<void> {
    this.#db
      .query(
        'INSERT INTO upkeep VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET ran_at_ms = excluded.ran_at_ms',
      )
      .run(ranAtMs)
  }

  async knownTime(): ReturnType<UpkeepNotes['knownTime']> {
    const row = this.#db.query<{ known_ms: number }>('SELECT known_ms FROM known').get()
    return row === undefined ? {} : { knownMs: row.known_ms }
  }

  async noteTime({ knownMs }: { readonly knownMs: number }): Promise<void> {
    this.#db
      .query(
        'INSERT INTO known VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET known_ms = excluded.known_ms',
      )
      .run(Math.round(knownMs))
  }

  close(): void {
    this.#db.close()
  }
}
