import type { Arguments } from '#engine/sieve/arguments.ts'
import type { SieveExtension } from '#engine/sieve/language.ts'

/** True where `:copy` stands: then the implicit keep stays (RFC 3894 §3). */
export const takeCopy = (args: Arguments): boolean => args.flag('copy', 'copy')

export const copy: SieveExtension = { names: { copy: 'RFC 3894' } }
