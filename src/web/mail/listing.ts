import { answerTo, MailFailure } from './client.ts'
import type { Answer, Invocation, MailClient } from './client.ts'
import { ROW_PROPERTIES } from './nouns.ts'
import type { Row } from './nouns.ts'
import { Observed } from './observed.ts'
import { Positions } from './positions.ts'
import type { Filter } from './search-terms.ts'
import type { Writes } from './writes.ts'

export const PAGE_ROWS = 50
/** A search has no number of results before it has looked everywhere: it is told page by page. */
export interface View {
  readonly filter: Filter
  readonly isSearch: boolean
  /** Whose mail, where that is somebody else's. */
  readonly accountId?: string | undefined
  /** What comes here is of the reader's own making: it is shown at once. */
  readonly isOwn?: boolean
}

export type ListingState = 'loading' | 'there' | 'away' | 'refused'

/** A page as the server tells it. */
interface Told {
  readonly ids: readonly string[]
  /** Where it stands in the server's list. */
  readonly position: number
  /** Absent in a search. */
  readonly total: number | undefined
}

/** The pages in sight are two at most. */
const ASKING_MAX = 2
/** Who drags the bar passes thousands of rows: only where it stands still is asked for. */
const STANDS_MS = 80
/** Rows that stay known on either side of those in sight. */
const KEPT = 500
/** Rows of all lists together, beyond which those out of every list are forgotten. */
const ROWS_MAX = 2_000
const AGAIN_MS_MIN = 300
const AGAIN_MS_MAX = 15_000
/** Failures in a row, some ten seconds, after which an empty list says that nobody answers. */
const AWAY_AFTER = 6

/**
 * The emails of a view by position, as they stood when it was shown: pages are asked beside its
 * first email, so that mail which arrives meanwhile moves nothing. Only what is in sight is asked
 * for, and only what is near it stays known.
 */
export class Listing extends Observed {
  readonly view: View
  readonly #parts: ListingParts
  #known = new Positions()
  #state: ListingState = 'loading'
  #sight = { first: 0, last: 0 }
  readonly #asking = new Set<number>()
  /** Pages that were answered since positions last changed their meaning. */
  readonly #answered = new Set<number>()
  /** What is known may be of before: it is shown, and asked for again where it is in sight. */
  #isStale = false
  #edition = 0
  #isWhole = false
  #waiting: Told | undefined
  /** What comes next is of our own doing: nobody needs to ask for it. */
  #isExpecting = false
  #failures = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #hasEnded = false

  constructor(parts: ListingParts, view: View) {
    super()
    this.#parts = parts
    this.view = view
    void this.#load(0)
  }

  get state(): ListingState {
    return this.#state
  }
  /** Rows as far as they are known to be. */
  get length(): number {
    return this.#known.length
  }
  /** How many have come since, which stand above when `show` is called. */
  get newCount(): number {
    return this.#waiting?.ids.filter((id) => this.#known.indexOf(id) < 0).length ?? 0
  }
  at(index: number): Row | undefined {
    const id = this.#known.at(index)
    return id === undefined ? undefined : this.#parts.rows.get(id)
  }
  idAt(index: number): string | undefined {
    return this.#known.at(index)
  }
  indexOf(id: string): number {
    return this.#known.indexOf(id)
  }

  /** These rows are in sight: they are there, or will be. */
  ensure(first: number, last: number): void {
    const before = this.#sight
    this.#sight = { first, last }
    if (this.#failures > 0) return // asked again in time
    if (first <= before.last && last >= before.first) this.#pump()
    else this.#later(STANDS_MS)
  }

  /** Begins anew, as after a failure. */
  again(): void {
    this.#known.clear()
    this.#state = 'loading'
    this.#failures = 0
    this.#turn({ isStale: false })
    this.changed()
    void this.#load(0)
  }

  /** What is shown stays, and is asked for again. */
  refresh(): void {
    if (this.#state !== 'there') return this.again()
    this.#turn({ isStale: true })
    this.#pump()
  }

  /** Nobody looks at it any more. */
  end(): void {
    this.#hasEnded = true
    clearTimeout(this.#timer)
  }

  /** The calls that tell what now stands at the top. */
  headCalls(): readonly Invocation[] {
    return this.view.isSearch ? [] : this.#calls({ position: 0 }, 'head')
  }

  /**
   * Takes what stands at the top now. Nothing moves by itself, unless nothing is shown yet: new
   * emails wait to be asked for.
   */
  takeHead(responses: readonly Invocation[]): void {
    if (this.#failures > 0) this.#later(0) // somebody answers again
    if (this.view.isSearch || this.#state !== 'there') return
    const head = this.#read(responses, 'head')
    const { ids, total } = head
    const isSame =
      ids.length === Math.min(PAGE_ROWS, this.length) &&
      ids.every((id, index) => (this.#known.at(index) ?? id) === id) &&
      (total === undefined || total === this.length)
    this.#waiting = isSame ? undefined : head
    const isAtOnce = this.length === 0 || this.view.isOwn === true || this.#isExpecting
    this.#isExpecting = false
    if (isAtOnce) this.show()
    this.changed()
  }

  /** Whether the server has another list by now. */
  get isBehind(): boolean {
    return this.#waiting !== undefined
  }

  /** Shows what has come since. */
  show(): void {
    if (this.#waiting === undefined) return
    const { ids, total } = this.#waiting
    this.#waiting = undefined
    this.#moveTo(ids)
    this.#turn({ isStale: true })
    this.#answered.add(0)
    this.#isWhole = ids.length < PAGE_ROWS
    this.#known.put(0, ids)
    if (total !== undefined) this.#known.setLength(total)
    this.#pump()
    this.changed()
  }

  /** Takes rows out at once; the returned function puts them back where they were. */
  takeOut(ids: readonly string[]): () => void {
    const before = this.#known.copy()
    this.#known.takeOut(new Set(ids))
    // Pages behind have moved up: what is not there yet is asked for.
    this.#turn({ isStale: this.#isStale })
    const edition = this.#edition
    // The change is about to be sent: what was asked before it would be asked twice.
    this.#later(0)
    this.changed()
    return () => {
      if (this.#edition === edition) this.#known = before
      else this.#isExpecting = true
      this.#turn({ isStale: this.#isStale })
      this.#later(0)
      this.changed()
    }
  }

  rowsChanged(): void {
    this.changed()
  }

  /** Moves what is known to where it stands behind this head; forgets it where nothing tells. */
  #moveTo(head: readonly string[]): void {
    for (let index = 0; index < PAGE_ROWS; index++) {
      const to = head.indexOf(this.#known.at(index) ?? '')
      if (to >= 0) return this.#known.shift(to - index)
    }
    this.#known.clear()
  }

  /** Positions mean something else from now on: what is on its way is of before. */
  #turn({ isStale }: { readonly isStale: boolean }): void {
    this.#edition++
    this.#isStale = isStale
    this.#answered.clear()
  }

  #later(ms: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#pump(), ms)
  }

  /** Asks for what is in sight and not there. */
  #pump(): void {
    const { first, last } = this.#sight
    const pages = this.length > 0 && this.#known.at(0) === undefined ? [0] : []
    // How many a search finds is not known: what is behind the last one is asked for.
    const end = pageOf(this.view.isSearch ? last + 1 : last)
    for (let page = pageOf(first); page <= end; page++) pages.push(page)
    for (const page of pages)
      if (this.#asking.size < ASKING_MAX && !this.#asking.has(page) && this.#needs(page))
        void this.#load(page)
  }

  #needs(page: number): boolean {
    if (this.#answered.has(page) || this.#hasEnded || this.#state === 'refused') return false
    const from = page * PAGE_ROWS
    if (from >= this.length && page === 0) return this.#state !== 'there'
    if (from >= this.length) return this.view.isSearch && !this.#isWhole
    return this.#isStale || !this.#known.isWhole(from, from + PAGE_ROWS)
  }

  async #load(page: number): Promise<void> {
    this.#asking.add(page)
    const edition = this.#edition
    const from = page * PAGE_ROWS
    const anchor = this.#known.at(0)
    const place =
      anchor === undefined || this.view.isSearch
        ? { position: from }
        : { anchor, anchorOffset: from }
    try {
      const calls = this.#calls(place, 'page')
      const responses = await this.#parts.writes.after(() => this.#parts.client.once(calls))
      this.#failures = 0
      // What was asked of an earlier meaning of the positions is asked again where it is in sight.
      if (edition === this.#edition) this.#take(page, this.#read(responses, 'page'))
    } catch (thrown) {
      this.#failed(thrown)
    }
    this.#asking.delete(page)
    if (this.#failures === 0) this.#pump()
    this.changed()
  }

  #failed(thrown: unknown): void {
    const { kind, message } = thrown instanceof MailFailure ? thrown : new MailFailure('refused')
    if (kind === 'expired' || this.#hasEnded) return
    if (message === 'anchorNotFound') {
      // The email that stood first has gone elsewhere: what stands first now is looked for.
      const { length } = this
      this.#known.clear()
      this.#known.setLength(length)
      return this.#turn({ isStale: true })
    }
    if (kind !== 'away' && this.length === 0) {
      this.#state = 'refused'
      return
    }
    this.#failures++
    if (this.length === 0 && this.#failures >= AWAY_AFTER) this.#state = 'away'
    this.#later(Math.min(AGAIN_MS_MIN * 2 ** (this.#failures - 1), AGAIN_MS_MAX))
  }

  #take(page: number, { ids, position, total }: Told): void {
    this.#state = 'there'
    const from = page * PAGE_ROWS
    if (this.view.isSearch && ids.length < PAGE_ROWS) this.#isWhole = true
    // What stands above and has not been shown yet is no part of this list.
    const length = total === undefined ? undefined : total - (position - from)
    if (length !== undefined && length !== this.length) {
      const wasKnown = this.length > 0
      this.#known.setLength(length)
      if (wasKnown) this.#turn({ isStale: true })
    }
    this.#known.put(from, ids)
    this.#answered.add(page)
    this.#forget()
  }

  /** However far somebody scrolls, what is known stays of one size. */
  #forget(): void {
    const { first, last } = this.#sight
    this.#known.forgetBeyond({ first: first - KEPT, last: last + KEPT }, PAGE_ROWS)
    for (const page of this.#answered)
      if (page > 0 && (page * PAGE_ROWS < first - KEPT || (page + 1) * PAGE_ROWS > last + KEPT))
        this.#answered.delete(page)
    const { rows, isPinned } = this.#parts
    if (rows.size <= ROWS_MAX) return
    for (const id of rows.keys()) if (this.#known.indexOf(id) < 0 && !isPinned(id)) rows.delete(id)
  }

  #calls(place: Readonly<Record<string, unknown>>, id: string): readonly Invocation[] {
    const query = {
      filter: this.view.filter,
      sort: [{ property: 'receivedAt', isAscending: false }],
      ...place,
      limit: PAGE_ROWS,
      calculateTotal: !this.view.isSearch,
    }
    const { accountId } = this.view
    const whose = accountId === undefined ? {} : { accountId }
    const ids = { resultOf: id, name: 'Email/query', path: '/ids' }
    return [
      ['Email/query', { ...whose, ...query }, id],
      ['Email/get', { ...whose, '#ids': ids, properties: ROW_PROPERTIES }, `${id}.rows`],
    ]
  }

  #read(responses: readonly Invocation[], id: string): Told {
    const query: Answer = answerTo(responses, id)
    const { rows } = this.#parts
    for (const row of answerTo(responses, `${id}.rows`)['list'] as Row[])
      rows.set(row.id, { ...row, accountId: this.view.accountId })
    return {
      ids: (query['ids'] as string[]).filter((each) => rows.has(each)),
      position: query['position'] as number,
      total: query['total'] as number | undefined,
    }
  }
}

interface ListingParts {
  readonly client: MailClient
  /** Of all lists together. */
  readonly rows: Map<string, Row>
  readonly writes: Writes
  /** Rows that are in use outside of lists. */
  readonly isPinned: (id: string) => boolean
}

const pageOf = (index: number): number => Math.floor(Math.max(0, index) / PAGE_ROWS)
