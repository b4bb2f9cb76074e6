/**
 * What takes longest, by the report at the end of `npm test`: begun first, none of these is what
 * everybody waits for at the end. Two that keep the processors busy (browsers that look at pages)
 * have one that mostly waits between them.
 */
export const LONGEST = [
  'test/e2e/webmail-looks.test.ts',
  'test/e2e/readers.test.ts',
  'test/e2e/console-walk.test.ts',
  'test/e2e/console-people.test.ts',
  'test/e2e/disk.test.ts',
  'test/e2e/namespaces.test.ts',
  'test/e2e/deliver-queue.test.ts',
  'test/e2e/console-directory.test.ts',
  'test/e2e/clocks.test.ts',
  'test/e2e/refused-start.test.ts',
  'test/e2e/webmail-many.test.ts',
  'test/e2e/away.test.ts',
  'test/e2e/console.test.ts',
  'test/e2e/account-life.test.ts',
  'test/e2e/webmail.test.ts',
  'test/e2e/deliver.test.ts',
  'test/e2e/webmail-attacks.test.ts',
  'test/e2e/demo.test.ts',
] as const

/** The longest first, the others as they came. */
export function longestFirst<T extends { readonly path: string }>(
  files: readonly T[],
  longest: readonly string[] = LONGEST,
): T[] {
  const rank = new Map(longest.map((path, at) => [path, at]))
  const rankOf = ({ path }: T): number => rank.get(path) ?? longest.length
  return files.toSorted((a, b) => rankOf(a) - rankOf(b))
}
