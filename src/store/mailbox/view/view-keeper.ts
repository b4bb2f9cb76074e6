import { SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import type { MailboxId } from '#model/mailbox.ts'
import type { MailboxChanged } from '#store/mailbox/mailbox-view.ts'
import type { Sql } from '#store/mailbox/rows/sql.ts'
import { KEPT_ROWS_MIN } from './kept-views.ts'
import { openedMailbox } from './view.ts'
import { CHANGED_SHARE } from './whole-view.ts'

/** After so long without a change of any mailbox. */
const QUIET_MS = 3 * SECOND_MS
/** Where changes never cease. */
const LATEST_MS = 30 * SECOND_MS
/** Mailboxes that are looked at before others get their turn. */
const LOOKS_PER_TURN = 100

interface Place {
  readonly accountId: AccountId
  readonly mailboxId: MailboxId
}

interface Parts {
  readonly sql: Sql
  readonly clock: Clock
  /** Reads the view whole, and keeps it. */
  readonly read: (place: Place) => Promise<unknown>
}

/**
 * Keeps views of large mailboxes that have changed much while nobody looked at them, as by a copy or
 * an import: the first who opens one after the next start finds it.
 */
export class ViewKeeper {
  readonly #parts: Parts
  readonly #changed = new Map<MailboxId, AccountId>()
  #firstMs = 0
  #lastMs = 0
  #cancel: (() => void) | undefined
  #running: Promise<void> = Promise.resolve()
  #isClosing = false

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Told after each COMMIT. */
  note({ accountId, mailboxId }: MailboxChanged): void {
    if (this.#isClosing) return
    this.#lastMs = this.#parts.clock.monotonicMs()
    if (this.#changed.size === 0) this.#firstMs = this.#lastMs
    this.#changed.set(mailboxId, accountId)
    if (this.#cancel === undefined) this.#wait(QUIET_MS)
  }

  /** Resolves when nothing is being looked at. */
  idle(): Promise<void> {
    return this.#running
  }

  /** What is being read for a file comes to nothing: nobody waits for a million rows that nobody asked for. */
  close(): void {
    this.#isClosing = true
    this.#cancel?.()
  }

  #wait(delayMs: number): void {
    const { clock } = this.#parts
    this.#cancel = clock.after(delayMs, () => {
      this.#cancel = undefined
      const nowMs = clock.monotonicMs()
      const dueMs = Math.min(this.#lastMs + QUIET_MS, this.#firstMs + LATEST_MS)
      if (nowMs < dueMs) this.#wait(dueMs - nowMs)
      else this.#running = this.#running.then(() => this.#look())
    })
  }

  async #look(): Promise<void> {
    const changed = [...this.#changed]
    this.#changed.clear()
    for (const [index, [mailboxId, accountId]] of changed.entries()) {
      if (index % LOOKS_PER_TURN === 0) await new Promise<void>((next) => setImmediate(next))
      if (this.#isClosing) return
      try {
        if (this.#isDue({ mailboxId, accountId })) await this.#parts.read({ mailboxId, accountId })
      } catch {
        // A disk in trouble, which others tell of: who opens it reads its rows.
      }
    }
  }

  #isDue(place: Place): boolean {
    const { sql } = this.#parts
    const found = openedMailbox(sql, place)
    if (found === undefined || found.row.messages < KEPT_ROWS_MIN) return false
    const { aid, row } = found
    const [keptTo] = sql.get<[number]>(
      'SELECT modseq FROM kept_view WHERE aid = ? AND mid = ?',
      aid,
      row.mid,
    ) ?? [0]
    const enough = Math.floor(row.messages / CHANGED_SHARE) + 1
    const [changes] = sql.get<[number]>(
      `SELECT count(*) FROM (SELECT 1 FROM message INDEXED BY message_modseq
       WHERE aid = ? AND mid = ? AND modseq > ? LIMIT ?)`,
      aid,
      row.mid,
      keptTo,
      enough,
    ) ?? [0]
    return changes >= enough
  }
}
