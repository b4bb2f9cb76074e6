import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Log } from '#base/log.ts'
import { Fault, isFault, messageOf } from '#base/outcome.ts'
import { oneLine } from '#base/text.ts'
import { SECOND_MS, sleep } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import { CARRIES_OCTETS, HANDS_OUT_OCTETS, heapFlags } from '#app/heap.ts'
import type { HeapLimits } from '#app/heap.ts'
import { Caller } from './caller.ts'
import type { LateAnswer } from './caller.ts'
import type { ServicesOf, StorageKind, StorageOptions } from './kinds.ts'
import { errorOf } from './messages.ts'
import type { ToChild, ToParent } from './messages.ts'
import { pipeOver } from './pipe.ts'
import type { PipeEnd } from './pipe.ts'
import type { Probe } from './probe.ts'
import { proxyOf } from './proxy.ts'

export interface StorageChildOptions<K extends StorageKind> {
  readonly kind: K
  readonly dir: string
  readonly clock: Clock
  readonly log: Log
  readonly options?: StorageOptions
  /** Default 4 s: a 4xx is due within 5. */
  readonly deadlineMs?: number
  /** After so long without a word from the child, `start` goes on without it; default 4 s. */
  readonly startMsMax?: number
  /** Failpoints of the child; default those of this process's environment. */
  readonly failpoints?: string
  /** Called when a child that was ready has ended unasked; another one is started meanwhile. */
  readonly onEnded?: (reason: string) => void
  /** Told by a store without being asked, such as a change of a mailbox. */
  readonly onNotice?: (topic: string, payload: unknown) => void
  /** Told of what the child has done after its caller had got Fault `stalled`. */
  readonly onLate?: (late: LateAnswer) => void
}

/** Everything but `ready` means that the role answers 4xx and is not ready. */
export interface StorageState {
  readonly kind: 'starting' | 'ready' | 'stalled' | 'locked' | 'down'
  readonly reason?: string
  /** What is wrong though all is served: a line each. */
  readonly ailments?: readonly string[]
}

const SCRIPT = join(import.meta.dirname, '../storage-child.ts')
const HEAP: Readonly<Record<StorageKind, HeapLimits>> = {
  spool: CARRIES_OCTETS,
  mailbox: HANDS_OUT_OCTETS,
  search: { youngMiB: 8 },
  control: { youngMiB: 4 },
}
const PROBE_EVERY_MS = 2 * SECOND_MS
const START_MS_MAX = 4 * SECOND_MS
const STOP_MS_MAX = 2 * SECOND_MS
const BACKOFF_MS_MIN = 100
const BACKOFF_MS_MAX = 5 * SECOND_MS
/** A child that lived so long is restarted at once. */
const HEALTHY_MS = 10 * SECOND_MS
const LAST_WORDS_MAX = 5
const NO_ANSWER = 'the storage does not answer'

/** One storage child with its pipe; started again when it dies. */
export class StorageChild<K extends StorageKind> {
  readonly #options: StorageChildOptions<K>
  readonly #caller: Caller
  readonly #proxies = new Map<string, object>()
  readonly #stopping = new AbortController()
  #child: ChildProcess | undefined
  #pipe: PipeEnd | undefined
  #state: StorageState = { kind: 'starting' }
  #trouble: string | undefined
  #ailments: readonly string[] = []
  #wasReady = false
  #backoffMs = BACKOFF_MS_MIN
  #lastWords: string[] = []
  #settleStart: ((fatal?: Error) => void) | undefined

  constructor(options: StorageChildOptions<K>) {
    this.#options = options
    this.#caller = new Caller({
      clock: options.clock,
      ...(options.deadlineMs !== undefined && { deadlineMs: options.deadlineMs }),
      onStall: (isStalled) => {
        if (isStalled) options.log.error('storage.stalled', { kind: options.kind })
        else options.log.info('storage.answers', { kind: options.kind })
        this.#trouble = isStalled ? NO_ANSWER : undefined
      },
      ...(options.onLate !== undefined && { onLate: options.onLate }),
    })
  }

  /**
   * Starts the child. Resolves once it is ready, or once it is known that it has to wait: for the
   * folder's lock, or for a disk that does not answer. Throws the Fault that no restart will mend.
   */
  start(): Promise<void> {
    const started = new Promise<void>((resolve, reject) => {
      const { clock, startMsMax = START_MS_MAX } = this.#options
      const cancel = clock.after(startMsMax, () => this.#settleStart?.())
      this.#settleStart = (fatal) => {
        this.#settleStart = undefined
        cancel()
        if (fatal === undefined) resolve()
        else reject(fatal)
      }
    })
    this.#spawn()
    this.#probeLater()
    return started
  }

  /** A store of the child; may be asked for before the child is ready. */
  service<S extends keyof ServicesOf<K> & string>(name: S): ServicesOf<K>[S] {
    return this.#proxy(name) as ServicesOf<K>[S]
  }

  state(): StorageState {
    const { kind, reason } = this.#state
    if (kind === 'ready' && this.#trouble === undefined)
      return this.#ailments.length === 0 ? { kind } : { kind, ailments: this.#ailments }
    if (kind === 'ready') return { kind: 'stalled', reason: this.#placed(this.#trouble!) }
    return reason === undefined ? { kind } : { kind, reason: this.#placed(reason) }
  }

  /** Of the child, while there is one. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** Asks the child to end; does not wait for one that cannot. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#caller.refuse(new Fault('closed', 'the storage is being closed'))
    const child = this.#child
    if (child === undefined) return
    this.#pipe?.send(['close'] satisfies ToChild)
    this.#pipe?.flush()
    const patience = new AbortController()
    // Not by the clock: a fake one stands still, and the child is real.
    const timer = setTimeout(() => patience.abort(), STOP_MS_MAX)
    await once(child, 'exit', { signal: patience.signal }).catch(() => child.kill('SIGKILL'))
    clearTimeout(timer)
    this.#pipe?.destroy()
    child.stderr?.destroy()
    child.unref()
  }

  #proxy(name: string): object {
    let proxy = this.#proxies.get(name)
    if (proxy === undefined) {
      proxy = proxyOf(this.#caller, name)
      this.#proxies.set(name, proxy)
    }
    return proxy
  }

  #spawn(): void {
    const { kind, dir, options = {}, clock, failpoints } = this.#options
    this.#state = { kind: 'starting' }
    this.#ailments = []
    this.#lastWords = []
    const startedAtMs = clock.monotonicMs()
    const child = spawn(
      process.execPath,
      [...heapFlags(HEAP[kind]), SCRIPT, kind, dir, JSON.stringify(options)],
      {
        // Pipes only: whatever holds this child on a dead disk must not hold a port or a terminal too.
        stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
        env: {
          ...process.env,
          ...(failpoints !== undefined && { WATARI_FAILPOINTS: failpoints }),
        },
      },
    )
    this.#child = child
    createInterface({ input: child.stderr! }).on('line', (line) => this.#heard(line))
    const pipe = pipeOver(child.stdio[3] as Socket, {
      onValue: (value) => this.#take(value as ToParent, pipe),
      // A child that has lost its pipe is of no more use, whatever it is waiting for.
      onEnd: () => child.kill('SIGKILL'),
    })
    this.#pipe = pipe
    child.once('error', (cause) => this.#ended(child, messageOf(cause), startedAtMs))
    child.once('exit', (status, signal) =>
      this.#ended(child, signal ?? `status ${status}`, startedAtMs),
    )
  }

  #take(message: ToParent, pipe: PipeEnd): void {
    if (this.#caller.take(message)) return
    switch (message[0]) {
      case 'ready':
        this.#state = { kind: 'ready' }
        this.#wasReady = true
        this.#caller.revive()
        this.#caller.connect(pipe)
        this.#options.log.info('storage.ready', { kind: this.#options.kind })
        this.#settleStart?.()
        return
      case 'locked':
        if (this.#state.kind !== 'locked')
          this.#options.log.error('storage.locked', { reason: message[1] })
        this.#state = { kind: 'locked', reason: message[1] }
        this.#caller.refuse(new Fault('stalled', message[1]))
        this.#settleStart?.()
        return
      case 'fatal':
        this.#lastWords.push(message[1].message)
        if (this.#wasReady) return
        this.#options.log.error('storage.refused', { reason: message[1].message })
        this.#stopping.abort()
        this.#caller.refuse(errorOf(message[1]))
        this.#settleStart?.(errorOf(message[1]))
        return
      case 'notice':
        this.#options.onNotice?.(message[1], message[2])
        return
      case 'answer':
      case 'failure':
        return
    }
  }

  #ended(child: ChildProcess, how: string, startedAtMs: number): void {
    if (this.#child !== child) return
    this.#child = undefined
    this.#pipe?.destroy()
    this.#caller.disconnect()
    const reason = [how, ...this.#lastWords].join('; ')
    this.#state = { kind: 'down', reason }
    if (this.#stopping.signal.aborted) return this.#caller.refuse(new Fault('closed', reason))
    const { clock, log, kind } = this.#options
    log.error('storage.ended', { kind, how, words: this.#lastWords.join(' / ') })
    if (this.#wasReady) this.#options.onEnded?.(reason)
    if (clock.monotonicMs() - startedAtMs > HEALTHY_MS) this.#backoffMs = BACKOFF_MS_MIN
    void sleep(clock, this.#backoffMs, this.#stopping.signal).then(() => {
      if (!this.#stopping.signal.aborted) this.#spawn()
    })
    this.#backoffMs = Math.min(BACKOFF_MS_MAX, this.#backoffMs * 2)
  }

  /** Whoever reads it knows which disk to look at. */
  #placed(reason: string): string {
    const { dir } = this.#options
    return reason.includes(dir) ? reason : `${dir}: ${reason}`
  }

  #heard(line: string): void {
    const words = oneLine(line)
    this.#lastWords = [...this.#lastWords, words].slice(-LAST_WORDS_MAX)
    this.#options.log.warn('storage.said', { kind: this.#options.kind, words })
  }

  /** Notices a dead disk though no mail comes, and a disk that has come back though none is let in. */
  #probeLater(): void {
    void sleep(this.#options.clock, PROBE_EVERY_MS, this.#stopping.signal).then(async () => {
      if (this.#stopping.signal.aborted) return
      if (this.#state.kind === 'ready') await this.#probe()
      this.#probeLater()
    })
  }

  async #probe(): Promise<void> {
    try {
      this.#ailments = await (this.#proxy('storage') as Probe).probe()
      this.#trouble = undefined
    } catch (thrown) {
      if (this.#trouble === undefined)
        this.#options.log.error('storage.probeFailed', { cause: messageOf(thrown) })
      this.#trouble = isFault(thrown, 'stalled') ? NO_ANSWER : messageOf(thrown)
    }
  }
}
