import { SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { DirectoryChange } from '#store/directory/directory.ts'
import type { Touched } from './group-rows.ts'

/** What others change in the directory is looked at after this, all of it at once. */
const OTHERS_MS = 30 * SECOND_MS
/** Changes that are looked at one by one. */
const ONE_BY_ONE_MAX = 500

/** What others than sources write: it may let somebody of a source in, or keep somebody out. */
export class OthersChanges {
  readonly #clock: Clock
  readonly #look: (touched: Touched) => void
  #touched: Touched = []
  #cancel: (() => void) | undefined

  constructor(clock: Clock, look: (touched: Touched) => void) {
    this.#clock = clock
    this.#look = look
  }

  /** `theirs`: of all changes those of others; none of any: everything may have changed. */
  note(changes: readonly DirectoryChange[], theirs: readonly DirectoryChange[]): void {
    if (theirs.length === 0 && changes.length > 0) return
    const isWide =
      theirs.length === 0 ||
      theirs.length > ONE_BY_ONE_MAX ||
      theirs.some(
        ({ key, row }) => key.startsWith('domain:') || (row === null && key.startsWith('account:')),
      )
    const touched = theirs.flatMap(({ row }) =>
      row?.kind === 'account'
        ? (row.account.origins ?? []).map(({ source, key }) => [source, key] as const)
        : [],
    )
    this.#touched = isWide || this.#touched === 'all' ? 'all' : [...this.#touched, ...touched]
    if (this.#touched.length > ONE_BY_ONE_MAX) this.#touched = 'all'
    this.#cancel ??= this.#clock.after(OTHERS_MS, () => {
      const all = this.#touched
      this.#touched = []
      this.#cancel = undefined
      this.#look(all)
    })
  }

  stop(): void {
    this.#cancel?.()
  }
}
