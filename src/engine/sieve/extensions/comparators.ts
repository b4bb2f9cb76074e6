import type { SieveExtension } from '#engine/sieve/language.ts'

/** What comparators `require` may name; `match.ts` knows how they compare. */
export const comparators: SieveExtension = {
  names: {
    'comparator-i;octet': 'RFC 5228 §2.7.3',
    'comparator-i;ascii-casemap': 'RFC 5228 §2.7.3',
    'comparator-i;unicode-casemap': 'RFC 5051',
    'comparator-i;ascii-numeric': 'RFC 4790 §9.1',
  },
}
