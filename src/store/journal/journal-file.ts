import { closeSync, fsyncSync, ftruncateSync, openSync, readdirSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { failpoint } from '#base/failpoint.ts'
import { syncData, syncDataNow, syncFolder, writeAllNow } from '#store/blob/files.ts'
import { recordBytes, recordOf } from '#store/blob/record.ts'
import type { Packed } from './journal-record.ts'

export const JOURNAL_HEAD = Buffer.from('WATARIJNL 0001\r\n', 'latin1')
/** Zeros stand behind the last record of a file that was not closed: one that ends without was cut. */
const AHEAD_BYTES = 256 * 1024
export const ZEROS_BYTES_MIN = 64
const ZEROS = Buffer.alloc(AHEAD_BYTES)

/** The file that the journal is written to: the same records as a segment's, one behind the other. */
export class JournalFile {
  readonly number: number
  readonly #fd: number
  #end = JOURNAL_HEAD.length
  #filledBytes = 0

  /** Makes the file; a number is never used twice. */
  constructor(dir: string, number: number) {
    this.number = number
    const path = journalPath(dir, number)
    this.#fd = openSync(path, 'wx', 0o600)
    try {
      writeAllNow(this.#fd, [JOURNAL_HEAD], 0)
      this.#fill(this.#end)
      if (failpoint('storage.sync') !== 'drop') fsyncSync(this.#fd)
      syncFolder(dir)
    } catch (thrown) {
      // It is tried again for as long as the disk is bad: neither descriptors nor files may pile up.
      this.abandon()
      removeQuietly(path)
      throw thrown
    }
  }

  get bytes(): number {
    return this.#end
  }

  /** In the kernel's hands when it returns: safe from a kill, and from a power loss after `sync`. */
  write({ content, codec }: Packed): void {
    const end = this.#end + recordBytes(content.length)
    if (end + ZEROS_BYTES_MIN > this.#filledBytes) this.#fill(end)
    const buffers = recordOf([content], content.length, codec)
    writeAllNow(this.#fd, buffers, this.#end)
    this.#end = end
  }

  sync(): Promise<void> {
    return syncData(this.#fd)
  }

  /** Nothing follows. */
  close(): void {
    ftruncateSync(this.#fd, this.#end)
    syncDataNow(this.#fd)
    closeSync(this.#fd)
  }

  /** After a failed write nobody knows what the file holds. */
  abandon(): void {
    try {
      closeSync(this.#fd)
    } catch {
      // It tells of writes that have failed already.
    }
  }

  #fill(end: number): void {
    writeAllNow(this.#fd, [ZEROS], Math.max(end, this.#filledBytes))
    this.#filledBytes = Math.max(end, this.#filledBytes) + ZEROS.length
  }
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // The disk has failed already; readers see a file without a record.
  }
}

export const journalPath = (dir: string, number: number): string =>
  join(dir, `${String(number).padStart(8, '0')}.jnl`)

/** The numbers of the files there, in order. */
export function journalFiles(dir: string): number[] {
  let names: string[] = []
  try {
    names = readdirSync(dir)
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown
  }
  return names
    .flatMap((name) => {
      const match = /^(\d{8,})\.jnl$/.exec(name)
      return match === null ? [] : [Number(match[1])]
    })
    .toSorted((a, b) => a - b)
}
