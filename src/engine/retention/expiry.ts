import { messageOf } from '#base/outcome.ts'
import { DAY_MS, HOUR_MS, SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { Log } from '#base/log.ts'
import type { EventSink } from '#model/event.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'

export type ExpiringStore = Pick<MailboxStore, 'expire' | 'lastExpiry' | 'noteExpiry'>

interface ExpiryParts {
  readonly mailboxes: ExpiringStore
  readonly clock: Clock
  readonly log: Log
  readonly events: EventSink
  /** Messages that one run may delete. */
  readonly perRunMax: () => number
}

/** A start has other things to do first. */
const FIRST_MS = 20 * SECOND_MS
const EVERY_MS = 3 * HOUR_MS
/** A clock that went on by more than this since the last run may be wrong: what takes days of age must not go at a jump. */
const GAP_MS = 10 * DAY_MS
/** What a wrong clock may take: it can be brought back. */
const AT_A_JUMP_MAX = 1_000
/** Between two steps whatever else waits for the disk has its turn. */
const PAUSE_MS = 5

/**
 * Deletes, every few hours, the mail that its mailbox keeps no longer: in all mailboxes, whether
 * anybody opens them or not. After a jump of the clock nothing goes beyond some hundred messages
 * until an administrator says so (`watari mailbox expire`).
 */
export class Expiry {
  readonly #parts: ExpiryParts
  #cancel: () => void
  #running: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(parts: ExpiryParts) {
    this.#parts = parts
    this.#cancel = parts.clock.after(FIRST_MS, () => this.#begin())
  }

  #begin(): void {
    this.#running = this.#run()
      .catch((thrown: unknown) =>
        // A disk that stalls says so to deliveries as well; the next run finds the same mail.
        this.#parts.log.warn('store.expiryFailed', { error: messageOf(thrown) }),
      )
      .finally(() => {
        if (!this.#isClosed) this.#cancel = this.#parts.clock.after(EVERY_MS, () => this.#begin())
      })
  }

  async #run(): Promise<void> {
    const { mailboxes, clock, perRunMax } = this.#parts
    const nowMs = clock.nowMs()
    const { ranAtMs } = await mailboxes.lastExpiry()
    if (ranAtMs !== undefined && nowMs - ranAtMs > GAP_MS) {
      const due = await this.#pass(nowMs, { limit: AT_A_JUMP_MAX + 1, isDry: true })
      if (due.messages > AT_A_JUMP_MAX) {
        this.#tell('store.expiryHeld', { lastRun: new Date(ranAtMs).toISOString() })
        return
      }
    }
    const limit = perRunMax()
    const gone = await this.#pass(nowMs, { limit, isDry: false })
    if (this.#isClosed) return
    await mailboxes.noteExpiry({ ranAtMs: nowMs })
    if (gone.messages > 0) this.#tell('store.expired', { ...gone, limited: gone.messages >= limit })
  }

  /** All that is due, up to the limit. */
  async #pass(
    asOfMs: number,
    { limit, isDry }: { readonly limit: number; readonly isDry: boolean },
  ): Promise<{ readonly messages: number; readonly mailboxes: number }> {
    const { mailboxes, clock } = this.#parts
    const touched = new Set<string>()
    let messages = 0
    let after: string | undefined
    do {
      const ask = { asOfMs, limit: limit - messages, ...(after !== undefined && { after }) }
      // A look costs no commit: most steps find nothing.
      let step = await mailboxes.expire({ ...ask, dryRun: true })
      if (!isDry && step.expired.length > 0)
        step = await mailboxes.expire({ ...ask, dryRun: false })
      for (const { mailboxId, messages: count } of step.expired) {
        touched.add(mailboxId)
        messages += count
      }
      after = step.next
      if (after !== undefined) await new Promise<void>((next) => clock.after(PAUSE_MS, next))
    } while (after !== undefined && messages < limit && !this.#isClosed)
    return { messages, mailboxes: touched.size }
  }

  #tell(name: string, fields: Readonly<Record<string, string | number | boolean>>): void {
    const { events, clock, log } = this.#parts
    events.emit({ atMs: clock.nowMs(), name, fields })
    if (name === 'store.expiryHeld')
      log.warn(name, { ...fields, remedy: 'look at the clock; then: watari mailbox expire' })
  }

  /** Waits for the step that runs. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#cancel()
    await this.#running
  }
}
