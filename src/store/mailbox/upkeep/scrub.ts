import { failpoint } from '#base/failpoint.ts'
import { isLost, messageOf } from '#base/outcome.ts'
import type { Clock } from '#base/time.ts'
import { RECORD_BYTES_MAX } from '#store/blob/blobs.ts'
import type { BlobRef, Blobs } from '#store/blob/blobs.ts'
import type { GroupCommit } from '#store/db/group-commit.ts'
import type { DatabaseHealth, LookOver } from '#store/db/look-over.ts'
import { blobColumns, blobFrom, metaAnew } from '#store/mailbox/rows/content.ts'
import type { MetaParser } from '#store/mailbox/rows/content.ts'
import { SCRUB_ROUND_MS } from '#store/mailbox/mailbox-store.ts'
import { damagedDatabase } from '#store/mailbox/standing.ts'
import { damagedMessages, forgetDamage, noteDamage } from './damaged.ts'
import type { DamagedMessage } from './damaged.ts'
import type { Sql } from '#store/mailbox/rows/sql.ts'

export interface ScrubParts {
  readonly sql: Sql
  readonly blobs: Blobs
  readonly group: GroupCommit
  readonly clock: Clock
  readonly parser: () => MetaParser
  /** Absent: nothing lies in a file. */
  readonly lookOver?: Pick<LookOver, 'attempt' | 'close'>
}

export interface ScrubStep {
  /** Octets that were read from the disk; 0 while the next round is not due. */
  readonly bytes: number
  /** What nobody was told of yet. */
  readonly damaged: readonly DamagedMessage[]
  /** Parsed metas that were damaged, and are whole again from their messages. */
  readonly mended: number
  /** The round goes on. */
  readonly hasMore: boolean
  /** Set where SQLite has looked over its database since the last step: after a start, and once a round. */
  readonly database?: DatabaseHealth
  /** About what there is to read in a round. */
  readonly storedBytes: number
}

/** A step ends after so long, however little it has read: others are in the loop that it waits in. */
const STEP_MS = 250
/** Rows of one step, whose octets others may have read already. */
const ROWS_AT_ONCE = 500
/** A disk that reads nothing at all is no matter of some messages. */
const DAMAGED_AT_ONCE = 100

const COLUMNS = {
  content: ['kind', 'file', 'offset', 'length'],
  meta: ['meta_kind', 'meta_file', 'meta_offset', 'meta_length'],
} as const
type Part = keyof typeof COLUMNS

/** How far a round has come; kept in the database, so that a start goes on with it. */
interface Place {
  readonly part: Part | 'done'
  readonly kind: number
  readonly file: number
  readonly aid: number
  readonly eid: number
  readonly beganAtMs: number
}

type Row = [kind: number, file: number, aid: number, eid: number, offset: number, length: number]

/**
 * Reads all octets that rows name, file by file, and compares their CRC, so that damage is known
 * before somebody asks for the message, and while a backup still has it. It deletes nothing; what
 * was parsed of a message is made again from the message.
 */
export class Scrubber {
  readonly #parts: ScrubParts
  /** Records of the file that is being read: those of many rows are read once. */
  #checked: { file: string; readonly wholeAt: Map<number, boolean> } = {
    file: '',
    wholeAt: new Map(),
  }
  #running: Promise<unknown> = Promise.resolve()
  /** A crash may have damaged the database: each start has it looked over. */
  #isLookDue = true
  #looking: Promise<void> | undefined
  #looked: DatabaseHealth | undefined
  #damage: string | undefined

  constructor(parts: ScrubParts) {
    this.#parts = parts
  }

  /** Reads on from where the last step ended, about so many octets, for a quarter of a second at most. */
  step(limitBytes: number): Promise<ScrubStep> {
    const step = this.#running.then(() => this.#step(limitBytes))
    this.#running = step.catch(() => undefined)
    return step
  }

  /** What is wrong with the database, and what to do; undefined where the last look found it whole. */
  get databaseDamage(): string | undefined {
    return this.#damage
  }

  /** Somebody has met damage in the database, or it is time: it is looked over in the background. */
  lookOver(): void {
    const { lookOver } = this.#parts
    if (lookOver === undefined) return
    this.#looking ??= lookOver
      .attempt()
      .catch((thrown: unknown) => ({ kind: 'unknown', text: messageOf(thrown) }) as const)
      .then((health) => this.#note(health))
      .finally(() => (this.#looking = undefined))
  }

  #note(health: DatabaseHealth): void {
    this.#isLookDue = health.kind === 'unknown'
    if (health.kind === 'whole') this.#damage = undefined
    if (health.kind === 'damaged') this.#damage = damagedDatabase(health.text)
    this.#looked = health.kind === 'damaged' ? { ...health, text: this.#damage! } : health
  }

  /** Resolves once nothing is being looked at. */
  async idle(): Promise<void> {
    await this.#looking
  }

  async #step(limitBytes: number): Promise<ScrubStep> {
    if (this.#isLookDue) this.lookOver()
    const step = await this.#octets(limitBytes)
    const database = this.#looked
    this.#looked = undefined
    return database === undefined ? step : { ...step, database }
  }

  async #octets(limitBytes: number): Promise<ScrubStep> {
    const { sql, group, clock } = this.#parts
    const storedBytes = sql.get<[number]>('SELECT coalesce(sum(used_bytes), 0) FROM account')![0]
    const nothing = { bytes: 0, damaged: [], mended: 0, hasMore: false, storedBytes }
    const before = readPlace(sql)
    const nowMs = clock.nowMs()
    // A clock that jumps, to either side, costs a round that comes too soon.
    const isDue = before === undefined || Math.abs(nowMs - before.beganAtMs) >= SCRUB_ROUND_MS
    if (before?.part === 'done' && !isDue) return nothing
    const place = before === undefined || before.part === 'done' ? startOf(nowMs) : before
    const read = await this.#read(place, limitBytes)
    const ended = read.next.part === 'done'
    const damaged = await group.commit({
      apply: () => {
        const news = noteDamage(sql, read.damaged, Math.max(nowMs, place.beganAtMs))
        if (ended) forgetDamage(sql, place.beganAtMs)
        writePlace(sql, read.next)
        return damagedMessages(sql, news)
      },
    })
    this.#isLookDue ||= ended
    const { bytes, mended } = read
    return { bytes, damaged, mended, hasMore: !ended, storedBytes }
  }

  async #read(
    from: Place,
    limitBytes: number,
  ): Promise<{
    readonly next: Place
    readonly bytes: number
    readonly mended: number
    readonly damaged: readonly (readonly [aid: number, eid: number])[]
  }> {
    const damaged: [number, number][] = []
    let next = from
    let bytes = 0
    let mended = 0
    const endMs = this.#parts.clock.monotonicMs() + STEP_MS
    while (next.part !== 'done') {
      const { part } = next
      const rows = rowsFrom(this.#parts.sql, next)
      for (const row of rows) {
        if (bytes >= limitBytes || damaged.length >= DAMAGED_AT_ONCE)
          return { next, bytes, mended, damaged }
        const [kind, file, aid, eid] = row
        const found = await this.#look(part, row)
        bytes += found.bytes
        next = { ...next, kind, file, aid, eid }
        if (!found.isWhole && isAsRead(this.#parts.sql, part, row)) {
          if (part === 'content') damaged.push([aid, eid])
          else if (await this.#mend(row)) mended++
        }
        if (this.#parts.clock.monotonicMs() >= endMs) return { next, bytes, mended, damaged }
      }
      if (rows.length < ROWS_AT_ONCE) next = behind(next)
    }
    return { next, bytes, mended, damaged }
  }

  async #look(
    part: Part,
    [kind, file, , , offset, length]: Row,
  ): Promise<{ readonly isWhole: boolean; readonly bytes: number }> {
    const ref = blobFrom([kind, file, offset, length])
    const name = `${part} ${ref.kind} ${file}`
    if (this.#checked.file !== name) this.#checked = { file: name, wholeAt: new Map() }
    const known = this.#checked.wholeAt.get(ref.offset)
    if (known !== undefined) return { isWhole: known, bytes: 0 }
    const found = await this.#verify(ref)
    this.#checked.wholeAt.set(ref.offset, found.isWhole)
    return found
  }

  async #verify(ref: BlobRef): Promise<{ readonly isWhole: boolean; readonly bytes: number }> {
    try {
      return { isWhole: true, bytes: await this.#parts.blobs.verify(ref) }
    } catch (thrown) {
      if (!isLost(thrown)) throw thrown
      return { isWhole: false, bytes: ref.length }
    }
  }

  /** Parses the message anew; false where there is no room, or the message is damaged as well. */
  async #mend(row: Row): Promise<boolean> {
    const { sql, blobs, group, parser } = this.#parts
    const [kind, file, aid, eid, offset] = row
    const content = sql.get<[number, number, number, number]>(
      'SELECT kind, file, offset, length FROM email WHERE aid = ? AND eid = ?',
      aid,
      eid,
    )
    if (content === undefined || blobs.space().full) return false
    const ref = blobFrom(content)
    if (!(await this.#verify(ref)).isWhole) return false
    const octets = await metaAnew(blobs, ref, parser())
    if (octets.byteLength > RECORD_BYTES_MAX) return false
    let placed: BlobRef | undefined
    const changed = await group.commit({
      stage: () => {
        placed = blobs.append([octets])
      },
      apply: () =>
        sql.run(
          `UPDATE email SET meta_kind = ?, meta_file = ?, meta_offset = ?, meta_length = ?
           WHERE aid = ? AND eid = ? AND meta_kind = ? AND meta_file = ? AND meta_offset = ?`,
          ...blobColumns(placed!),
          aid,
          eid,
          kind,
          file,
          offset,
        ),
    })
    failpoint('mailbox.mended')
    return changed === 1
  }
}

const startOf = (beganAtMs: number): Place => ({
  part: 'content',
  kind: -1,
  file: 0,
  aid: 0,
  eid: 0,
  beganAtMs,
})

const behind = (place: Place): Place =>
  place.part === 'content'
    ? { ...startOf(place.beganAtMs), part: 'meta' }
    : { ...place, part: 'done' }

/** The next rows in the order of the index by file: what lies together is read together. */
function rowsFrom(sql: Sql, { part, kind, file, aid, eid }: Place): Row[] {
  if (part === 'done') return []
  const [kindName, fileName, offsetName, lengthName] = COLUMNS[part]
  return sql.all<Row>(
    `SELECT ${kindName}, ${fileName}, aid, eid, ${offsetName}, ${lengthName} FROM email
     WHERE (${kindName}, ${fileName}, aid, eid) > (?, ?, ?, ?)
     ORDER BY ${kindName}, ${fileName}, aid, eid LIMIT ${ROWS_AT_ONCE}`,
    kind,
    file,
    aid,
    eid,
  )
}

/** False where the octets have moved or gone while they were read. */
function isAsRead(sql: Sql, part: Part, [kind, file, aid, eid, offset]: Row): boolean {
  const [kindName, fileName, offsetName] = COLUMNS[part]
  const now = sql.get<[number, number, number]>(
    `SELECT ${kindName}, ${fileName}, ${offsetName} FROM email WHERE aid = ? AND eid = ?`,
    aid,
    eid,
  )
  return now?.[0] === kind && now[1] === file && now[2] === offset
}

const readPlace = (sql: Sql): Place | undefined => {
  const row = sql.get<[Place['part'], number, number, number, number, number]>(
    'SELECT part, kind, file, aid, eid, began_at FROM scrub',
  )
  if (row === undefined) return undefined
  const [part, kind, file, aid, eid, beganAtMs] = row
  return { part, kind, file, aid, eid, beganAtMs }
}

const writePlace = (sql: Sql, { part, kind, file, aid, eid, beganAtMs }: Place): number =>
  sql.run(
    'INSERT OR REPLACE INTO scrub VALUES (1, ?, ?, ?, ?, ?, ?)',
    part,
    kind,
    file,
    aid,
    eid,
    beganAtMs,
  )
