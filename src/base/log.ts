import type { Clock } from './time.ts'

/** A field of a log event; secrets and content never become one. */
export type LogValue = string | number | boolean | null | undefined
export type LogFields = Readonly<Record<string, LogValue>>

/** Events with fixed names: `queue.deferred {queueId, nextHop, status}`. */
export interface Log {
  info(event: string, fields?: LogFields): void
  /** Trouble that an administrator should see. */
  warn(event: string, fields?: LogFields): void
  error(event: string, fields?: LogFields): void
  /** The same log with fields that each event carries. */
  with(fields: LogFields): Log
}

export type LogLevel = 'info' | 'warn' | 'error'

/** One JSON object a line to `write`. */
export function jsonLog(clock: Clock, write: (line: string) => void, base: LogFields = {}): Log {
  const put = (level: LogLevel, event: string, fields: LogFields = {}): void =>
    write(
      `${JSON.stringify({ at: new Date(clock.nowMs()).toISOString(), level, event, ...base, ...fields })}\n`,
    )
  return {
    info: (event, fields) => put('info', event, fields),
    warn: (event, fields) => put('warn', event, fields),
    error: (event, fields) => put('error', event, fields),
    with: (fields) => jsonLog(clock, write, { ...base, ...fields }),
  }
}

export const silentLog: Log = {
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  with: () => silentLog,
}

/** A log that a test can read. */
export function memoryLog(): Log & {
  readonly lines: { event: string; level: LogLevel; fields: LogFields }[]
} {
  const lines: { event: string; level: LogLevel; fields: LogFields }[] = []
  const make = (base: LogFields): Log => {
    const put =
      (level: LogLevel) =>
      (event: string, fields: LogFields = {}) => {
        lines.push({ event, level, fields: { ...base, ...fields } })
      }
    return {
      info: put('info'),
      warn: put('warn'),
      error: put('error'),
      with: (f) => make({ ...base, ...f }),
    }
  }
  return { ...make({}), lines }
}
