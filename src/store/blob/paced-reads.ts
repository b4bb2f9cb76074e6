import type { Clock } from '#base/time.ts'
import { readAt, readAtNow } from './files.ts'

/** The kernel copies half a mebibyte from its memory in a tenth of it. */
const FROM_MEMORY_MS_MAX = 2
/** How long threads read after that: of a disk that is slow, others wait for one read in so long. */
const THREADS_MS = 250

/**
 * Reads of records. What the kernel has in its memory is copied at once, each read in a turn of its own:
 * to wake a thread costs more than the copy, and where the processor is short the thread has to wait for
 * it. Where a read took longer it came from the disk, and threads read for a while.
 */
export class PacedReads {
  readonly #clock: Clock
  #threadsUntilMs = Number.NEGATIVE_INFINITY

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** As `readAt`. */
  async at(
    fd: number,
    position: number,
    length: number,
    buffer: Buffer = Buffer.allocUnsafeSlow(length),
  ): Promise<Buffer> {
    if (this.#clock.monotonicMs() < this.#threadsUntilMs)
      return readAt(fd, position, length, buffer)
    await new Promise(setImmediate)
    const beganAtMs = this.#clock.monotonicMs()
    const octets = readAtNow(fd, position, length, buffer)
    const endedAtMs = this.#clock.monotonicMs()
    if (endedAtMs - beganAtMs > FROM_MEMORY_MS_MAX) this.#threadsUntilMs = endedAtMs + THREADS_MS
    return octets
  }
}
