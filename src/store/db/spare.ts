import { closeSync, openSync, renameSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const FILE = 'spare'
const PIECE_BYTES = 1024 * 1024
/** So many start at one moment on one disk: what the first has given back is not there for all. */
const KEEPERS = 3
/** As stat counts them, whatever those of the file system are. */
const BLOCK_BYTES = 512

/**
 * Room put by in a folder for a start on a disk on which others have left none: people shall be able to
 * read, and to delete, which takes room itself. To be asked at each start, before anything is written:
 * gives the room back where less than it is free for each that starts beside it, and puts it by again
 * where it would be left for each. Throws nothing: what cannot be put by is done without.
 */
export function putBy(
  dir: string,
  bytes: number,
  freeIn: (dir: string) => number = freeBytesIn,
): void {
  const path = join(dir, FILE)
  const part = `${path}.new`
  try {
    const freeBytes = freeIn(dir)
    if (freeBytes < KEEPERS * bytes) rmSync(path, { force: true })
    if (freeBytes < (KEEPERS + 1) * bytes || holds(path, bytes)) return
    writeZeros(part, bytes)
    renameSync(part, path)
  } catch {
    // A folder that cannot be written stops the start elsewhere, with its reason.
  }
}

function freeBytesIn(dir: string): number {
  const { bavail, bsize } = statfsSync(dir)
  return bavail * bsize
}

/** A power loss may have left its name and none of its blocks. */
function holds(path: string, bytes: number): boolean {
  const { blocks = 0 } = statSync(path, { throwIfNoEntry: false }) ?? {}
  return blocks * BLOCK_BYTES >= bytes
}

/** Written out: a hole would hold no room. */
function writeZeros(path: string, bytes: number): void {
  const file = openSync(path, 'w', 0o600)
  try {
    const zeros = Buffer.alloc(Math.min(bytes, PIECE_BYTES))
    for (let at = 0; at < bytes; at += zeros.length) writeSync(file, zeros)
  } finally {
    closeSync(file)
  }
}
