import type { SieveExtension } from '#engine/sieve/language.ts'

/** `:user` and `:detail`; `addresses.ts` takes them. */
export const subaddress: SieveExtension = { names: { subaddress: 'RFC 5233' } }
