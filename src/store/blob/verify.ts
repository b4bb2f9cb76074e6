import { crc32 } from 'node:zlib'
import { Fault } from '#base/outcome.ts'
import type { BlobRef } from './blobs.ts'
import { readAt } from './files.ts'
import { HEAD_BYTES, TRAILER_BYTES, checkTrailer, readHead, recordBytes } from './record.ts'

/** A content is read in such pieces, however long it is. */
const PIECE_BYTES = 1024 * 1024
/** A first read that brings most blocks whole. */
export const BLOCK_READ_BYTES = 64 * 1024

/**
 * Reads all octets that stand behind a content and compares their CRC; how many those were. Of a
 * block that is the whole block. Throws Fault `corrupt`.
 */
export async function verifyContent(
  file: { readonly fd: number; readonly sizeBytes: number; readonly path: string },
  ref: BlobRef,
): Promise<number> {
  const { fd, path } = file
  const where = `${path} at ${ref.offset}`
  if (ref.kind === 'large') {
    const head = readHead(await readAt(fd, 0, HEAD_BYTES), where)
    return verifyLarge(file, head.length, ref.length)
  }
  const first = await readAt(fd, ref.offset, firstBytes(ref))
  const head = readHead(first, where)
  if ((head.codec === 'zstd') !== (ref.kind === 'block'))
    throw new Fault('corrupt', `${where}: the record is not what its row says`)
  if (ref.kind === 'segment' && head.length !== ref.length)
    throw new Fault('corrupt', `${where}: the record is not as long as its row says`)
  const bytes = recordBytes(head.length)
  if (bytes <= first.byteLength) {
    const end = HEAD_BYTES + head.length
    checkTrailer(first.subarray(end, bytes), crc32(first.subarray(HEAD_BYTES, end)), where)
    return bytes
  }
  const from = ref.offset + HEAD_BYTES
  const trailer = await readAt(fd, from + head.length, TRAILER_BYTES)
  checkTrailer(trailer, await crcOf(fd, from, head.length), where)
  return bytes
}

/** What one read brings, which for nearly all is the whole: each read is a turn of a loop that others have too. */
const firstBytes = ({ kind, length }: BlobRef): number =>
  kind === 'block' ? BLOCK_READ_BYTES : Math.min(recordBytes(length), PIECE_BYTES)

/** See large.ts for how such a file is laid out. */
async function verifyLarge(
  {
    fd,
    sizeBytes,
    path,
  }: { readonly fd: number; readonly sizeBytes: number; readonly path: string },
  prefixLength: number,
  length: number,
): Promise<number> {
  const contentLength = sizeBytes - HEAD_BYTES - prefixLength - 2 * TRAILER_BYTES
  if (contentLength < 0 || prefixLength + contentLength !== length)
    throw new Fault('corrupt', `${path}: the file is not as long as its row says`)
  const prefixAt = HEAD_BYTES + contentLength
  const trailers = await readAt(fd, prefixAt + prefixLength, 2 * TRAILER_BYTES)
  checkTrailer(trailers, await crcOf(fd, HEAD_BYTES, contentLength), path)
  checkTrailer(trailers.subarray(TRAILER_BYTES), await crcOf(fd, prefixAt, prefixLength), path)
  return sizeBytes
}

async function crcOf(fd: number, from: number, length: number): Promise<number> {
  let crc = 0
  for (let at = 0; at < length;) {
    const piece = await readAt(fd, from + at, Math.min(PIECE_BYTES, length - at))
    if (piece.byteLength === 0) break
    crc = crc32(piece, crc)
    at += piece.byteLength
  }
  return crc
}
