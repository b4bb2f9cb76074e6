import { closeSync, openSync, renameSync, rmSync, statfsSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const FILE = 'spare'
const PIECE_BYTES = 1024 * 1024
/** As stat counts them, whatever those of the file system are. */
const BLOCK_BYTES = 512

/**
 * Room put by in a folder for a start on a disk on which others have left none: people shall be able to
 * read, and to delete, which takes room itself. To be asked at each start, before anything is written:
 * gives the room back where less than it is free, and puts it by again where there is four times as much.
 * Throws nothing: what cannot be put by is done without.
 */
export function putBy(dir: string, bytes: number): void {
  const path = join(dir, FILE)
  const part = `${path}.new`
  try {
    const { bavail, bsize } = statfsSync(dir)
    const freeBytes = bavail * bsize
    if (freeBytes < bytes) rmSync(path, { force: true })
    if (freeBytes < 4 * bytes || holds(path, bytes)) return
    writeZeros(part, bytes)
    renameSync(part, path)
  } catch {
    // A folder that cannot be written stops the start elsewhere, with its reason.
  }
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
