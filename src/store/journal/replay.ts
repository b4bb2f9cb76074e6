import type { Database, SqlInput } from '#store/db/database.ts'
import { bootId } from './journal.ts'
import type { JournalRecord, JournalRow, Position, RowsByTable } from './journal-record.ts'
import { readGap } from './journal-gap.ts'
import { readJournal } from './read-journal.ts'

/** What a journal proves of the database that it tells of. */
export interface JournalProof {
  /**
   * `whole`: all that was committed is told. `tail`: but for the last second, which the power may have
   * taken with it. `part`: something in it is damaged or gone.
   */
  readonly proves: 'whole' | 'tail' | 'part'
  /** Where it cannot be read, or numbers are missing. */
  readonly damaged: readonly string[]
  readonly lastN: number
  /** When the last commit was told. */
  readonly lastAtMs: number | undefined
  /** The record to begin with: of the last whole snapshot, or the first of all. */
  readonly firstN: number
  readonly version: number | undefined
  readonly records: number
}

type Commit = Extract<JournalRecord, { kind: 'commit' }>
type Start = Extract<JournalRecord, { kind: 'start' }>

/** Reads a journal once: what it proves, and from where it has to be told. */
export function proveJournal(dir: string, onRecord: () => void): JournalProof {
  const damaged: string[] = []
  let [lastN, firstN, records] = [0, 0, 0]
  let [version, versionAt, snapshotVersion] = [undefined, undefined, undefined] as (
    | number
    | undefined
  )[]
  let begun: number | undefined
  let isWhole = false
  let start: Start | undefined
  let last: JournalRecord | undefined
  let lastAtMs: number | undefined
  let rest: 'none' | 'zeros' = 'none'
  const broken = (where: string): void => {
    damaged.push(where)
    isWhole = false
    begun = undefined
  }
  for (const step of readJournal(dir)) {
    if (step.kind === 'damage') broken(step.where)
    if (step.kind === 'fileEnd') ({ rest } = step)
    if (step.kind !== 'record') continue
    onRecord()
    records++
    const { record } = step
    if (last !== undefined && record.n !== lastN + 1)
      broken(`records ${lastN + 1} to ${record.n - 1} of the journal`)
    if (record.kind === 'start') {
      start = record
      ;({ version } = record)
    }
    if (last === undefined) [firstN, versionAt] = [record.n, version]
    if (record.kind === 'snapshotBegins') [begun, snapshotVersion] = [record.n, version]
    if (record.kind === 'snapshotEnds' && begun !== undefined) {
      ;[firstN, versionAt] = [begun, snapshotVersion]
      isWhole = true
      damaged.length = 0
    }
    if (record.kind === 'commit') lastAtMs = record.atMs
    last = record
    lastN = record.n
  }
  const gap = readGap(dir)
  // One that a later snapshot has closed was only not removed any more.
  if (gap !== undefined && (!isWhole || firstN <= gap.n))
    broken(`what was committed behind record ${gap.n}: ${gap.why}`)
  const isEnded = last?.kind === 'end'
  const boot = bootId()
  const isSameRun = rest === 'zeros' && boot !== '' && start?.boot === boot
  const isCut = !isEnded && rest !== 'zeros'
  if (isCut && last !== undefined) damaged.push(`the end of the journal behind record ${lastN}`)
  const proves = !isWhole || isCut ? 'part' : isEnded || isSameRun ? 'whole' : 'tail'
  return { proves, damaged, lastN, lastAtMs, firstN, version: versionAt, records }
}

/** Octets of a volume of which the journal does not say what became of them. */
export interface Untold {
  readonly from: Position
  /** Absent: up to the end. */
  readonly to?: Position
}

export interface ReplayOptions {
  readonly dir: string
  readonly proof: JournalProof
  /** Brings the database to that version. */
  readonly migrate: (version: number) => void
  readonly db: Database
  readonly onRecord: () => void
}

/** Writes the journal's rows into a database that has none, in order; which octets it says nothing of. */
export function replayJournal(options: ReplayOptions): readonly Untold[] {
  const { dir, proof, db, onRecord } = options
  const rows = new RowWriter(db)
  const untold: Untold[] = []
  let pending: Commit | undefined
  let position: Position | undefined
  let lastN: number | undefined
  const settle = (isMade = true): void => {
    if (pending !== undefined && isMade) rows.write(pending.rows)
    pending = undefined
  }
  const stands = (record: Commit | Start, from: Position): void => {
    const isGap = lastN !== undefined && record.n !== lastN + 1
    if (isGap || position === undefined) untold.push({ from: position ?? [0, 0], to: from })
    position = record.to
  }
  for (const step of readJournal(dir)) {
    if (step.kind !== 'record' || step.record.n < proof.firstN) {
      // What lies before the snapshot it tells; where the octets ended then, the records before say.
      if (step.kind === 'record' && 'to' in step.record) position = step.record.to
      continue
    }
    onRecord()
    const { record } = step
    switch (record.kind) {
      case 'start':
        settle(pending !== undefined && pending.n <= record.after)
        stands(record, record.to)
        options.migrate(record.version)
        break
      case 'commit':
        settle()
        stands(record, record.from)
        pending = record
        break
      case 'undone':
        settle(pending?.n !== record.of)
        break
      case 'snapshot':
        settle()
        rows.write(record.rows)
        break
      default:
        settle()
    }
    lastN = record.n
  }
  settle()
  untold.push({ from: position ?? [0, 0] })
  return untold
}

/** Writes rows as they were told, many in one transaction. */
export class RowWriter {
  readonly #db: Database
  readonly #keys = new Map<string, string>()
  constructor(db: Database) {
    this.#db = db
  }

  write(rows: RowsByTable): void {
    this.#db.transaction(() => {
      for (const [table, { put, drop }] of Object.entries(rows)) {
        for (const key of drop) this.#drop(table, key)
        for (const row of put) this.#put(table, row)
      }
    })
  }

  #put(table: string, row: JournalRow): void {
    this.#db
      .query(`INSERT OR REPLACE INTO ${table} VALUES (${row.map(() => '?').join(', ')})`)
      .run(...(row as SqlInput[]))
  }

  #drop(table: string, key: JournalRow): void {
    this.#db.query(`DELETE FROM ${table} WHERE ${this.#key(table)}`).run(...(key as SqlInput[]))
  }

  #key(table: string): string {
    let key = this.#keys.get(table)
    if (key === undefined) {
      key = this.#db
        .query<{ name: string; pk: number }>(`PRAGMA table_info(${table})`)
        .all()
        .filter(({ pk }) => pk > 0)
        .toSorted((a, b) => a.pk - b.pk)
        .map(({ name }) => `${name} = ?`)
        .join(' AND ')
      this.#keys.set(table, key)
    }
    return key
  }
}
