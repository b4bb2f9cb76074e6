import { isUtf8 } from 'node:buffer'
import { Worker } from 'node:worker_threads'
import { bufferOf } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import { SECOND_MS } from '#base/time.ts'
import type { BcryptAnswer, BcryptQuestion } from './bcrypt-worker.ts'

const IDLE_MS = 30 * SECOND_MS

/** bcrypt compares 72 octets. The library takes text: octets that are no UTF-8 never match. */
export function bcryptCheck(hash: string): (password: Octets) => Promise<boolean> {
  return (password) => {
    const octets = bufferOf(password)
    if (!isUtf8(octets)) return Promise.resolve(false)
    return THREAD.ask({ password: octets.toString('utf8'), hash })
  }
}

interface Waiting {
  readonly resolve: (isRight: boolean) => void
  readonly reject: (cause: Error) => void
}

/** One thread, begun when it is needed and ended when it is quiet: it costs some 10 MiB. */
class BcryptThread {
  #worker: Worker | undefined
  #lastId = 0
  readonly #waiting = new Map<number, Waiting>()
  #timer: NodeJS.Timeout | undefined

  ask(question: Omit<BcryptQuestion, 'id'>): Promise<boolean> {
    clearTimeout(this.#timer)
    this.#worker ??= this.#begin()
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#worker?.ref()
      this.#worker?.postMessage({ id, ...question } satisfies BcryptQuestion)
    })
  }

  #begin(): Worker {
    const worker = new Worker(new URL('./bcrypt-worker.ts', import.meta.url))
    worker.on('message', ({ id, isRight }: BcryptAnswer) => {
      this.#waiting.get(id)?.resolve(isRight)
      this.#waiting.delete(id)
      if (this.#waiting.size === 0) this.#rest()
    })
    worker.on('error', (cause) => this.#lose(worker, cause))
    worker.on('exit', () => this.#lose(worker, new Error('the thread has ended')))
    return worker
  }

  #rest(): void {
    this.#worker?.unref()
    this.#timer = setTimeout(() => void this.#worker?.terminate(), IDLE_MS).unref()
  }

  /** Whoever waits hears that it is our trouble, not a wrong password; the next question begins anew. */
  #lose(worker: Worker, cause: unknown): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    for (const { reject } of this.#waiting.values())
      reject(new Fault('unavailable', 'bcrypt cannot be checked now', { cause }))
    this.#waiting.clear()
  }
}

const THREAD = new BcryptThread()
