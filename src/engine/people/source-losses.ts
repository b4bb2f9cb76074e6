import type { Clock } from '#base/time.ts'
import type { DirectorySource } from '#model/source.ts'
import type { Directory } from '#store/directory/directory.ts'
import { ShrinkGuard } from './shrink-guard.ts'
import type { CopyChange, SourceCopy } from './source-copy.ts'

/** What a source has no more: so much of it at once that somebody has to say that it is meant. */
export class SourceLosses {
  readonly #copy: SourceCopy
  readonly #parts: Parts
  readonly #people: ShrinkGuard
  readonly #groups: ShrinkGuard

  constructor(copy: SourceCopy, parts: Parts) {
    this.#copy = copy
    this.#parts = parts
    this.#people = new ShrinkGuard(parts.clock)
    this.#groups = new ShrinkGuard(parts.clock, 'groups')
  }

  /** Somebody has said that it is meant. */
  accept(): void {
    this.#people.reset()
    this.#groups.reset()
  }

  /** Why a change may not be taken; undefined: it may. `isFirst`: no copy stands, and rows tell what there was. */
  async refusal(
    change: CopyChange,
    { isFirst }: { readonly isFirst: boolean },
  ): Promise<string | undefined> {
    const { gone, left } = isFirst
      ? this.#missing(peopleOf(change))
      : { gone: change.lost, left: this.#copy.people.size }
    return this.#people.refusal(gone, left) ?? this.#fewerGroups(change, isFirst)
  }

  /** How many people the rows on the disk have of the source, and how many of them it has no more. */
  #missing(people: ReadonlySet<string>): { readonly gone: number; readonly left: number } {
    const { source, directory } = this.#parts
    let left = 0
    let gone = 0
    for (const { origins = [], isGone } of directory.accounts())
      for (const origin of isGone === true ? [] : origins)
        // Who is known by another attribute than before is found by the address.
        if (
          origin.source === source.name &&
          origin.key.startsWith(`${source.key.toLowerCase()}=`)
        ) {
          left++
          if (!people.has(origin.key)) gone++
        }
    return { gone, left }
  }

  /** What is wrong with as many groups going; of one that has them no more by what is set, all may. */
  async #fewerGroups(
    { puts, lostGroups }: CopyChange,
    isFirst: boolean,
  ): Promise<string | undefined> {
    const { source, groupKeys } = this.#parts
    if (source.groups !== true) return undefined
    if (!isFirst) return this.#groups.refusal(lostGroups, this.#copy.groups.size)
    const told = new Set(puts.flatMap(({ key, group }) => (group === undefined ? [] : (key ?? []))))
    const known = await groupKeys()
    return this.#groups.refusal(known.filter((key) => !told.has(key)).length, known.length)
  }
}

interface Parts {
  readonly source: DirectorySource
  readonly directory: Directory
  readonly clock: Clock
  /** Of the groups that rows have of the source. */
  readonly groupKeys: () => Promise<readonly string[]>
}

const peopleOf = ({ puts }: CopyChange): ReadonlySet<string> =>
  new Set(puts.flatMap(({ key, person }) => (key === undefined || person === undefined ? [] : key)))
