import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, statSync, unlinkSync } from 'node:fs'
import { failpoint } from '#base/failpoint.ts'
import type { Octets } from '#base/octets.ts'
import { SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { Database } from '#store/db/database.ts'
import { ioFault } from '#store/db/fault.ts'
import type { CommitJournal } from '#store/db/group-commit.ts'
import { ChangedRows } from './changed-rows.ts'
import type { RowsCursor } from './changed-rows.ts'
import { JournalFile, journalFiles, journalPath } from './journal-file.ts'
import { packJournal } from './journal-record.ts'
import type { JournalRecord, Packed, Position } from './journal-record.ts'
import { readGap, removeGap, writeGap } from './journal-gap.ts'
import { readJournalFile } from './read-journal.ts'

export interface JournalOptions {
  /** Holds the journal's files; made where it is missing. */
  readonly dir: string
  /**
   * Has a table `journal` of one row: `n`, the last commit's number; `snapshot`, the file that the last
   * whole snapshot begins; `snapshot_bytes`; `redo_file`, `redo_offset` and `redo_key`, where redo.ts begins.
   */
  readonly db: Database
  /** How many migrations the database has. */
  readonly version: number
  /** Tables that are not followed: what is made anew where it is missing. */
  readonly except: readonly string[]
  readonly clock: Clock
  /** Where the octets end that commits name. */
  readonly position: () => Position
  /** Places the rows of a commit beside its octets, for redo.ts. */
  readonly appendRedo: (parts: readonly Octets[]) => void
  /** One line, where the journal cannot be written, and where it tells all again: mail goes on meanwhile. */
  readonly onTrouble: (line: string) => void
}

/** What a power loss may take of the journal, where it takes the database too. */
const SYNC_MS = SECOND_MS
/** Until a journal that could not be written is tried again. */
const RETRY_MS = 5 * SECOND_MS
const ROWS_AT_ONCE = 500
/** The database itself is synced for what is larger. */
const REDO_BYTES_MAX = 4 * 1024 * 1024
/** In front of each record, new with each start: octets of a mail that look like a record are none. */
const REDO_KEY_BYTES = 16
const FILE_BYTES_MAX = 32 * 1024 * 1024
/** A new snapshot is written once the changes since the last outweigh it by so much. */
const SNAPSHOT_RATIO = 3
const SNAPSHOT_AFTER_BYTES = 32 * 1024 * 1024
const FILES_MAX = 100

/** The row of table `journal`. */
interface Standing {
  readonly n: number
  readonly snapshot: number | null
  readonly snapshotBytes: number
}

type Unnumbered<R = JournalRecord> = R extends unknown ? Omit<R, 'n'> : never

/**
 * Tells what each commit did to the rows of a database, so that it can be made anew: written before
 * COMMIT and not waited for, since a file that is only killed loses nothing, and synced a second later.
 */
export class Journal implements CommitJournal {
  readonly #options: JournalOptions
  readonly #changed: ChangedRows
  #file: JournalFile | undefined
  /** The last record's number. */
  #n = 0
  #position: Position = [0, 0]
  #written: number | undefined
  /** The last commit that stands, as far as is known when the next one is told. */
  #made = 0
  readonly #redoKey = randomBytes(REDO_KEY_BYTES)
  #retryAtMs = 0
  #cancelSync: (() => void) | undefined
  #syncing: Promise<void> = Promise.resolve()
  #snapshot: Promise<void> | undefined
  #olderBytes = 0
  #isClosing = false
  #trouble: string | undefined
  /** What stands there was read: numbers go on behind it. */
  #isLookedAt = false

  /** Goes on behind what stands there; begins a snapshot where that does not tell all. */
  constructor(options: JournalOptions) {
    this.#options = options
    this.#changed = new ChangedRows(options.db, new Set([...options.except, 'journal', 'version']))
    try {
      const isWhole = this.#look()
      this.#begin()
      if (!isWhole || this.#isLong()) this.#startSnapshot()
    } catch (thrown) {
      // It is a copy: a start without it serves everybody.
      this.#fail(thrown)
    }
    this.#made = this.#row().n
    this.#n = Math.max(this.#n, this.#made)
    options.db.query('UPDATE journal SET redo_key = ?').run(this.#redoKey)
    this.#needNoRedo()
  }

  /** Why a lost database would not come back whole; undefined while it would. */
  get trouble(): string | undefined {
    return this.#trouble
  }

  /** Tries again where it could not be written, though nobody commits. */
  trial(): void {
    const isDue = this.#options.clock.monotonicMs() >= this.#retryAtMs
    if (this.#file !== undefined || this.#isClosing || !isDue) return
    try {
      this.#n++ // a number that no record has shows the gap
      this.#again()
    } catch (thrown) {
      this.#fail(thrown)
    }
  }

  /** The rows of the transaction that is about to be committed. */
  write(): boolean {
    this.#made = this.#written ?? this.#made
    this.#written = undefined
    const rows = this.#changed.take()
    if (rows === undefined) return true
    if ((this.#file?.bytes ?? 0) > FILE_BYTES_MAX) this.#roll()
    const { db, clock, position, appendRedo } = this.#options
    const from = this.#position
    this.#position = position()
    const packed = this.#tell({
      kind: 'commit',
      atMs: clock.nowMs(),
      from,
      to: this.#position,
      rows,
      after: this.#made,
    })
    this.#written = this.#n
    const isTellable = packed.content.length <= REDO_BYTES_MAX
    if (isTellable) appendRedo([this.#redoKey, packed.content])
    const [file, offset] = position()
    db.query('UPDATE journal SET n = ?, redo_file = ?, redo_offset = ?').run(this.#n, file, offset)
    failpoint('journal.written')
    return isTellable
  }

  /** The transaction that was told last was not committed. */
  undo(): void {
    if (this.#written !== undefined) this.#tell({ kind: 'undone', of: this.#written })
    this.#written = undefined
  }

  /** A redo begins behind the commit that was undone: with one of no rows that follows the last that stands. */
  leaveOut(): void {
    const { clock, appendRedo } = this.#options
    const at = this.#position
    const packed = this.#tell({
      kind: 'commit',
      atMs: clock.nowMs(),
      from: at,
      to: at,
      rows: {},
      after: this.#made,
    })
    appendRedo([this.#redoKey, packed.content])
  }

  /** Resolves once no snapshot is being written. */
  async idle(): Promise<void> {
    await this.#snapshot
  }

  async close(): Promise<void> {
    this.#isClosing = true
    await this.#snapshot
    this.#cancelSync?.()
    await this.#syncing
    try {
      this.#needNoRedo()
    } catch {
      // The next start looks through what it has already.
    }
    this.#tell({ kind: 'end' })
    try {
      this.#file?.close()
    } catch (thrown) {
      this.#fail(thrown)
    }
    this.#file = undefined
  }

  /** What stands in the segments up to here is in the database, or came to nothing. */
  #needNoRedo(): void {
    const { db, position } = this.#options
    db.query('UPDATE journal SET redo_file = ?, redo_offset = ?').run(...position())
    db.checkpoint()
  }

  #row(): Standing {
    const { db } = this.#options
    const row = db
      .query<Standing>('SELECT n, snapshot, snapshot_bytes AS snapshotBytes FROM journal')
      .get()
    return row ?? { n: 0, snapshot: null, snapshotBytes: 0 }
  }

  #look(): boolean {
    mkdirSync(this.#options.dir, { recursive: true, mode: 0o700 })
    const isWhole = this.#isWhole()
    this.#isLookedAt = true
    return isWhole
  }

  /** True where the files tell all that the database holds. Sets where the numbers go on. */
  #isWhole(): boolean {
    const { dir } = this.#options
    const { n, snapshot } = this.#row()
    const files = journalFiles(dir)
    let last = 0
    let isDamaged = false
    // Only the last file can have lost its end; the ones before were followed by a start that knew.
    for (const number of files.slice(-1))
      for (const step of readJournalFile(dir, number))
        if (step.kind === 'record') last = Math.max(last, step.record.n)
        else if (step.kind === 'damage') isDamaged = true
    this.#n = Math.max(n, last)
    const isThere =
      snapshot !== null &&
      files.includes(snapshot) &&
      files.at(-1)! - snapshot + 1 === files.filter((file) => file >= snapshot).length
    return isThere && !isDamaged && last >= n && readGap(dir) === undefined
  }

  /** A new file, which says where it stands. */
  #begin(): void {
    const { dir, version, clock, position } = this.#options
    const files = journalFiles(dir)
    const from = this.#row().snapshot ?? 0
    this.#olderBytes = files
      .filter((file) => file >= from)
      .reduce((sum, file) => sum + statSync(journalPath(dir, file)).size, 0)
    this.#file = new JournalFile(dir, (files.at(-1) ?? 0) + 1)
    this.#position = position()
    const start = {
      kind: 'start',
      n: ++this.#n,
      version,
      boot: bootId(),
      after: this.#row().n,
      atMs: clock.nowMs(),
      to: this.#position,
      columns: this.#changed.columns,
    } as const
    this.#file.write(packJournal(start))
    this.#syncLater()
  }

  #tell(record: Unnumbered): Packed {
    this.#n++
    let packed: Packed | undefined
    try {
      if (this.#file === undefined) this.#again()
      packed = packJournal({ ...record, n: this.#n })
      this.#file?.write(packed)
      this.#syncLater()
    } catch (thrown) {
      this.#fail(thrown)
    }
    return packed ?? packJournal({ ...record, n: this.#n })
  }

  /** Nothing more goes into a file of which nobody knows what it holds; the numbers show the gap. */
  #fail(thrown: unknown): void {
    const { dir, onTrouble, clock } = this.#options
    const isNews = this.#trouble === undefined
    const why = ioFault(thrown, dir).message
    this.#trouble = `the mailboxes' journal cannot be written (${why}): until it can, a lost mailbox.db does not come back whole`
    if (isNews) this.#markGap(why)
    if (isNews) onTrouble(this.#trouble)
    this.#file?.abandon()
    this.#file = undefined
    this.#retryAtMs = clock.monotonicMs() + RETRY_MS
  }

  /** Else a rebuild would take what stands there for all that there was. */
  #markGap(why: string): void {
    const { dir, onTrouble } = this.#options
    try {
      writeGap(dir, { n: this.#n, why })
    } catch (thrown) {
      onTrouble(`nor can that be noted: ${ioFault(thrown, dir).message}`)
    }
  }

  /** What was not told meanwhile a snapshot tells. */
  #again(): void {
    if (this.#options.clock.monotonicMs() < this.#retryAtMs) return
    if (!this.#isLookedAt) this.#look()
    const n = this.#n
    this.#begin()
    this.#startSnapshot()
    this.#n = Math.max(n, this.#n) + 1
  }

  /** Between two commits. */
  #roll(): void {
    const before = this.#file
    if (before === undefined) return
    try {
      const { dir, version, clock } = this.#options
      const file = new JournalFile(dir, before.number + 1)
      before.close()
      this.#olderBytes += before.bytes
      this.#file = file
      this.#tell({
        kind: 'start',
        version,
        boot: bootId(),
        after: this.#row().n,
        atMs: clock.nowMs(),
        to: this.#position,
        columns: this.#changed.columns,
      })
      if (this.#isLong()) this.#startSnapshot()
    } catch (thrown) {
      this.#fail(thrown)
    }
  }

  #isLong(): boolean {
    const { snapshot, snapshotBytes: bytes } = this.#row()
    const files = journalFiles(this.#options.dir).filter((file) => file >= (snapshot ?? 0))
    return (
      this.#olderBytes > Math.max(SNAPSHOT_AFTER_BYTES, SNAPSHOT_RATIO * bytes) ||
      files.length > FILES_MAX
    )
  }

  #syncLater(): void {
    this.#cancelSync ??= this.#options.clock.after(SYNC_MS, () => {
      this.#cancelSync = undefined
      const file = this.#file
      if (file === undefined) return
      this.#syncing = file.sync().catch((thrown: unknown) => {
        if (this.#file === file) this.#fail(thrown)
      })
    })
  }

  /** Of the file that is written to; undefined where none is. */
  #bytes(): number | undefined {
    return this.#file?.bytes
  }

  #startSnapshot(): void {
    if (this.#isClosing) return
    this.#snapshot ??= this.#writeSnapshot().finally(() => {
      this.#snapshot = undefined
    })
  }

  /** Writes all rows, some at a time; afterwards the files before it are not needed any more. */
  async #writeSnapshot(): Promise<void> {
    await pause(0)
    const first = this.#file?.number
    if (first === undefined || this.#isClosing) return
    this.#tell({ kind: 'snapshotBegins' })
    let bytes = 0
    for (let from: RowsCursor | undefined = { table: 0 }; from !== undefined;) {
      // A write that fails leaves no file: the next one begins a snapshot of its own.
      const before = this.#bytes()
      if (this.#isClosing || before === undefined) return
      const beganMs = performance.now()
      const step = this.#changed.read(from, ROWS_AT_ONCE)
      if (step.count > 0) this.#tell({ kind: 'snapshot', rows: step.rows })
      const now = this.#bytes() ?? 0
      bytes += Math.max(0, now - before)
      if (now > FILE_BYTES_MAX) this.#roll()
      from = step.next
      // A quarter of the time at most is a snapshot's.
      if (step.count > 0) await pause(3 * (performance.now() - beganMs))
    }
    if (this.#file === undefined) return
    this.#tell({ kind: 'snapshotEnds' })
    await this.#keep(first, bytes)
  }

  async #keep(first: number, bytes: number): Promise<void> {
    const { db, dir } = this.#options
    const file = this.#file
    try {
      await file?.sync()
      if (file === undefined || file !== this.#file) return
      db.query('UPDATE journal SET snapshot = ?, snapshot_bytes = ?').run(first, bytes)
      this.#olderBytes = 0
      if (this.#trouble !== undefined)
        this.#options.onTrouble("the mailboxes' journal tells all that mailbox.db holds again")
      this.#trouble = undefined
      removeGap(dir)
      for (const number of journalFiles(dir))
        if (number < first) unlinkSync(journalPath(dir, number))
    } catch (thrown) {
      this.#fail(thrown)
    }
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Names the kernel's run; empty where it cannot be known. */
export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
  } catch {
    return ''
  }
}
