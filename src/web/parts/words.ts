/** Sentences by key; each has its whole text in both languages. */
export type Words = Readonly<Record<string, string>>
