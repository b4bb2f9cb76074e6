import { concatOctets, emptyOctets } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import type { OctetSource } from '#engine/scan/judge.ts'
import { RECORD_BYTES_MAX } from '#store/blob/blobs.ts'
import type { Content, LargeHandle } from '#store/blob/blobs.ts'
import type { SpoolStore } from '#store/spool/spool-store.ts'

/** One message's octets on their way into the spool: in memory up to RECORD_BYTES_MAX, more in a large file. */
export class KeptContent {
  readonly #spool: SpoolStore
  #pieces: Octets[] = []
  #sizeBytes = 0
  #large: LargeHandle | undefined

  constructor(spool: SpoolStore) {
    this.#spool = spool
  }

  /** Copies what stays in memory. Throws what the spool throws. */
  async add(octets: Octets): Promise<void> {
    if (octets.length === 0) return
    this.#sizeBytes += octets.length
    if (this.#large === undefined && this.#sizeBytes <= RECORD_BYTES_MAX) {
      this.#pieces.push(Buffer.from(octets))
      return
    }
    if (this.#large === undefined) {
      this.#large = (await this.#spool.openLarge()).handle
      const held = concatOctets([...this.#pieces, octets])
      this.#pieces = []
      await this.#spool.appendLarge({ handle: this.#large, octets: held })
    } else await this.#spool.appendLarge({ handle: this.#large, octets: Buffer.from(octets) })
  }

  /** What there is, to be read by a judge. */
  source(): KeptSource {
    const size = this.#sizeBytes
    if (this.#large === undefined) return new KeptSource(size, concatOctets(this.#pieces))
    return new KeptSource(size, (offset, length) => this.#readLarge(offset, length))
  }

  async #readLarge(offset: number, length: number): Promise<Octets> {
    const handle = this.#large
    if (handle === undefined) return emptyOctets
    return (await this.#spool.readLarge({ handle, offset, length })).octets
  }

  /** Hands all over to the spool, behind `prefix`; a large file is the spool's from then on. */
  handOver(prefix: Octets): Content {
    const large = this.#large
    this.#large = undefined
    return large === undefined ? { octets: [prefix, ...this.#pieces] } : { prefix, large }
  }

  /** Forgets all. What a crash or a stall leaves behind, the spool deletes at its next start. */
  async drop(): Promise<void> {
    this.#pieces = []
    const handle = this.#large
    this.#large = undefined
    if (handle !== undefined) await this.#spool.abortLarge({ handle }).catch(() => undefined)
  }
}

/** The kept octets as the judge reads them; remembers a failure of ours while reading. */
export class KeptSource implements OctetSource {
  readonly sizeBytes: number
  readonly #content: Octets | ((offset: number, length: number) => Promise<Octets>)
  failure: unknown

  constructor(
    sizeBytes: number,
    content: Octets | ((offset: number, length: number) => Promise<Octets>),
  ) {
    this.sizeBytes = sizeBytes
    this.#content = content
  }

  async read(offset: number, length: number): Promise<Octets> {
    if (typeof this.#content !== 'function') return this.#content.subarray(offset, offset + length)
    try {
      return await this.#content(offset, length)
    } catch (thrown) {
      this.failure = thrown
      throw thrown
    }
  }
}
