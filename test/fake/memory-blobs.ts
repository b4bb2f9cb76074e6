import { concatOctets, toUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import { unpackBlock } from '#store/blob/block.ts'
import type { Block } from '#store/blob/block.ts'
import type { BlobRef, Blobs, LargeHandle, SealedSegment, Space } from '#store/blob/blobs.ts'

/** Octets of one volume in memory, for tests: what a disk refuses, it refuses on demand. */
export class MemoryBlobs implements Blobs {
  /** Below the reserve. */
  full = false
  /** Thrown by the next calls of that name while set. */
  readonly faults: { flush?: Fault; read?: Fault; openLarge?: Fault; appendLarge?: Fault } = {}
  /** Files of their own, by number; those that are still being written, by handle. */
  readonly files = new Map<number, Octets>()
  readonly writing = new Map<LargeHandle, Octets[]>()
  /** Places of records whose octets have rotted. */
  readonly #rotten = new Set<number>()
  readonly #records = new Map<number, Octets>()
  readonly #blocks = new Map<number, Promise<Octets>>()
  #numbers = 0

  append(octets: readonly Octets[]): BlobRef {
    const content = Uint8Array.from(concatOctets(octets))
    const offset = ++this.#numbers
    this.#records.set(offset, content)
    return { kind: 'segment', file: 1, offset, length: content.length }
  }

  appendBlock(block: Block): readonly BlobRef[] {
    const offset = ++this.#numbers
    const parts = unpackBlock(block.octets, 'block')
    this.#blocks.set(offset, parts)
    return block.parts.map((part) => ({ kind: 'block', file: 1, offset, ...part }))
  }

  appendNote(): void {
    // Read by nobody here.
  }

  appendRedo(): void {
    // Nothing here outlives the database.
  }

  readonly isReady = false

  flushNow(): boolean {
    return true
  }

  position(): readonly [file: number, offset: number] {
    return [1, this.#numbers]
  }

  /** Every record with the text fails its CRC from now on: of messages as they came, or of what was parsed of them. */
  rot(what: 'content' | 'meta', text: string): void {
    const before = this.#rotten.size
    for (const [offset, octets] of this.#records)
      if ((octets[0] === 1) === (what === 'meta') && toUtf8(octets).includes(text))
        this.#rotten.add(offset)
    if (this.#rotten.size === before) throw new Error(`no ${what} has ${text}`)
  }

  async flush(): Promise<void> {
    if (this.faults.flush !== undefined) throw this.faults.flush
  }

  async read(ref: BlobRef, offset: number, length: number): Promise<Octets> {
    if (this.faults.read !== undefined) throw this.faults.read
    if (ref.kind !== 'large' && this.#rotten.has(ref.offset))
      throw new Fault('corrupt', `${ref.kind} ${ref.file} at ${ref.offset} fails its CRC`)
    const found = await this.#contentOf(ref)
    if (found === undefined) throw new Fault('io', `no octets at ${ref.kind} ${ref.file}`)
    return found.slice(Math.max(0, offset), Math.max(0, offset + length))
  }

  async #contentOf(ref: BlobRef): Promise<Octets | undefined> {
    if (ref.kind === 'large') return this.files.get(ref.file)
    if (ref.kind === 'segment') return this.#records.get(ref.offset)
    const { within = 0, length } = ref
    return (await this.#blocks.get(ref.offset))?.subarray(within, within + length)
  }

  async readEach(
    refs: readonly BlobRef[],
    take: (octets: Octets, index: number) => void,
  ): Promise<void> {
    for (const [index, ref] of refs.entries()) take(await this.read(ref, 0, ref.length), index)
  }

  async verify(ref: BlobRef): Promise<number> {
    return (await this.read(ref, 0, ref.length)).byteLength
  }

  async openLarge(): Promise<LargeHandle> {
    if (this.faults.openLarge !== undefined) throw this.faults.openLarge
    const handle = String(++this.#numbers) as LargeHandle
    this.writing.set(handle, [])
    return handle
  }

  async appendLarge(handle: LargeHandle, octets: Octets): Promise<void> {
    if (this.faults.appendLarge !== undefined) throw this.faults.appendLarge
    this.#of(handle).push(octets.slice())
  }

  async readLarge(handle: LargeHandle, offset: number, length: number): Promise<Octets> {
    return concatOctets(this.#of(handle)).slice(offset, offset + length)
  }

  async finishLarge(handle: LargeHandle, prefix: Octets): Promise<BlobRef> {
    const octets = concatOctets([prefix, ...this.#of(handle)])
    this.writing.delete(handle)
    this.files.set(Number(handle), octets)
    return { kind: 'large', file: Number(handle), offset: 0, length: octets.length }
  }

  async abortLarge(handle: LargeHandle): Promise<void> {
    this.writing.delete(handle)
  }

  async release(ref: BlobRef): Promise<void> {
    if (ref.kind === 'large') this.files.delete(ref.file)
  }

  space(): Space {
    return { freeBytes: this.full ? 0 : 2 ** 40, full: this.full }
  }

  /** Its one segment is as good as sealed. */
  sealed(): readonly SealedSegment[] {
    return [{ file: 1, bytes: 0, writtenAtMs: 0 }]
  }

  async collect(): Promise<void> {
    // Its one segment is always the one that is being written.
  }

  async close(): Promise<void> {
    this.writing.clear()
  }

  #of(handle: LargeHandle): Octets[] {
    const parts = this.writing.get(handle)
    if (parts === undefined) throw new Fault('notFound', `no large file is open as ${handle}`)
    return parts
  }
}
