import type { Writable } from 'node:stream'
import { fromLatin1 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import type { Clock } from '#base/time.ts'

const SLICE_BYTES = 64 * 1024
/** Node would let 64 KiB of small writes wait; a quarter of that is enough to keep a peer busy. */
const QUEUED_BYTES_MAX = 16 * 1024

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
  write(content: Octets | string): Promise<'ok' | 'gone'> {
    return this.#writeOctets(typeof content === 'string' ? fromLatin1(content) : content)
  }

  async #writeOctets(octets: Octets): Promise<'ok' | 'gone'> {
    for (let at = 0; at < octets.length; at += SLICE_BYTES) {
      if (this.#stream.destroyed || this.#stream.writableEnded) return 'gone'
      const slice = octets.length <= SLICE_BYTES ? octets : octets.subarray(at, at + SLICE_BYTES)
      const taken = this.#send(slice)
      if (taken === true || (await taken)) continue
      this.#stream.destroy()
      return 'gone'
    }
    return this.#stream.destroyed ? 'gone' : 'ok'
  }

  /** Whether the peer took it; true at once where little enough waits. */
  #send(slice: Octets): true | Promise<boolean> {
    const stream = this.#stream
    let done: ((isTaken: boolean) => void) | undefined
    stream.write(slice, (error) => done?.(!error))
    if (stream.writableLength < QUEUED_BYTES_MAX) return true
    return new Promise((resolve) => {
      const onClose = (): void => done?.(false)
      const cancel = this.#clock.after(this.#timeoutMs, onClose)
      done = (isTaken) => {
        cancel()
        stream.off('close', onClose)
        resolve(isTaken)
      }
      stream.on('close', onClose)
    })
  }
}
