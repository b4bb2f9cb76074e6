import type { AccountId } from '#model/account.ts'
import type { MailboxId } from '#model/mailbox.ts'
import type { MailboxChanged, MailboxRow, MailboxView } from '#store/mailbox/mailbox-view.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'

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
  mailbox: MailboxRow
  uids: Uint32Array
  flags: Uint32Array
  modSeqs: Float64Array
  sizes: Float64Array
  internalDatesMs: Float64Array
  rows: number
  readonly goneRows = new Set<number>()
  /** Set when the mailbox was deleted or renumbered: no session may go on with it. */
  lost = false
  readonly readers = new Set<ViewReader>()
  #steps: ViewStep[] = []
  #firstStep = 0
  #refreshing: Promise<void> | undefined
  #again: Promise<void> | undefined
  readonly #store: MailboxStore

  constructor(store: MailboxStore, accountId: AccountId, view: MailboxView) {
    this.#store = store
    this.accountId = accountId
    this.mailboxId = view.mailbox.id
    this.mailbox = view.mailbox
    this.uids = view.uids
    this.flags = view.flags
    this.modSeqs = view.modSeqs
    this.sizes = view.sizes
    this.internalDatesMs = view.internalDatesMs
    this.rows = view.uids.length
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

  async #advance(): Promise<void> {
    if (this.lost) return
    const { accountId, mailboxId } = this
    const since = this.mailbox.highestModSeq
    const delta = await this.#store.view({ accountId, mailboxId, since })
    if (delta === undefined || delta.mailbox.uidValidity !== this.mailbox.uidValidity)
      this.lost = true
    else this.#apply(delta)
    for (const reader of this.readers) reader.changed()
  }

  #apply(delta: MailboxView): void {
    this.mailbox = delta.mailbox
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
  }

  /** Forgets steps that all have taken, and gone rows when nobody can tell. */
  tidy(): void {
    let least = this.position
    for (const reader of this.readers) least = Math.min(least, reader.position)
    if (least > this.#firstStep) {
      this.#steps = this.#steps.slice(least - this.#firstStep)
      this.#firstStep = least
    }
    if (this.goneRows.size === 0) return
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
      to++
    }
    this.rows = to
    this.goneRows.clear()
    for (const reader of this.readers) reader.renumbered()
  }
}

/** Rows of views that nobody has open, kept for the next SELECT: about 32 octets each. */
const IDLE_ROWS_MAX = 2_000_000
const IDLE_VIEWS_MAX = 2_000

interface Entry {
  readonly view: Promise<SharedView | undefined>
  users: number
}

/** The views of this process, one for each open mailbox, advanced upon MailboxChanged. */
export class MailboxViews {
  readonly #store: MailboxStore
  /** Last used last. */
  readonly #entries = new Map<string, Entry>()
  readonly #entryOf = new WeakMap<SharedView, Entry>()
  readonly #dropped: (view: SharedView) => void
  readonly #unsubscribe: () => void

  constructor(
    store: MailboxStore,
    changes: (listener: (change: MailboxChanged) => void) => () => void,
    /** Told of each view that is dropped. */
    dropped: (view: SharedView) => void = () => undefined,
  ) {
    this.#store = store
    this.#dropped = dropped
    this.#unsubscribe = changes((change) => this.#changed(change))
  }

  /** The mailbox's view, up to date; undefined where there is no such mailbox. `release` it. */
  async open(accountId: AccountId, mailboxId: MailboxId): Promise<SharedView | undefined> {
    const key = keyOf(accountId, mailboxId)
    const entry = this.#entries.get(key) ?? this.#load(accountId, mailboxId)
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    entry.users++
    try {
      const view = await entry.view
      if (view === undefined) {
        this.#drop(key, entry)
        return undefined
      }
      await view.refresh()
      if (!view.lost) return view
    } catch (cause) {
      entry.users--
      throw cause
    }
    entry.users--
    this.#drop(key, entry)
    return this.open(accountId, mailboxId)
  }

  #load(accountId: AccountId, mailboxId: MailboxId): Entry {
    const load = async (): Promise<SharedView | undefined> => {
      const rows = await this.#store.view({ accountId, mailboxId })
      if (rows === undefined) return undefined
      const view = new SharedView(this.#store, accountId, rows)
      this.#entryOf.set(view, entry)
      return view
    }
    const entry: Entry = { view: Promise.resolve().then(load), users: 0 }
    entry.view.catch(() => this.#drop(keyOf(accountId, mailboxId), entry))
    return entry
  }

  release(view: SharedView): void {
    const entry = this.#entryOf.get(view)
    if (entry !== undefined) entry.users--
    view.tidy()
    void this.#trim()
  }

  close(): void {
    this.#unsubscribe()
    this.#entries.clear()
  }

  #drop(key: string, entry: Entry): void {
    if (this.#entries.get(key) !== entry) return
    this.#entries.delete(key)
    entry.view.then((view) => view && this.#dropped(view)).catch(() => undefined)
  }

  #changed(change: MailboxChanged): void {
    const entry = this.#entries.get(keyOf(change.accountId, change.mailboxId))
    if (entry === undefined || entry.users === 0) return // refreshed when it is opened again
    entry.view
      .then((view) => (view === undefined ? undefined : view.refresh()))
      .catch(() => undefined) // storage is away: the next command says so, the next change tries again
  }

  async #trim(): Promise<void> {
    let rows = 0
    let views = 0
    for (const [key, entry] of [...this.#entries].toReversed()) {
      if (entry.users > 0) continue
      const view = await entry.view.catch(() => undefined)
      rows += view?.rows ?? 0
      const useless = view?.lost !== false || rows > IDLE_ROWS_MAX || ++views > IDLE_VIEWS_MAX
      if (entry.users === 0 && useless) this.#drop(key, entry)
    }
  }
}

const keyOf = (accountId: AccountId, mailboxId: MailboxId): string => `${accountId}/${mailboxId}`
