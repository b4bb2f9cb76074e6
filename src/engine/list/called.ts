import { Turns } from '#base/turns.ts'
import { foldText } from '#codec/mime/fold-text.ts'
import type { AccountId } from '#model/account.ts'
import { withoutVariants } from '#model/name-variants.ts'
import type { Directory } from '#store/directory/directory.ts'

/** People that a text may name: more are of no use to whoever has to choose. */
export const CANDIDATES_MAX = 20
/** Characters of the beginning of a name that is written without a blank. */
const BEGINNING_MIN = 2

/**
 * Who is called so, by name, reading or a former name: first texts are asked for, then all people are
 * looked at once, however many texts there are. A name is the same in any width, kana and form of a kanji,
 * with and without a blank or a title.
 */
export class Called {
  readonly #whole = new Map<string, AccountId[]>()
  readonly #part = new Map<string, AccountId[]>()
  readonly #lengths = new Set<number>()

  /** By a whole name, or by a family or given name alone. */
  ask(text: string): void {
    for (const key of keysOf(text)) {
      this.#whole.set(key, [])
      this.#part.set(key, [])
      if (key.length >= BEGINNING_MIN) this.#lengths.add(key.length)
    }
  }

  /** By a name whose parts stand in two cells, in either order. */
  askBoth(a: string, b: string): void {
    for (const key of [...keysOf(a + b), ...keysOf(b + a)]) this.#whole.set(key, [])
  }

  /** While others get their turn in between. */
  async look(directory: Directory): Promise<void> {
    if (this.#whole.size === 0) return
    const turns = new Turns()
    for (const { id, name, reading, formerNames = [], deletedAt } of directory.accounts()) {
      if (turns.isOver) await turns.next()
      if (deletedAt !== undefined) continue
      const wholes = new Set<string>()
      const parts = new Set<string>()
      for (const each of [name, reading, ...formerNames]) {
        if (each === undefined || each === '') continue
        const words = wordsOf(each)
        const whole = words.join('')
        wholes.add(whole)
        if (words.length > 1) for (const word of words) parts.add(word)
        else for (const length of this.#lengths) parts.add(whole.slice(0, length))
      }
      for (const key of wholes) this.#whole.get(key)?.push(id)
      for (const key of parts) {
        const found = this.#part.get(key)
        if (found !== undefined && found.length < CANDIDATES_MAX) found.push(id)
      }
    }
  }

  /** Those whose whole name it is. */
  people(text: string): readonly AccountId[] {
    return first(this.#whole, keysOf(text))
  }

  /** Likewise, where its parts stand in two cells. */
  peopleOfBoth(a: string, b: string): readonly AccountId[] {
    return first(this.#whole, [...keysOf(a + b), ...keysOf(b + a)])
  }

  /** Some of those whose family or given name it is. */
  inPart(text: string): readonly AccountId[] {
    return first(this.#part, keysOf(text))
  }
}

const first = (
  found: ReadonlyMap<string, readonly AccountId[]>,
  keys: readonly string[],
): readonly AccountId[] =>
  keys.map((key) => found.get(key) ?? []).find(({ length }) => length > 0) ?? []

/** Folding takes blanks between kana away, and knows nothing of this one. */
const BLANK = '|'
const wordsOf = (name: string): readonly string[] =>
  withoutVariants(foldText(name.trim().replaceAll(/\s+/g, BLANK))).split(BLANK)

const TITLE_BEHIND = /(?:様|さま|さん|君|くん|氏|殿|先生|名誉教授|准教授|教授|助教|講師)$/u
const TITLE_BEFORE = /^(?:mr|ms|mrs|dr|prof)(?:\.\s*|\s+)/iu

/** As it stands, and without a title. */
function keysOf(text: string): readonly string[] {
  const plain = text.normalize('NFKC').trim().replace(TITLE_BEFORE, '').replace(TITLE_BEHIND, '')
  const keys = [text, plain].map((each) => wordsOf(each).join(''))
  return [...new Set(keys)].filter((key) => key !== '')
}
