import { noteExpiry } from './expire.ts'
import type { Sql } from '#store/mailbox/rows/sql.ts'

/** The last run of the daily purge, durable: what tells a jump of the clock. */
export interface PurgeRun {
  readonly ranAtMs: number
  /** What it took for now: a clock that is ahead is followed slowly. */
  readonly asOfMs: number
  /** How long expunged mail was kept then. */
  readonly keptMs: number
}

export const lastPurge = (sql: Sql): PurgeRun | undefined => {
  const row = sql.get<[number, number, number]>('SELECT ran_at, as_of, kept_ms FROM purge_run')
  return row && { ranAtMs: row[0], asOfMs: row[1], keptMs: row[2] }
}

export const notePurge = (sql: Sql, run: PurgeRun): number =>
  sql.run(
    `INSERT INTO purge_run VALUES (1, ?1, ?2, ?3)
     ON CONFLICT DO UPDATE SET ran_at = ?1, as_of = ?2, kept_ms = ?3`,
    run.ranAtMs,
    run.asOfMs,
    run.keptMs,
  )

/** Somebody who knows has said what time it is: purge and expiry go on from there. */
export function trustClock(sql: Sql, nowMs: number): void {
  noteExpiry(sql, nowMs)
  sql.run('UPDATE purge_run SET ran_at = ?1, as_of = ?1', nowMs)
}
