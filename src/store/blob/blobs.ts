import type { Octets } from '#base/octets.ts'

/** Where octets lie on the volume; kept in database rows, meaningless elsewhere. */
export interface BlobRef {
  /** A segment's number, or the number of a file of its own. */
  readonly file: number
  readonly kind: 'segment' | 'large'
  /** Of the record's head in the segment; 0 in a file of its own. */
  readonly offset: number
  /** Octets of content. */
  readonly length: number
}

/** Octets up to here become one record of a segment; more go to a file of their own (DESIGN section 4). */
export const RECORD_BYTES_MAX = 256 * 1024

/** Content that was too large for memory and stands in a file of its own, synced, waiting for a commit. */
export type LargeHandle = string & { readonly __brand: 'LargeHandle' }

/** What a commit stores: octets in memory, or a finished large file with octets to go in front of it. */
export type Content =
  | { readonly octets: readonly Octets[] }
  | { readonly prefix: Octets; readonly large: LargeHandle }

/** The append-only octets of one volume; lives in a storage process only. */
export interface Blobs {
  /** Places one record; it is durable once a `flush` begun afterwards has ended. */
  append(octets: readonly Octets[]): BlobRef
  /** One fdatasync for all that was appended. Throws Fault `io` or `full`, after which the segment is sealed. */
  flush(): Promise<void>
  /** `length` octets of the content from `offset`; throws Fault `corrupt` where a whole record fails its CRC. */
  read(ref: BlobRef, offset: number, length: number): Promise<Octets>
  openLarge(): Promise<LargeHandle>
  appendLarge(handle: LargeHandle, octets: Octets): Promise<void>
  /** Syncs the file and gives it its place; the prefix lies in front of it. */
  finishLarge(handle: LargeHandle, prefix: Octets): Promise<BlobRef>
  abortLarge(handle: LargeHandle): Promise<void>
  /** Forgets a large file whose rows are gone; segment space comes back by `collect`. */
  release(ref: BlobRef): Promise<void>
}
