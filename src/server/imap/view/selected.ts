import { STAR, resolveSet } from '#codec/imap/sequence-set.ts'
import type { MessageSet, SequenceSet } from '#codec/imap/sequence-set.ts'
import { DELETED } from '#model/mailbox.ts'
import type { Uid } from '#model/mailbox.ts'
import { isRecent } from './recent.ts'
import type { RecentUids } from './recent.ts'
import type { SharedView, SinceOpened, ViewReader, ViewStep } from './shared-view.ts'

/** What a session has to tell its client, in this order. */
export interface Untold {
  /** Sequence numbers, highest first, so that none shifts another. */
  readonly expunged: readonly number[]
  /** Their UIDs, ascending. */
  readonly expungedUids: readonly number[]
  readonly exists: number | undefined
  /** Rows whose flags others changed. */
  readonly changed: readonly number[]
}

/**
 * One session's view of its selected mailbox: which rows have numbers. It moves only by `take`,
 * and loses rows only where EXPUNGE may be told (RFC 9051 §7.5.1).
 */
export class Selected implements ViewReader {
  readonly view: SharedView
  readonly readOnly: boolean
  /** Called when there may be something to tell. */
  onChange: (() => void) | undefined
  /** Commands under way hold row numbers: no renumbering. */
  busy = false
  position: number
  /** RFC 3501 §2.3.2: messages of which no other session was told. */
  recent: RecentUids = []
  /** Keywords that the client was told of. */
  keywordsTold: number
  /** The MODSEQ up to which the client was told everything. */
  toldModSeq: bigint
  #rows: number
  #saved = new Uint32Array(0)
  /** Gone rows without a number, ascending. */
  #hidden: number[]
  /** Gone rows that the client still has a number for. */
  readonly #ghosts = new Set<number>()
  readonly #changed = new Set<number>()
  /** MODSEQs of this session's own changes, which it has told by itself. */
  readonly #own = new Set<number>()
  /** What happened between the announcement of the mailbox and now, where its rows were read since. */
  #since: ViewStep | undefined

  constructor(view: SharedView, readOnly: boolean, opened?: SinceOpened) {
    this.view = view
    this.readOnly = readOnly
    this.position = view.position
    this.keywordsTold = (opened?.mailbox ?? view.mailbox).keywords.length
    this.toldModSeq = (opened?.mailbox ?? view.mailbox).highestModSeq
    this.#rows = opened === undefined ? view.rows : view.lowerBound(opened.mailbox.uidNext)
    const gone = [...view.goneRows].toSorted((a, b) => a - b)
    const isOlder = (row: number): boolean =>
      opened === undefined || (row < this.#rows && !opened.gone.has(view.uids[row]!))
    this.#hidden = gone.filter(isOlder)
    if (opened !== undefined)
      this.#since = stepSince(
        view,
        opened,
        gone.filter((row) => !isOlder(row)),
      )
    view.readers.add(this)
  }

  /** Messages that the client knows of. */
  get exists(): number {
    return this.#rows - this.#hidden.length
  }

  isRecentRow(row: number): boolean {
    return this.recent.length > 0 && isRecent(this.recent, this.view.uids[row]!)
  }

  /** Messages that are recent and have a number. */
  get recentCount(): number {
    let count = 0
    for (const { from, to } of this.recent)
      for (let row = this.view.lowerBound(from); row < this.#rows; row++) {
        if (this.view.uids[row]! >= to) break
        if (this.#hidden[this.#hiddenBelow(row)] !== row) count++
      }
    return count
  }

  get settled(): boolean {
    return !this.busy && this.#ghosts.size === 0 && this.upToDate
  }

  get upToDate(): boolean {
    return this.position === this.view.position && this.#since === undefined
  }

  changed(): void {
    this.onChange?.()
  }

  renumbered(): void {
    this.#rows = this.view.rows
    this.#hidden = []
    this.#changed.clear()
  }

  close(): void {
    this.view.readers.delete(this)
    this.onChange = undefined
  }

  /**
   * The next changes with this MODSEQ are this session's own and already told, or not to be told.
   * A commit that changed nothing answers with the MODSEQ of whoever came before: that is nobody's own.
   */
  own(modSeq: bigint): void {
    this.#own.add(Number(modSeq))
  }

  seqOfRow(row: number): number {
    return row + 1 - this.#hiddenBelow(row)
  }

  /** The first row of the message's number; `seq` from 1 to `exists`. */
  rowOfSeq(seq: number): number {
    // hidden[i] - i visible rows lie before hidden[i]; those with fewer than seq come before it.
    let low = 0
    let high = this.#hidden.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#hidden[middle]! - middle < seq) low = middle + 1
      else high = middle
    }
    return seq - 1 + low
  }

  #hiddenBelow(row: number): number {
    let low = 0
    let high = this.#hidden.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#hidden[middle]! < row) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Whether the row has a number and was not expunged by anybody. */
  isAlive(row: number): boolean {
    return row < this.#rows && !this.view.goneRows.has(row)
  }

  /** Whether the client has a number for the UID, be it that of an expunged message. */
  hasNumber(uid: number): boolean {
    const row = this.view.rowOfUid(uid)
    if (row < 0 || row >= this.#rows) return false
    return this.#hidden[this.#hiddenBelow(row)] !== row
  }

  /** The greatest UID with a number; 0 in an empty mailbox. */
  get lastUid(): number {
    return this.exists === 0 ? 0 : this.view.uids[this.rowOfSeq(this.exists)]!
  }

  /** The rows that a set names, ascending; 'outOfRange' where it names a number that does not exist. */
  rowsOf(set: MessageSet, by: 'uid' | 'seq'): readonly number[] | 'outOfRange' {
    if (set === 'saved') return this.savedRows()
    return by === 'uid' ? this.#rowsOfUids(set) : this.#rowsOfSeqs(set)
  }

  /** RFC 5182 §2.1: what `$` stands for, without what has been expunged since. */
  savedRows(): readonly number[] {
    const rows: number[] = []
    for (const uid of this.#saved) {
      const row = this.view.rowOfUid(uid)
      if (row >= 0 && this.isAlive(row)) rows.push(row)
    }
    return rows
  }

  save(rows: readonly number[]): void {
    this.#saved = Uint32Array.from(rows, (row) => this.view.uids[row]!)
  }

  #rowsOfSeqs(set: SequenceSet): readonly number[] | 'outOfRange' {
    const { exists } = this
    // RFC 9051 §9 seq-number: answered with BAD, `*` of an empty mailbox too.
    for (const ends of set)
      if (ends.some((end) => (end === STAR ? exists === 0 : end > exists))) return 'outOfRange'
    const rows: number[] = []
    for (const [from, to] of resolveSet(set, exists))
      for (let seq = Math.max(1, from); seq <= Math.min(to, exists); seq++)
        rows.push(this.#hidden.length === 0 ? seq - 1 : this.rowOfSeq(seq))
    return rows
  }

  #rowsOfUids(set: SequenceSet): readonly number[] {
    const rows: number[] = []
    if (this.exists === 0) return rows
    const hidden = new Set(this.#hidden)
    for (const [from, to] of resolveSet(set, this.lastUid))
      for (let row = this.view.lowerBound(from); row < this.#rows; row++) {
        if (this.view.uids[row]! > to) break
        if (!hidden.has(row)) rows.push(row)
      }
    return rows
  }

  uidsOf(rows: readonly number[]): Uid[] {
    return rows.map((row) => this.view.uids[row]! as Uid)
  }

  /** Takes all steps and hands out what may be told now. */
  take(may: { readonly expunge: boolean }): Untold {
    const before = this.exists
    const rowsBefore = this.#rows
    const newlyHidden: number[] = []
    const steps = this.view.stepsFrom(this.position)
    for (const step of this.#since === undefined ? steps : [this.#since, ...steps]) {
      for (const [index, row] of step.changed.entries()) {
        // RFC 7162 §3.1.4.2: what others change is told with its MODSEQ; our own was told.
        if (row < rowsBefore && !this.#own.has(step.modSeqs[index]!)) this.#changed.add(row)
      }
      for (const row of step.gone)
        if (row < rowsBefore) this.#ghosts.add(row)
        else newlyHidden.push(row) // came and went unseen
      this.#rows = step.rows
    }
    this.position = this.view.position
    this.#since = undefined
    this.#own.clear()
    if (newlyHidden.length > 0) this.#hide(newlyHidden)
    const exists = this.exists === before ? undefined : this.exists
    const expunged: number[] = []
    const expungedUids: number[] = []
    if (may.expunge && this.#ghosts.size > 0) {
      const ghosts = [...this.#ghosts].toSorted((a, b) => a - b)
      for (const row of ghosts.toReversed()) expunged.push(this.seqOfRow(row))
      for (const row of ghosts) expungedUids.push(this.view.uids[row]!)
      this.#hide(ghosts)
      this.#ghosts.clear()
    }
    const changed = [...this.#changed].filter((row) => this.isAlive(row)).toSorted((a, b) => a - b)
    this.#changed.clear()
    if (this.#ghosts.size === 0) this.toldModSeq = this.view.mailbox.highestModSeq
    // EXISTS is told after EXPUNGE, so it counts without the expunged.
    const count = exists === undefined ? undefined : this.exists
    return { expunged, expungedUids, exists: count, changed }
  }

  /** Of what the session sees. */
  deletedUids(): readonly Uid[] {
    const { uids, flags } = this.view
    return Array.from(uids.subarray(0, this.#rows)).filter(
      (_, row) => (flags[row]! & DELETED) > 0,
    ) as Uid[]
  }

  /** Whether nothing is untold but the end of messages that the client knows to be \Deleted. */
  endsWithDeleted(): boolean {
    const steps = this.view.stepsFrom(this.position)
    const isMore = steps.some((step) => step.changed.length > 0 || step.rows > this.#rows)
    const gone = [...this.#ghosts, ...steps.flatMap((step) => step.gone)]
    const isDeleted = (row: number): boolean => (this.view.flags[row]! & DELETED) > 0
    return !isMore && this.#since === undefined && gone.every(isDeleted)
  }

  #hide(rows: readonly number[]): void {
    this.#hidden = [...this.#hidden, ...rows].toSorted((a, b) => a - b)
  }
}

/** RFC 9051 §7.5.1: as if the session had had the rows from its SELECT on, and was told nothing since. */
function stepSince(
  view: SharedView,
  { mailbox }: SinceOpened,
  gone: readonly number[],
): ViewStep | undefined {
  const { modSeqs, rows, goneRows } = view
  const told = Number(mailbox.highestModSeq)
  if (Number(view.mailbox.highestModSeq) === told) return undefined
  const changed: number[] = []
  for (let row = 0; row < rows; row++)
    if (modSeqs[row]! > told && !goneRows.has(row)) changed.push(row)
  return { changed, modSeqs: changed.map((row) => modSeqs[row]!), gone, rows }
}
