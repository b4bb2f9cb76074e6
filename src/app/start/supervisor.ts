import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'

import type { Log } from '#base/log.ts'
import { Fault } from '#base/outcome.ts'
import { SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'

import type { RoleName } from '#app/role-names.ts'
import { LoopDelays } from './loop-delays.ts'
import type { Listened, RoleMessage, RolePlace } from '#app/role.ts'

/** What the supervisor knows of one role. */
export interface RoleStatus {
  readonly name: RoleName
  readonly state: 'starting' | 'ready' | 'down'
  /** By the role's own word: ready, stalled, full … */
  readonly detail: string
  /** Why it is not simply ready, by its own word. */
  readonly reason?: string
  readonly pid: number | undefined
  readonly restarts: number
  readonly lastBeatMs: number
  /** How long its loop stood still, the longest of each beat. */
  readonly loopDelays: LoopDelays
}

/** A role that has not spoken for so long is taken for stalled. */
export const BEAT_MS_MAX = 5 * SECOND_MS
const BACKOFF_MS = [200, 500, 1_000, 2_000, 5_000, 10_000] as const
/** A role that ran so long starts its back-off anew. */
const STEADY_MS = 30 * SECOND_MS
const LAST_WORDS_BYTES = 8_192
/** Control is given so long before the others start without it. */
const CONTROL_FIRST_MS = 5 * SECOND_MS
/**
 * glibc would keep the 19 MiB of a password's hash for each thread that ever made one, 75 MiB a role;
 * with one arena 20 stay. Measured, neither a hash nor an accept takes longer for it.
 */
const MALLOC = { MALLOC_ARENA_MAX: '1' } as const
const KILL_AFTER_MS = 9 * SECOND_MS

export interface Supervisor {
  /**
   * Each role's listeners once all are ready. Rejects with one line where a first start fails: a
   * Fault where a role has said why.
   */
  readonly ready: Promise<readonly Listened[]>
  status(): readonly RoleStatus[]
  stop(): Promise<void>
}

/**
 * Runs each role as a process of its own and starts it again with back-off when it ends; its
 * siblings go on. Keeps the last words of a dead process.
 */
export function startSupervisor(options: {
  readonly place: RolePlace
  readonly clock: Clock
  readonly log: Log
  /** Takes what roles write to standard error, as they write it. */
  readonly say: (text: string) => void
  /** Of Node, for a role's process. */
  readonly flags: (role: RoleName) => readonly string[]
  /** What this machine runs. */
  readonly roles: readonly RoleName[]
}): Supervisor {
  const { roles: names } = options
  const roles = names.map((name) => new SupervisedRole(name, options))
  const ready = Promise.all(roles.map((role) => role.ready)).then((all) => all.flat())
  ready.catch(() => undefined)
  const control = roles[names.indexOf('control')]
  const others = roles.filter((role) => role !== control)
  // The others begin with what control hands down; they do not depend on it.
  const startOthers = (): void => {
    cancel()
    if (isStopping || areStarted) return
    areStarted = true
    for (const role of others) role.start()
  }
  const cancel = options.clock.after(CONTROL_FIRST_MS, startOthers)
  let isStopping = false
  let areStarted = false
  if (control === undefined) startOthers()
  control?.start()
  control?.ready.then(startOthers, cancel)
  return {
    ready,
    status: () => roles.map((role) => role.status()),
    // Listeners first, so that nothing is accepted that could not be handed on.
    stop: async () => {
      isStopping = true
      cancel()
      await Promise.all(roles.map((role) => role.stop()))
    },
  }
}

class SupervisedRole {
  readonly ready: Promise<readonly Listened[]>
  readonly #name: RoleName
  readonly #options: Parameters<typeof startSupervisor>[0]
  readonly #resolve: (listening: readonly Listened[]) => void
  readonly #reject: (cause: Error) => void
  #child: ChildProcess | undefined
  #state: RoleStatus['state'] = 'starting'
  #detail = 'starting'
  #reason: string | undefined
  #restarts = 0
  #attempt = 0
  #startedMs = 0
  #lastBeatMs = 0
  readonly #loopDelays = new LoopDelays()
  #wasReady = false
  #isStopping = false
  #cancelRestart: (() => void) | undefined
  #lastWords = ''
  #fatal: string | undefined
  #ended: Promise<void> = Promise.resolve()

  constructor(name: RoleName, options: Parameters<typeof startSupervisor>[0]) {
    this.#name = name
    this.#options = options
    const { promise, resolve, reject } = Promise.withResolvers<readonly Listened[]>()
    this.ready = promise
    promise.catch(() => undefined)
    this.#resolve = resolve
    this.#reject = reject
  }

  start(): void {
    const { place, clock, flags } = this.#options
    const file = fileURLToPath(new URL(`../${this.#name}.ts`, import.meta.url))
    const child = spawn(process.execPath, [...flags(this.#name), file], {
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
      env: {
        ...MALLOC,
        ...process.env,
        WATARI_DIR: place.dir,
        WATARI_RUN: place.runDir,
        WATARI_PAGES: place.pages,
      },
    })
    this.#child = child
    this.#startedMs = clock.monotonicMs()
    this.#lastBeatMs = this.#startedMs
    this.#state = 'starting'
    this.#detail = 'starting'
    this.#reason = undefined
    this.#lastWords = ''
    child.stderr?.setEncoding('utf8')
    child.stderr?.on('data', (text: string) => this.#hear(text))
    child.on('message', (message) => this.#told(message as RoleMessage))
    this.#ended = new Promise((resolve) => {
      child.on('error', (cause) => {
        this.#lastWords += cause.message
      })
      child.on('close', (status, signal) => {
        this.#gone(status, signal)
        resolve()
      })
    })
  }

  #hear(text: string): void {
    this.#options.say(text)
    this.#lastWords = (this.#lastWords + text).slice(-LAST_WORDS_BYTES)
  }

  #told(message: RoleMessage): void {
    this.#lastBeatMs = this.#options.clock.monotonicMs()
    if (message.kind === 'ready') {
      this.#state = 'ready'
      this.#detail = 'ready'
      this.#wasReady = true
      this.#resolve(message.listening)
    } else if (message.kind === 'heartbeat') {
      this.#detail = message.state.state
      this.#reason = message.state.reason
      this.#loopDelays.add(message.loopDelayMs)
    } else this.#fatal = message.message
  }

  #gone(status: number | null, signal: NodeJS.Signals | null): void {
    const { clock, log } = this.#options
    this.#child = undefined
    this.#state = 'down'
    this.#detail = 'down'
    this.#reason = `its process has ended (${signal ?? `status ${status}`})`
    if (this.#isStopping) return
    log.error('role.ended', {
      role: this.#name,
      status,
      signal,
      lastWords: this.#lastWords.trim().split('\n').at(-1) ?? '',
    })
    // A first start that fails is told, not tried for ever: a taken port, a bad settings file.
    if (!this.#wasReady) return this.#reject(this.#failure(signal ?? `status ${status}`))
    if (clock.monotonicMs() - this.#startedMs > STEADY_MS) this.#attempt = 0
    const delayMs = BACKOFF_MS[Math.min(this.#attempt++, BACKOFF_MS.length - 1)]!
    this.#restarts++
    const timer = setTimeout(() => this.start(), delayMs)
    this.#cancelRestart = () => clearTimeout(timer)
  }

  /** A Fault where the role itself has said what is wrong. */
  #failure(how: string): Error {
    return this.#fatal === undefined
      ? new Error(`${this.#name} ended (${how}) before it was ready; its log stands above`)
      : new Fault('config', this.#fatal)
  }

  status(): RoleStatus {
    return {
      name: this.#name,
      state: this.#state,
      detail: this.#detail,
      ...(this.#reason !== undefined && { reason: this.#reason }),
      pid: this.#child?.pid,
      restarts: this.#restarts,
      lastBeatMs: this.#lastBeatMs,
      loopDelays: this.#loopDelays,
    }
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    this.#cancelRestart?.()
    const child = this.#child
    if (child === undefined) return
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS)
    await this.#ended
    clearTimeout(timer)
  }
}
