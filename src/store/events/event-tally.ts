import { DAY_MS, MINUTE_MS } from '#base/time.ts'
import type { Database } from '#store/db/database.ts'
import type { EventRecord } from '#model/event.ts'

/** So many events of one name, with what their verdict says. */
export interface EventCount {
  readonly name: string
  readonly class?: string
  readonly virus?: string
  readonly held?: boolean
  readonly count: number
}

const KEPT_MINUTES = DAY_MS / MINUTE_MS
/** Names and verdicts are words of ours; whoever sends others fills no minute with them. */
const KINDS_PER_MINUTE_MAX = 500
const WORD_LENGTH_MAX = 64
/** Stands for all kinds beyond those. */
const OTHER = 'other'
/** Counted once, where events were indexed before there were counts. */
const COUNTED_AT_FIRST = 50_000

/** '' and -1 stand for what an event does not say. */
export const TALLY_TABLE = `
  CREATE TABLE tally (
    minute INTEGER NOT NULL, name TEXT NOT NULL, class TEXT NOT NULL, virus TEXT NOT NULL,
    held INTEGER NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (minute, name, class, virus, held)) STRICT, WITHOUT ROWID;
  INSERT INTO tally
    SELECT at_ms / ${MINUTE_MS} AS minute, name, coalesce(fields ->> 'class', '') AS class,
      coalesce(fields ->> 'virus', '') AS virus,
      CASE json_type(fields, '$.held') WHEN 'true' THEN 1 WHEN 'false' THEN 0 ELSE -1 END AS held,
      count(*)
    FROM (SELECT at_ms, name, fields FROM event ORDER BY at_ms DESC LIMIT ${COUNTED_AT_FIRST})
    GROUP BY minute, name, 3, 4, 5;`

/** Counts of events by minute, kept as they come in: told without counting events again. */
export class EventTally {
  readonly #db: Database
  /** Of the commit under way, by kind. */
  readonly #added = new Map<string, { readonly row: readonly (string | number)[]; count: number }>()
  #nowMs = 0

  constructor(db: Database) {
    this.#db = db
  }

  /** Begins with a transaction that ends with `end`; what was left of one taken back is forgotten. */
  begin(nowMs: number): void {
    this.#added.clear()
    this.#nowMs = nowMs
  }

  /** What a fast clock dates ahead counts as of now. */
  add({ atMs, name, fields }: EventRecord): void {
    const minute = minuteOf(Math.min(atMs, this.#nowMs))
    if (minute <= minuteOf(this.#nowMs) - KEPT_MINUTES) return
    const held = fields['held']
    const row = [
      minute,
      name.slice(0, WORD_LENGTH_MAX),
      wordOf(fields['class']),
      wordOf(fields['virus']),
      typeof held === 'boolean' ? Number(held) : -1,
    ]
    const key = row.join('\0')
    const found = this.#added.get(key)
    if (found === undefined) this.#added.set(key, { row, count: 1 })
    else found.count++
  }

  /** Writes what was added, and forgets what is older than a day. */
  end(): void {
    const kinds = this.#db.query<{ kinds: number }>(
      'SELECT count(*) AS kinds FROM tally WHERE minute = ?',
    )
    const more = this.#db.query(
      `UPDATE tally SET count = count + ?
       WHERE minute = ? AND name = ? AND class = ? AND virus = ? AND held = ?`,
    )
    const put = this.#db.query(
      `INSERT INTO tally VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET count = count + excluded.count`,
    )
    for (const { row, count } of this.#added.values()) {
      if (more.run(count, ...row) > 0) continue
      const isRoom = kinds.get(row[0]!)!.kinds < KINDS_PER_MINUTE_MAX
      put.run(...(isRoom ? row : [row[0]!, OTHER, '', '', -1]), count)
    }
    this.#db.query('DELETE FROM tally WHERE minute <= ?').run(minuteOf(this.#nowMs) - KEPT_MINUTES)
  }

  counts(sinceMs: number): { readonly items: readonly EventCount[]; readonly partial: boolean } {
    const rows = this.#db
      .query<CountRow>(
        `SELECT name, class, virus, held, sum(count) AS count FROM tally WHERE minute >= ?
         GROUP BY name, class, virus, held ORDER BY name, class, virus, held`,
      )
      .all(minuteOf(sinceMs))
    const items = rows.map(({ name, class: verdict, virus, held, count }) => ({
      name,
      ...(verdict !== '' && { class: verdict }),
      ...(virus !== '' && { virus }),
      ...(held >= 0 && { held: held === 1 }),
      count,
    }))
    return { items, partial: items.some(({ name }) => name === OTHER) }
  }
}

interface CountRow {
  readonly name: string
  readonly class: string
  readonly virus: string
  readonly held: number
  readonly count: number
}

const minuteOf = (ms: number): number => Math.floor(ms / MINUTE_MS)

const wordOf = (value: unknown): string =>
  typeof value === 'string' ? value.slice(0, WORD_LENGTH_MAX) : ''
