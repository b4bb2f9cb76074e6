import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { HEAD_BYTES, TRAILER_BYTES, checkTrailer, readHead } from './record.ts'
import type { Codec } from './record.ts'
import { segmentPath } from './segments.ts'

/** A whole record of a segment, as it stands in its file. */
export interface ScannedRecord {
  readonly offset: number
  readonly codec: Codec
  readonly content: Buffer
  /** Where the next one begins. */
  readonly end: number
}

/** All records of a segment from an offset on; damaged ones are passed over. Nothing is opened for writing. */
export function* scanSegment(dir: string, file: number, from: number): Generator<ScannedRecord> {
  const path = segmentPath(join(dir, 'seg'), file)
  const octets = readFileSync(path)
  let at = from
  while ((at = octets.indexOf('WREC', at)) >= 0) {
    const record = recordAt(octets, at, `${path} at ${at}`)
    if (record !== undefined) yield record
    at = record?.end ?? at + 1
  }
}

/** The record that begins there among these octets; undefined where none does, or it is not whole. */
export function recordAt(octets: Buffer, offset: number, where: string): ScannedRecord | undefined {
  try {
    const { length, codec } = readHead(octets.subarray(offset, offset + HEAD_BYTES), where)
    const from = offset + HEAD_BYTES
    const content = octets.subarray(from, from + length)
    checkTrailer(
      octets.subarray(from + length, from + length + TRAILER_BYTES),
      crc32(content),
      where,
    )
    return { offset, codec, content, end: from + length + TRAILER_BYTES }
  } catch {
    return undefined
  }
}

/** The numbers of the segments and of the files of their own that lie in a volume's folder, in order. */
export function filesOfVolume(dir: string): {
  readonly segments: readonly number[]
  readonly large: readonly number[]
} {
  const numbers = (folder: string, pattern: RegExp): number[] => {
    try {
      return readdirSync(join(dir, folder))
        .flatMap((name) => pattern.exec(name)?.[1] ?? [])
        .map(Number)
        .toSorted((a, b) => a - b)
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown
      return []
    }
  }
  return { segments: numbers('seg', /^(\d{8,})\.seg$/), large: numbers('large', /^(\d+)$/) }
}
