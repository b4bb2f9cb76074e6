import { openSync, readdirSync, renameSync, unlinkSync } from 'node:fs'
import { createHash } from 'node:crypto'
import type { Hash } from 'node:crypto'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { failpoint } from '#base/failpoint.ts'
import { bufferOf } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import { ioFault } from '#store/db/fault.ts'
import type { LargeHandle } from './blobs.ts'
import { closeFile, readAt, syncData, syncFolder, syncWhole, writeAll } from './files.ts'
import { HEAD_BYTES, TRAILER_BYTES, checkTrailer, recordHead, recordTrailer } from './record.ts'

/*
 * A file of its own, written in the order in which its octets become known:
 *
 *   head as of a record, its length that of the prefix       (written last, before the sync)
 *   content | prefix | trailer of the content | trailer of the prefix
 *
 * and read as prefix + content.
 */

/** So many octets are written before the disk is waited for: a stream must not fill the page cache. */
const UNSYNCED_BYTES_MAX = 8 * 1024 * 1024

interface Writing {
  readonly number: number
  readonly fd: number
  readonly sha256: Hash
  length: number
  crc: number
  unsynced: number
  failed?: Fault
  /** The last write that was begun. */
  last: Promise<void>
}

interface LargeFilesOptions {
  readonly dir: string
  /** Names the failpoints `NAME.large.written`, at each piece, and `NAME.large.named`. */
  readonly name: string
  /** True for a file that a row names; absent: all are kept. */
  readonly known: ((file: number) => boolean) | undefined
}

/** Files of their own for content that is too large for memory. */
export class LargeFiles {
  readonly #dir: string
  readonly #written: string
  readonly #named: string
  #number: number
  readonly #writing = new Map<LargeHandle, Writing>()

  /** Deletes what a crash left half-written, and what `known` does not own. */
  constructor({ dir, name, known }: LargeFilesOptions) {
    this.#dir = dir
    this.#written = `${name}.large.written`
    this.#named = `${name}.large.named`
    const names = readdirSync(dir)
    this.#number = Math.max(0, ...names.map((name) => Number.parseInt(name, 10) || 0))
    for (const name of names) {
      const number = /^\d+$/.test(name) ? Number(name) : undefined
      const orphan = number === undefined ? /^\d+\.part$/.test(name) : known?.(number) === false
      if (orphan) unlinkSync(join(dir, name))
    }
  }

  open(): LargeHandle {
    const number = ++this.#number
    const handle = String(number) as LargeHandle
    const path = join(this.#dir, `${number}.part`)
    try {
      const fd = openSync(path, 'wx+', 0o600)
      this.#writing.set(handle, {
        number,
        fd,
        sha256: createHash('sha256'),
        length: 0,
        crc: 0,
        unsynced: 0,
        last: Promise.resolve(),
      })
      return handle
    } catch (thrown) {
      throw ioFault(thrown, path)
    }
  }

  /** Octets go in order of the calls; the promise is the back-pressure. */
  append(handle: LargeHandle, octets: Octets): Promise<void> {
    const file = this.#of(handle)
    const at = HEAD_BYTES + file.length
    file.length += octets.byteLength
    file.crc = crc32(octets, file.crc)
    file.sha256.update(octets)
    file.last = file.last.then(() => this.#write(file, octets, at))
    file.last.catch(() => undefined)
    return file.last
  }

  /** What has been appended so far, read back. */
  async read(handle: LargeHandle, offset: number, length: number): Promise<Octets> {
    const file = this.#of(handle)
    await file.last
    const from = Math.min(Math.max(0, offset), file.length)
    return readAt(file.fd, HEAD_BYTES + from, Math.max(0, Math.min(length, file.length - from)))
  }

  /** Durable under its number when it resolves. */
  async finish(handle: LargeHandle, prefix: Octets): Promise<{ file: number; length: number }> {
    const file = this.#of(handle)
    this.#writing.delete(handle)
    const part = join(this.#dir, `${file.number}.part`)
    try {
      await file.last
      if (file.failed !== undefined) throw file.failed
      const prefixHash = createHash('sha256').update(prefix).digest()
      const tail = [
        bufferOf(prefix),
        recordTrailer(file.crc, file.sha256.digest()),
        recordTrailer(crc32(prefix), prefixHash),
      ]
      await writeAll(file.fd, tail, HEAD_BYTES + file.length)
      await writeAll(file.fd, [recordHead(prefix.byteLength)], 0)
      await syncWhole(file.fd)
      await closeFile(file.fd)
      renameSync(part, this.path(file.number))
      failpoint(this.#named)
      syncFolder(this.#dir)
      return { file: file.number, length: prefix.byteLength + file.length }
    } catch (thrown) {
      await this.#scrap(file)
      throw ioFault(thrown, part)
    }
  }

  async abort(handle: LargeHandle): Promise<void> {
    const file = this.#writing.get(handle)
    if (file === undefined) return
    this.#writing.delete(handle)
    await file.last.catch(() => undefined)
    await this.#scrap(file)
  }

  path(number: number): string {
    return join(this.#dir, String(number))
  }

  release(number: number): void {
    try {
      unlinkSync(this.path(number))
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT')
        throw ioFault(thrown, this.path(number))
    }
  }

  async close(): Promise<void> {
    for (const handle of this.#writing.keys()) await this.abort(handle)
  }

  #of(handle: LargeHandle): Writing {
    const file = this.#writing.get(handle)
    if (file === undefined) throw new Fault('notFound', `no large file is open as ${handle}`)
    return file
  }

  async #write(file: Writing, octets: Octets, at: number): Promise<void> {
    if (file.failed !== undefined) throw file.failed
    try {
      await writeAll(file.fd, [bufferOf(octets)], at)
      failpoint(this.#written)
      file.unsynced += octets.byteLength
      if (file.unsynced < UNSYNCED_BYTES_MAX) return
      file.unsynced = 0
      await syncData(file.fd)
    } catch (thrown) {
      file.failed = ioFault(thrown, join(this.#dir, `${file.number}.part`))
      throw file.failed
    }
  }

  async #scrap(file: Writing): Promise<void> {
    await closeFile(file.fd).catch(() => undefined) // closed already where the rename failed
    try {
      unlinkSync(join(this.#dir, `${file.number}.part`))
    } catch {
      // The next start deletes it.
    }
  }
}

/** Octets of prefix + content. Throws Fault `corrupt` where the whole is asked for and fails its CRC. */
export async function readLarge(
  file: { readonly fd: number; readonly sizeBytes: number; readonly path: string },
  prefixLength: number,
  range: { readonly offset: number; readonly length: number },
): Promise<Octets> {
  const contentLength = file.sizeBytes - HEAD_BYTES - prefixLength - 2 * TRAILER_BYTES
  if (contentLength < 0) throw new Fault('corrupt', `${file.path}: shorter than its head says`)
  const end = Math.min(range.offset + range.length, prefixLength + contentLength)
  const prefixPart = await part(range.offset, Math.min(end, prefixLength), contentLength)
  const contentPart = await part(Math.max(0, range.offset - prefixLength), end - prefixLength, 0)
  if (range.offset === 0 && end === prefixLength + contentLength) {
    const trailers = HEAD_BYTES + contentLength + prefixLength
    const tail = await readAt(file.fd, trailers, 2 * TRAILER_BYTES)
    checkTrailer(tail, crc32(contentPart), file.path)
    checkTrailer(tail.subarray(TRAILER_BYTES), crc32(prefixPart), file.path)
  }
  if (prefixPart.length === 0) return contentPart
  return contentPart.length === 0 ? prefixPart : Buffer.concat([prefixPart, contentPart])

  async function part(from: number, to: number, base: number): Promise<Buffer> {
    if (to <= from) return Buffer.alloc(0)
    return readAt(file.fd, HEAD_BYTES + base + from, to - from)
  }
}
