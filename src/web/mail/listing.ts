import { answerTo, isAway } from './client.ts'
import type { Answer, Invocation, MailClient } from './client.ts'
import { ROW_PROPERTIES } from './nouns.ts'
import type { Row } from './nouns.ts'
import { Observed } from './observed.ts'
import type { Filter } from './search-terms.ts'
import type { Writes } from './writes.ts'

export const PAGE_ROWS = 50
/** A search has no number of results before it has looked everywhere: it is told page by page. */
export interface View {
  readonly filter: Filter
  readonly isSearch: boolean
  /** What comes here is of the reader's own making: it is shown at once. */
  readonly isOwn?: boolean
}

export type ListingState = 'loading' | 'there' | 'away' | 'refused'

/** A page as the server tells it. */
interface Told {
  readonly ids: readonly string[]
  /** Absent in a search. */
  readonly total: number | undefined
}

/** The emails of a view by position; only the pages that were looked at are known. */
export class Listing extends Observed {
  readonly view: View
  readonly #client: MailClient
  readonly #rows: Map<string, Row>
  #ids: (string | undefined)[] = []
  #state: ListingState = 'loading'
  readonly #asked = new Set<number>()
  #isWhole = false
  #waiting: Told | undefined

  readonly #writes: Writes
  /** What comes next is of our own doing: nobody needs to ask for it. */
  #isExpecting = false

  constructor(
    parts: {
      readonly client: MailClient
      readonly rows: Map<string, Row>
      readonly writes: Writes
    },
    view: View,
  ) {
    super()
    this.#client = parts.client
    this.#rows = parts.rows
    this.#writes = parts.writes
    this.view = view
    void this.#load(0)
  }

  get state(): ListingState {
    return this.#state
  }
  /** Rows as far as they are known to be. */
  get length(): number {
    return this.#ids.length
  }
  /** How many have come since, which stand above when `show` is called. */
  get newCount(): number {
    if (this.#waiting === undefined) return 0
    const known = new Set(this.#ids)
    return this.#waiting.ids.filter((id) => !known.has(id)).length
  }
  at(index: number): Row | undefined {
    const id = this.#ids[index]
    return id === undefined ? undefined : this.#rows.get(id)
  }
  idAt(index: number): string | undefined {
    return this.#ids[index]
  }
  indexOf(id: string): number {
    return this.#ids.indexOf(id)
  }

  /** Sees to it that these rows are there, or will be. */
  ensure(first: number, last: number): void {
    for (let page = Math.floor(first / PAGE_ROWS); page * PAGE_ROWS <= last; page++)
      if (page * PAGE_ROWS < this.length || (this.view.isSearch && !this.#isWhole))
        void this.#load(page)
  }

  /** Begins anew, as after a failure. */
  again(): void {
    this.#asked.clear()
    this.#ids = []
    this.#state = 'loading'
    this.changed()
    void this.#load(0)
  }

  /** The calls that tell what now stands at the top. */
  headCalls(): readonly Invocation[] {
    return this.view.isSearch ? [] : this.#calls(0, PAGE_ROWS, 'head')
  }

  /**
   * Takes what stands at the top now. Nothing moves by itself, unless nothing is shown yet: new
   * emails wait to be asked for.
   */
  takeHead(responses: readonly Invocation[]): void {
    if (this.view.isSearch || this.#state !== 'there') return
    const { ids, total } = this.#read(responses, 'head')
    const shown = this.#ids.slice(0, PAGE_ROWS)
    const isSame =
      ids.length === shown.length &&
      ids.every((id, index) => shown[index] === undefined || shown[index] === id) &&
      (total === undefined || total === this.length)
    this.#waiting = isSame ? undefined : { ids, total }
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
    this.#asked.clear()
    this.#asked.add(0)
    this.#isWhole = ids.length < PAGE_ROWS
    this.#ids = [...ids]
    if (total !== undefined) this.#ids.length = total
    this.changed()
  }

  /** Takes rows out at once; the returned function puts them back where they were. */
  takeOut(ids: readonly string[]): () => void {
    const gone = new Set(ids)
    const before = this.#ids
    this.#ids = this.#ids.filter((id) => id === undefined || !gone.has(id))
    // Pages behind have moved up: what is not there yet is asked for again.
    this.#asked.clear()
    this.changed()
    const after = this.#ids
    return () => {
      if (this.#ids === after) this.#ids = before
      else this.#isExpecting = true
      this.#asked.clear()
      this.changed()
    }
  }

  rowsChanged(): void {
    this.changed()
  }

  async #load(page: number): Promise<void> {
    if (this.#asked.has(page)) return
    const from = page * PAGE_ROWS
    if (this.#isLoaded(from)) return
    this.#asked.add(page)
    try {
      const calls = this.#calls(from, PAGE_ROWS, 'page')
      const responses = await this.#writes.after(() => this.#client.request(calls))
      this.#take(from, this.#read(responses, 'page'))
      this.#state = 'there'
    } catch (thrown) {
      this.#asked.delete(page)
      if (this.length === 0) this.#state = isAway(thrown) ? 'away' : 'refused'
    }
    this.changed()
  }

  #isLoaded(from: number): boolean {
    for (let index = from; index < Math.min(from + PAGE_ROWS, this.length); index++)
      if (this.#ids[index] === undefined) return false
    return from < this.length
  }

  #take(from: number, { ids, total }: Told): void {
    if (this.view.isSearch && ids.length < PAGE_ROWS) this.#isWhole = true
    if (total !== undefined && total !== this.length) this.#ids.length = total
    for (const [index, id] of ids.entries()) {
      // What stood elsewhere before stands here now: no row is shown twice.
      const before = this.#ids.indexOf(id)
      if (before >= 0 && before !== from + index) this.#ids[before] = undefined
      this.#ids[from + index] = id
    }
  }

  #calls(position: number, limit: number, id: string): readonly Invocation[] {
    const query = {
      filter: this.view.filter,
      sort: [{ property: 'receivedAt', isAscending: false }],
      position,
      limit,
      calculateTotal: !this.view.isSearch,
    }
    const ids = { resultOf: id, name: 'Email/query', path: '/ids' }
    return [
      ['Email/query', query, id],
      ['Email/get', { '#ids': ids, properties: ROW_PROPERTIES }, `${id}.rows`],
    ]
  }

  #read(responses: readonly Invocation[], id: string): Told {
    const query: Answer = answerTo(responses, id)
    for (const row of answerTo(responses, `${id}.rows`)['list'] as Row[])
      this.#rows.set(row.id, row)
    const ids = (query['ids'] as string[]).filter((each) => this.#rows.has(each))
    return { ids, total: query['total'] as number | undefined }
  }
}
