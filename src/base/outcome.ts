/** What an expected end of an operation looks like: a value, or an error that the caller must look at. */
export type Outcome<T, E> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: E }

export const ok = <T>(value: T): { readonly ok: true; readonly value: T } => ({ ok: true, value })
export const err = <E>(error: E): { readonly ok: false; readonly error: E } => ({
  ok: false,
  error,
})

/**
 * A failure of the world (disk, network, peer, time), never of our own logic.
 * `code` is stable and listed in docs/errors.md; `message` may be shown to an administrator.
 */
export class Fault extends Error {
  readonly code: FaultCode
  constructor(code: FaultCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.name = 'Fault'
    this.code = code
  }
}

/** The closed vocabulary of faults; each word is explained in docs/errors.md. */
export const FAULT_CODES = {
  stalled: 'stalled', // storage does not answer within its deadline
  full: 'full', // below the reserve of free space, or ENOSPC
  io: 'io', // a read, write or sync failed
  corrupt: 'corrupt', // a record fails its CRC or does not decode
  version: 'version', // a database or record of a version that this program does not know
  locked: 'locked', // another process holds the volume
  closed: 'closed', // the peer or the process behind a pipe is gone
  timeout: 'timeout', // a peer did not answer in time
  protocol: 'protocol', // a peer broke its protocol
  unreachable: 'unreachable', // no connection to a peer
  unavailable: 'unavailable', // a source (directory, resolver, judge) cannot answer now
  limit: 'limit', // a named limit was passed
  config: 'config', // a file or setting of ours is wrong
  notFound: 'notFound', // the named thing does not exist
  conflict: 'conflict', // the thing exists, or was changed meanwhile
  invalid: 'invalid', // a request that cannot be carried out as it stands
} as const
export type FaultCode = keyof typeof FAULT_CODES

export const isFault = (value: unknown, code?: FaultCode): value is Fault =>
  value instanceof Fault && (code === undefined || value.code === code)

/** True for what says that stored octets are gone: damaged, on a bad sector, or with a file that is missing. */
export const isLost = (thrown: unknown): thrown is Fault =>
  isFault(thrown, 'corrupt') || isFault(thrown, 'io') || isFault(thrown, 'version')

/** Ends a switch over a closed vocabulary: reached only by a mistake of ours. */
export function assertNever(value: never): never {
  throw new Error(`unexpected: ${JSON.stringify(value)}`)
}

/** A short text of any thrown value, for logs and administrators; never for peers. */
export const messageOf = (thrown: unknown): string =>
  thrown instanceof Error ? thrown.message : String(thrown)
