import { MINUTE_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import { DELETED } from '#model/mailbox.ts'
import type { MailboxId, ModSeq } from '#model/mailbox.ts'
import type { MailboxRow, MailboxView } from '#store/mailbox/mailbox-view.ts'
import type { Asked } from '#store/mailbox/rows/rights.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'

/** The emails of one mailbox at one time, in UID order, and their order by time of arrival. Never changes. */
export interface EmailView {
  readonly mailbox: MailboxRow
  readonly tag: string
  /** As of the mailbox's row: see ViewEmails. */
  readonly nextEmail: number
  readonly uids: Uint32Array
  readonly flags: Uint32Array
  readonly sizes: Float64Array
  readonly datesMs: Float64Array
  readonly emails: Float64Array
  readonly threads: Float64Array
  /** Rows from the oldest; of one time by number. */
  readonly byDate: Uint32Array
  /** Threads here, and those with an email that is neither $seen nor $draft; counted when first asked. */
  readonly threadCounts: () => ThreadCounts
  /** Rows from the newest, without \Deleted ones; of each thread all, or only the newest. */
  readonly newest: (kind: 'all' | 'collapsed') => Uint32Array
  /** True where an email lies here twice, as by a COPY of IMAP into its own mailbox. */
  readonly hasTwins: () => boolean
}

export interface ThreadCounts {
  readonly all: ReadonlySet<number>
  readonly unread: ReadonlySet<number>
  readonly unreadEmails: number
}

const ROWS_MAX = 1_000_000
const VIEWS_MAX = 5_000
const IDLE_MS = 10 * MINUTE_MS

interface Entry {
  tail: Promise<EmailView | undefined>
  usedMs: number
  rows: number
}

/** Views of this process, read whole once and by their changes from then on; dropped when nobody asks. */
export class EmailViews {
  readonly #store: MailboxStore
  readonly #clock: Clock
  /** Last used last. */
  readonly #entries = new Map<string, Entry>()
  #isSweeping = false

  constructor(store: MailboxStore, clock: Clock) {
    this.#store = store
    this.#clock = clock
  }

  /**
   * The mailbox's emails with all that was committed before the call, or what is known where that is
   * as late as `atLeast`. Undefined where there is no such mailbox.
   */
  async get(asked: Asked, mailboxId: MailboxId, atLeast?: ModSeq): Promise<EmailView | undefined> {
    // What another than the owner has read is theirs alone.
    const key = `${mailboxId}/${asked.by ?? asked.accountId}`
    const entry = this.#entries.get(key) ?? { tail: Promise.resolve(undefined), usedMs: 0, rows: 0 }
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    entry.usedMs = this.#clock.monotonicMs()
    const advance = async (before: EmailView | undefined): Promise<EmailView | undefined> => {
      const isLate = before !== undefined && atLeast !== undefined
      if (isLate && before.mailbox.highestModSeq >= atLeast) return before
      return this.#advance({ ...asked, mailboxId }, before)
    }
    const mine = entry.tail.catch(() => undefined).then(advance)
    entry.tail = mine
    const view = await mine
    entry.rows = view?.uids.length ?? 0
    if (view === undefined && this.#entries.get(key) === entry) this.#entries.delete(key)
    this.#trim()
    return view
  }

  async #advance(
    ask: Asked & { readonly mailboxId: MailboxId },
    before: EmailView | undefined,
  ): Promise<EmailView | undefined> {
    if (before === undefined) {
      const whole = await this.#store.view({ ...ask, emails: true })
      return whole && wholeView(whole)
    }
    const since = before.mailbox.highestModSeq
    const delta = await this.#store.view({ ...ask, since, emails: true })
    if (delta === undefined) return undefined
    if (delta.mailbox.uidValidity === before.mailbox.uidValidity) return advanced(before, delta)
    return this.#advance(ask, undefined)
  }

  #trim(): void {
    const nowMs = this.#clock.monotonicMs()
    let rows = 0
    let views = 0
    for (const [key, entry] of [...this.#entries].toReversed()) {
      rows += entry.rows
      // However large it is, the one that is being read stays.
      const isMuch = views > 0 && (rows > ROWS_MAX || views >= VIEWS_MAX)
      views++
      if (isMuch || nowMs - entry.usedMs > IDLE_MS) this.#entries.delete(key)
    }
    if (this.#isSweeping || this.#entries.size === 0) return
    this.#isSweeping = true
    this.#clock.after(IDLE_MS, () => {
      this.#isSweeping = false
      this.#trim()
    })
  }
}

type Columns = Omit<
  EmailView,
  'mailbox' | 'tag' | 'nextEmail' | 'byDate' | 'threadCounts' | 'newest' | 'hasTwins'
>

function wholeView(view: MailboxView): EmailView {
  const columns = {
    uids: view.uids,
    flags: view.flags,
    sizes: view.sizes,
    datesMs: view.internalDatesMs,
    emails: view.emails!.emailNumbers,
    threads: view.emails!.threadNumbers,
  }
  const rows = Uint32Array.from(view.uids, (_, row) => row)
  return viewOf(view, columns, sortByDate(rows, columns))
}

function viewOf(from: MailboxView, columns: Columns, byDate: Uint32Array): EmailView {
  let counts: ThreadCounts | undefined
  const orders: { all?: Uint32Array; collapsed?: Uint32Array } = {}
  let twins: boolean | undefined
  const hasTwins = (): boolean => (twins ??= findTwins(columns))
  return {
    mailbox: from.mailbox,
    tag: from.emails!.tag,
    nextEmail: from.emails!.nextEmail,
    ...columns,
    byDate,
    threadCounts: () => (counts ??= countThreads(columns)),
    newest: (kind) => (orders[kind] ??= newestRows(kind, { ...columns, hasTwins }, byDate)),
    hasTwins,
  }
}

function findTwins({ emails }: Columns): boolean {
  let isAscending = true
  for (let row = 1; row < emails.length && isAscending; row++)
    isAscending = emails[row - 1]! < emails[row]!
  return !isAscending && new Set(emails).size < emails.length
}

function newestRows(
  kind: 'all' | 'collapsed',
  { flags, threads, emails, hasTwins }: Columns & Pick<EmailView, 'hasTwins'>,
  byDate: Uint32Array,
): Uint32Array {
  const rows = new Uint32Array(byDate.length)
  const seen = new Set<number>()
  const once = hasTwins() ? new Set<number>() : undefined
  let count = 0
  for (let i = byDate.length - 1; i >= 0; i--) {
    const row = byDate[i]!
    if ((flags[row]! & DELETED) !== 0) continue
    if (once !== undefined) {
      if (once.has(emails[row]!)) continue
      once.add(emails[row]!)
    }
    if (kind === 'collapsed') {
      if (seen.has(threads[row]!)) continue
      seen.add(threads[row]!)
    }
    rows[count++] = row
  }
  return rows.subarray(0, count)
}

function sortByDate(rows: Uint32Array, { datesMs, emails }: Columns): Uint32Array {
  let isSorted = true
  for (let i = 1; i < rows.length && isSorted; i++)
    isSorted = datesMs[rows[i - 1]!]! <= datesMs[rows[i]!]!
  if (isSorted) return rows
  return rows.sort((a, b) => datesMs[a]! - datesMs[b]! || emails[a]! - emails[b]!)
}

const SEEN_OR_DRAFT = 1 + 16

function countThreads({ flags, threads }: Columns): ThreadCounts {
  const all = new Set<number>()
  const unread = new Set<number>()
  let unreadEmails = 0
  for (let row = 0; row < flags.length; row++) {
    if ((flags[row]! & DELETED) !== 0) continue
    all.add(threads[row]!)
    if ((flags[row]! & SEEN_OR_DRAFT) !== 0) continue
    unread.add(threads[row]!)
    unreadEmails++
  }
  return { all, unread, unreadEmails }
}

/** The view after its changes. Costs a copy of what is there, never a sort of it. */
function advanced(before: EmailView, delta: MailboxView): EmailView {
  const last = before.uids.at(-1) ?? 0
  const numbers = delta.emails!
  let fresh = delta.uids.length
  while (fresh > 0 && delta.uids[fresh - 1]! > last) fresh--
  if (delta.uids.length === 0 && delta.vanished.length === 0)
    return { ...before, mailbox: delta.mailbox, nextEmail: numbers.nextEmail }
  const kept = keptRows(before, delta.vanished)
  const count = kept.length + delta.uids.length - fresh
  const grown = <T extends Uint32Array | Float64Array>(next: T, old: T, more: T): T => {
    for (let row = 0; row < kept.length; row++) next[row] = old[kept[row]!]!
    next.set(more.subarray(fresh), kept.length)
    return next
  }
  const columns: Columns = {
    uids: grown(new Uint32Array(count), before.uids, delta.uids),
    flags: grown(new Uint32Array(count), before.flags, delta.flags),
    sizes: grown(new Float64Array(count), before.sizes, delta.sizes),
    datesMs: grown(new Float64Array(count), before.datesMs, delta.internalDatesMs),
    emails: grown(new Float64Array(count), before.emails, numbers.emailNumbers),
    threads: grown(new Float64Array(count), before.threads, numbers.threadNumbers),
  }
  for (let i = 0; i < fresh; i++) {
    const row = lowerBound(columns.uids, delta.uids[i]!)
    if (columns.uids[row] === delta.uids[i]) columns.flags[row] = delta.flags[i]!
  }
  const isSame = kept.length === before.uids.length && count === kept.length
  return viewOf(delta, columns, isSame ? before.byDate : mergedOrder(before, kept, columns))
}

function keptRows(before: EmailView, vanished: Uint32Array): Uint32Array {
  const { uids } = before
  const gone = new Set(vanished)
  const kept = new Uint32Array(uids.length)
  let count = 0
  for (let row = 0; row < uids.length; row++) if (!gone.has(uids[row]!)) kept[count++] = row
  return kept.subarray(0, count)
}

/** The old order without what is gone, and the new rows put in between. */
function mergedOrder(before: EmailView, kept: Uint32Array, columns: Columns): Uint32Array {
  const count = columns.uids.length
  const renumbered = new Int32Array(before.uids.length).fill(-1)
  for (let row = 0; row < kept.length; row++) renumbered[kept[row]!] = row
  const rows = Uint32Array.from({ length: count - kept.length }, (_, i) => kept.length + i)
  const fresh = sortByDate(rows, columns)
  const order = new Uint32Array(count)
  const { datesMs } = columns
  let at = 0
  let next = 0
  for (const old of before.byDate) {
    const row = renumbered[old]!
    if (row < 0) continue
    while (next < fresh.length && datesMs[fresh[next]!]! < datesMs[row]!)
      order[at++] = fresh[next++]!
    order[at++] = row
  }
  while (next < fresh.length) order[at++] = fresh[next++]!
  return order
}

function lowerBound(sorted: Uint32Array, value: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sorted[middle]! < value) low = middle + 1
    else high = middle
  }
  return low
}
