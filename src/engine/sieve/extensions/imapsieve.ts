import type { SieveExtension } from '#engine/sieve/language.ts'

/** Items of `environment` for what has happened to a message; what differs there is in `run.ts`. */
export const imapsieve: SieveExtension = { names: { imapsieve: 'RFC 6785' } }
