import { messageOf } from '#base/outcome.ts'
import { MINUTE_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { Log } from '#base/log.ts'
import type { EventSink } from '#model/event.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'
import { SCRUB_ROUND_MS } from '#store/mailbox/mailbox-store.ts'
import type { DatabaseHealth } from '#store/db/look-over.ts'

interface ScrubbingParts {
  readonly mailboxes: Pick<MailboxStore, 'scrub'>
  readonly clock: Clock
  readonly log: Log
  readonly events: EventSink
}

const EVERY_MS = MINUTE_MS
/** Read in a minute at least: a small store is done in hours, and then waits for its month to end. */
const BYTES_MIN = 4 * 1024 * 1024
/** One call: what whoever wants the disk meanwhile has to wait for; the store ends it sooner where it takes long. */
const STEP_BYTES_MAX = 4 * 1024 * 1024
/** Metas, and what a step reads beyond its limit. */
const SHARE = 1.5

/**
 * Has all octets of the mailboxes read once a month, a little every minute, and tells of each message
 * that is damaged: once, while a backup may still have it whole.
 */
export class Scrubbing {
  readonly #parts: ScrubbingParts
  #cancel: () => void
  #running: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(parts: ScrubbingParts) {
    this.#parts = parts
    this.#cancel = parts.clock.after(EVERY_MS, () => this.#begin())
  }

  #begin(): void {
    this.#running = this.#run()
      .catch((thrown: unknown) =>
        this.#parts.log.warn('store.scrubFailed', { error: messageOf(thrown) }),
      )
      .finally(() => {
        if (!this.#isClosed) this.#cancel = this.#parts.clock.after(EVERY_MS, () => this.#begin())
      })
  }

  async #run(): Promise<void> {
    let left = BYTES_MIN
    for (let isFirst = true; left > 0 && !this.#isClosed; isFirst = false) {
      const limitBytes = Math.min(left, STEP_BYTES_MAX)
      const step = await this.#parts.mailboxes.scrub({ limitBytes })
      if (isFirst) left = Math.max(left, (step.storedBytes * SHARE * EVERY_MS) / SCRUB_ROUND_MS)
      left -= step.bytes
      for (const { accountId, path, uid, isExpunged } of step.damaged)
        this.#tell('store.damaged', { accountId, mailbox: path.join('/'), uid, isExpunged })
      if (step.mended > 0) this.#tell('store.mended', { messages: step.mended })
      if (step.database !== undefined) this.#tellDatabase(step.database)
      // The round has ended, or is not due.
      if (!step.hasMore) return
    }
  }

  #tellDatabase(database: DatabaseHealth): void {
    if (database.kind === 'damaged') this.#tell('store.databaseDamaged', { text: database.text })
    if (database.kind === 'unknown')
      this.#parts.log.info('store.databaseUnchecked', { text: database.text })
  }

  #tell(name: string, fields: Readonly<Record<string, string | number | boolean>>): void {
    const { clock, events, log } = this.#parts
    events.emit({ atMs: clock.nowMs(), name, fields })
    log.warn(name, fields)
  }

  /** Waits for the step that runs. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#cancel()
    await this.#running
  }
}
