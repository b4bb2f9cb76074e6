import { mkdir, open, rename, rm, statfs } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Octets } from '#base/octets.ts'
import type { ChangesText } from './rows-text.ts'

/** A whole directory as it once lay in memory, beside the database that is believed about it. */
export interface DirectoryImages {
  /** A piece from this place on; empty at the end, and where there is none or it cannot be read. */
  readImage(ask: { readonly at: number }): Promise<{ readonly octets: Octets }>
  /** Puts a piece of the next one, which begins at 0; not `isTaken`: there is not room enough. */
  writeImage(piece: {
    readonly at: number
    readonly octets: Octets
  }): Promise<{ readonly isTaken: boolean }>
  /** The next one, written whole, is the image from now on; it tells of changes up to `seq`. */
  keepImage(end: { readonly seq: number }): Promise<void>
  /** It was not what the database says. */
  dropImage(): Promise<void>
  /** What came after that image; each row at least as new as its change. */
  since(ask: { readonly since: number; readonly limit: number }): Promise<ChangesSince>
}

export interface ChangesSince extends ChangesText {
  /** Of the database: numbers of another one mean other changes. */
  readonly lineage: string
}

/** Where the image of the directory in this database lies. */
export const imagePathOf = (database: string): string => database.replace(/(?:\.db)?$/, '.image')

const PIECE_BYTES = 4 * 1024 * 1024
/** A start is faster with an image; mail has more need of the room. */
const SPARE_BYTES = 3 * 1024 * 1024 * 1024

/**
 * The image in a file, read and written in pieces. It is a copy that no power loss makes wrong, only
 * unreadable: each piece is synced so that nobody else's sync waits for all of them.
 */
export class ImageFile {
  readonly #path: string
  #next: FileHandle | undefined

  constructor(path: string) {
    this.#path = path
  }

  async read(ask: { readonly at: number }): Promise<{ readonly octets: Octets }> {
    try {
      await using file = await open(this.#path, 'r')
      const octets = Buffer.allocUnsafeSlow(PIECE_BYTES)
      const { bytesRead } = await file.read(octets, 0, PIECE_BYTES, ask.at)
      return { octets: octets.subarray(0, bytesRead) }
    } catch {
      // Whatever is wrong with it: the database has all of it.
      return { octets: Buffer.alloc(0) }
    }
  }

  async write(piece: {
    readonly at: number
    readonly octets: Octets
  }): Promise<{ readonly isTaken: boolean }> {
    if (piece.at === 0) {
      await this.#end()
      await mkdir(dirname(this.#path), { recursive: true })
      const { bavail, bsize } = await statfs(dirname(this.#path))
      if (bavail * bsize < SPARE_BYTES) return { isTaken: false }
      this.#next = await open(`${this.#path}.new`, 'w')
    }
    if (this.#next === undefined) return { isTaken: false }
    await this.#next.write(piece.octets, 0, piece.octets.length, piece.at)
    await this.#next.datasync()
    return { isTaken: true }
  }

  async keep(): Promise<void> {
    if (this.#next === undefined) return
    await this.#end()
    await rename(`${this.#path}.new`, this.#path)
  }

  async drop(): Promise<void> {
    // Where the disk does not let it go, it is as wrong the next time.
    await rm(this.#path, { force: true }).catch(() => undefined)
  }

  close(): void {
    void this.#end().catch(() => undefined)
  }

  async #end(): Promise<void> {
    const next = this.#next
    this.#next = undefined
    await next?.close()
  }
}
