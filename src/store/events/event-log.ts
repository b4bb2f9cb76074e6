import { randomId } from '#base/id.ts'
import { openDatabase } from '#store/db/database.ts'
import type { Database } from '#store/db/database.ts'
import type { DatabaseKind } from '#store/db/check.ts'
import type { EventRecord, NewEvent, NodeId } from '#model/event.ts'

/** A node's own records, numbered and kept until control has them. */
export interface EventLog {
  /** Numbers the events and keeps them; what is over the quota pushes out the oldest, which leaves a gap. */
  append(batch: { readonly events: readonly NewEvent[] }): Promise<{ readonly seq: number }>
  /** The records after `after`, oldest first. `epoch` names this log: numbers of another one are others. */
  since(ask: { readonly after: number; readonly limit: number }): Promise<{
    readonly epoch: string
    readonly records: readonly EventRecord[]
  }>
  /** Control has all up to `seq` durably: they go. */
  ack(done: { readonly epoch: string; readonly seq: number }): Promise<void>
  status(): Promise<{
    readonly epoch: string
    readonly waiting: number
    readonly seq: number
    /** Records that the quota pushed out unshipped. */
    readonly lost: number
  }>
}

const ROWS_MAX_DEFAULT = 500_000
/** Pushed out together, so that a full log need not delete at each append. */
const PUSH_OUT_ROWS = 1_000

export const EVENTS_DATABASE: DatabaseKind = {
  kind: 'events',
  migrations: [
    `CREATE TABLE event (
     seq INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, name TEXT NOT NULL,
     delivery_id TEXT, fields TEXT NOT NULL) STRICT;
   CREATE TABLE state (
     one INTEGER PRIMARY KEY CHECK (one = 1), epoch TEXT NOT NULL,
     seq INTEGER NOT NULL, lost INTEGER NOT NULL) STRICT;`,
  ],
}

interface State {
  readonly epoch: string
  readonly seq: number
  readonly lost: number
}

/** The log in SQLite, synced by checkpoints only: events are not promises. Opened by a storage process. */
export class SqliteEventLog implements EventLog {
  readonly #db: Database
  readonly #node: NodeId
  readonly #rowsMax: number

  constructor(options: {
    readonly path: string
    readonly node: NodeId
    readonly rowsMax?: number
  }) {
    this.#db = openDatabase({ path: options.path, ...EVENTS_DATABASE })
    this.#db.exec('PRAGMA synchronous=NORMAL')
    this.#db.query('INSERT OR IGNORE INTO state VALUES (1, ?, 0, 0)').run(randomId(12))
    this.#node = options.node
    this.#rowsMax = options.rowsMax ?? ROWS_MAX_DEFAULT
  }

  async append(batch: { readonly events: readonly NewEvent[] }): Promise<{ readonly seq: number }> {
    return this.#db.transaction(() => {
      let { seq } = this.#state()
      const put = this.#db.query('INSERT INTO event VALUES (?, ?, ?, ?, ?)')
      for (const event of batch.events)
        put.run(
          ++seq,
          Math.floor(event.atMs),
          event.name,
          event.deliveryId ?? null,
          JSON.stringify(event.fields),
        )
      this.#db.query('UPDATE state SET seq = ?').run(seq)
      this.#pushOut()
      return { seq }
    })
  }

  async since(ask: {
    readonly after: number
    readonly limit: number
  }): ReturnType<EventLog['since']> {
    const rows = this.#db
      .query<Row>('SELECT * FROM event WHERE seq > ? ORDER BY seq LIMIT ?')
      .all(ask.after, ask.limit)
    return {
      epoch: this.#state().epoch,
      records: rows.map((row) => ({
        node: this.#node,
        seq: row.seq,
        atMs: row.at_ms,
        name: row.name,
        ...(row.delivery_id !== null && { deliveryId: row.delivery_id }),
        fields: JSON.parse(row.fields) as EventRecord['fields'],
      })),
    }
  }

  async ack(done: { readonly epoch: string; readonly seq: number }): Promise<void> {
    if (done.epoch !== this.#state().epoch) return
    this.#db.query('DELETE FROM event WHERE seq <= ?').run(done.seq)
  }

  async status(): ReturnType<EventLog['status']> {
    const { waiting } = this.#db
      .query<{ waiting: number }>('SELECT count(*) AS waiting FROM event')
      .get()!
    return { ...this.#state(), waiting }
  }

  close(): void {
    this.#db.close()
  }

  #state(): State {
    return this.#db
      .query<State & Record<string, never>>('SELECT epoch, seq, lost FROM state')
      .get()!
  }

  /** Rows are without holes, so the span of their numbers is their count. */
  #pushOut(): void {
    const { first, last } = this.#db
      .query<{ first: number | null; last: number | null }>(
        'SELECT min(seq) AS first, max(seq) AS last FROM event',
      )
      .get()!
    if (first === null || last === null || last - first + 1 <= this.#rowsMax) return
    const upTo = last - this.#rowsMax + Math.min(PUSH_OUT_ROWS, this.#rowsMax >> 1)
    const gone = this.#db.query('DELETE FROM event WHERE seq <= ?').run(upTo)
    this.#db.query('UPDATE state SET lost = lost + ?').run(gone)
  }
}

interface Row {
  readonly seq: number
  readonly at_ms: number
  readonly name: string
  readonly delivery_id: string | null
  readonly fields: string
}
