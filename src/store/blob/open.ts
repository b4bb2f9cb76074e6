import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Octets } from '#base/octets.ts'
import { Fault, isFault } from '#base/outcome.ts'
import { SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import { ioFault } from '#store/db/fault.ts'
import { BlockCache } from './block-cache.ts'
import { unpackBlock } from './block.ts'
import type { Block } from './block.ts'
import type { BlobRef, Blobs, LargeHandle, SealedSegment, Space } from './blobs.ts'
import { ReadFiles, readAt, syncFolder } from './files.ts'
import { LargeFiles, readLarge } from './large.ts'
import { PacedReads } from './paced-reads.ts'
import { HEAD_BYTES, contentAt, readHead, recordBytes } from './record.ts'
import { RUN_BYTES_MAX, runsOf } from './runs.ts'
import type { Run } from './runs.ts'
import { Segments, segmentPath } from './segments.ts'
import { spaceOf } from './space.ts'
import { BLOCK_READ_BYTES, verifyContent } from './verify.ts'

export interface BlobsOptions {
  /** Gets `seg/` and `large/`. */
  readonly dir: string
  readonly clock: Clock
  /** Names the failpoints `NAME.written`, `NAME.large.written` and `NAME.large.named`. */
  readonly name: string
  /** True for a large file that a row names; the others are deleted at once. Absent: all are kept. */
  readonly knownLarge?: (file: number) => boolean
  /** Free space under which no new mail is taken; default 5 % of the volume within 128 MiB and 2 GiB. */
  readonly reserveBytes?: number
}

const MIB = 1024 * 1024
const READ_FILES_MAX = 32
const BLOCK_CACHE_BYTES = 8 * MIB
/** Reads of the disk at once for one caller. */
const RUNS_AT_ONCE = 8
const RUN_BUFFERS_MAX = 4
/** Larger files would keep others waiting, on a slow disk for seconds: parts of those are read as they are. */
const VERIFIED_BYTES_MAX = 64 * MIB
const VERIFIED_FILES_MAX = 1_000

/** Opens the octets of one volume and begins a new segment. The volume's lock must be held. */
export async function openBlobs(options: BlobsOptions): Promise<Blobs> {
  const seg = join(options.dir, 'seg')
  const large = join(options.dir, 'large')
  try {
    mkdirSync(seg, { recursive: true, mode: 0o700 })
    mkdirSync(large, { recursive: true, mode: 0o700 })
    syncFolder(options.dir)
    const segments = new Segments({ dir: seg, name: options.name })
    await segments.start()
    const largeFiles = new LargeFiles({ dir: large, name: options.name, known: options.knownLarge })
    return new VolumeBlobs(options, segments, largeFiles)
  } catch (thrown) {
    throw ioFault(thrown, options.dir)
  }
}

class VolumeBlobs implements Blobs {
  readonly #options: BlobsOptions
  readonly #segments: Segments
  readonly #large: LargeFiles
  readonly #files = new ReadFiles(READ_FILES_MAX)
  readonly #reads: PacedReads
  readonly #blocks = new BlockCache(BLOCK_CACHE_BYTES)
  /** Memory that nobody reads into now: fresh memory costs more than what is read. */
  readonly #runBuffers: Buffer[] = []
  /** Large files that were whole when they were last read from end to end, the last used last. */
  readonly #verified = new Map<number, Promise<number>>()
  #space: Space = { freeBytes: 0, full: true }
  #spaceAtMs = Number.NEGATIVE_INFINITY

  constructor(options: BlobsOptions, segments: Segments, large: LargeFiles) {
    this.#options = options
    this.#reads = new PacedReads(options.clock)
    this.#segments = segments
    this.#large = large
  }

  append(octets: readonly Octets[]): BlobRef {
    return { kind: 'segment', ...this.#segments.append(octets) }
  }

  appendBlock(block: Block): readonly BlobRef[] {
    const { file, offset } = this.#segments.append([block.octets], 'zstd')
    return block.parts.map((part) => ({ kind: 'block', file, offset, ...part }))
  }

  appendNote(octets: Octets): void {
    this.#segments.append([octets], 'note')
  }

  appendRedo(parts: readonly Octets[]): void {
    this.#segments.append(parts, 'redo')
  }

  get isReady(): boolean {
    return this.#segments.isReady
  }

  flushNow(): boolean {
    try {
      return this.#segments.flushNow()
    } catch (thrown) {
      this.#noteFull(thrown)
      throw thrown
    }
  }

  position(): readonly [file: number, offset: number] {
    return this.#segments.position
  }

  async flush(): Promise<void> {
    try {
      await this.#segments.flush()
    } catch (thrown) {
      this.#noteFull(thrown)
      throw thrown
    }
  }

  /** Known sooner than the next look at the volume. */
  #noteFull(thrown: unknown): void {
    if (isFault(thrown, 'full')) this.#space = { freeBytes: 0, full: true }
  }

  async read(ref: BlobRef, offset: number, length: number): Promise<Octets> {
    const range = {
      offset: Math.max(0, offset),
      length: Math.max(0, Math.min(length, ref.length - offset)),
    }
    if (ref.kind === 'block') {
      const from = (ref.within ?? 0) + range.offset
      return (await this.#block(ref)).subarray(from, from + range.length)
    }
    const path = this.#pathOf(ref)
    try {
      return await this.#files.use(path, async (fd, sizeBytes) => {
        if (ref.kind === 'segment') return this.#readRecord(fd, ref, { ...range, path })
        if (range.length < ref.length) await this.#verifyLarge(ref, { fd, sizeBytes, path })
        const head = readHead(await readAt(fd, 0, HEAD_BYTES), path)
        return readLarge({ fd, sizeBytes, path }, head.length, range)
      })
    } catch (thrown) {
      throw ioFault(thrown, path)
    }
  }

  /** A part has no CRC of its own: the whole file is read before its first part is, once in a while. */
  async #verifyLarge(ref: BlobRef, file: Parameters<typeof verifyContent>[0]): Promise<void> {
    if (file.sizeBytes > VERIFIED_BYTES_MAX) return
    const known = this.#verified.get(ref.file)
    const verified = known ?? verifyContent(file, ref)
    this.#verified.delete(ref.file)
    this.#verified.set(ref.file, verified)
    for (const oldest of this.#verified.keys()) {
      if (this.#verified.size <= VERIFIED_FILES_MAX) break
      this.#verified.delete(oldest)
    }
    try {
      await verified
    } catch (thrown) {
      this.#verified.delete(ref.file)
      throw thrown
    }
  }

  async readEach(
    refs: readonly BlobRef[],
    take: (octets: Octets, index: number) => void,
  ): Promise<void> {
    const runs = runsOf(refs)
    const readRun = async (): Promise<void> => {
      for (let run = runs.pop(); run !== undefined; run = runs.pop())
        await this.#readRun(refs, run, take)
    }
    const alone = refs.map(async (ref, index) => {
      if (ref.kind !== 'segment') take(await this.read(ref, 0, ref.length), index)
    })
    await Promise.all([...Array.from({ length: RUNS_AT_ONCE }, readRun), ...alone])
  }

  async #readRun(
    refs: readonly BlobRef[],
    run: Run,
    take: (octets: Octets, index: number) => void,
  ): Promise<void> {
    const path = segmentPath(join(this.#options.dir, 'seg'), run.file)
    const buffer = this.#runBuffers.pop() ?? Buffer.allocUnsafeSlow(RUN_BYTES_MAX)
    try {
      const octets = await this.#files.use(path, (fd) =>
        this.#reads.at(fd, run.offset, run.length, buffer),
      )
      for (const index of run.indexes) {
        const { offset, length } = refs[index]!
        take(contentAt(octets, offset - run.offset, length, `${path} at ${offset}`), index)
      }
    } catch (thrown) {
      throw ioFault(thrown, path)
    } finally {
      if (this.#runBuffers.length < RUN_BUFFERS_MAX) this.#runBuffers.push(buffer)
    }
  }

  /** A record is read whole, as a block is: its CRC is of the whole. */
  async #readRecord(
    fd: number,
    ref: BlobRef,
    range: { readonly offset: number; readonly length: number; readonly path: string },
  ): Promise<Octets> {
    const where = `${range.path} at ${ref.offset}`
    const record = await this.#reads.at(fd, ref.offset, recordBytes(ref.length))
    const content = contentAt(record, 0, ref.length, where)
    return content.subarray(range.offset, range.offset + range.length)
  }

  /** The contents of a block; a row that names what is not in it names nothing. Throws Fault `corrupt`. */
  async #block(ref: BlobRef): Promise<Octets> {
    const path = this.#pathOf(ref)
    const where = `${path} at ${ref.offset}`
    try {
      const octets = await this.#blocks.get(`${ref.file}/${ref.offset}`, () =>
        this.#files.use(path, async (fd) => {
          const first = await this.#reads.at(fd, ref.offset, BLOCK_READ_BYTES)
          const { length, codec } = readHead(first, where)
          if (codec !== 'zstd') throw new Fault('corrupt', `${where}: the record is no block`)
          const bytes = recordBytes(length)
          const record =
            bytes <= first.byteLength ? first : await this.#reads.at(fd, ref.offset, bytes)
          return unpackBlock(contentAt(record, 0, length, where), where)
        }),
      )
      if ((ref.within ?? 0) + ref.length > octets.byteLength)
        throw new Fault('corrupt', `${where}: the block is shorter than its row says`)
      return octets
    } catch (thrown) {
      throw ioFault(thrown, path)
    }
  }

  async verify(ref: BlobRef): Promise<number> {
    const path = this.#pathOf(ref)
    try {
      return await this.#files.use(path, (fd, sizeBytes) =>
        verifyContent({ fd, sizeBytes, path }, ref),
      )
    } catch (thrown) {
      throw ioFault(thrown, path)
    }
  }

  openLarge(): Promise<LargeHandle> {
    return Promise.resolve(this.#large.open())
  }

  appendLarge(handle: LargeHandle, octets: Octets): Promise<void> {
    return this.#large.append(handle, octets)
  }

  readLarge(handle: LargeHandle, offset: number, length: number): Promise<Octets> {
    return this.#large.read(handle, offset, length)
  }

  async finishLarge(handle: LargeHandle, prefix: Octets): Promise<BlobRef> {
    return { kind: 'large', offset: 0, ...(await this.#large.finish(handle, prefix)) }
  }

  abortLarge(handle: LargeHandle): Promise<void> {
    return this.#large.abort(handle)
  }

  release(ref: BlobRef): Promise<void> {
    if (ref.kind === 'large') {
      this.#files.drop(this.#pathOf(ref))
      this.#verified.delete(ref.file)
      this.#large.release(ref.file)
    }
    return Promise.resolve()
  }

  space(): Space {
    const now = this.#options.clock.monotonicMs()
    if (now - this.#spaceAtMs < SECOND_MS) return this.#space
    this.#spaceAtMs = now
    this.#space = spaceOf(this.#options.dir, this.#options.reserveBytes)
    return this.#space
  }

  sealed(): readonly SealedSegment[] {
    return this.#segments.sealed()
  }

  collect(live: ReadonlySet<number>): Promise<void> {
    for (const file of this.#segments.collect(live))
      this.#files.drop(segmentPath(join(this.#options.dir, 'seg'), file))
    return Promise.resolve()
  }

  async close(): Promise<void> {
    await this.#large.close()
    await this.#segments.close()
    this.#files.close()
  }

  #pathOf(ref: BlobRef): string {
    return ref.kind === 'large'
      ? this.#large.path(ref.file)
      : segmentPath(join(this.#options.dir, 'seg'), ref.file)
  }
}
