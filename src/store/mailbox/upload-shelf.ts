import { emptyOctets } from '#base/octets.ts'
import type { Clock } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import type { BlobRef, Blobs, LargeHandle } from '#store/blob/blobs.ts'
import type { GroupCommit } from '#store/db/group-commit.ts'
import { openAccount } from '#store/mailbox/change/account.ts'
import { ROWS_AT_ONCE } from '#store/mailbox/rows/sql.ts'
import type { Sql } from '#store/mailbox/rows/sql.ts'
import {
  hasUploads,
  keepUpload,
  tidyUploads,
  UPLOAD_KEPT_MS,
} from '#store/mailbox/objects/uploads.ts'
import { saveAccount } from '#store/mailbox/rows/work.ts'

interface ShelfParts {
  readonly sql: Sql
  readonly blobs: Blobs
  readonly clock: Clock
  readonly group: GroupCommit
  readonly needRoom: () => void
  /** Deletes files that no row names. */
  readonly release: (files: readonly BlobRef[]) => Promise<void>
}

/** Uploads on the disk, each a file of its own, so that its space comes back when its time is over. */
export class UploadShelf {
  readonly #parts: ShelfParts
  #cancel: (() => void) | undefined
  #tidying: Promise<void> = Promise.resolve()
  #isClosing = false

  constructor(parts: ShelfParts) {
    this.#parts = parts
    if (hasUploads(parts.sql)) this.#schedule()
  }

  /** Durable when it resolves; the large file is kept or gone in any case. */
  async keep(ask: {
    readonly accountId: AccountId
    readonly id: string
    readonly type: string
    readonly large: LargeHandle
    readonly bytesMax: number
  }): Promise<boolean> {
    const { sql, blobs, clock, group, needRoom, release } = this.#parts
    let ref: BlobRef
    try {
      needRoom()
      ref = await blobs.finishLarge(ask.large, emptyOctets)
    } catch (thrown) {
      await blobs.abortLarge(ask.large).catch(() => undefined)
      throw thrown
    }
    const nowMs = clock.nowMs()
    const apply = (): { readonly isKept: boolean; readonly files: readonly BlobRef[] } => {
      const work = openAccount(sql, ask.accountId, nowMs)
      const isKept = keepUpload(work, { ...ask, ref })
      saveAccount(work)
      return { isKept, files: work.files }
    }
    try {
      const { isKept, files } = await group.commit({ apply })
      await release([ref, ...files])
      this.#schedule()
      return isKept
    } catch (thrown) {
      await release([ref])
      throw thrown
    }
  }

  /** Deletes those whose time is over. */
  tidy(): Promise<void> {
    const tidying = this.#tidying.then(() => this.#tidy())
    this.#tidying = tidying.catch(() => undefined)
    return tidying
  }

  async close(): Promise<void> {
    this.#isClosing = true
    this.#cancel?.()
    await this.#tidying
  }

  #schedule(): void {
    if (this.#isClosing || this.#cancel !== undefined) return
    // Half of the time: what came meanwhile goes after one and a half of it.
    this.#cancel = this.#parts.clock.after(UPLOAD_KEPT_MS / 2, () => {
      this.#cancel = undefined
      this.tidy()
        // A disk that fails or is full says so to others; the next time is soon.
        .catch(() => undefined)
        .finally(() => {
          if (!this.#isClosing && hasUploads(this.#parts.sql)) this.#schedule()
        })
    })
  }

  async #tidy(): Promise<void> {
    const { sql, clock, group, release } = this.#parts
    for (let more = true; more && !this.#isClosing;) {
      const nowMs = clock.nowMs()
      const files = await group.commit({ apply: () => tidyUploads(sql, nowMs, ROWS_AT_ONCE) })
      await release(files)
      more = files.length === ROWS_AT_ONCE
    }
  }
}
