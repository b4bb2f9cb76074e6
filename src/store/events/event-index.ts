import { openDatabase } from '#store/db/database.ts'
import type { Database, DatabaseKind } from '#store/db/database.ts'
import { addressKey, parseAddress } from '#model/address.ts'
import type { EventRecord, NodeId } from '#model/event.ts'

/** Records that a node numbered and control never got. */
export interface EventGap {
  readonly node: NodeId
  readonly epoch: string
  readonly from: number
  readonly to: number
  readonly foundAtMs: number
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
}

/** Control's copy of all nodes' events, found by message, address and time. */
export interface EventIndex {
  /** Durable when it resolves; known numbers are passed over. `acked`: the node may forget up to there. */
  put(batch: {
    readonly node: NodeId
    readonly epoch: string
    readonly records: readonly EventRecord[]
    readonly nowMs: number
  }): Promise<{ readonly acked: number }>
  /** The latest deliveries first, each with what it sent on. */
  trace(ask: {
    readonly by: TraceBy
    readonly limit: number
  }): Promise<{ readonly items: readonly Trace[] }>
  /** Events by time, the latest first. */
  latest(ask: {
    readonly beforeMs?: number
    readonly name?: string
    readonly limit: number
  }): Promise<{ readonly items: readonly EventRecord[] }>
  gaps(ask: { readonly limit: number }): Promise<{ readonly items: readonly EventGap[] }>
  /** How many events since then, by name and by what their verdict says; `partial`: the latest ones only. */
  counts(ask: {
    readonly sinceMs: number
  }): Promise<{ readonly items: readonly EventCount[]; readonly partial: boolean }>
}

export interface EventCount {
  readonly name: string
  readonly class?: string
  readonly virus?: string
  readonly held?: boolean
  readonly count: number
}

/** A count looks at so many events at most: a tenth of a second. */
const COUNTED_MAX = 50_000
const ROWS_MAX_DEFAULT = 5_000_000
/** Trimmed at each batch: more than a batch brings, so that the quota holds. */
const TRIM_ROWS = 2_000
const SENT_ON_MAX = 100
const ADDRESSES_PER_EVENT_MAX = 1_000
/** Fields that name a sender or recipient, alone or several with commas or blanks between. */
const ADDRESS_FIELDS = [
  'from',
  'to',
  'address',
  'recipient',
  'recipients',
  'reversePath',
  'sender',
  'original',
] as const

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
  ],
}

/** The index in SQLite; opened by control's storage process only. */
export class SqliteEventIndex implements EventIndex {
  readonly #db: Database
  readonly #rowsMax: number

  constructor(options: { readonly path: string; readonly rowsMax?: number }) {
    this.#db = openDatabase({ path: options.path, ...INDEX_DATABASE })
    this.#rowsMax = options.rowsMax ?? ROWS_MAX_DEFAULT
  }

  async put(batch: Parameters<EventIndex['put']>[0]): Promise<{ readonly acked: number }> {
    return this.#db.transaction(() => {
      let position = this.#position(batch.node, batch.epoch)
      for (const record of batch.records) {
        if (record.seq <= position) continue
        if (record.seq > position + 1) this.#gap(batch, position + 1, record.seq - 1)
        this.#insert(batch, record)
        position = record.seq
      }
      this.#db
        .query('INSERT INTO position VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET seq = excluded.seq')
        .run(batch.node, batch.epoch, position)
      this.#trim()
      return { acked: position }
    })
  }

  async trace(ask: Parameters<EventIndex['trace']>[0]): ReturnType<EventIndex['trace']> {
    const found = this.#deliveries(ask)
    const all = new Set(found.flatMap((id) => [id, ...this.#sentOn(id)]))
    const items = Array.from(all, (deliveryId) => ({
      deliveryId,
      events: this.#db
        .query<Row>(
          `SELECT * FROM event WHERE delivery_id = ? ORDER BY at_ms, ${STATION}, id LIMIT 10000`,
        )
        .all(deliveryId)
        .map(recordOf),
    }))
    return { items: items.filter(({ events }) => events.length > 0) }
  }

  async latest(ask: Parameters<EventIndex['latest']>[0]): ReturnType<EventIndex['latest']> {
    const rows = this.#db
      .query<Row>(
        `SELECT * FROM event WHERE at_ms < ?1 AND (?2 IS NULL OR name = ?2)
         ORDER BY at_ms DESC, id DESC LIMIT ?3`,
      )
      .all(ask.beforeMs ?? Number.MAX_SAFE_INTEGER, ask.name ?? null, ask.limit)
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
    const rows = this.#db
      .query<CountRow>(
        `SELECT name, class, virus, held, count(*) AS count FROM (
           SELECT name, fields ->> 'class' AS class, fields ->> 'virus' AS virus, fields ->> 'held' AS held
           FROM event WHERE at_ms >= ? ORDER BY at_ms DESC LIMIT ${COUNTED_MAX})
         GROUP BY name, class, virus, held ORDER BY name, class, virus, held`,
      )
      .all(Math.floor(ask.sinceMs))
    const items = rows.map(({ name, class: verdict, virus, held, count }) => ({
      name,
      ...(verdict !== null && { class: verdict }),
      ...(virus !== null && { virus }),
      ...(held !== null && { held: held === 1 }),
      count,
    }))
    return { items, partial: items.reduce((sum, { count }) => sum + count, 0) >= COUNTED_MAX }
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
      'SELECT delivery_id FROM clue WHERE clue = ? ORDER BY event DESC',
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

  #position(node: NodeId, epoch: string): number {
    return (
      this.#db
        .query<{ seq: number }>('SELECT seq FROM position WHERE node = ? AND epoch = ?')
        .get(node, epoch)?.seq ?? 0
    )
  }

  #gap(batch: Parameters<EventIndex['put']>[0], first: number, last: number): void {
    this.#db
      .query('INSERT INTO gap (node, epoch, first, last, found_at_ms) VALUES (?, ?, ?, ?, ?)')
      .run(batch.node, batch.epoch, first, last, batch.nowMs)
  }

  #insert(batch: Parameters<EventIndex['put']>[0], record: EventRecord): void {
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
    this.#db.query('DELETE FROM clue WHERE event <= ?').run(upTo)
    this.#db.query('DELETE FROM event WHERE id <= ?').run(upTo)
  }
}

interface CountRow {
  readonly name: string
  readonly class: string | null
  readonly virus: string | null
  readonly held: number | null
  readonly count: number
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

function cluesOf(fields: EventRecord['fields']): ReadonlySet<string> {
  const clues = new Set<string>()
  const messageId = fields['messageId']
  if (typeof messageId === 'string' && messageId !== '') clues.add(messageIdClue(messageId))
  for (const name of ADDRESS_FIELDS) {
    const value = fields[name]
    if (typeof value !== 'string') continue
    for (const text of value.split(/[,\s]+/)) {
      const clue = addressClue(text)
      if (clue !== undefined && clues.size < ADDRESSES_PER_EVENT_MAX) clues.add(clue)
    }
  }
  return clues
}

const messageIdClue = (text: string): string => `id ${text.trim().replace(/^<|>$/g, '')}`

function addressClue(text: string): string | undefined {
  const address = parseAddress(text.trim().replace(/^(?:rfc822;)?<?|>$/gi, ''))
  return address.ok ? `at ${addressKey(address.value)}` : undefined
}
