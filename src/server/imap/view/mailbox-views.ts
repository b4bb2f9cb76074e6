import type { MailboxId, ModSeq } from '#model/mailbox.ts'
import type { MailboxChanged, MailboxRow, MailboxView } from '#store/mailbox/mailbox-view.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'
import { SharedView } from './shared-view.ts'
import type { Asked } from '#store/mailbox/rows/rights.ts'
import type { SinceOpened } from './shared-view.ts'

/** Rows of views that nobody has open, kept for the next SELECT: about 40 octets each. */
const IDLE_ROWS_MAX = 2_000_000
const IDLE_VIEWS_MAX = 2_000

interface Entry {
  /** Absent until somebody needs rows. */
  view?: Promise<SharedView | undefined>
  users: number
  readonly mailboxId: MailboxId
  /** Who was told of the mailbox before its rows were read, and the earliest that anybody was. */
  readonly holds: { count: number }
  told?: ModSeq
}

/** A mailbox that a session was told of from its counters: its rows are read when they are needed. */
export interface Opening {
  readonly mailbox: MailboxRow
  readonly entry: Entry
  readonly asked: Asked
}

/** The views of this process, one for each open mailbox, advanced upon MailboxChanged. */
export class MailboxViews {
  readonly #store: MailboxStore
  /** Last used last. */
  readonly #entries = new Map<string, Entry>()
  /** Of all who read a mailbox. */
  readonly #keysOf = new Map<MailboxId, Set<string>>()
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

  /** The mailbox's view, as late as its row or later; undefined where there is no such mailbox. `release` it. */
  async open(asked: Asked, mailbox: MailboxRow): Promise<SharedView | undefined> {
    const key = keyOf(asked, mailbox.id)
    const entry = this.#use(key, mailbox.id)
    try {
      const view = await this.#load(entry, asked, mailbox.id)
      if (view === undefined) {
        this.#drop(key, entry)
        return undefined
      }
      await view.reach(mailbox)
      if (!view.lost) return view
    } catch (cause) {
      entry.users--
      throw cause
    }
    entry.users--
    this.#drop(key, entry)
    return this.open(asked, mailbox)
  }

  #use(key: string, mailboxId: MailboxId): Entry {
    const entry = this.#entries.get(key) ?? { users: 0, holds: { count: 0 }, mailboxId }
    const keys = this.#keysOf.get(mailboxId) ?? new Set()
    this.#keysOf.set(mailboxId, keys.add(key))
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    entry.users++
    return entry
  }

  /** Undefined where the rows are in memory, or on their way: `open` has them as they are now. */
  announce(asked: Asked, mailbox: MailboxRow): Opening | undefined {
    const key = keyOf(asked, mailbox.id)
    if (this.#entries.get(key)?.view !== undefined) return undefined
    const entry = this.#use(key, mailbox.id)
    entry.holds.count++
    if (entry.told === undefined || mailbox.highestModSeq < entry.told)
      entry.told = mailbox.highestModSeq
    return { mailbox, entry, asked }
  }

  /**
   * The rows of a mailbox that was announced, with what has gone since; undefined where the mailbox is
   * no more. Ends the opening, unless it throws; `release` the view.
   */
  async realise(
    opening: Opening,
  ): Promise<{ readonly view: SharedView; readonly since: SinceOpened } | undefined> {
    const { entry, mailbox, asked } = opening
    const view = await this.#load(entry, asked, mailbox.id)
    const ask = { ...asked, mailboxId: mailbox.id, since: mailbox.highestModSeq }
    for (;;) {
      const isSame = view?.mailbox.uidValidity === mailbox.uidValidity && !view.lost
      const hasMoved = view?.mailbox.highestModSeq !== mailbox.highestModSeq
      const delta = isSame && hasMoved ? await this.#store.view(ask) : undefined
      if (!isSame || (hasMoved && delta === undefined)) {
        this.abandon(opening)
        return undefined
      }
      // The view may have moved on while that was asked.
      if (delta !== undefined && delta.mailbox.highestModSeq < view.mailbox.highestModSeq) continue
      entry.holds.count--
      return { view, since: { mailbox, gone: new Set(delta?.vanished) } }
    }
  }

  /** Nobody needs the rows any more. */
  abandon({ entry, mailbox, asked }: Opening): void {
    entry.holds.count--
    if (--entry.users === 0 && entry.view === undefined) this.#drop(keyOf(asked, mailbox.id), entry)
    else void this.#trim()
  }

  #load(entry: Entry, asked: Asked, mailboxId: MailboxId): Promise<SharedView | undefined> {
    if (entry.view !== undefined) return entry.view
    const load = async (): Promise<SharedView | undefined> => {
      const rows = await this.#store.view({ ...asked, mailboxId })
      if (rows === undefined) return undefined
      const gone = await this.#goneSince(asked, rows, entry.told)
      const view = new SharedView(this.#store, asked, rows, { gone, holds: entry.holds })
      this.#entryOf.set(view, entry)
      return view
    }
    const loading = Promise.resolve().then(load)
    entry.view = loading
    loading.catch(() => {
      // Who was told of the mailbox goes on with this entry.
      delete entry.view
      if (entry.holds.count === 0) this.#drop(keyOf(asked, mailboxId), entry)
    })
    return loading
  }

  /** UIDs that are not in the view and were there when somebody was first told of it. */
  async #goneSince(
    asked: Asked,
    { mailbox, uids }: MailboxView,
    told: ModSeq | undefined,
  ): Promise<Uint32Array> {
    if (told === undefined || told === mailbox.highestModSeq) return new Uint32Array(0)
    const delta = await this.#store.view({ ...asked, mailboxId: mailbox.id, since: told })
    const there = new Set(uids)
    return (delta?.vanished ?? new Uint32Array(0)).filter((uid) => !there.has(uid))
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
    this.#keysOf.clear()
  }

  #drop(key: string, entry: Entry): void {
    if (this.#entries.get(key) !== entry) return
    this.#entries.delete(key)
    const keys = this.#keysOf.get(entry.mailboxId)
    keys?.delete(key)
    if (keys?.size === 0) this.#keysOf.delete(entry.mailboxId)
    entry.view?.then((view) => view && this.#dropped(view)).catch(() => undefined)
  }

  #changed(change: MailboxChanged): void {
    for (const key of this.#keysOf.get(change.mailboxId) ?? []) {
      const entry = this.#entries.get(key)
      if (entry?.view === undefined || entry.users === 0) continue // refreshed when it is opened again
      entry.view
        .then((view) => (view === undefined ? undefined : view.refresh()))
        .catch(() => undefined) // storage is away: the next command says so, the next change tries again
    }
  }

  async #trim(): Promise<void> {
    let rows = 0
    let views = 0
    for (const [key, entry] of [...this.#entries].toReversed()) {
      if (entry.users > 0) continue
      const view = await entry.view?.catch(() => undefined)
      rows += view?.rows ?? 0
      const useless = view?.lost !== false || rows > IDLE_ROWS_MAX || ++views > IDLE_VIEWS_MAX
      if (entry.users === 0 && useless) this.#drop(key, entry)
    }
  }
}

/** A view for the owner, and one for each other who reads: what each has seen is their own. */
const keyOf = ({ accountId, by = accountId }: Asked, mailboxId: MailboxId): string =>
  `${by}/${mailboxId}`
