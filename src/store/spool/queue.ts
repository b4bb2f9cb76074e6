import type { Clock } from '#base/time.ts'
import type { BlobRef } from '#store/blob/blobs.ts'
import type { Database } from '#store/db/database.ts'
import { CLASSES, DUE_INDEX, DueMail } from './due.ts'
import type { MailClass } from './due.ts'
import { LiveSegments } from './live-segments.ts'
import { isMeant, rangeOf, step } from './queue-look.ts'
import type { Step } from './queue-look.ts'
import { QueueNumbers, formatQueueId, parseQueueId } from './queue-id.ts'
import { blobOf, firstState, insertMessage, messageOf, stateCode } from './rows.ts'
import type { MessageRow, RecipientRow, StoredState } from './rows.ts'
import type {
  Accept,
  QueueFilter,
  QueueId,
  QueueMessage,
  Settlement,
  SpoolStatus,
  SpoolStore,
} from './spool-store.ts'
import { StateCounts } from './state-counts.ts'
import { findTaken, noteTaken } from './taken.ts'

/** What a change of rows left behind: octets whose message is gone. */
export interface Change<T> {
  readonly value: T
  readonly ended: readonly BlobRef[]
}

const READY = stateCode('ready')
const HELD = stateCode('held')

type Act = Parameters<SpoolStore['act']>[0]
type Hasten = Parameters<SpoolStore['hasten']>[0]

/** One transaction's worth. */
const HASTENED_AT_ONCE = 500

const classOf = (mail: { readonly isBulk?: true }): MailClass => (mail.isBulk === true ? 1 : 0)

/** The rows of the queue. Nothing here waits; what writes must run inside a transaction. */
export class Queue {
  readonly #db: Database
  readonly #clock: Clock
  readonly #due: DueMail
  readonly #live: LiveSegments
  readonly #counts: StateCounts
  readonly #numbers: QueueNumbers

  constructor(db: Database, clock: Clock) {
    this.#db = db
    this.#clock = clock
    this.#due = new DueMail(db)
    this.#live = new LiveSegments(db)
    this.#counts = new StateCounts(db)
    const last = db.query<{ last: number | null }>('SELECT max(number) AS last FROM message').get()
    this.#numbers = new QueueNumbers(last?.last ?? 0)
  }

  add(accept: Accept, ref: BlobRef): QueueId {
    const number = this.#numbers.next(this.#clock.nowMs())
    this.#live.add(ref)
    insertMessage(this.#db, number, accept, ref)
    for (const recipient of accept.recipients) this.#counts.add(stateCode(firstState(recipient)), 1)
    if (accept.door === 'outbox') noteTaken(this.#db, number, accept)
    this.#due.retreat([accept.receivedAtMs, number, 0], [classOf(accept)])
    return formatQueueId(number)
  }

  /** What an entry of an outbox was queued as before. */
  taken(accept: Accept): QueueId | undefined {
    const number = accept.door === 'outbox' ? findTaken(this.#db, accept.deliveryId) : undefined
    return number === undefined ? undefined : formatQueueId(number)
  }

  /** A commit failed: `refs` came with it, and what it changed may not stand. */
  undo(refs: readonly BlobRef[]): void {
    this.leave(refs)
    this.#counts.forget()
  }

  /** Counts octets out of their segments; true where a segment has become empty. */
  leave(refs: readonly BlobRef[]): boolean {
    return refs.filter((ref) => this.#live.remove(ref)).length > 0
  }

  liveSegments(): ReadonlySet<number> {
    return this.#live.files()
  }

  /** A segment that is worth emptying, with what still lies in it. */
  sparse(): { readonly number: number; readonly ref: BlobRef }[] {
    const file = this.#live.sparsest()
    if (file === undefined) return []
    return this.#db
      .query<MessageRow>('SELECT * FROM message WHERE blob_kind = 0 AND blob_file = ?')
      .all(file)
      .map((row) => ({ number: row.number, ref: blobOf(row) }))
  }

  /** The message's octets have been copied; false where it has gone meanwhile. */
  move(number: number, from: BlobRef, to: BlobRef): boolean {
    const moved = this.#db
      .query(
        `UPDATE message SET blob_file = ?, blob_offset = ?
         WHERE number = ? AND blob_kind = 0 AND blob_file = ? AND blob_offset = ?`,
      )
      .run(to.file, to.offset, number, from.file, from.offset)
    return moved > 0
  }

  /** After the commit of `move`. */
  moved(from: BlobRef, to: BlobRef): void {
    this.#live.move(from, to)
  }

  readonly claim = (ask: Parameters<SpoolStore['claim']>[0]): ReturnType<DueMail['claim']> =>
    this.#due.claim(ask)

  /** After the commit of `settle`. */
  unclaim(settlement: Settlement): void {
    const number = parseQueueId(settlement.queueId)
    if (number === undefined) return
    this.#due.claims.remove(number, settlement.index)
    if (settlement.kind === 'deferred')
      this.#due.retreat([settlement.nextAttemptMs, number, settlement.index])
  }

  /** True where at least one settlement found its recipient still open, or there was none to find. */
  settle(settlements: readonly Settlement[]): Change<boolean> {
    let changed = 0
    const ended: BlobRef[] = []
    const touched = new Set<number>()
    for (const settlement of settlements) {
      const number = parseQueueId(settlement.queueId)
      if (number === undefined) continue
      const count = this.#settleOne(number, settlement)
      changed += count
      if (count > 0 && isEnd(settlement.kind)) touched.add(number)
    }
    for (const number of touched) ended.push(...this.#endIfDone(number))
    return { value: changed > 0 || settlements.length === 0, ended }
  }

  /** A recipient that is being delivered is left alone: its outcome decides. */
  act(act: Act): Change<number> {
    const number = parseQueueId(act.queueId)
    if (number === undefined) return { value: 0, ended: [] }
    const open = this.#recipients(number).filter(
      (row) => row.state <= HELD && !this.#due.claims.has(number, row.place),
    )
    let changed = 0
    for (const row of open) changed += this.#actOn(row, act)
    if (act.act === 'release' && changed > 0) this.#renew(number, act.nowMs)
    return { value: changed, ended: act.act === 'drop' ? this.#endIfDone(number) : [] }
  }

  hasten({ nowMs, what }: Hasten): number {
    const places =
      'these' in what
        ? what.these.map(({ queueId, index }) => [parseQueueId(queueId), index])
        : this.#later(what.laterThanMs)
    let changed = 0
    for (const [number, index] of places) {
      if (number === undefined || index === undefined || this.#due.claims.has(number, index))
        continue
      const found = this.#db
        .query(
          `UPDATE recipient SET due_ms = ?
           WHERE message = ? AND place = ? AND state = ${READY} AND due_ms > ?`,
        )
        .run(nowMs, number, index, nowMs)
      if (found > 0) this.#due.retreat([nowMs, number, index])
      changed += found
    }
    return changed
  }

  /** The last of those that wait, the longest wait first. */
  #later(laterThanMs: number): (readonly [number, number])[] {
    return CLASSES.flatMap((mailClass) =>
      this.#db
        .query<{ message: number; place: number }>(
          `SELECT message, place FROM recipient INDEXED BY ${DUE_INDEX[mailClass]}
           WHERE state = 0 AND bulk = ${mailClass} AND due_ms > ?
           ORDER BY due_ms DESC LIMIT ${HASTENED_AT_ONCE}`,
        )
        .all(laterThanMs)
        .map(({ message, place }) => [message, place] as const),
    )
  }

  blob(number: number): BlobRef | undefined {
    const row = this.#message(number)
    return row && blobOf(row)
  }

  show(queueId: string): QueueMessage | undefined {
    const number = parseQueueId(queueId)
    return number === undefined ? undefined : this.#whole(number)
  }

  /** One step of a look through the queue, of a few milliseconds; `limit` messages at most. */
  list(filter: QueueFilter): {
    readonly messages: readonly QueueMessage[]
    readonly looked: number
    readonly next?: QueueId
  } {
    const { numbers, looked, next }: Step =
      filter.state === 'claimed' ? this.#claimedOf(filter) : step(this.#db, filter)
    const messages: QueueMessage[] = []
    for (const number of numbers) {
      const message = this.#whole(number)
      if (message === undefined || !isMeant(message, filter)) continue
      messages.push(message)
      if (messages.length < filter.limit) continue
      const isLast = next === undefined && number === numbers.at(-1)
      return { messages, looked, ...(!isLast && { next: formatQueueId(number) }) }
    }
    return { messages, looked, ...(next !== undefined && { next: formatQueueId(next) }) }
  }

  status(): Omit<SpoolStatus, 'freeBytes' | 'full'> {
    const counts = this.#counts
    const recipients = {
      ready: counts.of('ready') - this.#due.claims.size,
      claimed: this.#due.claims.size,
      held: counts.of('held'),
      delivered: counts.of('delivered'),
      failed: counts.of('failed'),
      dropped: counts.of('dropped'),
    }
    const first = this.#db.query<MessageRow>('SELECT * FROM message ORDER BY number LIMIT 1').get()
    return {
      messages: this.#live.messages,
      recipients,
      ...(first !== undefined && { oldestMs: messageOf(first, [], () => false).receivedAtMs }),
    }
  }

  #settleOne(number: number, settlement: Settlement): number {
    const { index } = settlement
    const before = this.#db
      .query<{ state: number }>('SELECT state FROM recipient WHERE message = ? AND place = ?')
      .get(number, index)
    if (before === undefined || before.state > HELD) return 0
    this.#counts.add(before.state, -1)
    this.#counts.add(stateCode(settlement.kind === 'deferred' ? 'ready' : settlement.kind), 1)
    const where = 'WHERE message = ? AND place = ?'
    switch (settlement.kind) {
      case 'delivered':
      case 'failed':
      case 'dropped':
        return this.#db
          .query(
            `UPDATE recipient SET state = ?, last_status = ?, attempts = attempts + 1 ${where}`,
          )
          .run(stateCode(settlement.kind), settlement.status, number, index)
      case 'deferred':
        return this.#db
          .query(
            `UPDATE recipient SET state = ${READY}, last_status = ?, attempts = attempts + 1,
             due_ms = ?, delay_notified = ? ${where}`,
          )
          .run(
            settlement.status,
            settlement.nextAttemptMs,
            settlement.delayNotified ? 1 : 0,
            number,
            index,
          )
      case 'held':
        return this.#db
          .query(`UPDATE recipient SET state = ${HELD}, hold = ? ${where}`)
          .run(settlement.reason, number, index)
    }
  }

  /** What was held for days has its whole lifetime before it: else one 4xx would be its end. */
  #renew(number: number, nowMs: number): void {
    this.#db
      .query(
        `UPDATE message SET meta = json_set(meta, '$.expiresAtMs', max(meta ->> '$.expiresAtMs',
           ? + (meta ->> '$.expiresAtMs') - (meta ->> '$.receivedAtMs'))) WHERE number = ?`,
      )
      .run(nowMs, number)
  }

  #actOn(row: RecipientRow, act: Act): number {
    const set = (state: StoredState, dueMs: number, hold: string | null): number => {
      if (state === 'ready') this.#due.retreat([dueMs, row.message, row.place])
      this.#counts.add(row.state, -1)
      this.#counts.add(stateCode(state), 1)
      return this.#db
        .query(
          'UPDATE recipient SET state = ?, due_ms = ?, hold = ? WHERE message = ? AND place = ?',
        )
        .run(stateCode(state), dueMs, hold, row.message, row.place)
    }
    switch (act.act) {
      case 'hold':
        return row.state === READY ? set('held', row.due_ms, 'held by an administrator') : 0
      case 'release':
        return row.state === HELD ? set('ready', act.nowMs, null) : 0
      case 'retry':
        return row.state === READY ? set('ready', act.nowMs, null) : 0
      case 'drop':
        return set('dropped', row.due_ms, row.hold)
    }
  }

  /** Forgets a message all of whose recipients have ended. */
  #endIfDone(number: number): BlobRef[] {
    const open = this.#db
      .query(`SELECT 1 FROM recipient WHERE message = ? AND state <= ${HELD} LIMIT 1`)
      .get(number)
    const row = open === undefined ? this.#message(number) : undefined
    if (row === undefined) return []
    const gone = this.#db
      .query<{ state: number; count: number }>(
        'SELECT state, count(*) AS count FROM recipient WHERE message = ? GROUP BY state',
      )
      .all(number)
    for (const { state, count } of gone) this.#counts.add(state, -count)
    this.#db.query('DELETE FROM recipient WHERE message = ?').run(number)
    this.#db.query('DELETE FROM message WHERE number = ?').run(number)
    return [blobOf(row)]
  }

  #message(number: number): MessageRow | undefined {
    return this.#db.query<MessageRow>('SELECT * FROM message WHERE number = ?').get(number)
  }

  #recipients(number: number): RecipientRow[] {
    return this.#db
      .query<RecipientRow>('SELECT * FROM recipient WHERE message = ? ORDER BY place')
      .all(number)
  }

  #whole(number: number): QueueMessage | undefined {
    const row = this.#message(number)
    if (row === undefined) return undefined
    return messageOf(row, this.#recipients(number), (place) => this.#due.claims.has(number, place))
  }

  /** All at once: no more than are being delivered. */
  #claimedOf(filter: QueueFilter): Step {
    const { above, below } = rangeOf(filter)
    const numbers = [...this.#due.claims.messages()]
      .filter((number) => number > above && number < below)
      .toSorted(ascending)
    if (filter.order === 'newest') numbers.reverse()
    return { numbers, looked: numbers.length }
  }
}

const isEnd = (kind: Settlement['kind']): boolean => kind !== 'deferred' && kind !== 'held'

const ascending = (a: number, b: number): number => a - b
