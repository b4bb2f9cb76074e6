import type { BlobRef } from '#store/blob/blobs.ts'
import type { Database } from '#store/db/database.ts'

interface Live {
  messages: number
  bytes: number
}

/** Fewer segments than this are left alone, however empty. */
const COMPACT_SEGMENTS_MIN = 4
/** A segment that still holds so much, a quarter of its size, is left alone. */
const COMPACT_BYTES_MAX = 16 * 1024 * 1024

/** What still lies in each segment, so that an empty one can go without asking the table. */
export class LiveSegments {
  readonly #segments = new Map<number, Live>()
  #messages = 0

  constructor(db: Database) {
    const rows = db.query<{ kind: number; file: number; messages: number; bytes: number }>(
      `SELECT blob_kind AS kind, blob_file AS file, count(*) AS messages, sum(blob_length) AS bytes
       FROM message GROUP BY blob_kind, blob_file`,
    )
    for (const { kind, file, messages, bytes } of rows.iterate()) {
      this.#messages += messages
      if (kind === 0) this.#segments.set(file, { messages, bytes })
    }
  }

  /** Messages whose octets are here, in files of their own included. */
  get messages(): number {
    return this.#messages
  }

  add(ref: BlobRef): void {
    this.#messages++
    if (ref.kind !== 'segment') return
    const live = this.#segments.get(ref.file)
    if (live === undefined) this.#segments.set(ref.file, { messages: 1, bytes: ref.length })
    else {
      live.messages++
      live.bytes += ref.length
    }
  }

  /** True where nothing is left in its segment. */
  remove(ref: BlobRef): boolean {
    this.#messages--
    const live = ref.kind === 'segment' ? this.#segments.get(ref.file) : undefined
    if (live === undefined) return false
    live.messages--
    live.bytes -= ref.length
    return live.messages === 0 && this.#segments.delete(ref.file)
  }

  /** The message lies elsewhere now. */
  move(from: BlobRef, to: BlobRef): void {
    this.remove(from)
    this.add(to)
  }

  /** The segment that holds least, if it is worth emptying: nearly empty, not the newest, one of many. */
  sparsest(): number | undefined {
    if (this.#segments.size < COMPACT_SEGMENTS_MIN) return undefined
    const newest = Math.max(...this.#segments.keys())
    let found: number | undefined
    let bytes = COMPACT_BYTES_MAX
    for (const [file, live] of this.#segments)
      if (file !== newest && live.bytes < bytes) {
        found = file
        bytes = live.bytes
      }
    return found
  }

  files(): ReadonlySet<number> {
    return new Set(this.#segments.keys())
  }
}
