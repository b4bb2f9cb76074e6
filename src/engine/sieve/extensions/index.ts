import type { Arguments } from '#engine/sieve/arguments.ts'
import { fail } from '#engine/sieve/language.ts'
import type { SieveExtension } from '#engine/sieve/language.ts'

/** Of a field's occurrences those that are meant. */
export type Occurrences = <T>(values: readonly T[]) => readonly T[]

/** Takes `:index` and `:last` (RFC 5260 §6): without them all are meant, or the `first` alone. */
export function takeIndex(
  args: Arguments,
  {
    extension = 'index',
    first = false,
  }: { readonly extension?: string; readonly first?: boolean } = {},
): Occurrences {
  const index = args.tagNumber('index', extension)
  const isLast = args.flag('last', extension)
  if (index === undefined && isLast) fail(':last needs :index')
  if (index === undefined) return (values) => (first ? values.slice(0, 1) : values)
  if (index === 0) fail(':index counts from 1')
  return (values) => {
    const value = values.at(isLast ? -index : index - 1)
    return value === undefined ? [] : [value]
  }
}

export const index: SieveExtension = { names: { index: 'RFC 5260 §6' } }
