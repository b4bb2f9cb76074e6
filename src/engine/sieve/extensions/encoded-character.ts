import type { SieveExtension } from '#engine/sieve/language.ts'

/** What it does to strings stands in `text.ts`. */
export const encodedCharacter: SieveExtension = {
  names: { 'encoded-character': 'RFC 5228 §2.4.2.4' },
}
