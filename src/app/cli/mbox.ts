import { CR, LF, bufferOf, concatOctets } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'

/** Octets of one message of an mbox; a longer one is passed over. */
export const MBOX_MESSAGE_BYTES_MAX = 128 * 1024 * 1024
/** A longer line is looked at in pieces: no separator is as long. */
const LINE_BYTES_MAX = 64 * 1024
const FROM = Buffer.from('From ')
const QUOTED = /^>+From /

/** Whether octets begin like an mbox. */
export const startsMbox = (head: Octets): boolean =>
  bufferOf(head.subarray(0, FROM.byteLength)).equals(FROM)

/**
 * The messages of an mbox as it comes (RFC 4155), `>From ` unquoted once; undefined in the place of
 * one that is longer than MBOX_MESSAGE_BYTES_MAX. Holds one message at a time.
 */
export async function* mboxMessages(
  chunks: AsyncIterable<Octets>,
): AsyncGenerator<Octets | undefined> {
  const reader = new MboxReader()
  for await (const chunk of chunks) yield* reader.feed(bufferOf(chunk))
  yield* reader.finish()
}

class MboxReader {
  #pieces: Octets[] = []
  #size = 0
  #hasBegun = false
  /** The first separator had a date: then others must have one too, for quoting is often forgotten. */
  #isDated = false
  #isAfterBlank = true
  /** The line whose end has not come yet. */
  #rest: Buffer = Buffer.alloc(0)
  /** The beginning of this line has been taken already. */
  #isWithinLine = false

  /** The messages that the chunk has ended. */
  feed(chunk: Buffer): (Octets | undefined)[] {
    const ended: (Octets | undefined)[] = []
    const buffer = this.#rest.byteLength === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    // What is to be kept lies from here on, in one stretch.
    let kept = 0
    let at = 0
    for (;;) {
      const lf = buffer.indexOf(LF, at)
      if (lf < 0) break
      if (this.#isWithinLine) {
        this.#isWithinLine = false
        this.#isAfterBlank = false
      } else {
        const line = buffer.subarray(at, lf + 1)
        if (this.#isSeparator(line)) {
          this.#keep(buffer.subarray(kept, at))
          ended.push(...this.#end())
          kept = lf + 1
        } else if (isQuoted(line)) {
          this.#keep(buffer.subarray(kept, at))
          kept = at + 1
        }
        this.#isAfterBlank = isBlank(line)
      }
      at = lf + 1
    }
    if (buffer.byteLength - at > LINE_BYTES_MAX) {
      const isQuotedHere = !this.#isWithinLine && isQuoted(buffer.subarray(at))
      this.#keep(buffer.subarray(kept, at))
      this.#keep(buffer.subarray(isQuotedHere ? at + 1 : at))
      this.#isWithinLine = true
      this.#rest = Buffer.alloc(0)
      return ended
    }
    this.#keep(buffer.subarray(kept, at))
    this.#rest = buffer.subarray(at)
    return ended
  }

  /** The last message. */
  finish(): (Octets | undefined)[] {
    const line = this.#rest
    const isLineStart = !this.#isWithinLine
    if (isLineStart && this.#isSeparator(line)) return [...this.#end(), ...this.#end()]
    this.#keep(isLineStart && isQuoted(line) ? line.subarray(1) : line)
    return this.#end()
  }

  /** Notes the separator where it is one. */
  #isSeparator(line: Buffer): boolean {
    if (!this.#isAfterBlank || !startsMbox(line)) return false
    if (!this.#hasBegun) {
      this.#isDated = isDated(line)
      return true
    }
    return !this.#isDated || isDated(line)
  }

  #keep(piece: Octets): void {
    this.#size += piece.byteLength
    if (this.#size <= MBOX_MESSAGE_BYTES_MAX) this.#pieces.push(piece)
    else this.#pieces = []
  }

  /** The message before a separator; the first separator has none before it. */
  #end(): (Octets | undefined)[] {
    const pieces = this.#pieces
    const isWhole = this.#size <= MBOX_MESSAGE_BYTES_MAX
    this.#pieces = []
    this.#size = 0
    if (!this.#hasBegun) {
      this.#hasBegun = true
      return []
    }
    return [isWhole ? concatOctets(pieces) : undefined]
  }
}

const isBlank = (line: Buffer): boolean =>
  line[0] === LF || (line[0] === CR && line[1] === LF && line.byteLength === 2)

const isQuoted = (line: Buffer): boolean =>
  line[0] === 0x3e && QUOTED.test(line.toString('latin1', 0, 1_000))

/** RFC 4155 appendix A: a time stamp ends the separator; some put a zone or the year elsewhere. */
const isDated = (line: Buffer): boolean => {
  const text = line.toString('latin1', 0, 1_000)
  return /\b\d{1,2}:\d\d\b/.test(text) && /\b(?:19|20)\d\d\b/.test(text)
}
