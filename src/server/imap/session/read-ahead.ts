/**
 * Octets that all sessions together have read or made for clients who have not taken them yet. What
 * one holds for speed, a thousand who take nothing would fill the memory with: above the limit a
 * session has the next 16 KiB and no more.
 */
export class ReadAhead {
  readonly #bytesMax: number
  #bytes = 0

  constructor(bytesMax = BYTES_MAX) {
    this.#bytesMax = bytesMax
  }

  get hasRoom(): boolean {
    return this.#bytes < this.#bytesMax
  }

  take(bytes: number): void {
    this.#bytes += bytes
  }

  give(bytes: number): void {
    this.#bytes -= bytes
  }
}

const BYTES_MAX = 32 * 1024 * 1024
