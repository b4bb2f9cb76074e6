import { openDatabase } from '#store/db/database.ts'
import type { Database } from '#store/db/database.ts'
import type { DatabaseKind } from '#store/db/check.ts'
import type { EventRecord, NodeId } from '#model/event.ts'
import { addressClue, cluesOf, messageIdClue } from './event-clues.ts'
import { EventTally, TALLY_TABLE } from './event-tally.ts'
import type { EventCount } from './event-tally.ts'

/** Records that a node numbered and control never got. */
export interface EventGap {
  readonly node: NodeId
  readonly epoch: string
  readonly from: number
  readonly to: number
  readonly foundAtMs: number
}

/** Records of one node's log, in order. */
export interface EventBatch {
  readonly node: NodeId
  readonly epoch: string
  readonly records: readonly EventRecord[]
}

/** What a trace may start from. */
export type TraceBy =
  | { readonly kind: 'deliveryId'; readonly deliveryId: string }
  | { readonly kind: 'messageId'; readonly messageId: string }
  | { readonly kind: 'address'; readonly address: string }

/** One message's way over all roles, oldest event first. */
export interface Trace {
  readonly deliveryId: string
  readonly events: readonly EventRecord[]
  /** So many more there are, of a mail to very many. */
  readonly left?: number
}

/** Control's copy of all nodes' events, found by message, address and time. */
export interface EventIndex {
  /**
   * Batches of several nodes in one commit, durable when it resolves; known numbers are passed over.
   * `acked`, of each batch: its node may forget up to there.
   */
  put(puts: {
    readonly batches: readonly EventBatch[]
    readonly nowMs: number
  }): Promise<{ readonly acked: readonly number[] }>
  /**
   * The latest deliveries first, each with what it sent on. By an address, of a mail to many only
   * what names that address, and what names no recipient.
   */
  trace(ask: {
    readonly by: TraceBy
    readonly limit: number
  }): Promise<{ readonly items: readonly Trace[] }>
  /** Events by time, the latest first. */
  latest(ask: {
    readonly beforeMs?: number
    readonly limit: number
  }): Promise<{ readonly items: readonly EventRecord[] }>
  gaps(ask: { readonly limit: number }): Promise<{ readonly items: readonly EventGap[] }>
  /**
   * How many events since the begin of that minute, a day ago at most, by name and by what their
   * verdict says. `partial`: some of too many kinds are told without it.
   */
  counts(ask: {
    readonly sinceMs: number
  }): Promise<{ readonly items: readonly EventCount[]; readonly partial: boolean }>
}

const ROWS_MAX_DEFAULT = 5_000_000
/** Trimmed at each commit: no less than one brings, so that the quota holds. */
const TRIM_ROWS = 2_000
/** Clues lie all over their table: while fewer of its pages are kept, each commit reads them again. */
const CACHE_BYTES = 64 * 1024 * 1024
const WAL_PAGES = 4_000
const SENT_ON_MAX = 100
/** Of one delivery: a mail for 10,000 has two of each of them, and some more. */
const EVENTS_MAX = 50_000
/** A delivery with more is one to many. */
const FEW_EVENTS = 1_000
const NAMES_NOBODY = `json_extract(fields, '$.recipient') IS NULL`
/** Within one millisecond: reception, then the store, then the queue that heard of it. */
const STATION = `CASE WHEN name LIKE 'receive.%' THEN 0 WHEN name LIKE 'store.%' THEN 1 ELSE 2 END`

export const INDEX_DATABASE: DatabaseKind = {
  kind: 'event index',
  migrations: [
    `CREATE TABLE event (
     id INTEGER PRIMARY KEY, node TEXT NOT NULL, epoch TEXT NOT NULL, seq INTEGER NOT NULL,
     at_ms INTEGER NOT NULL, name TEXT NOT NULL, delivery_id TEXT, fields TEXT NOT NULL) STRICT;
   CREATE INDEX event_delivery ON event (delivery_id, at_ms) WHERE delivery_id IS NOT NULL;
   CREATE INDEX event_time ON event (at_ms);
   CREATE TABLE clue (
     clue TEXT NOT NULL, event INTEGER NOT NULL, delivery_id TEXT NOT NULL,
     PRIMARY KEY (clue, event)) STRICT, WITHOUT ROWID;
   CREATE INDEX clue_event ON clue (event);
   CREATE TABLE position (
     node TEXT NOT NULL, epoch TEXT NOT NULL, seq INTEGER NOT NULL,
     PRIMARY KEY (node, epoch)) STRICT, WITHOUT ROWID;
   CREATE TABLE gap (
     id INTEGER PRIMARY KEY, node TEXT NOT NULL, epoch TEXT NOT NULL,
     first INTEGER NOT NULL, last INTEGER NOT NULL, found_at_ms INTEGER NOT NULL) STRICT;`,
    // Clues are found by their events' fields where these are trimmed: a quarter of the file less.
    `DROP INDEX clue_event; ${TALLY_TABLE}`,
  ],
}

/** The index in SQLite; opened by control's storage process only. */
export class SqliteEventIndex implements EventIndex {
  readonly #db: Database
  readonly #tally: EventTally
  readonly #rowsMax: number

  constructor(options: { readonly path: string; readonly rowsMax?: number }) {
    this.#db = openDatabase({
      path: options.path,
      ...INDEX_DATABASE,
      cacheBytes: CACHE_BYTES,
      walPages: WAL_PAGES,
    })
    this.#tally = new EventTally(this.#db)
    this.#rowsMax = options.rowsMax ?? ROWS_MAX_DEFAULT
  }

  async put(puts: Parameters<EventIndex['put']>[0]): ReturnType<EventIndex['put']> {
    return this.#db.transaction(() => {
      this.#tally.begin(puts.nowMs)
      const acked = puts.batches.map((batch) => this.#putOne(batch, puts.nowMs))
      this.#tally.end()
      this.#trim()
      return { acked }
    })
  }

  async trace(ask: Parameters<EventIndex['trace']>[0]): ReturnType<EventIndex['trace']> {
    const found = this.#deliveries(ask)
    const all = new Set(found.flatMap((id) => [id, ...this.#sentOn(id)]))
    const items = Array.from(all, (deliveryId) => this.#way(deliveryId, ask.by))
    return { items: items.filter(({ events }) => events.length > 0) }
  }

  #way(deliveryId: string, by: TraceBy): Trace {
    const { count } = this.#db
      .query<{ count: number }>('SELECT count(*) AS count FROM event WHERE delivery_id = ?')
      .get(deliveryId)!
    const clue = by.kind === 'address' && count > FEW_EVENTS ? addressClue(by.address) : undefined
    const meant =
      clue === undefined
        ? ''
        : `AND (${NAMES_NOBODY} OR EXISTS (SELECT 1 FROM clue WHERE clue = ? AND event = event.id))`
    const events = this.#db
      .query<Row>(
        `SELECT * FROM event WHERE delivery_id = ? ${meant}
         ORDER BY at_ms, ${STATION}, id LIMIT ${EVENTS_MAX}`,
      )
      .all(...(clue === undefined ? [deliveryId] : [deliveryId, clue]))
      .map(recordOf)
    const left = count - events.length
    return { deliveryId, events, ...(left > 0 && { left }) }
  }

  async latest(ask: Parameters<EventIndex['latest']>[0]): ReturnType<EventIndex['latest']> {
    const rows = this.#db
      .query<Row>('SELECT * FROM event WHERE at_ms < ? ORDER BY at_ms DESC, id DESC LIMIT ?')
      .all(ask.beforeMs ?? Number.MAX_SAFE_INTEGER, ask.limit)
    return { items: rows.map(recordOf) }
  }

  async gaps(ask: { readonly limit: number }): ReturnType<EventIndex['gaps']> {
    const rows = this.#db
      .query<{ node: string; epoch: string; first: number; last: number; found_at_ms: number }>(
        'SELECT * FROM gap ORDER BY id DESC LIMIT ?',
      )
      .all(ask.limit)
    return {
      items: rows.map((row) => ({
        node: row.node as NodeId,
        epoch: row.epoch,
        from: row.first,
        to: row.last,
        foundAtMs: row.found_at_ms,
      })),
    }
  }

  async counts(ask: { readonly sinceMs: number }): ReturnType<EventIndex['counts']> {
    return this.#tally.counts(ask.sinceMs)
  }

  close(): void {
    this.#db.close()
  }

  #deliveries(ask: Parameters<EventIndex['trace']>[0]): readonly string[] {
    if (ask.by.kind === 'deliveryId') return [ask.by.deliveryId]
    const clue =
      ask.by.kind === 'messageId' ? messageIdClue(ask.by.messageId) : addressClue(ask.by.address)
    if (clue === undefined) return []
    // From the latest on, and no further than asked: one address may stand in most of the events.
    const found = new Set<string>()
    const rows = this.#db.query<{ delivery_id: string }>(
      `SELECT delivery_id FROM clue WHERE clue = ?
       AND event >= (SELECT min(id) FROM event) ORDER BY event DESC`,
    )
    for (const row of rows.iterate(clue)) {
      found.add(row.delivery_id)
      if (found.size >= ask.limit) break
    }
    return [...found]
  }

  /** What deliveries of it sent on: their ids go on with `-` (engine/deliver/entry-id.ts). */
  #sentOn(deliveryId: string): readonly string[] {
    return this.#db
      .query<{ delivery_id: string }>(
        `SELECT delivery_id FROM event WHERE delivery_id > ? AND delivery_id < ?
         GROUP BY delivery_id ORDER BY min(at_ms), delivery_id LIMIT ${SENT_ON_MAX}`,
      )
      .all(`${deliveryId}-`, `${deliveryId}.`) // '.' comes right after '-'
      .map((row) => row.delivery_id)
  }

  #putOne(batch: EventBatch, nowMs: number): number {
    let position = this.#position(batch.node, batch.epoch)
    for (const record of batch.records) {
      if (record.seq <= position) continue
      if (record.seq > position + 1) this.#gap(batch, nowMs, [position + 1, record.seq - 1])
      this.#insert(batch, record)
      this.#tally.add(record)
      position = record.seq
    }
    this.#db
      .query('INSERT INTO position VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET seq = excluded.seq')
      .run(batch.node, batch.epoch, position)
    return position
  }

  #position(node: NodeId, epoch: string): number {
    return (
      this.#db
        .query<{ seq: number }>('SELECT seq FROM position WHERE node = ? AND epoch = ?')
        .get(node, epoch)?.seq ?? 0
    )
  }

  #gap(batch: EventBatch, nowMs: number, [first, last]: readonly [number, number]): void {
    this.#db
      .query('INSERT INTO gap (node, epoch, first, last, found_at_ms) VALUES (?, ?, ?, ?, ?)')
      .run(batch.node, batch.epoch, first, last, nowMs)
  }

  #insert(batch: EventBatch, record: EventRecord): void {
    const { id } = this.#db
      .query<{ id: number }>(
        `INSERT INTO event (node, epoch, seq, at_ms, name, delivery_id, fields)
         VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id`,
      )
      .get(
        batch.node,
        batch.epoch,
        record.seq,
        Math.floor(record.atMs),
        record.name,
        record.deliveryId ?? null,
        JSON.stringify(record.fields),
      )!
    if (record.deliveryId === undefined) return
    const put = this.#db.query('INSERT OR IGNORE INTO clue VALUES (?, ?, ?)')
    for (const clue of cluesOf(record.fields)) put.run(clue, id, record.deliveryId)
  }

  #trim(): void {
    const { first, last } = this.#db
      .query<{ first: number | null; last: number | null }>(
        'SELECT min(id) AS first, max(id) AS last FROM event',
      )
      .get()!
    if (first === null || last === null || last - first + 1 <= this.#rowsMax) return
    const upTo = Math.min(first + TRIM_ROWS, last - this.#rowsMax)
    const gone = this.#db.query<{ id: number; fields: string }>(
      'SELECT id, fields FROM event WHERE id <= ? AND delivery_id IS NOT NULL',
    )
    const remove = this.#db.query('DELETE FROM clue WHERE clue = ? AND event = ?')
    for (const { id, fields } of gone.all(upTo))
      for (const clue of cluesOf(JSON.parse(fields) as EventRecord['fields'])) remove.run(clue, id)
    this.#db.query('DELETE FROM event WHERE id <= ?').run(upTo)
  }
}

interface Row {
  readonly node: string
  readonly seq: number
  readonly at_ms: number
  readonly name: string
  readonly delivery_id: string | null
  readonly fields: string
}

const recordOf = (row: Row): EventRecord => ({
  node: row.node as NodeId,
  seq: row.seq,
  atMs: row.at_ms,
  name: row.name,
  ...(row.delivery_id !== null && { deliveryId: row.delivery_id }),
  fields: JSON.parse(row.fields) as EventRecord['fields'],
})
