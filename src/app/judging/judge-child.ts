import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { readFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'

import type { Log } from '#base/log.ts'
import type { Octets } from '#base/octets.ts'
import { MINUTE_MS, SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { AuthResult, RuleHit, VirusOutcome } from '#model/verdict.ts'

import type { FromJudge, JudgeWork, ToJudge } from './judge-messages.ts'

/** How judging one message ended. `lost`: the process died, perhaps of another message. */
export type JudgeEnd =
  | {
      readonly kind: 'findings'
      readonly auth: readonly AuthResult[]
      readonly hits: readonly RuleHit[]
      readonly virus: VirusOutcome
    }
  | { readonly kind: 'failed' | 'timeout' | 'lost'; readonly reason: string }

interface JudgeChildOptions {
  readonly clock: Clock
  readonly log: Log
  readonly script?: string
  readonly limits?: Partial<JudgeLimits>
}

interface AtWork {
  readonly resolve: (name: string, type: string) => Promise<readonly unknown[]>
  end(end: JudgeEnd): void
}

const ROOT = join(import.meta.dirname, '../../..')
const SCRIPT = join(import.meta.dirname, '../judge.ts')

export interface JudgeLimits {
  /** Node has no limit on memory from outside the heap: it is watched from here (DESIGN section 4). */
  readonly rssBytesMax: number
  /** Beyond the message's own time: the process starts, the octets cross the pipe. */
  readonly startMs: number
}

const LIMITS: JudgeLimits = { rssBytesMax: 1024 * 1024 * 1024, startMs: 10 * SECOND_MS }
const RSS_POLL_MS = 50
const PAGE_BYTES = 4_096
const IDLE_MS = MINUTE_MS

/** One judge process: its code is all that it can read; nothing can be written, connected or started. */
export class JudgeChild {
  readonly #options: JudgeChildOptions
  readonly #limits: JudgeLimits
  readonly #child: ChildProcess
  readonly #atWork = new Map<number, AtWork>()
  readonly #watch: NodeJS.Timeout
  #nextId = 1
  #isGone = false
  #reason = 'the judge ended'
  #cancelIdle: (() => void) | undefined

  constructor(options: JudgeChildOptions) {
    this.#options = options
    this.#limits = { ...LIMITS, ...options.limits }
    // Node_modules may be a link: both its names are allowed.
    // What finds our modules (NODE_OPTIONS of a start) lies in bin.
    const readable = ['bin', 'src', 'node_modules', 'package.json']
      .map((name) => join(ROOT, name))
      .flatMap((path) => [path, realOf(path)])
    const { NODE_COMPILE_CACHE: _, ...env } = process.env
    this.#child = spawn(
      process.execPath,
      [
        '--permission',
        ...[...new Set(readable)].map((path) => `--allow-fs-read=${path}`),
        options.script ?? SCRIPT,
      ],
      { stdio: ['ignore', 'ignore', 'ignore', 'ipc'], serialization: 'advanced', env },
    )
    this.#child.on('message', (message) => this.#take(message as FromJudge))
    this.#child.on('error', (cause) => this.#gone(cause.message))
    this.#child.on('exit', (status, signal) => this.#gone(signal ?? `status ${status}`))
    this.#watch = setInterval(() => this.#look(), RSS_POLL_MS)
    this.#watch.unref()
    this.#child.unref()
    this.#child.channel?.unref()
  }

  get isGone(): boolean {
    return this.#isGone
  }

  /** Judges one message; others may be at work beside it. Never throws for what the message does. */
  async judge(ask: {
    readonly work: JudgeWork
    readonly octets: AsyncIterable<Octets>
    readonly timeoutMs: number
    readonly resolve: AtWork['resolve']
  }): Promise<JudgeEnd> {
    this.#cancelIdle?.()
    const id = this.#nextId++
    const { promise, resolve } = Promise.withResolvers<JudgeEnd>()
    const cancel = this.#options.clock.after(ask.timeoutMs + this.#limits.startMs, () => {
      resolve({ kind: 'timeout', reason: `not judged in ${ask.timeoutMs} ms` })
      this.#kill('a message outlasted it')
    })
    this.#atWork.set(id, { resolve: ask.resolve, end: resolve })
    try {
      if (this.#isGone) return { kind: 'lost', reason: this.#reason }
      await this.#send({ kind: 'begin', id, work: ask.work })
      for await (const octets of ask.octets) {
        if (this.#isGone) break
        await this.#send({ kind: 'octets', id, octets })
      }
      await this.#send({ kind: 'end', id })
      return await promise
    } finally {
      cancel()
      this.#atWork.delete(id)
      if (this.#atWork.size === 0)
        this.#cancelIdle = this.#options.clock.after(IDLE_MS, () => this.close())
    }
  }

  close(): void {
    this.#reason = 'closed'
    this.#child.kill('SIGKILL')
  }

  /** Waits until the octets have left, so that a large message is not in memory twice. */
  #send(message: ToJudge): Promise<void> {
    return new Promise((resolve) => {
      if (this.#isGone || !this.#child.connected) return resolve()
      this.#child.send(message, () => resolve()) // a failure shows in the process's end
    })
  }

  #take(message: FromJudge): void {
    if (message.kind === 'ready') return
    if (message.kind === 'ask') return void this.#answer(message)
    const atWork = this.#atWork.get(message.id)
    if (message.kind === 'findings') {
      const { auth, hits, virus } = message
      atWork?.end({ kind: 'findings', auth, hits, virus })
    } else atWork?.end({ kind: 'failed', reason: message.reason })
  }

  async #answer(ask: Extract<FromJudge, { kind: 'ask' }>): Promise<void> {
    const atWork = this.#atWork.get(ask.id)
    const { question } = ask
    try {
      const records = await atWork?.resolve(ask.name, ask.type)
      await this.#send({ kind: 'answer', question, ...(records && { records }) })
    } catch (thrown) {
      const code = (thrown as { code?: unknown }).code
      await this.#send({
        kind: 'answer',
        question,
        code: typeof code === 'string' ? code : 'ESERVFAIL',
      })
    }
  }

  #look(): void {
    try {
      const pages = Number(
        readFileSync(`/proc/${this.#child.pid}/statm`, 'latin1').split(' ')[1] ?? 0,
      )
      const overshoot = pages * PAGE_BYTES - this.#limits.rssBytesMax
      if (overshoot > 0) this.#kill(`${overshoot} octets over its memory`)
    } catch {
      // No /proc here, or the process has just ended.
    }
  }

  #kill(reason: string): void {
    this.#reason = reason
    this.#options.log.warn('judge.killed', { reason })
    this.#child.kill('SIGKILL')
  }

  #gone(how: string): void {
    if (this.#isGone) return
    this.#isGone = true
    clearInterval(this.#watch)
    this.#cancelIdle?.()
    if (this.#reason === 'the judge ended') this.#reason = `the judge ended: ${how}`
    for (const atWork of this.#atWork.values()) atWork.end({ kind: 'lost', reason: this.#reason })
  }
}

function realOf(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}
