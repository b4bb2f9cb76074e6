import type { Octets } from '#base/octets.ts'
import type { Block } from './block.ts'

/** Where octets lie on the volume; kept in database rows, meaningless elsewhere. */
export interface BlobRef {
  /** A segment's number, or the number of a file of its own. */
  readonly file: number
  readonly kind: 'segment' | 'block' | 'large'
  /** Of the record's head in the segment; 0 in a file of its own. */
  readonly offset: number
  /** Octets of content. */
  readonly length: number
  /** Of a block: where the content begins among those that it is compressed with. */
  readonly within?: number
}

/** Octets up to here become one record of a segment; more go to a file of their own (DESIGN section 4). */
export const RECORD_BYTES_MAX = 256 * 1024

/** Content that was too large for memory and stands in a file of its own, synced, waiting for a commit. */
export type LargeHandle = string & { readonly __brand: 'LargeHandle' }

/** What a commit stores: octets in memory, or a finished large file with octets to go in front of it. */
export type Content =
  | { readonly octets: readonly Octets[] }
  | { readonly prefix: Octets; readonly large: LargeHandle }

export interface SealedSegment {
  readonly file: number
  /** On the disk. */
  readonly bytes: number
  /** By the clock of then. */
  readonly writtenAtMs: number
}

/** Free space of the volume, at most a second old. */
export interface Space {
  readonly freeBytes: number
  /** Below the reserve: no new mail is taken; reading and forgetting go on. */
  readonly full: boolean
}

/**
 * The append-only octets of one volume; lives in a storage process only. `append` and the `flush` that
 * covers it belong into one tick of one GroupCommit: a failed flush is told to its own caller only.
 */
export interface Blobs {
  /** Places one record; it is durable once a `flush` begun afterwards has ended. */
  append(octets: readonly Octets[]): BlobRef
  /** Places a block as one record; the place of each of its contents. */
  appendBlock(block: Block): readonly BlobRef[]
  /** Places what tells the purpose of the contents before it; durable with them, named by no row. */
  appendNote(octets: Octets): void
  /** Places the rows of a commit, for a database that loses it; named by no row. */
  appendRedo(parts: readonly Octets[]): void
  /** The end of what was placed in segments: what is placed later lies behind it. */
  position(): readonly [file: number, offset: number]
  /** One fdatasync for all that was appended. Throws Fault `io` or `full`, after which the segment is sealed. */
  flush(): Promise<void>
  /** True where `flushNow` would make durable all that was placed, and hold up nobody for long. */
  readonly isReady: boolean
  /** Like `flush`, while nothing else runs; false where what `appendRedo` placed could not go, and is given up. Throws as that does. */
  flushNow(): boolean
  /** `length` octets of the content from `offset`; throws Fault `corrupt` where what they lie in fails its CRC, a file of over 64 MiB only where it is read whole. */
  read(ref: BlobRef, offset: number, length: number): Promise<Octets>
  /**
   * Gives each whole content once, in any order; what lies close together is read together. `take`
   * must not keep the octets: their memory is read into again. Throws as `read` does.
   */
  readEach(refs: readonly BlobRef[], take: (octets: Octets, index: number) => void): Promise<void>
  /**
   * Reads what stands behind a content from its file, past what is kept in memory; how many octets that
   * were. Throws Fault `corrupt` where they fail their CRC, `io` where they cannot be read.
   */
  verify(ref: BlobRef): Promise<number>
  openLarge(): Promise<LargeHandle>
  appendLarge(handle: LargeHandle, octets: Octets): Promise<void>
  /** Octets of a file that is still being written, up to its present end: for judges. */
  readLarge(handle: LargeHandle, offset: number, length: number): Promise<Octets>
  /** Syncs the file and gives it its place; the prefix lies in front of it. */
  finishLarge(handle: LargeHandle, prefix: Octets): Promise<BlobRef>
  abortLarge(handle: LargeHandle): Promise<void>
  /** Forgets a large file whose rows are gone; segment space comes back by `collect`. */
  release(ref: BlobRef): Promise<void>
  /** Throws nothing: what cannot be asked counts as full. */
  space(): Space
  /** Segments that nothing is appended to any more, oldest first. */
  sealed(): readonly SealedSegment[]
  /** Deletes segments that `live` does not name; never the one being written nor the last flush's. */
  collect(live: ReadonlySet<number>): Promise<void>
  /** Waits for what runs, closes the files, and drops a segment that was never written to. */
  close(): Promise<void>
}
