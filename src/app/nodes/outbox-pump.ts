import type { Log } from '#base/log.ts'
import type { Octets } from '#base/octets.ts'
import { Fault, isFault, messageOf } from '#base/outcome.ts'
import { SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import { WokenWork } from '#base/woken-work.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'
import type { OutboxItem } from '#store/mailbox/commit.ts'

import type { NamedCaller } from './node-callers.ts'

const ENTRIES_AT_ONCE = 50
/** Entries that are looked at where the first ones wait for a node that is away. */
const ENTRIES_SEEN_MAX = 3_200
const PIECE_BYTES = 256 * 1024
/** A queue that was away has come back. */
const LOOK_AGAIN_MS = 5 * SECOND_MS

interface OutboxPumpParts {
  readonly mailboxes: MailboxStore
  /** Who takes an entry, the same one each time; undefined: nobody now. */
  readonly queueFor: (entry: OutboxItem) => NamedCaller | undefined
  readonly clock: Clock
  readonly log: Log
}

/**
 * Hands what deliveries send out from the store's outbox to a queue, oldest first. An entry
 * is forgotten once the queue has it durably; handing it over again makes no second message.
 */
export class OutboxPump {
  readonly #parts: OutboxPumpParts
  readonly #work: WokenWork
  #limit = ENTRIES_AT_ONCE

  constructor(parts: OutboxPumpParts) {
    this.#parts = parts
    this.#work = new WokenWork({
      pass: () => this.#pass(),
      onTrouble: (cause) => parts.log.warn('outbox.waiting', { cause }),
      lookAgainMs: LOOK_AGAIN_MS,
      clock: parts.clock,
    })
  }

  /** Looks for work now. */
  wake(): void {
    this.#work.wake()
  }

  stop(): Promise<void> {
    return this.#work.close()
  }

  /** One look at the oldest entries: those of a node that is away wait for it, and hold up no others. */
  async #pass(): Promise<void> {
    const { mailboxes, queueFor } = this.#parts
    const { items } = await mailboxes.outbox({ limit: this.#limit })
    const away = new Set<string>()
    let handed = 0
    for (const item of items) {
      if (this.#work.isClosed) return
      const queue = queueFor(item)
      const name = queue?.node ?? ''
      if (away.has(name)) continue
      try {
        if (queue === undefined) throw new Fault('unavailable', 'no node takes it now')
        await queue.caller.outbox({ ...item, recipients: [...item.recipients] }, this.#octets(item))
        await mailboxes.outboxDone({ ids: [item.id] })
        handed++
      } catch (thrown) {
        if (!isFault(thrown)) throw thrown
        away.add(name)
        this.#parts.log.warn('outbox.waiting', { node: name, cause: messageOf(thrown) })
      }
    }
    const isWhole = items.length < this.#limit
    if (handed > 0) this.#limit = ENTRIES_AT_ONCE
    else if (!isWhole) this.#limit = Math.min(2 * this.#limit, ENTRIES_SEEN_MAX)
    const isStuck = handed === 0 && this.#limit === ENTRIES_SEEN_MAX
    if (!isWhole && !isStuck) this.#work.wake()
  }

  async *#octets(item: OutboxItem): AsyncGenerator<Octets> {
    for (let offset = 0; offset < item.sizeBytes;) {
      const length = Math.min(PIECE_BYTES, item.sizeBytes - offset)
      const { octets } = await this.#parts.mailboxes.readOutbox({ id: item.id, offset, length })
      if (octets.byteLength === 0) return
      offset += octets.byteLength
      yield octets
    }
  }
}
