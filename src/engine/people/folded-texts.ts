import { foldText } from '#codec/mime/fold-text.ts'

/** Between the texts of a row, so that no word is found over two of them; and between rows. */
const BETWEEN = '\ue000'
const NEXT = '\ue001'

/** The texts of each row as one, in the form in which they are compared: folded together, which takes half the time. */
export function foldedTogether(
  rows: readonly (readonly string[])[],
  fold: (text: string) => string = foldText,
): string[] {
  const joined = rows.map((texts) => texts.join(BETWEEN))
  const folded = fold(joined.join(NEXT)).split(NEXT)
  // Somebody's name has that sign in it.
  return folded.length === rows.length ? folded : joined.map(fold)
}
