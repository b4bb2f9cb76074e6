import type { BlobRef } from '#store/blob/blobs.ts'
import type { Database } from '#store/db/database.ts'

interface Live {
  messages: number
  bytes: number
}

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

  files(): ReadonlySet<number> {
    return new Set(this.#segments.keys())
  }
}
