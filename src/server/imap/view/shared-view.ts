import type { AccountId } from '#model/account.ts'
import type { MailboxId } from '#model/mailbox.ts'
import type { MailboxRow, MailboxView } from '#store/mailbox/mailbox-view.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'
import type { Asked } from '#store/mailbox/rows/rights.ts'
import { EmailColumn } from './email-column.ts'

/** What one advance of a view changed, as row numbers. */
export interface ViewStep {
  readonly changed: readonly number[]
  /** What their MODSEQs became by this step, in the same order: later steps change them again. */
  readonly modSeqs: readonly number[]
  readonly gone: readonly number[]
  /** Rows there are after it. */
  readonly rows: number
}

export interface ViewReader {
  /** The first step that it has not taken. */
  readonly position: number
  /** True where no row number is held on to and every gone row was told: then rows may be renumbered. */
  readonly settled: boolean
  changed(): void
  renumbered(): void
}

/** Rows that were expunged stay in place until so many make it worth while to renumber. */
const GONE_ROWS_MAX = 4_096

/**
 * The rows of one mailbox in UID order, one copy for all sessions of this process. A row keeps its
 * number while anybody reads: an expunged row is marked, a new one goes to the end, so a session's
 * sequence numbers are row numbers less the gone rows that it has been told of.
 */
export class SharedView {
  readonly accountId: AccountId
  readonly mailboxId: MailboxId
  /** What reads of this mailbox ask storage with: whose it is, and for whom. */
  readonly asked: Asked & { readonly mailboxId: MailboxId }
  mailbox: MailboxRow
  uids: Uint32Array
  flags: Uint32Array
  modSeqs: Float64Array
  sizes: Float64Array
  internalDatesMs: Float64Array
  /** When each entered this mailbox (RFC 8514). */
  savedAtMs: Float64Array
  rows: number
  readonly goneRows = new Set<number>()
  readonly emails: EmailColumn
  /** Set when the mailbox was deleted or renumbered: no session may go on with it. */
  lost = false
  /** The last refresh failed: there may be changes that are not in here. */
  isBehind = false
  readonly readers = new Set<ViewReader>()
  /** UIDs of gone rows of which nothing is known but that they were there. */
  readonly bare: ReadonlySet<number>
  /** Sessions that were told of the mailbox and have no reader here yet: none of their rows may go. */
  readonly #holds: { readonly count: number }
  #steps: ViewStep[] = []
  #firstStep = 0
  #refreshing: Promise<void> | undefined
  #again: Promise<void> | undefined
  readonly #store: MailboxStore

  constructor(
    store: MailboxStore,
    asked: Asked,
    whole: MailboxView,
    earlier: Earlier = NOTHING_EARLIER,
  ) {
    const view = withGone(whole, earlier.gone)
    this.bare = new Set(earlier.gone)
    this.#holds = earlier.holds
    this.#store = store
    this.accountId = asked.accountId
    this.mailboxId = view.mailbox.id
    this.asked = { ...asked, mailboxId: view.mailbox.id }
    this.emails = new EmailColumn(store, this.asked)
    this.mailbox = view.mailbox
    this.uids = view.uids
    this.flags = view.flags
    this.modSeqs = view.modSeqs
    this.sizes = view.sizes
    this.internalDatesMs = view.internalDatesMs
    this.savedAtMs = view.savedAtMs
    this.rows = view.uids.length
    for (const uid of earlier.gone) this.goneRows.add(this.rowOfUid(uid))
  }

  /** The position that stands for "all steps taken". */
  get position(): number {
    return this.#firstStep + this.#steps.length
  }

  stepsFrom(position: number): readonly ViewStep[] {
    return this.#steps.slice(position - this.#firstStep)
  }

  /** Resolves when the view holds all that was committed before the call. */
  refresh(): Promise<void> {
    if (this.#refreshing === undefined) {
      this.#refreshing = this.#advance().finally(() => {
        this.#refreshing = undefined
      })
      return this.#refreshing
    }
    // One may be on its way that asked too early: another follows, one for all who wait.
    this.#again ??= this.#refreshing
      .catch(() => undefined)
      .then(() => {
        this.#again = undefined
        return this.refresh()
      })
    return this.#again
  }

  /** Resolves when the view is as late as the mailbox's row, which was read just now: mostly it is. */
  async reach(row: MailboxRow): Promise<void> {
    const { uidValidity, highestModSeq } = this.mailbox
    const isSame = row.uidValidity === uidValidity && row.highestModSeq === highestModSeq
    if (isSame && !this.isBehind) this.mailbox = row
    else await this.refresh()
  }

  async #advance(): Promise<void> {
    if (this.lost) return
    const since = this.mailbox.highestModSeq
    const asked = this.#store.view({ ...this.asked, since })
    asked.catch(() => (this.isBehind = true))
    const delta = await asked
    this.isBehind = false
    if (delta === undefined || delta.mailbox.uidValidity !== this.mailbox.uidValidity)
      this.lost = true
    else if (!this.#apply(delta)) return
    for (const reader of this.readers) reader.changed()
  }

  /** False where nothing has changed that a reader would tell: who waits sleeps on. */
  #apply(delta: MailboxView): boolean {
    const keywordsBefore = this.mailbox.keywords.length
    this.mailbox = delta.mailbox
    if (delta.uids.length === 0 && delta.vanished.length === 0)
      return delta.mailbox.keywords.length !== keywordsBefore
    const changed: number[] = []
    this.#reserve(delta.uids.length)
    for (let i = 0; i < delta.uids.length; i++) {
      const uid = delta.uids[i]!
      const last = this.rows === 0 ? 0 : this.uids[this.rows - 1]!
      const row = uid > last ? this.rows++ : this.rowOfUid(uid)
      if (row < 0) continue
      if (uid <= last && this.modSeqs[row] === delta.modSeqs[i]) continue
      this.uids[row] = uid
      this.flags[row] = delta.flags[i]!
      this.modSeqs[row] = delta.modSeqs[i]!
      this.sizes[row] = delta.sizes[i]!
      this.internalDatesMs[row] = delta.internalDatesMs[i]!
      this.savedAtMs[row] = delta.savedAtMs[i]!
      changed.push(row)
    }
    const gone: number[] = []
    for (const uid of delta.vanished) {
      const row = this.rowOfUid(uid)
      if (row < 0 || this.goneRows.has(row)) continue
      this.goneRows.add(row)
      gone.push(row)
    }
    if (this.readers.size === 0) this.#firstStep++
    else {
      const modSeqs = changed.map((row) => this.modSeqs[row]!)
      this.#steps.push({ changed, modSeqs, gone, rows: this.rows })
    }
    return true
  }

  /** The row of a UID, gone rows too; -1 where there is none. */
  rowOfUid(uid: number): number {
    const row = this.lowerBound(uid)
    return row < this.rows && this.uids[row] === uid ? row : -1
  }

  /** The first row whose UID is not below `uid`. */
  lowerBound(uid: number): number {
    let low = 0
    let high = this.rows
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.uids[middle]! < uid) low = middle + 1
      else high = middle
    }
    return low
  }

  #reserve(more: number): void {
    if (this.rows + more <= this.uids.length) return
    const capacity = Math.max(this.rows + more, Math.ceil(this.rows * 1.25), 16)
    const grown = <T extends Uint32Array | Float64Array>(array: T, next: T): T => {
      next.set(array)
      return next
    }
    this.uids = grown(this.uids, new Uint32Array(capacity))
    this.flags = grown(this.flags, new Uint32Array(capacity))
    this.modSeqs = grown(this.modSeqs, new Float64Array(capacity))
    this.sizes = grown(this.sizes, new Float64Array(capacity))
    this.internalDatesMs = grown(this.internalDatesMs, new Float64Array(capacity))
    this.savedAtMs = grown(this.savedAtMs, new Float64Array(capacity))
  }

  /** Forgets steps that all have taken, and gone rows when nobody can tell. */
  tidy(): void {
    let least = this.position
    for (const reader of this.readers) least = Math.min(least, reader.position)
    if (least > this.#firstStep) {
      this.#steps = this.#steps.slice(least - this.#firstStep)
      this.#firstStep = least
    }
    if (this.goneRows.size === 0 || this.#holds.count > 0) return
    if (this.readers.size > 0 && this.goneRows.size < GONE_ROWS_MAX) return
    if (this.#steps.length > 0 || [...this.readers].some((reader) => !reader.settled)) return
    this.#renumber()
  }

  #renumber(): void {
    let to = 0
    for (let row = 0; row < this.rows; row++) {
      if (this.goneRows.has(row)) continue
      this.uids[to] = this.uids[row]!
      this.flags[to] = this.flags[row]!
      this.modSeqs[to] = this.modSeqs[row]!
      this.sizes[to] = this.sizes[row]!
      this.internalDatesMs[to] = this.internalDatesMs[row]!
      this.savedAtMs[to] = this.savedAtMs[row]!
      to++
    }
    this.rows = to
    this.goneRows.clear()
    for (const reader of this.readers) reader.renumbered()
  }
}

/** What was there when sessions were told of the mailbox, before its rows were read. */
interface Earlier {
  /** UIDs that are gone since, ascending. */
  readonly gone: Uint32Array
  readonly holds: { readonly count: number }
}

const NOTHING_EARLIER: Earlier = { gone: new Uint32Array(0), holds: { count: 0 } }

/** The view with empty rows for those that are gone. */
function withGone(view: MailboxView, gone: Uint32Array): MailboxView {
  if (gone.length === 0) return view
  const uids = new Uint32Array(view.uids.length + gone.length)
  uids.set(view.uids)
  uids.set(gone, view.uids.length)
  uids.sort()
  const spread = <T extends Uint32Array | Float64Array>(next: T, column: T): T => {
    let from = 0
    for (let row = 0; row < uids.length; row++)
      if (uids[row] === view.uids[from]) next[row] = column[from++]!
    return next
  }
  const { length } = uids
  return {
    ...view,
    uids,
    flags: spread(new Uint32Array(length), view.flags),
    modSeqs: spread(new Float64Array(length), view.modSeqs),
    sizes: spread(new Float64Array(length), view.sizes),
    internalDatesMs: spread(new Float64Array(length), view.internalDatesMs),
    savedAtMs: spread(new Float64Array(length), view.savedAtMs),
  }
}

/** What a session that was told of a mailbox has to be told of since. */
export interface SinceOpened {
  readonly mailbox: MailboxRow
  readonly gone: ReadonlySet<number>
}
