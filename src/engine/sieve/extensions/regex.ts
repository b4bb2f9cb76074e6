import type { SieveExtension } from '#engine/sieve/language.ts'

/** `:regex`, which `match.ts` takes, and `:quoteregex` of `set`. */
export const regex: SieveExtension = { names: { regex: 'draft-ietf-sieve-regex' } }
