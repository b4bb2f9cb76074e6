import type { Steps } from '#base/turns.ts'
import type { Database } from '#store/db/database.ts'
import { Claims } from './claims.ts'
import { recipientOf, messageOf, stateCode } from './rows.ts'
import type { MessageRow, RecipientRow } from './rows.ts'
import type { QueueMessage, QueueRecipient } from './spool-store.ts'

/** A recipient's place among those that are due: due time, message, place within it. */
export type Place = readonly [dueMs: number, message: number, place: number]

/** Personal mail, and bulk, as their column has them. */
export const CLASSES = [0, 1] as const
export type MailClass = (typeof CLASSES)[number]
export const DUE_INDEX = ['recipient_due', 'recipient_bulk'] as const

const FIRST_PLACE: Place = [0, 0, 0]
const NOWHERE: Place = [Number.POSITIVE_INFINITY, 0, 0]
const READY = stateCode('ready')
/** Rows that are read in one go: a millisecond or so. */
const ROWS_AT_ONCE = 250

interface ClaimAsk {
  readonly nowMs: number
  readonly limit: number
}

/** What is due, by class and time, and who of it is being delivered. */
export class DueMail {
  readonly claims = new Claims()
  readonly #db: Database
  /** Before it all of a class that is due is claimed: a claim need not step over what is being delivered. */
  readonly #from: [Place, Place] = [FIRST_PLACE, FIRST_PLACE]
  /** The first of a class that has come, or come back, since a claim of it began. */
  readonly #back: [Place, Place] = [NOWHERE, NOWHERE]

  constructor(db: Database) {
    this.#db = db
  }

  /** Something not claimed waits there, of these classes or of nobody knows which. */
  retreat(place: Place, classes: readonly MailClass[] = CLASSES): void {
    for (const mailClass of classes) {
      if (isBefore(place, this.#from[mailClass])) this.#from[mailClass] = place
      if (isBefore(place, this.#back[mailClass])) this.#back[mailClass] = place
    }
  }

  /** To be done in slices: other work on the queue may come in between, but no second claim. */
  *claim(ask: ClaimAsk & { readonly bulkLimit?: number }): Steps<{
    messages: QueueMessage[]
    nextDueMs?: number
  }> {
    const { nowMs, limit, bulkLimit = limit } = ask
    const messages: QueueMessage[] = []
    const next: number[] = []
    for (const [mailClass, most] of [[0, limit] as const, [1, bulkLimit] as const]) {
      if (most <= 0) continue
      this.#back[mailClass] = NOWHERE
      const end = yield* this.#claimOf(mailClass, { nowMs, limit: most }, messages)
      const back = this.#back[mailClass]
      this.#from[mailClass] = isBefore(back, end.place) ? back : end.place
      if (end.nextDueMs !== undefined) next.push(end.nextDueMs)
    }
    return { messages, ...(next.length > 0 && { nextDueMs: Math.min(...next) }) }
  }

  /** Adds what is due of one class; where it ends, and when the next of it falls due. */
  *#claimOf(
    mailClass: MailClass,
    ask: ClaimAsk,
    messages: QueueMessage[],
  ): Steps<{ readonly place: Place; readonly nextDueMs?: number }> {
    const due = this.#db.query<{ due_ms: number; message: number; place: number }>(
      `SELECT due_ms, message, place FROM recipient INDEXED BY ${DUE_INDEX[mailClass]}
       WHERE state = 0 AND bulk = ${mailClass} AND (due_ms, message, place) >= (?, ?, ?)
       ORDER BY due_ms, message, place LIMIT ${ROWS_AT_ONCE}`,
    )
    let count = 0
    for (let from = this.#from[mailClass]; ;) {
      const rows = due.all(...from)
      for (const { due_ms: dueMs, message, place } of rows) {
        from = [dueMs, message, place]
        if (this.claims.has(message, place)) continue
        if (dueMs > ask.nowMs || count >= ask.limit) return { place: from, nextDueMs: dueMs }
        const claimed = yield* this.#claimMessage(message, ask.nowMs)
        if (claimed === undefined) continue // somebody has taken it out of the queue meanwhile
        messages.push(claimed)
        count += claimed.recipients.length
      }
      if (rows.length < ROWS_AT_ONCE) return { place: from }
      from = [from[0], from[1], from[2] + 1]
      yield
    }
  }

  *#claimMessage(number: number, nowMs: number): Steps<QueueMessage | undefined> {
    const claimed: QueueRecipient[] = []
    const next = this.#db.query<RecipientRow>(
      `SELECT * FROM recipient WHERE message = ? AND place >= ? ORDER BY place LIMIT ${ROWS_AT_ONCE}`,
    )
    for (let from = 0; ;) {
      const rows = next.all(number, from)
      for (const row of rows) {
        if (row.state !== READY || row.due_ms > nowMs || this.claims.has(number, row.place))
          continue
        this.claims.add(number, row.place)
        claimed.push(recipientOf(row, true))
      }
      yield
      if (rows.length < ROWS_AT_ONCE) break
      from = rows.at(-1)!.place + 1
    }
    if (claimed.length === 0) return undefined
    const row = this.#db.query<MessageRow>('SELECT * FROM message WHERE number = ?').get(number)!
    return { ...messageOf(row, [], () => true), recipients: claimed }
  }
}

function isBefore(a: Place, b: Place): boolean {
  const at = a.findIndex((part, i) => part !== b[i])
  return at >= 0 && a[at]! < b[at]!
}
