import { monitorEventLoopDelay } from 'node:perf_hooks'

import { armFailpoints } from '#base/failpoint.ts'
import { jsonLog } from '#base/log.ts'
import type { Log } from '#base/log.ts'
import { messageOf } from '#base/outcome.ts'
import { shiftSystemClock, systemClock } from '#base/time.ts'

import { restAfterWork } from './rest.ts'
import type { RoleName } from './role-names.ts'

/** How a role feels, by its own word: stalled while its storage does not answer, full below the reserve. */
export interface RoleState {
  readonly state: 'ready' | 'stalled' | 'full' | 'degraded'
  readonly reason?: string
}

/** What a role tells its supervisor over the IPC channel. */
export type RoleMessage =
  | { readonly kind: 'ready'; readonly listening: readonly Listened[] }
  | { readonly kind: 'heartbeat'; readonly state: RoleState; readonly loopDelayMs: number }
  /** A fault that no restart will mend: one line for the administrator. */
  | { readonly kind: 'fatal'; readonly message: string }

export interface Listened {
  readonly protocol: string
  readonly address: string
  readonly port: number
}

/** Where a role finds its things; passed in the environment by the supervisor. */
export interface RolePlace {
  /** The data folder. */
  readonly dir: string
  /** Unix sockets of this installation; outside the data folder. */
  readonly runDir: string
  /** The built web pages, once they are built. */
  readonly pages: string
}

/** What a role starts with. */
interface RoleGiven {
  readonly place: RolePlace
  readonly log: Log
  /** Run where the start fails, the last first: what was begun is ended before the fault is told. */
  readonly atFailure: AsyncDisposableStack
}

export interface RunningRole {
  readonly listening: readonly Listened[]
  readonly state: () => RoleState
  /** Ends within a few seconds; finishes what is under way. */
  stop(): Promise<void>
}

const HEARTBEAT_MS = 1_000
const LOOP_EVERY_MS = 20
const STOP_MS_MAX = 8_000

/** The main of a role's process: starts it, tells the supervisor, ends with it. Never returns. */
export function runRole(name: RoleName, start: (given: RoleGiven) => Promise<RunningRole>): void {
  if (process.env['WATARI_WARM'] !== undefined) return // only loaded, for the compile cache
  const place: RolePlace = {
    dir: process.env['WATARI_DIR'] ?? '',
    runDir: process.env['WATARI_RUN'] ?? '',
    pages: process.env['WATARI_PAGES'] ?? '',
  }
  armFailpoints(process.env['WATARI_FAILPOINTS'] ?? '')
  shiftSystemClock(Number(process.env['WATARI_CLOCK_OFFSET_MS'] ?? 0))
  const log = roleLog(name)
  const tell = (message: RoleMessage): void => {
    if (process.connected) process.send?.(message)
  }
  let running: RunningRole | undefined
  let isEnding = false
  const end = (): void => {
    if (isEnding) return
    isEnding = true
    setTimeout(() => process.exit(0), STOP_MS_MAX).unref()
    void Promise.resolve(running?.stop()).finally(() => process.exit(0))
  }
  process.on('SIGTERM', end)
  process.on('SIGINT', () => undefined) // of the terminal's group; the supervisor says when
  process.on('disconnect', end)
  process.on('uncaughtException', (cause) => {
    log.error('role.crashed', { cause: messageOf(cause), stack: cause.stack ?? null })
    process.exit(70)
  })
  restAfterWork()
  const atFailure = new AsyncDisposableStack()
  start({ place, log, atFailure }).then(
    (role) => {
      running = role
      if (isEnding) return void role.stop().finally(() => process.exit(0))
      tell({ kind: 'ready', listening: role.listening })
      const loopDelayMs = watchLoop()
      setInterval(
        () => tell({ kind: 'heartbeat', state: role.state(), loopDelayMs: loopDelayMs() }),
        HEARTBEAT_MS,
      ).unref()
    },
    async (cause: unknown) => {
      log.error('role.failed', { cause: messageOf(cause) })
      await atFailure.disposeAsync().catch(() => undefined)
      tell({ kind: 'fatal', message: messageOf(cause) })
      process.exitCode = 1
      setTimeout(() => process.exit(1), 50)
    },
  )
}

/** The returned function tells how long the loop stood still since it was last asked, the longest. */
function watchLoop(): () => number {
  const delay = monitorEventLoopDelay({ resolution: LOOP_EVERY_MS })
  delay.enable()
  return () => {
    const longestMs = delay.max / 1e6 - LOOP_EVERY_MS
    delay.reset()
    return Math.max(0, longestMs)
  }
}

/**
 * Warnings and errors; everything with WATARI_LOG=info. What mail does is told by events, which the
 * trace shows: a line for each message as well would cost more than the message.
 */
function roleLog(name: RoleName): Log {
  // Node writes to a pipe synchronously: the last words before an end are not lost in a buffer.
  const all = jsonLog(systemClock, (line) => process.stderr.write(line), { role: name })
  return process.env['WATARI_LOG'] === 'info' ? all : withoutInfo(all)
}

const withoutInfo = (log: Log): Log => ({
  info: () => undefined,
  warn: (event, fields) => log.warn(event, fields),
  error: (event, fields) => log.error(event, fields),
  with: (fields) => withoutInfo(log.with(fields)),
})
