import type { Database } from '#store/db/database.ts'
import { STATES, stateCode } from './rows.ts'
import type { StoredState } from './rows.ts'

/** Recipients by state, kept in memory: the tables may be large, and this is asked every second. */
export class StateCounts {
  readonly #db: Database
  #counts: number[] | undefined

  constructor(db: Database) {
    this.#db = db
  }

  /** By the code of the state, as rows have it. */
  add(state: number, count: number): void {
    if (this.#counts !== undefined) this.#counts[state]! += count
  }

  /** A commit failed: what was counted within it may not stand. */
  forget(): void {
    this.#counts = undefined
  }

  of(state: StoredState): number {
    return (this.#counts ??= this.#read())[stateCode(state)]!
  }

  /** Each from its own small index. */
  #read(): number[] {
    const counts = STATES.map(() => 0)
    const rows = this.#db.query<{ state: number; count: number }>(
      `SELECT 0 AS state, (SELECT count(*) FROM recipient INDEXED BY recipient_due
         WHERE state = 0 AND bulk = 0) + (SELECT count(*) FROM recipient INDEXED BY recipient_bulk
         WHERE state = 0 AND bulk = 1) AS count
       UNION ALL SELECT 1, count(*) FROM recipient INDEXED BY recipient_held WHERE state = 1
       UNION ALL SELECT state, count(*) FROM recipient INDEXED BY recipient_ended
         WHERE state > 1 GROUP BY state`,
    )
    for (const { state, count } of rows.all()) counts[state] = count
    return counts
  }
}
