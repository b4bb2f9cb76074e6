import type { Log } from '#base/log.ts'
import { messageOf } from '#base/outcome.ts'
import { SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { DirectoryImages } from './image-file.ts'
import { saveImage } from './load-directory.ts'
import type { MemoryDirectory } from './memory-directory.ts'

/** Fewer rows are read in the time that an image takes. */
const ROWS_MIN = 5_000
/** So many changes are read one by one at a start, or a twentieth of the rows; fewer than a replica tells. */
const BEHIND_MIN = 2_000
const BEHIND_SHARE = 1 / 20
const BEHIND_MAX = 20_000
/** A change seldom comes alone, and a start has other things to do first. */
const LATER_MS = 5 * SECOND_MS
/** While many come it waits for their end, but not for ever. */
const LATER_TIMES_MAX = 24

interface Parts {
  readonly directory: MemoryDirectory
  readonly images: DirectoryImages
  readonly clock: Clock
  readonly log: Log
}

/** Sees to it that the image of a large directory is not far behind it. Call `look` after each change. */
export class ImageKeeper {
  readonly #parts: Parts
  /** As far as the image tells; undefined: there is none. */
  #seq: number | undefined
  #cancel: (() => void) | undefined
  #isStopped = false
  /** How often the whole directory was put in another's place. */
  #epoch = 0

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** The directory was read, from the image where `fromImage`. */
  loaded({ fromImage }: { readonly fromImage: boolean }): void {
    this.#seq = fromImage ? this.#parts.directory.seq : undefined
    this.look()
  }

  /** Another whole copy is about to take the place of the database's: no image is one of it. */
  replacing(): void {
    this.#epoch++
    this.#seq = undefined
  }

  look(): void {
    const { seq, size } = this.#parts.directory
    if (this.#isStopped || this.#cancel !== undefined || size < ROWS_MIN) return
    const behind = this.#seq === undefined ? Infinity : seq - this.#seq
    const wanted = Math.max(BEHIND_MIN, Math.min(BEHIND_MAX, size * BEHIND_SHARE))
    if (behind >= wanted) this.#later(LATER_TIMES_MAX)
  }

  #later(times: number): void {
    const { directory, clock } = this.#parts
    const { seq } = directory
    this.#cancel = clock.after(LATER_MS, () => {
      if (times > 1 && directory.seq - seq > BEHIND_MIN) this.#later(times - 1)
      else void this.#save()
    })
  }

  stop(): void {
    this.#isStopped = true
    this.#cancel?.()
  }

  /** Never rejects: without an image a start is slow, and nothing else. */
  async #save(): Promise<void> {
    const { directory, images, log } = this.#parts
    const { seq } = directory
    const epoch = this.#epoch
    const isStill = (): boolean => epoch === this.#epoch
    try {
      await saveImage(directory, images, isStill)
    } catch (thrown) {
      if (!this.#isStopped) log.warn('directory.noImage', { cause: messageOf(thrown) })
    }
    // What could not be written is tried again after as many changes more.
    if (isStill()) this.#seq = seq
    this.#cancel = undefined
    this.look()
  }
}
