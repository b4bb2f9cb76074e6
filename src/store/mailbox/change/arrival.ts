import type { Arrival } from '#store/mailbox/commit.ts'
import { ROWS_AT_ONCE } from '#store/mailbox/rows/sql.ts'
import type { Sql } from '#store/mailbox/rows/sql.ts'

/** An arrival as it stands, with the time of its commit. */
export interface KeptArrival extends Omit<Arrival, 'door' | 'slot'> {
  readonly atMs: number
}

/** In the first commit of the delivery: whoever files its octets once more knows it by then. */
export function noteArrival(sql: Sql, arrival: Arrival, nowMs: number): void {
  const { door, slot, deliveryId, octetsKey, recipients } = arrival
  sql.run(
    `INSERT INTO arrival (door, slot, delivery_id, octets_key, recipients, at)
     VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET delivery_id = excluded.delivery_id,
       octets_key = excluded.octets_key, recipients = excluded.recipients, at = excluded.at`,
    door,
    slot,
    deliveryId,
    octetsKey,
    JSON.stringify(recipients),
    nowMs,
  )
}

/** The last of a door, the oldest first. */
export const arrivalsOf = (sql: Sql, door: string): readonly KeptArrival[] =>
  sql
    .all<[string, string, string, number]>(
      'SELECT delivery_id, octets_key, recipients, at FROM arrival WHERE door = ? ORDER BY at',
      door,
    )
    .map(([deliveryId, octetsKey, recipients, atMs]) => ({
      deliveryId,
      octetsKey,
      recipients: JSON.parse(recipients) as string[],
      atMs,
    }))

/** Forgets what nobody sends once more; true where there may be more. */
export const forgetArrivals = (sql: Sql, beforeMs: number): boolean =>
  sql.run(
    `DELETE FROM arrival WHERE (door, slot) IN
       (SELECT door, slot FROM arrival WHERE at < ? LIMIT ${ROWS_AT_ONCE})`,
    beforeMs,
  ) === ROWS_AT_ONCE
