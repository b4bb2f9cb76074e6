import type { Writable } from 'node:stream'
import { fromLatin1 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import type { Clock } from '#base/time.ts'

const SLICE_BYTES = 64 * 1024

/**
 * Writes to a socket and waits while the peer does not take it. A peer that takes no slice of
 * 64 KiB within `timeoutMs` loses its connection: a slow reader costs itself.
 */
export class OctetWriter {
  readonly #stream: Writable
  readonly #clock: Clock
  readonly #timeoutMs: number

  constructor(stream: Writable, wait: { readonly clock: Clock; readonly timeoutMs: number }) {
    this.#stream = stream
    this.#clock = wait.clock
    this.#timeoutMs = wait.timeoutMs
  }

  /** Resolves when more may be written: 'gone' where nobody will read it. Strings are Latin-1. */
  async write(content: Octets | string): Promise<'ok' | 'gone'> {
    const octets = typeof content === 'string' ? fromLatin1(content) : content
    for (let at = 0; at < octets.length; at += SLICE_BYTES) {
      if (this.#stream.destroyed || this.#stream.writableEnded) return 'gone'
      const slice = octets.length <= SLICE_BYTES ? octets : octets.subarray(at, at + SLICE_BYTES)
      if (this.#stream.write(slice)) continue
      if (!(await this.#drained())) {
        this.#stream.destroy()
        return 'gone'
      }
    }
    return this.#stream.destroyed ? 'gone' : 'ok'
  }

  #drained(): Promise<boolean> {
    const stream = this.#stream
    if (stream.destroyed) return Promise.resolve(false)
    if (!stream.writableNeedDrain) return Promise.resolve(true)
    return new Promise((resolve) => {
      const done = (drained: boolean): void => {
        cancel()
        stream.off('drain', onDrain)
        stream.off('close', onClose)
        resolve(drained)
      }
      const onDrain = (): void => done(true)
      const onClose = (): void => done(false)
      const cancel = this.#clock.after(this.#timeoutMs, () => done(false))
      stream.on('drain', onDrain)
      stream.on('close', onClose)
    })
  }
}
