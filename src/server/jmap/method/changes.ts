import type { Args } from './args.ts'
import { invalidArguments } from './method-error.ts'

/** What each `/changes` takes (RFC 8620 §5.2). */
export const CHANGES_ARGS = ['sinceState', 'maxChanges'] as const

export interface Told {
  readonly id: string
  readonly isNew: boolean
  readonly isGone: boolean
}

/** `sinceState` and `maxChanges`. */
export function changesAsk(args: Args): { readonly since: string; readonly limit: number } {
  const since = args.string('sinceState')
  if (since === undefined) throw invalidArguments('sinceState is missing')
  const limit = args.count('maxChanges')
  if (limit === 0) throw invalidArguments('maxChanges is 1 at least')
  return { since, limit: limit ?? Number.MAX_SAFE_INTEGER }
}

/** What came and went meanwhile is told in no list (RFC 8620 §5.2). */
export function sorted(all: readonly Told[]): {
  readonly created: readonly string[]
  readonly updated: readonly string[]
  readonly destroyed: readonly string[]
} {
  const ids = (wanted: (each: Told) => boolean): string[] => all.filter(wanted).map(({ id }) => id)
  return {
    created: ids(({ isNew, isGone }) => isNew && !isGone),
    updated: ids(({ isNew, isGone }) => !isNew && !isGone),
    destroyed: ids(({ isNew, isGone }) => !isNew && isGone),
  }
}
