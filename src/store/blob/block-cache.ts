import type { Octets } from '#base/octets.ts'

/** Decompressed blocks that were read lately: neighbours of a message are asked for next. */
export class BlockCache {
  readonly #bytesMax: number
  /** In the order of their last use. */
  readonly #blocks = new Map<string, { readonly octets: Promise<Octets>; bytes: number }>()
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** The block of that name; read once, however many ask at the same time. */
  get(name: string, read: () => Promise<Octets>): Promise<Octets> {
    const known = this.#blocks.get(name)
    if (known !== undefined) {
      this.#blocks.delete(name)
      this.#blocks.set(name, known)
      return known.octets
    }
    const block = { octets: read(), bytes: 0 }
    this.#blocks.set(name, block)
    block.octets.then(
      ({ byteLength }) => {
        if (this.#blocks.get(name) !== block) return
        block.bytes = byteLength
        this.#bytes += byteLength
        this.#shrink()
      },
      () => {
        if (this.#blocks.get(name) === block) this.#blocks.delete(name)
      },
    )
    return block.octets
  }

  #shrink(): void {
    for (const [name, { bytes }] of this.#blocks) {
      if (this.#bytes <= this.#bytesMax) return
      this.#blocks.delete(name)
      this.#bytes -= bytes
    }
  }
}
