import { Fault, messageOf } from '#base/outcome.ts'
import type { FaultCode } from '#base/outcome.ts'

/** SQLite's primary result codes that tell of the world and not of our SQL. */
const SQLITE_FAULTS: Readonly<Record<number, FaultCode>> = {
  5: 'locked', // BUSY
  8: 'io', // READONLY
  10: 'io', // IOERR
  11: 'corrupt', // CORRUPT
  13: 'full', // FULL
  14: 'io', // CANTOPEN
  26: 'corrupt', // NOTADB
}

/** The Fault behind an error of the file system or of SQLite; undefined for what is our own mistake. */
export function diskFault(thrown: unknown, what: string): Fault | undefined {
  if (thrown instanceof Fault) return thrown
  if (!(thrown instanceof Error)) return undefined
  const { code, errcode } = thrown as { code?: unknown; errcode?: unknown }
  if (typeof errcode === 'number') {
    const found = SQLITE_FAULTS[errcode & 0xff]
    return found && new Fault(found, `${what}: ${thrown.message}`, { cause: thrown })
  }
  if (typeof code !== 'string' || !/^E[A-Z0-9]+$/.test(code)) return undefined
  const kind = code === 'ENOSPC' || code === 'EDQUOT' ? 'full' : 'io'
  return new Fault(kind, `${what}: ${messageOf(thrown)}`, { cause: thrown })
}

/** Like `diskFault`, for a `catch` around nothing but disk work: everything else is `io` too. */
export const ioFault = (thrown: unknown, what: string): Fault =>
  diskFault(thrown, what) ?? new Fault('io', `${what}: ${messageOf(thrown)}`, { cause: thrown })
