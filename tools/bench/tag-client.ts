import type { Socket } from 'node:net'
import { toLatin1 } from '#base/octets.ts'

const TAIL_CHARS = 2_000

interface Waiting {
  readonly done: (bytes: number) => void
  readonly fail: (error: Error) => void
}

/** Sends commands and counts what comes back, so that no time is its own. */
export class TagClient {
  readonly #socket: Socket
  readonly #waiting = new Map<string, Waiting>()
  #tags = 0
  #bytes = 0
  #tail = ''

  constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => {
      this.#bytes += chunk.length
      const from = this.#waiting.size > 1 ? 0 : Math.max(0, chunk.length - TAIL_CHARS)
      this.#tail += toLatin1(chunk.subarray(from))
      const end = this.#tail.lastIndexOf('\r\n')
      if (end < 0) return
      for (const [tag, { done, fail }] of this.#waiting) {
        const match = new RegExp(`(?:^|\\n)${tag} ([A-Z]+)[^\\n]*\\n`).exec(this.#tail)
        if (match === null) break
        this.#waiting.delete(tag)
        if (match[1] === 'OK') done(this.#bytes)
        else fail(new Error(match[0]))
      }
      this.#tail = this.#tail.slice(-TAIL_CHARS)
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      for (const { fail } of this.#waiting.values()) fail(new Error('the connection ended'))
    })
  }

  /** The last characters that came. */
  get tail(): string {
    return this.#tail
  }

  /** Octets that came until its tagged OK. */
  ask(text: string): Promise<number> {
    const tag = `t${++this.#tags}`
    const before = this.#bytes
    return new Promise((resolve, reject) => {
      this.#waiting.set(tag, { done: (bytes) => resolve(bytes - before), fail: reject })
      this.#socket.write(`${tag} ${text}\r\n`, 'latin1')
    })
  }

  /** The same, once more where it is refused for the moment: a disk that others keep busy stands still for seconds. */
  async insist(text: string): Promise<number> {
    try {
      return await this.ask(text)
    } catch (thrown) {
      if (!String(thrown).includes('[UNAVAILABLE]')) throw thrown
      return this.insist(text)
    }
  }

  end(): void {
    this.#socket.destroy()
  }
}
