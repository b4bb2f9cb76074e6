/**
 * Octets that all sessions together have read for clients who have not taken them yet. What one
 * reads ahead for speed, a thousand who take nothing would fill the memory with: above the limit a
 * session reads what it writes next and no more.
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
