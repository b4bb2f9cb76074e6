import { CR, emptyOctets, LF, NUL } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'

/** What to do with a bare CR or LF: refuse the message, make it CRLF, or keep it as it is. */
export type BareMode = 'refuse' | 'repair' | 'keep'
export type ContentFault = 'bareCr' | 'bareLf' | 'nul'

export interface Scanned {
  /** Content that the chunk held, dots unstuffed: one slice, of the chunk itself where nothing changed. */
  readonly content: Octets
  /** How much of the chunk belongs to the message: less than all only at the end of DATA. */
  readonly consumed: number
  readonly done: boolean
}

const DOT = 0x2e
// States: what the last octets were.
const LINE_START = 0 // CRLF, or nothing yet
const INSIDE = 1
const AFTER_CR = 2
const AFTER_DOT = 3 // CRLF "."
const AFTER_DOT_CR = 4 // CRLF "." CR, and the CR is not yet given out
const SHORT_RUN = 24

/**
 * Reads message content octet by octet (RFC 5321 §4.5.2): only CRLF ends a line and only CRLF.CRLF
 * ends DATA, wherever a segment ends. In mode `refuse` the first fault ends the content, not the
 * reading: all up to the end is consumed, so that nothing of it is taken for a command.
 */
export class ContentScanner {
  readonly #mode: BareMode
  readonly #dots: boolean
  #state: number = LINE_START
  #fault: ContentFault | undefined
  #out: Buffer = Buffer.alloc(0)
  #used = 0

  /** `data` ends with a dot line; `bdat` has its length told (RFC 3030 §2) and no dots to unstuff. */
  constructor(framing: 'data' | 'bdat', mode: BareMode) {
    this.#mode = mode
    this.#dots = framing === 'data'
  }

  /** Why the message cannot be taken; set in mode `refuse` only. */
  get fault(): ContentFault | undefined {
    return this.#fault
  }

  feed(chunk: Octets): Scanned {
    this.#used = 0
    const end = this.#scan(chunk)
    return end < 0
      ? { content: this.#taken(chunk, chunk.length), consumed: chunk.length, done: false }
      : { content: this.#taken(chunk, end), consumed: end, done: true }
  }

  /** The end of BDAT's last chunk: what a last bare CR still needs. */
  finish(): Octets {
    if (this.#state !== AFTER_CR || this.#mode === 'keep') return emptyOctets
    if (this.#mode === 'repair') return Buffer.from([LF])
    this.#fault ??= 'bareCr'
    return emptyOctets
  }

  #run = 0
  #runEnd = -1
  #copied = false

  /** Moves over the chunk; the index behind the end of DATA, or -1. */
  #scan(chunk: Octets): number {
    let state = this.#state
    this.#run = 0
    this.#runEnd = -1
    this.#copied = false
    const length = chunk.length
    for (let i = 0; i < length; i++) {
      let octet = chunk[i]!
      if (state === LINE_START) {
        state = INSIDE
        if (octet === DOT && this.#dots) {
          this.#flush(chunk, i, i + 1)
          state = AFTER_DOT
          continue
        }
      } else if (state === AFTER_CR) {
        if (octet === LF) {
          state = LINE_START
          continue
        }
        state = INSIDE
        this.#bareCr(chunk, i)
      } else if (state === AFTER_DOT) {
        state = INSIDE
        if (octet === CR) {
          state = AFTER_DOT_CR
          continue
        }
      } else if (state === AFTER_DOT_CR) {
        if (octet === LF) {
          this.#runEnd = Math.max(0, i - 1) // the held CR is no content
          this.#state = LINE_START
          return i + 1
        }
        state = INSIDE
        if (i === 0) this.#insert(chunk, 0, CR) // held back at the end of the last segment
        this.#bareCr(chunk, i)
      }
      while (octet > CR) {
        if (++i >= length) {
          this.#state = INSIDE
          return -1
        }
        octet = chunk[i]!
      }
      if (octet === CR) state = AFTER_CR
      else if (octet === LF) this.#bareLf(chunk, i)
      else if (octet === NUL) this.#nul()
    }
    if (state === AFTER_DOT_CR) this.#runEnd = length - 1
    this.#state = state
    return -1
  }

  #bareCr(chunk: Octets, at: number): void {
    if (this.#mode === 'repair') this.#insert(chunk, at, LF)
    else if (this.#mode === 'refuse') this.#fault ??= 'bareCr'
  }

  #bareLf(chunk: Octets, at: number): void {
    if (this.#mode === 'repair') this.#insert(chunk, at, CR)
    else if (this.#mode === 'refuse') this.#fault ??= 'bareLf'
  }

  #nul(): void {
    if (this.#mode === 'refuse') this.#fault ??= 'nul'
  }

  #insert(chunk: Octets, at: number, octet: number): void {
    this.#flush(chunk, at, at)
    this.#out[this.#used++] = octet
  }

  /** Copies the run up to `at` out, and goes on behind `next`. */
  #flush(chunk: Octets, at: number, next: number): void {
    if (!this.#copied) {
      // Nothing lies in front of the first removed dot: then the rest is a slice, if it stays the only one.
      if (this.#run === at && next > at) {
        this.#run = next
        return
      }
      this.#copied = true
      // Repairing doubles at the most; one held CR may come in front.
      this.#out = Buffer.allocUnsafe(
        this.#mode === 'repair' ? 2 * chunk.length + 2 : chunk.length + 1,
      )
    }
    const out = this.#out
    const run = this.#run
    if (at - run > SHORT_RUN) {
      out.set(chunk.subarray(run, at), this.#used)
      this.#used += at - run
    } else for (let i = run; i < at; i++) out[this.#used++] = chunk[i]!
    this.#run = next
  }

  #taken(chunk: Octets, end: number): Octets {
    const runEnd = Math.max(this.#run, this.#runEnd < 0 ? end : this.#runEnd)
    if (this.#fault !== undefined) return emptyOctets
    if (!this.#copied) return chunk.subarray(this.#run, runEnd)
    this.#flush(chunk, runEnd, runEnd)
    return this.#out.subarray(0, this.#used)
  }
}
