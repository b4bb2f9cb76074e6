import { SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import { TextBlocks } from './text-blocks.ts'
import type { TextEntry } from './text-blocks.ts'

/** Whoever starts has other work first. */
const WARM_AFTER_MS = 5 * SECOND_MS
/** What has changed is taken up so much later, unless somebody searches before. */
const FOLLOW_AFTER_MS = SECOND_MS
/** Made in one go: a millisecond or two, while everybody else of this process waits. */
const MADE_AT_ONCE = 250
/** While nobody waits for it, a fifth of a processor is enough. */
const PAUSE_MS = 8

/** Rows that can be found by a text. */
export interface IndexedRows<Row> {
  readonly all: () => Iterable<Row>
  readonly row: (id: string) => Row | undefined
  readonly entriesOf: (rows: readonly Row[]) => readonly TextEntry[]
}

/**
 * The texts of all rows, in memory and always as the rows are: made in the background once the process
 * has started, kept up by what changes, never dropped. To make those of 200,000 people takes more than a
 * second of a processor, which nobody should wait for; packed as they are they take some 40 MiB.
 */
export class TextIndex<Row> {
  readonly #rows: IndexedRows<Row>
  readonly #clock: Clock
  #blocks: TextBlocks | undefined
  #work: Promise<void> | undefined
  #changed = new Set<string>()
  /** Another one with each reading of all rows anew: what was made of those before is nothing. */
  #generation = {}
  #waiting = 0
  #endPause: () => void = () => undefined
  #cancel: (() => void) | undefined

  constructor(rows: IndexedRows<Row>, clock: Clock) {
    this.#rows = rows
    this.#clock = clock
  }

  /** Makes it in a while, where nobody asks before. */
  warm(): void {
    if (this.#blocks === undefined && this.#work === undefined) this.#later(WARM_AFTER_MS)
  }

  /** All rows as they are now. */
  async ready(): Promise<TextBlocks> {
    this.#waiting++
    this.#endPause()
    try {
      for (;;) {
        // It may have begun before the latest change.
        if (this.#work !== undefined) await this.#work
        if (this.#blocks === undefined || this.#changed.size > 0) await this.#bringUp()
        if (this.#blocks !== undefined) return this.#blocks
      }
    } finally {
      this.#waiting--
    }
  }

  /** Tells which rows have changed; all, where they were read anew as a whole. */
  changed(ids: Iterable<string> | 'all'): void {
    const isKept = this.#blocks !== undefined || this.#work !== undefined
    if (!isKept) return
    if (ids === 'all') {
      this.close()
      this.#later(FOLLOW_AFTER_MS)
      return
    }
    for (const id of ids) this.#changed.add(id)
    if (this.#changed.size > 0) this.#later(FOLLOW_AFTER_MS)
  }

  /** Gives back what it has. */
  close(): void {
    this.#generation = {}
    this.#blocks = undefined
    this.#changed = new Set()
    this.#cancel?.()
    this.#cancel = undefined
    this.#endPause()
  }

  #later(delayMs: number): void {
    this.#cancel ??= this.#clock.after(delayMs, () => {
      this.#cancel = undefined
      // Whoever searches next meets the fault.
      this.#bringUp().catch(() => undefined)
    })
  }

  #bringUp(): Promise<void> {
    this.#work ??= this.#bring().finally(() => (this.#work = undefined))
    return this.#work
  }

  async #bring(): Promise<void> {
    const generation = this.#generation
    const before = this.#blocks
    const ids = before === undefined ? undefined : this.#changed
    this.#changed = new Set()
    this.#cancel?.()
    this.#cancel = undefined
    try {
      const entries = await this.#entries(this.#rowsOf(ids))
      const blocks =
        before === undefined || ids === undefined
          ? await TextBlocks.of(entries)
          : await before.changed(ids, entries)
      if (generation === this.#generation) this.#blocks = blocks
    } catch (thrown) {
      if (generation === this.#generation) this.close()
      throw thrown
    }
  }

  *#rowsOf(ids: ReadonlySet<string> | undefined): Generator<Row, undefined> {
    if (ids === undefined) yield* this.#rows.all()
    else
      for (const id of ids) {
        const row = this.#rows.row(id)
        if (row !== undefined) yield row
      }
    return undefined
  }

  async #entries(rows: Iterable<Row>): Promise<TextEntry[]> {
    const generation = this.#generation
    const entries: TextEntry[] = []
    let some: Row[] = []
    const take = (): void => {
      for (const entry of this.#rows.entriesOf(some)) entries.push(entry)
      some = []
    }
    for (const row of rows) {
      some.push(row)
      if (some.length < MADE_AT_ONCE) continue
      take()
      await this.#pause()
      if (generation !== this.#generation) return []
    }
    take()
    return entries
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#waiting > 0) {
        setImmediate(resolve)
        return
      }
      const cancel = this.#clock.after(PAUSE_MS, resolve)
      this.#endPause = () => {
        cancel()
        resolve()
      }
    })
  }
}
