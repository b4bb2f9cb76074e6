import type { OctetWriter } from '#net/writer.ts'
import type { Octets } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'

/** Enough for one write: more is sent before more is made. */
const PENDING_CHARS_MAX = 64 * 1024

/** Gathers responses so that many short lines make one write. Strings hold one character an octet. */
export class Output {
  readonly #writer: Pick<OctetWriter, 'write'>
  #pending = ''

  constructor(writer: Pick<OctetWriter, 'write'>) {
    this.#writer = writer
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
    return this.#pending.length >= PENDING_CHARS_MAX
  }

  /** Sends what is pending. Throws Fault `closed` where nobody reads any more. */
  async flush(): Promise<void> {
    if (this.#pending === '') return
    const text = this.#pending
    this.#pending = ''
    if ((await this.#writer.write(text)) === 'gone') throw gone()
  }

  async octets(octets: Octets): Promise<void> {
    if (octets.length < PENDING_CHARS_MAX / 4 && this.#pending.length < PENDING_CHARS_MAX) {
      this.#pending += Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString(
        'latin1',
      )
      if (this.full) await this.flush()
      return
    }
    await this.flush()
    if ((await this.#writer.write(octets)) === 'gone') throw gone()
  }
}

const gone = (): Fault => new Fault('closed', 'the client is gone')
