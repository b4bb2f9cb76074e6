import { closeSync, fsyncSync, openSync, readFileSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { failpoint } from '#base/failpoint.ts'
import { syncFolder, writeAllNow } from '#store/blob/files.ts'

/**
 * A file beside a journal that could not be written: what was committed since record `n` it does not
 * tell. Its own last file looks like one that was only killed, and would be taken for whole.
 */
export interface JournalGap {
  readonly n: number
  readonly why: string
}

const gapPath = (dir: string): string => `${dir}-gap`

/** Durable when it returns. Throws where even that cannot be written. */
export function writeGap(dir: string, gap: JournalGap): void {
  const path = gapPath(dir)
  const fd = openSync(path, 'w', 0o600)
  try {
    writeAllNow(fd, [Buffer.from(`${JSON.stringify(gap)}\n`)], 0)
    if (failpoint('storage.sync') !== 'drop') fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  syncFolder(dirname(path))
}

/** Undefined where there is none; one that is damaged stands before all records. */
export function readGap(dir: string): JournalGap | undefined {
  let text: string
  try {
    text = readFileSync(gapPath(dir), 'utf8')
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw thrown
  }
  try {
    const { n, why } = JSON.parse(text) as Partial<JournalGap>
    if (typeof n === 'number' && typeof why === 'string') return { n, why }
  } catch {
    // Cut by a crash.
  }
  return { n: Number.MAX_SAFE_INTEGER, why: 'unknown' }
}

export const removeGap = (dir: string): void => rmSync(gapPath(dir), { force: true })
