import type { SieveExtension } from '#engine/sieve/language.ts'

/** `:value` and `:count`; `match.ts` takes them. */
export const relational: SieveExtension = { names: { relational: 'RFC 5231' } }
