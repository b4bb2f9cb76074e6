import { closeSync, ftruncateSync, openSync, readdirSync, statSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { failpoint } from '#base/failpoint.ts'
import type { Octets } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import { ioFault } from '#store/db/fault.ts'
import type { SealedSegment } from './blobs.ts'
import { syncData, syncDataNow, syncFolder, syncWhole, writeAll, writeAllNow } from './files.ts'
import { recordBytes, recordOf } from './record.ts'
import type { Codec } from './record.ts'

const SEGMENT_BYTES = 64 * 1024 * 1024
/** Zeros are written ahead by so much, so that a lone fdatasync need not grow the file as well. */
const AHEAD_BYTES = 4 * 1024 * 1024
/** One write of zeros: what a flush that comes meanwhile has to wait for. */
const ZEROS = Buffer.alloc(512 * 1024)

/** More goes to the disk while others have their turn. */
const AT_ONCE_BYTES_MAX = 1024 * 1024

const SEGMENT_HEAD = Buffer.from('WATARISEG 0001\r\n', 'latin1')

interface OpenSegment {
  readonly number: number
  readonly fd: number
  /** Up to here the file has its blocks. */
  filledBytes: number
  /** Something in it may be named by a row. */
  hasRecords: boolean
}

interface Pending {
  readonly segment: number
  readonly offset: number
  readonly buffers: readonly Buffer[]
  readonly bytes: number
  readonly codec: Codec
}

export interface SegmentsOptions {
  readonly dir: string
  /** Names the failpoints `NAME.written`, and `NAME.collected` after each segment that is deleted. */
  readonly name: string
}

/** The writing end of the segments: one is written at a time, each start begins a new one. */
export class Segments {
  readonly #dir: string
  readonly #written: string
  readonly #collected: string
  /** The segment that `append` places into, and where the next record goes. */
  #number: number
  #end = SEGMENT_HEAD.length
  #pending: Pending[] = []
  #open: OpenSegment | undefined
  #next: { readonly number: number; readonly made: Promise<OpenSegment> } | undefined
  #filling: Promise<void> | undefined
  #flushing: Promise<void> = Promise.resolve()
  #queued: Promise<void> | undefined
  #isFlushing = false
  /** Segments of the last flush: their rows may not be committed yet. */
  #fresh: ReadonlySet<number> = new Set()

  constructor(options: SegmentsOptions) {
    this.#dir = options.dir
    this.#written = `${options.name}.written`
    this.#collected = `${options.name}.collected`
    this.#number = Math.max(0, ...segmentsIn(options.dir)) + 1
  }

  async start(): Promise<void> {
    this.#open = await this.#make(this.#number)
  }

  append(
    octets: readonly Octets[],
    codec: Codec = 'raw',
  ): {
    readonly file: number
    readonly offset: number
    readonly length: number
  } {
    const length = octets.reduce((sum, part) => sum + part.byteLength, 0)
    const bytes = recordBytes(length)
    if (bytes > SEGMENT_BYTES - SEGMENT_HEAD.length)
      throw new Fault('limit', `a record of ${length} octets does not fit into a segment`)
    if (this.#end + bytes > SEGMENT_BYTES) this.#seal(this.#number)
    const place = { file: this.#number, offset: this.#end, length }
    this.#pending.push({
      segment: place.file,
      offset: place.offset,
      buffers: recordOf(octets, length, codec),
      bytes,
      codec,
    })
    this.#end += bytes
    return place
  }

  get position(): readonly [file: number, offset: number] {
    return [this.#number, this.#end]
  }

  flush(): Promise<void> {
    this.#queued ??= this.#flushing
      .catch(() => undefined)
      .then(() => {
        this.#queued = undefined
        this.#isFlushing = true
        this.#flushing = this.#flushAll().finally(() => (this.#isFlushing = false))
        return this.#flushing
      })
    return this.#queued
  }

  /** True where all that was placed can be written by `flushNow`, soon enough for those who wait meanwhile. */
  get isReady(): boolean {
    const segment = this.#open
    if (segment === undefined || segment.number !== this.#number || this.#isFlushing) return false
    const bytes = this.#pending.reduce((sum, record) => sum + record.bytes, 0)
    return bytes <= AT_ONCE_BYTES_MAX && this.#pending.every((record) => this.#isOpen(record))
  }

  /**
   * Writes and syncs while nothing else runs. False where rows of a commit could not go: those are given
   * up, since their database can be synced instead; octets throw, as in `flush`.
   */
  flushNow(): boolean {
    const pending = this.#pending
    const count = this.#isFlushing ? 0 : pending.findIndex((record) => !this.#isOpen(record))
    const records = count < 0 ? pending : pending.slice(0, count)
    this.#pending = pending.slice(records.length).filter(({ codec }) => codec !== 'redo')
    if (this.#pending.length > 0) throw new Fault('io', `${this.#dir}: octets wait for a segment`)
    if (records.length > 0 && !this.#writeNow(records)) return false
    return records.length === pending.length
  }

  #writeNow(records: readonly Pending[]): boolean {
    const segment = this.#open!
    this.#fresh = new Set([segment.number])
    try {
      writeAllNow(
        segment.fd,
        records.flatMap((record) => record.buffers),
        records[0]!.offset,
      )
      segment.filledBytes = Math.max(segment.filledBytes, endOf(records.at(-1)!))
      failpoint(this.#written)
      syncDataNow(segment.fd)
      segment.hasRecords = true
    } catch (thrown) {
      this.#abandon(segment.number)
      if (records.every(({ codec }) => codec === 'redo')) return false
      throw ioFault(thrown, segmentPath(this.#dir, segment.number))
    }
    this.#lookAhead()
    return true
  }

  /** Zeros on their way to the disk must not land on top of a record. */
  #isOpen(record: Pending): boolean {
    const segment = this.#open
    if (segment?.number !== record.segment) return false
    return this.#filling === undefined || endOf(record) <= segment.filledBytes
  }

  collect(live: ReadonlySet<number>): number[] {
    const busy = this.#busy()
    const dead = segmentsIn(this.#dir).filter(
      (number) => number < this.#number && !live.has(number) && !busy.has(number),
    )
    for (const number of dead) {
      unlinkSync(segmentPath(this.#dir, number))
      failpoint(this.#collected)
    }
    return dead
  }

  /** Those before the one that is written to, but what the last flush wrote into. */
  sealed(): SealedSegment[] {
    const busy = this.#busy()
    return segmentsIn(this.#dir)
      .filter((number) => number < this.#number && !busy.has(number))
      .toSorted((a, b) => a - b)
      .map((file) => {
        const { size, mtimeMs } = statSync(segmentPath(this.#dir, file))
        return { file, bytes: size, writtenAtMs: mtimeMs }
      })
  }

  async close(): Promise<void> {
    await this.#queued?.catch(() => undefined)
    await this.#flushing.catch(() => undefined)
    await this.#filling
    const next = await this.#next?.made.catch(() => undefined)
    if (next !== undefined) this.#discard(next)
    const open = this.#open
    this.#open = undefined
    if (open === undefined) return
    if (open.number === this.#number && this.#end === SEGMENT_HEAD.length) this.#discard(open)
    else this.#finish(open)
  }

  /** Segments with records whose rows may not be committed yet. */
  #busy(): ReadonlySet<number> {
    return new Set([
      ...this.#fresh,
      ...this.#pending.map((pending) => pending.segment),
      ...(this.#open === undefined ? [] : [this.#open.number]),
    ])
  }

  /** Later records go to a new segment. */
  #seal(number: number): void {
    if (number !== this.#number) return
    this.#number++
    this.#end = SEGMENT_HEAD.length
  }

  async #flushAll(): Promise<void> {
    const pending = this.#pending
    this.#pending = []
    this.#fresh = new Set(pending.map((record) => record.segment))
    for (const number of this.#fresh) {
      try {
        await this.#write(
          number,
          pending.filter((record) => record.segment === number),
        )
      } catch (thrown) {
        this.#abandon(number)
        throw ioFault(thrown, segmentPath(this.#dir, number))
      }
    }
    // For what will be placed next.
    if (pending.length === 0) await this.#opened(this.#number)
    this.#lookAhead()
  }

  async #write(number: number, records: readonly Pending[]): Promise<void> {
    const segment = await this.#opened(number)
    const from = records[0]!.offset
    const to = endOf(records.at(-1)!)
    // Zeros on their way to the disk must not land on top of these records.
    if (to > segment.filledBytes) await this.#filling
    const buffers = records.flatMap((record) => record.buffers)
    // A lone record: whoever waits for it waits for nothing but the disk.
    const isAlone = records.length === 1
    if (isAlone) writeAllNow(segment.fd, buffers, from)
    else await writeAll(segment.fd, buffers, from)
    segment.filledBytes = Math.max(segment.filledBytes, to)
    if (failpoint(this.#written) === 'hang') await new Promise(() => undefined)
    if (isAlone) syncDataNow(segment.fd)
    else await syncData(segment.fd)
    segment.hasRecords = true
  }

  async #opened(number: number): Promise<OpenSegment> {
    if (this.#open?.number === number) return this.#open
    await this.#filling
    if (this.#open !== undefined) this.#finish(this.#open)
    this.#open = undefined
    const next = this.#next
    this.#next = undefined
    // A segment made ahead whose number was passed over has no records.
    if (next !== undefined && next.number !== number)
      next.made.then((made) => this.#discard(made)).catch(() => undefined)
    this.#open = await (next?.number === number ? next.made : this.#make(number))
    return this.#open
  }

  /** After a failed write or sync nobody knows what the kernel has kept: nothing more goes into that file. */
  #abandon(number: number): void {
    this.#seal(number)
    if (this.#open?.number !== number) return
    const { fd, hasRecords } = this.#open
    this.#open = undefined
    // A disk that refuses all must not be filled with what it refused.
    if (!hasRecords) unlinkQuietly(segmentPath(this.#dir, number))
    void (this.#filling ?? Promise.resolve()).then(() => closeQuietly(fd))
  }

  async #make(number: number): Promise<OpenSegment> {
    const path = segmentPath(this.#dir, number)
    let fd: number | undefined
    try {
      // 'wx': a number is never used twice, whoever else may write here.
      fd = openSync(path, 'wx', 0o600)
      await writeAll(fd, [SEGMENT_HEAD, ZEROS.subarray(SEGMENT_HEAD.length)], 0)
      for (let at = ZEROS.length; at < AHEAD_BYTES; at += ZEROS.length)
        await writeAll(fd, [ZEROS], at)
      await syncWhole(fd)
      syncFolder(this.#dir)
      return { number, fd, filledBytes: AHEAD_BYTES, hasRecords: false }
    } catch (thrown) {
      if (fd !== undefined) {
        closeQuietly(fd)
        unlinkQuietly(path)
      }
      throw ioFault(thrown, path)
    }
  }

  /** Grows this segment, or makes the next one, while nobody waits. */
  #lookAhead(): void {
    const segment = this.#open
    if (segment === undefined || segment.number !== this.#number) return
    if (this.#end > SEGMENT_BYTES - 2 * AHEAD_BYTES && this.#next === undefined) {
      const made = this.#make(segment.number + 1)
      made.catch(() => undefined) // told to the flush that needs it
      this.#next = { number: segment.number + 1, made }
    }
    if (this.#filling !== undefined || segment.filledBytes - this.#end > AHEAD_BYTES / 2) return
    const goal = Math.min(SEGMENT_BYTES, segment.filledBytes + AHEAD_BYTES)
    this.#filling = fill(segment, goal)
      .catch(() => undefined) // the next flush meets the same disk
      .finally(() => {
        this.#filling = undefined
      })
  }

  /** Takes back the zeros behind the last record. */
  #finish(segment: OpenSegment): void {
    try {
      if (segment.number === this.#number) ftruncateSync(segment.fd, this.#end)
    } finally {
      closeQuietly(segment.fd)
    }
  }

  #discard(segment: OpenSegment): void {
    closeQuietly(segment.fd)
    unlinkSync(segmentPath(this.#dir, segment.number))
  }
}

const endOf = ({ offset, bytes }: Pending): number => offset + bytes

async function fill(segment: OpenSegment, goal: number): Promise<void> {
  while (segment.filledBytes < goal) {
    const from = segment.filledBytes
    const zeros = ZEROS.subarray(0, Math.min(ZEROS.length, goal - from))
    await writeAll(segment.fd, [zeros], from)
    await syncData(segment.fd)
    segment.filledBytes = from + zeros.length
  }
}

function closeQuietly(fd: number): void {
  try {
    closeSync(fd)
  } catch {
    // A close that fails tells of writes whose sync has failed already.
  }
}

function unlinkQuietly(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // Nothing names it: the next collection deletes it.
  }
}

export const segmentPath = (dir: string, number: number): string =>
  join(dir, `${String(number).padStart(8, '0')}.seg`)

function segmentsIn(dir: string): number[] {
  return readdirSync(dir).flatMap((name) => {
    const match = /^(\d{8,})\.seg$/.exec(name)
    return match === null ? [] : [Number(match[1])]
  })
}
