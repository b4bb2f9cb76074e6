/** All that lines, blanks and commas part; the names of columns in the first line and what follows a `#` are passed over. */
export function networksOf(text: string): readonly string[] {
  const lines = text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .map((line) => line.replace(/#.*/, ''))
  if (!/[\d:]/.test(lines[0]!)) lines.shift()
  return lines
    .flatMap((line) => line.split(/[\s,;]+/))
    .map((cell) => cell.replaceAll('"', ''))
    .filter(Boolean)
}
