import type { Readable } from 'node:stream'
import { CR, LF } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { isFault } from '#base/outcome.ts'
import type { Clock } from '#base/time.ts'

const GROWN_BYTES_MIN = 4_096
const NONE = Buffer.alloc(0)
/** What waits for more and is shorter does not keep the larger buffer that it came in. */
const SMALL_BYTES = 4_096

/**
 * Pulls octets and lines from a socket. What nobody asks for stays in the socket, so that a fast
 * peer is slowed by TCP; nothing is copied but what a segment's end cut in two. Slices that were
 * handed out are never written to again. One question at a time.
 */
export class OctetReader {
  readonly #stream: Readable
  readonly #clock: Clock
  readonly #beforeWait: (() => Promise<void>) | undefined
  #buffer: Buffer = NONE
  #start = 0
  #end = 0
  #owned = false
  #ended = false
  #wake: (() => void) | undefined

  /**
   * `beforeWait` runs before each wait for octets that have not come, be it amid a line or a literal: what
   * was said goes out then, since the peer may send no more until it has heard it. Where it throws Fault
   * `closed`, the peer has ended.
   */
  constructor(stream: Readable, clock: Clock, beforeWait?: () => Promise<void>) {
    this.#stream = stream
    this.#clock = clock
    this.#beforeWait = beforeWait
    stream.on('readable', this.#onReadable)
    stream.on('end', this.#onEnd)
    stream.on('close', this.#onEnd)
    stream.on('error', this.#onEnd)
  }

  /** Octets that have arrived and nobody has taken yet. */
  get buffered(): number {
    return this.#end - this.#start + this.#stream.readableLength
  }

  /** Memory that is held for this reader alone: what was read, and whatever came with it. */
  get heldBytes(): number {
    return this.#buffer.buffer.byteLength
  }

  /** Whether the other side had ended by now, where nothing of it waits to be read any more. */
  async hasEnded(): Promise<boolean> {
    if (this.buffered > 0) return false
    this.#stream.read(0) // its end is told only to those who read
    await new Promise((resolve) => setImmediate(resolve))
    return this.#ended || this.#stream.destroyed
  }

  /**
   * The next line without its CRLF; only CRLF ends one. A line of more than `lengthMax` octets is
   * read to its end and dropped. `timeoutMs` is for the whole line: where none is left it is a
   * timeout, whatever lies ready, and a line that has no end ends with it however fast it comes.
   */
  async line(
    lengthMax: number,
    timeoutMs: number,
  ): Promise<Octets | 'eof' | 'tooLong' | 'timeout'> {
    if (timeoutMs <= 0) return 'timeout'
    const deadline = this.#clock.monotonicMs() + timeoutMs
    let scanned = this.#start
    let dropped = false
    for (;;) {
      const end = this.#findCrlf(scanned)
      if (end >= 0) {
        const line = this.#buffer.subarray(this.#start, end)
        this.#start = end + 2
        return dropped || line.length > lengthMax ? 'tooLong' : line
      }
      if (this.#end - this.#start > lengthMax + 1) {
        dropped = true
        this.#start = this.#end - 1 // it may be the CR
        if (this.#clock.monotonicMs() >= deadline) return 'timeout'
      }
      const seen = this.#end - this.#start
      const got = await this.#more(deadline)
      if (got !== 'more') return got
      scanned = this.#start + Math.max(0, seen - 1)
    }
  }

  /** True where a whole line has arrived already: the peer pipelines, and its replies can wait for one another. */
  lineReady(): boolean {
    if (this.#findCrlf(this.#start) >= 0) return true
    const chunk = this.#stream.readableLength > 0 ? (this.#stream.read() as Buffer | null) : null
    if (chunk === null) return false
    this.#append(chunk)
    return this.#findCrlf(this.#start) >= 0
  }

  /** At least one octet and at most `max` of them, as they come; a timeout where none is left. */
  async octets(max: number, timeoutMs: number): Promise<Octets | 'eof' | 'timeout'> {
    if (timeoutMs <= 0) return 'timeout'
    if (this.#start === this.#end) {
      const got = await this.#more(this.#clock.monotonicMs() + timeoutMs)
      if (got !== 'more') return got
    }
    const taken = this.#buffer.subarray(this.#start, Math.min(this.#end, this.#start + max))
    this.#start += taken.length
    return taken
  }

  /**
   * Exactly `count` octets, all of them within `timeoutMs`. They are gathered as they come: what comes
   * octet by octet costs what it is long, and what was announced only costs nothing.
   */
  async exactly(count: number, timeoutMs: number): Promise<Octets | 'eof' | 'timeout'> {
    const deadline = this.#clock.monotonicMs() + timeoutMs
    let gathered: Octets = NONE
    for (let at = 0; at < count;) {
      const part = await this.octets(count - at, deadline - this.#clock.monotonicMs())
      if (typeof part === 'string') return part
      if (part.length === count) return part
      if (at + part.length > gathered.length) {
        const grown = new Uint8Array(Math.min(count, GROWN_BYTES_MIN + 2 * (at + part.length)))
        grown.set(gathered)
        gathered = grown
      }
      gathered.set(part, at)
      at += part.length
    }
    return gathered
  }

  /** Puts back the last `count` octets of what `octets` has just returned. */
  unread(count: number): void {
    this.#start -= count
  }

  /** Lets go of the socket (before TLS takes it); what was read and not taken is forgotten. */
  detach(): void {
    this.#stream.off('readable', this.#onReadable)
    this.#stream.off('end', this.#onEnd)
    this.#stream.off('close', this.#onEnd)
    this.#stream.off('error', this.#onEnd)
    this.#start = this.#end
    this.#onEnd()
  }

  readonly #onReadable = (): void => this.#wake?.()

  readonly #onEnd = (): void => {
    this.#ended = true
    this.#wake?.()
  }

  #findCrlf(from: number): number {
    for (let at = from; ; at++) {
      at = this.#buffer.indexOf(LF, at)
      if (at < 0 || at >= this.#end) return -1
      if (at > this.#start && this.#buffer[at - 1] === CR) return at - 1
    }
  }

  async #more(deadline: number): Promise<'more' | 'eof' | 'timeout'> {
    let isSaid = this.#beforeWait === undefined
    for (;;) {
      const chunk = this.#stream.read() as Buffer | null
      if (chunk !== null) {
        this.#append(chunk)
        return 'more'
      }
      if (!isSaid) {
        isSaid = true
        if (!(await this.#said())) return 'eof'
        continue
      }
      if (this.#ended || this.#stream.destroyed) return 'eof'
      const waitMs = deadline - this.#clock.monotonicMs()
      if (waitMs <= 0) return 'timeout'
      if (!(await this.#woken(waitMs))) return 'timeout'
    }
  }

  /** False where nobody is there to hear it. Whoever reads beside something else (IDLE) catches nothing. */
  async #said(): Promise<boolean> {
    try {
      await this.#beforeWait?.()
      return true
    } catch (thrown) {
      if (isFault(thrown, 'closed')) return false
      throw thrown
    }
  }

  #woken(waitMs: number): Promise<boolean> {
    this.#letGo()
    return new Promise((resolve) => {
      const done = (woken: boolean): void => {
        cancel()
        this.#wake = undefined
        resolve(woken)
      }
      const cancel = this.#clock.after(waitMs, () => done(false))
      this.#wake = () => done(true)
    })
  }

  /**
   * A socket reads into buffers of 64 KiB, and a slice keeps the whole of one: who rests holds none,
   * and who has said the half of a line holds that half.
   */
  #letGo(): void {
    const kept = this.#end - this.#start
    if (kept > SMALL_BYTES || this.#buffer.buffer.byteLength <= 2 * GROWN_BYTES_MIN) return
    if (kept === 0) this.#buffer = NONE
    else {
      const short = Buffer.from(new Uint8Array(kept + SMALL_BYTES).buffer)
      this.#buffer.copy(short, 0, this.#start, this.#end)
      this.#buffer = short
    }
    this.#start = 0
    this.#end = kept
    this.#owned = kept > 0
  }

  #append(chunk: Buffer): void {
    const kept = this.#end - this.#start
    if (kept === 0) {
      this.#buffer = chunk
      this.#start = 0
      this.#end = chunk.length
      this.#owned = false
      return
    }
    if (!this.#owned || this.#end + chunk.length > this.#buffer.length) {
      // Twice what is needed: a line that comes octet by octet is not copied each time.
      const grown = Buffer.allocUnsafeSlow(Math.max(GROWN_BYTES_MIN, 2 * (kept + chunk.length)))
      this.#buffer.copy(grown, 0, this.#start, this.#end)
      this.#buffer = grown
      this.#start = 0
      this.#end = kept
      this.#owned = true
    }
    chunk.copy(this.#buffer, this.#end)
    this.#end += chunk.length
  }
}
