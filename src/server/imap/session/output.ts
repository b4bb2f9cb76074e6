import { fromLatin1 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import type { OctetWriter } from '#net/writer.ts'
import type { ReadAhead } from './read-ahead.ts'

/** Enough for one write: more is sent before more is made. */
const PENDING_CHARS_MAX = 64 * 1024
/** The same where many clients take nothing: what one of them holds while it waits. */
const CROWDED_CHARS_MAX = 16 * 1024
/** Octets that are shorter go with the text around them. */
const SHORT_OCTETS = 16 * 1024

/** Gathers responses so that many short lines make one write. Strings hold one character an octet. */
export class Output {
  readonly #writer: Pick<OctetWriter, 'write'>
  readonly #readAhead: ReadAhead
  #pending = ''

  constructor(writer: Pick<OctetWriter, 'write'>, readAhead: ReadAhead) {
    this.#writer = writer
    this.#readAhead = readAhead
  }

  put(text: string): void {
    this.#pending += text
  }

  /** One response line without its CRLF. */
  line(text: string): void {
    this.#pending += text
    this.#pending += '\r\n'
  }

  get full(): boolean {
    const { length } = this.#pending
    return length >= CROWDED_CHARS_MAX && (length >= PENDING_CHARS_MAX || !this.#readAhead.hasRoom)
  }

  /** Sends what is pending. Throws Fault `closed` where nobody reads any more. */
  flush(): Promise<void> {
    if (this.#pending === '') return SENT
    // The text itself is in nobody's hands while the client lets its octets wait.
    const octets = fromLatin1(this.#pending)
    this.#pending = ''
    return this.#write(octets)
  }

  async octets(octets: Octets): Promise<void> {
    if (octets.length < SHORT_OCTETS && this.#pending.length < PENDING_CHARS_MAX) {
      this.#pending += Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString(
        'latin1',
      )
      if (this.full) await this.flush()
      return
    }
    await this.flush()
    await this.#write(octets)
  }

  async #write(octets: Octets): Promise<void> {
    const { length } = octets
    this.#readAhead.take(length)
    try {
      if ((await this.#writer.write(octets)) === 'gone') throw gone()
      // A client that takes all at once leaves others no turn else.
      if (length >= CROWDED_CHARS_MAX) await new Promise(setImmediate)
    } finally {
      this.#readAhead.give(length)
    }
  }
}

const SENT = Promise.resolve()
const gone = (): Fault => new Fault('closed', 'the client is gone')
