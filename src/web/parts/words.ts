/** Sentences by key; each has its whole text in both languages. */
export type Words = Readonly<Record<string, string>>

/** The same sentences in both languages. */
export interface Sentences {
  readonly en: Words
  readonly ja: Words
}

/** All of them as one; a key stands in one of them only. */
export const together = (each: readonly Sentences[]): Sentences => ({
  en: Object.assign({}, ...each.map(({ en }) => en)) as Words,
  ja: Object.assign({}, ...each.map(({ ja }) => ja)) as Words,
})
