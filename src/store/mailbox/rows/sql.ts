import type { Database } from '#store/db/database.ts'

export type SqlValue = number | bigint | string | Uint8Array | null

/** The database by statement text; rows come as arrays, never as objects. */
export class Sql {
  readonly #db: Database
  constructor(db: Database) {
    this.#db = db
    // UIDs that a change works on: sets stay in SQL from the first statement to the last.
    db.exec('CREATE TEMP TABLE picked (uid INTEGER PRIMARY KEY)')
  }

  /** Rows changed. */
  run(text: string, ...values: SqlValue[]): number {
    return this.#db.query(text).run(...values)
  }

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- what the columns are, by our own word
  get<Row>(text: string, ...values: SqlValue[]): Row | undefined {
    return this.#db.arrays<Row>(text).get(...values)
  }

  all<Row extends readonly SqlValue[]>(text: string, ...values: SqlValue[]): Row[] {
    return this.#db.arrays<Row>(text).all(...values)
  }

  /** Rows as they are read: at most one reader of the same text at a time. */
  iterate<Row extends readonly SqlValue[]>(text: string, ...values: SqlValue[]): Iterable<Row> {
    return this.#db.arrays<Row>(text).iterate(...values)
  }
}

/** Rows of one transaction: what a delivery that comes meanwhile has to wait for. */
export const ROWS_AT_ONCE = 500
