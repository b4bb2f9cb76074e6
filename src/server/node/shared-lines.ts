import type { Octets } from '#base/octets.ts'
import { SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import { ROWS_PER_LINE } from '#contract/node/wire.ts'
import type { DirectoryLog } from '#store/directory/directory-log.ts'

/** A line of the stream, written out. */
export interface Line {
  readonly octets: Buffer
  /** The log's end when it was read. */
  readonly seq: number
  /** Where the next one begins; absent at the end. */
  readonly next?: number
  /** The log goes back no further than to what comes after this place. */
  readonly isCut?: boolean
}

interface Kept {
  readonly line: Promise<Line>
  readonly atLeast: number
  bytes: number
}

/** Kept for those who come at the same time; a whole directory may be ten times as long. */
const KEPT_BYTES_MAX = 16 * 1024 * 1024
const QUIET_MS = 10 * SECOND_MS

/** Lines that many nodes ask for at once, after a write or a restart: read and written out once. */
export class SharedLines {
  readonly #log: Pick<DirectoryLog, 'rows' | 'changes'>
  readonly #clock: Clock
  /** In the order of their making. */
  readonly #kept = new Map<string, Kept>()
  #bytes = 0
  #cancel: () => void = () => undefined

  constructor(parts: {
    readonly log: Pick<DirectoryLog, 'rows' | 'changes'>
    readonly clock: Clock
  }) {
    this.#log = parts.log
    this.#clock = parts.clock
  }

  /** A page of the whole copy; of the log as it was at `atLeast` or later. */
  rows(after: number, atLeast: number): Promise<Line> {
    return this.#line(`rows ${after}`, atLeast, async () => {
      const { seq, json, next } = await this.#log.rows({ after, limit: ROWS_PER_LINE })
      const octets = written(`{"kind":"gather","first":${after === 0},"rows":`, json)
      return { octets, seq, ...(next !== undefined && { next }) }
    })
  }

  /** The changes after `since`; `next` is the last of them, absent where there are none. Not where `isCut`. */
  changes(since: number, atLeast: number): Promise<Line> {
    return this.#line(`changes ${since}`, atLeast, async () => {
      const { seq, json, last, isCut } = await this.#log.changes({ since, limit: ROWS_PER_LINE })
      const octets = written('{"kind":"changes","changes":', json)
      return { octets, seq, isCut, ...(last !== undefined && { next: last }) }
    })
  }

  clear(): void {
    this.#cancel()
    this.#kept.clear()
    this.#bytes = 0
  }

  /** Whoever asked first knew the log to be at `atLeast`: what was read then is no older. */
  async #line(key: string, atLeast: number, make: () => Promise<Line>): Promise<Line> {
    const found = this.#kept.get(key)
    if (found !== undefined && found.atLeast >= atLeast) return found.line
    this.#drop(key)
    const kept = { line: make(), atLeast, bytes: 0 }
    this.#kept.set(key, kept)
    this.#cancel()
    this.#cancel = this.#clock.after(QUIET_MS, () => this.clear())
    try {
      const line = await kept.line
      if (this.#kept.get(key) === kept) this.#count(kept, line.octets.byteLength)
      return line
    } catch (thrown) {
      if (this.#kept.get(key) === kept) this.#drop(key)
      throw thrown
    }
  }

  #count(kept: Kept, bytes: number): void {
    kept.bytes = bytes
    this.#bytes += bytes
    for (const key of this.#kept.keys()) {
      if (this.#bytes <= KEPT_BYTES_MAX) return
      this.#drop(key)
    }
  }

  #drop(key: string): void {
    this.#bytes -= this.#kept.get(key)?.bytes ?? 0
    this.#kept.delete(key)
  }
}

/** The rows are written out already, by the storage. */
const written = (head: string, json: Octets): Buffer =>
  Buffer.concat([Buffer.from(head), json, Buffer.from('}\n')])
