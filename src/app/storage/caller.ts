import { Fault, isFault, messageOf } from '#base/outcome.ts'
import { SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import { MESSAGES_AT_ONCE } from '#store/mailbox/commit.ts'
import type { CommitRequest, Operation } from '#store/mailbox/commit.ts'
import { LongMessages, isLongCall, sendLongCall } from './long-call.ts'
import { errorOf } from './messages.ts'
import type { ToChild, ToParent } from './messages.ts'
import { Operations } from './operations.ts'
import type { PipeEnd } from './pipe.ts'

export interface CallerOptions {
  readonly clock: Clock
  /** How long an answer may take before the caller gets Fault `stalled`; a 4xx is due within 5 s. */
  readonly deadlineMs?: number
  /** Told when no answers come any more, and when they come again. */
  readonly onStall?: (isStalled: boolean) => void
  /** Told of what was done after its caller had got Fault `stalled`. */
  readonly onLate?: (late: LateAnswer) => void
}

/** An answer, no failure, to a call that was given up by then. */
export interface LateAnswer {
  readonly service: string
  readonly method: string
  readonly argument: unknown
  readonly value: unknown
}

/**
 * Calls whose outcome the caller must know: they wait for as long as the child lives, because an
 * answer that nobody takes would leave claimed mail unattended, or damage that is told once untold.
 */
const WITHOUT_DEADLINE = new Set(['claim', 'settle', 'scrub'])

const DEADLINE_MS = 4 * SECOND_MS
/** How often deadlines are looked at. */
const SWEEP_MS = 100
/** A longer gap between two looks means that the machine or this process stood still: nobody's fault. */
const PAUSE_MS = 1 * SECOND_MS
/** Accounts that a commit has the time of one call for. */
const ACCOUNTS_A_CALL = 500
const CALLS_MAX = 1_024
const CALL_BYTES_MAX = 64 * 1024 * 1024

interface Call {
  readonly service: string
  readonly method: string
  readonly argument: unknown
  readonly bytes: number
  deadlineAtMs: number
  readonly isGivenUp?: true
  /** Asked by it what became of the call, where the child ends without an answer. */
  readonly operation?: Operation
  readonly isOutcomeAsked?: true
  readonly isSentAgain?: true
  readonly resolve: (value: unknown) => void
  readonly reject: (cause: unknown) => void
}

/**
 * The calls of one socket process to one storage child: in order, bounded, each with its deadline. A commit
 * whose child has ended gets the answer that it would have given, from the next one.
 */
export class Caller {
  readonly #options: CallerOptions
  readonly #deadlineMs: number
  /** What is not committed so long before its deadline is not committed at all: the answer has its way to go. */
  readonly #marginMs: number
  #pipe: PipeEnd | undefined
  #lastId = 0
  readonly #sent = new Map<number, Call>()
  #sentBytes = 0
  readonly #long = new LongMessages()
  #waiting: Call[] = []
  readonly #operations = new Operations()
  /** Commits that the last child may have made before it ended. */
  #doubtful: Call[] = []
  #isStalled = false
  /** When the last answer came. */
  #heardAtMs = Number.NEGATIVE_INFINITY
  #sweepAtMs: number | undefined

  constructor(options: CallerOptions) {
    this.#options = options
    this.#deadlineMs = options.deadlineMs ?? DEADLINE_MS
    this.#marginMs = this.#deadlineMs / 8
  }

  /** Calls go to this child from now on; those that wait first. */
  connect(pipe: PipeEnd): void {
    this.#pipe = pipe
    for (const call of this.#doubtful.splice(0)) this.#askOutcome(pipe, call)
    this.#pump()
  }

  /** The child is gone: what became of the calls that it had is known to the next, if at all. */
  disconnect(): void {
    this.#pipe = undefined
    this.#long.clear()
    const lost = [...this.#sent.values()]
    this.#sent.clear()
    this.#sentBytes = 0
    for (const call of lost)
      if (call.operation === undefined) call.reject(ended(call))
      else this.#doubtful.push(call)
  }

  /** Answers will come again. */
  revive(): void {
    this.#setStalled(false)
  }

  /** Refuses what waits: there will be no child soon. */
  refuse(fault: Error): void {
    for (const call of [...this.#waiting.splice(0), ...this.#doubtful]) call.reject(fault)
    this.#doubtful = this.#doubtful.map(deafened)
  }

  /** Throws Fault `stalled` past the deadline, or at once while the storage is silent and earlier calls are past theirs. */
  call(service: string, method: string, argument: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#isStalled && method !== 'probe') {
        reject(new Fault('stalled', `${service}.${method}: the storage does not answer`))
        return
      }
      const deadlineAtMs = WITHOUT_DEADLINE.has(method)
        ? Number.POSITIVE_INFINITY
        : this.#options.clock.monotonicMs() + this.#deadlineMs * stepsOf(argument)
      const bytes = octetsIn(argument)
      this.#waiting.push({ service, method, argument, bytes, deadlineAtMs, resolve, reject })
      this.#pump()
      this.#sweepLater()
    })
  }

  /** Takes an answer; false for any other message. */
  take(message: ToParent): boolean {
    if (message[0] === 'part') {
      this.#long.add(message[1], message[2])
      return true
    }
    if (message[0] !== 'answer' && message[0] !== 'failure') return false
    const call = this.#sent.get(message[1])
    this.#sent.delete(message[1])
    this.#heardAtMs = this.#options.clock.monotonicMs()
    this.#setStalled(false)
    if (call === undefined) return true
    this.#sentBytes -= call.bytes
    this.#operations.end(call.operation)
    if (message[0] === 'failure') this.#failed(call, errorOf(message[2]))
    else this.#answered(call, this.#long.whole(message[1], message[2], 'results'))
    this.#pump()
    return true
  }

  /** One that came too late after a pause of the machine, for which we grant time, is sent once more. */
  #failed(call: Call, error: Error): void {
    const { operation, isSentAgain, isGivenUp, ...asked } = call
    const leftMs = call.deadlineAtMs - this.#marginMs - this.#options.clock.monotonicMs()
    const isForNothing = isSentAgain === true || isGivenUp === true || operation === undefined
    if (isForNothing || leftMs <= 0 || !isFault(error, 'stalled') || isLarge(call.argument))
      return call.reject(error)
    this.#waiting.unshift({ ...asked, isSentAgain: true })
  }

  #answered(call: Call, value: unknown): void {
    const wasNotMade =
      call.isOutcomeAsked === true && (value as { results?: unknown }).results === undefined
    if (wasNotMade) call.reject(ended(call))
    else if (call.isGivenUp === true) this.#options.onLate?.({ ...call, value })
    else call.resolve(value)
  }

  #askOutcome(pipe: PipeEnd, call: Call): void {
    const id = ++this.#lastId
    const { service, operation } = call
    pipe.send(['call', id, service, 'outcome', { operation }] satisfies ToChild)
    this.#sent.set(id, { ...call, bytes: 0, isOutcomeAsked: true })
  }

  #pump(): void {
    while (this.#pipe !== undefined && this.#sent.size < CALLS_MAX) {
      const call = this.#waiting[0]
      if (call === undefined) return
      if (this.#sent.size > 0 && this.#sentBytes + call.bytes > CALL_BYTES_MAX) return
      this.#waiting.shift()
      const id = ++this.#lastId
      const { service, method } = call
      const operation = this.#operations.begin(call, call.deadlineAtMs - this.#marginMs)
      const argument =
        operation === undefined ? call.argument : { ...(call.argument as object), operation }
      try {
        this.#send(this.#pipe, ['call', id, service, method, argument])
      } catch (thrown) {
        this.#operations.end(operation)
        call.reject(new TypeError(`${nameOf(call)}: ${messageOf(thrown)}`, { cause: thrown }))
        continue
      }
      this.#sent.set(id, operation === undefined ? call : { ...call, operation })
      this.#sentBytes += call.bytes
    }
  }

  #send(pipe: PipeEnd, message: ToChild & readonly ['call', ...unknown[]]): void {
    if (!isLongCall(message)) return pipe.send(message)
    sendLongCall(pipe, message).catch((thrown: unknown) => {
      const call = this.#sent.get(message[1])
      if (call === undefined) return
      this.#sent.delete(message[1])
      this.#sentBytes -= call.bytes
      this.#operations.end(call.operation)
      call.reject(new TypeError(`${nameOf(call)}: ${messageOf(thrown)}`, { cause: thrown }))
    })
  }

  #sweepLater(): void {
    if (this.#sweepAtMs !== undefined) return
    const { clock } = this.#options
    this.#sweepAtMs = clock.monotonicMs() + SWEEP_MS
    clock.after(SWEEP_MS, () => {
      const lateMs = clock.monotonicMs() - this.#sweepAtMs!
      this.#sweepAtMs = undefined
      if (lateMs > PAUSE_MS) this.#grant(lateMs)
      this.#sweep()
      if (this.#sent.size + this.#waiting.length + this.#doubtful.length > 0) this.#sweepLater()
    })
  }

  #grant(pauseMs: number): void {
    this.#heardAtMs += pauseMs
    for (const call of [...this.#sent.values(), ...this.#waiting, ...this.#doubtful])
      call.deadlineAtMs += pauseMs
  }

  #sweep(): void {
    const now = this.#options.clock.monotonicMs()
    for (const call of this.#doubtful) if (call.deadlineAtMs <= now) call.reject(ended(call))
    this.#doubtful = this.#doubtful.map((call) =>
      call.deadlineAtMs <= now ? deafened(call) : call,
    )
    const late = [...this.#sent].filter(([, call]) => call.deadlineAtMs <= now)
    const lateWaiting = this.#waiting.filter((call) => call.deadlineAtMs <= now)
    if (late.length + lateWaiting.length === 0) return
    // The octets of a sent call stay counted until it is answered: they lie in the pipe or the child.
    for (const [id, call] of late) {
      this.#sent.set(id, deafened(call))
      call.reject(this.#missed(call))
    }
    this.#waiting = this.#waiting.filter((call) => !lateWaiting.includes(call))
    for (const call of lateWaiting) call.reject(this.#missed(call))
    // One that is slow while others are answered is slow alone: no reason to refuse mail.
    if (now - this.#heardAtMs >= this.#deadlineMs / 2) this.#setStalled(true)
  }

  #missed(call: Call): Fault {
    const waitedMs = this.#deadlineMs * stepsOf(call.argument)
    return new Fault('stalled', `${nameOf(call)}: no answer in ${waitedMs} ms`)
  }

  #setStalled(isStalled: boolean): void {
    if (this.#isStalled === isStalled) return
    this.#isStalled = isStalled
    this.#options.onStall?.(isStalled)
  }
}

/** The call once it is given up: what becomes of it is told by `onLate`. */
const deafened = (call: Call): Call => ({
  ...call,
  deadlineAtMs: Number.POSITIVE_INFINITY,
  isGivenUp: true,
  resolve: () => undefined,
  reject: () => undefined,
})

const ended = (call: Call): Fault =>
  new Fault('closed', `${nameOf(call)}: the storage process has ended`)

const nameOf = (call: Call): string => `${call.service}.${call.method}`

/** What is done for thousands of accounts or messages is made in steps, each of which has the time of a call; a disk that hangs is found by the probe. */
function stepsOf(argument: unknown): number {
  const { commits } = (argument ?? {}) as { readonly commits?: CommitRequest['commits'] }
  if (!Array.isArray(commits)) return 1
  const change = commits.length === 1 ? commits[0]?.changes[0] : undefined
  const copies = change?.kind === 'copy' || change?.kind === 'move' ? change.uids.length : 0
  return Math.max(
    1,
    Math.ceil(commits.length / ACCOUNTS_A_CALL),
    Math.ceil(copies / MESSAGES_AT_ONCE),
  )
}

/** Its octets are in a file that the child has given up with it. */
const isLarge = (argument: unknown): boolean =>
  (argument as CommitRequest).contents.some((content) => 'large' in content)

const LOOKED_AT_MAX = 1_000

/** The octets that an argument carries, near enough for back-pressure. */
function octetsIn(value: unknown, depth = 0): number {
  if (value instanceof Uint8Array) return value.length
  if (typeof value !== 'object' || value === null || depth > 4) return 0
  const parts: readonly unknown[] = Array.isArray(value) ? value : Object.values(value)
  // Thousands are alike: commits of one mail for many.
  const step = Math.ceil(parts.length / LOOKED_AT_MAX)
  let sum = 0
  for (let at = 0; at < parts.length; at += step) {
    const part = parts[at]
    if (typeof part === 'object') sum += step * octetsIn(part, depth + 1)
  }
  return sum
}
