import { statfsSync } from 'node:fs'
import type { Space } from './blobs.ts'

const MIB = 1024 * 1024
const RESERVE_SHARE = 0.05
const RESERVE_BYTES_MIN = 128 * MIB
const RESERVE_BYTES_MAX = 2048 * MIB

/** Free space of a folder's volume, beside a share of it or what is given. Throws nothing: what cannot be asked counts as full. */
export function spaceOf(dir: string, reserveBytes?: number): Space {
  try {
    const { bavail, blocks, bsize } = statfsSync(dir)
    const freeBytes = bavail * bsize
    const share = Math.floor(blocks * bsize * RESERVE_SHARE)
    const reserve = reserveBytes ?? Math.min(RESERVE_BYTES_MAX, Math.max(RESERVE_BYTES_MIN, share))
    return { freeBytes, full: freeBytes < reserve }
  } catch {
    return { freeBytes: 0, full: true }
  }
}
