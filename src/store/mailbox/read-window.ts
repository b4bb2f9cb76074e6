import type { Octets } from '#base/octets.ts'

const WINDOW_BYTES = 64 * 1024

/** Octets of one message that is read part by part: thousands of small parts cost a question a window, not each one. */
export class ReadWindow {
  readonly #read: (offset: number, length: number) => Promise<Octets>
  #ahead: Ahead | undefined

  /** `read` gives fewer octets where the message ends. */
  constructor(read: (offset: number, length: number) => Promise<Octets>) {
    this.#read = read
  }

  async read(offset: number, length: number): Promise<Octets> {
    if (length > WINDOW_BYTES) return this.#read(offset, length)
    const known = this.#ahead
    if (known !== undefined && isWithin(known, offset, length)) return cut(known, offset, length)
    const ahead = { offset, octets: await this.#read(offset, WINDOW_BYTES) }
    this.#ahead = ahead
    return cut(ahead, offset, length)
  }
}

interface Ahead {
  readonly offset: number
  readonly octets: Octets
}

const isWithin = ({ offset, octets }: Ahead, from: number, length: number): boolean =>
  from >= offset && from + length <= offset + octets.length

const cut = ({ offset, octets }: Ahead, from: number, length: number): Octets =>
  octets.subarray(from - offset, from - offset + length)
