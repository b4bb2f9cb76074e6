import { DAY_MS } from '#base/time.ts'
import type { DeliveryId } from '#model/envelope.ts'
import type { Database } from '#store/db/database.ts'
import type { Accept } from './spool-store.ts'

/** A store that could not tell us for so long that it had no answer sends its entry out twice. */
export const TAKEN_DAYS = 14
/** With each new one more than one old one goes: the table shrinks by itself, and no commit is long. */
const FORGOTTEN_AT_ONCE = 4

/** The number that an entry of an outbox was queued under, also where it has left the queue since. */
export const findTaken = (db: Database, id: DeliveryId): number | undefined =>
  db.query<{ message: number }>('SELECT message FROM taken WHERE id = ?').get(id)?.message

/** In the transaction that queues the entry. */
export function noteTaken(db: Database, number: number, accept: Accept): void {
  const { deliveryId, receivedAtMs } = accept
  db.query('INSERT INTO taken VALUES (?, ?, ?)').run(deliveryId, number, receivedAtMs)
  db.query(
    `DELETE FROM taken WHERE id IN (
       SELECT id FROM taken WHERE at_ms < ? ORDER BY at_ms LIMIT ${FORGOTTEN_AT_ONCE})`,
  ).run(receivedAtMs - TAKEN_DAYS * DAY_MS)
}
