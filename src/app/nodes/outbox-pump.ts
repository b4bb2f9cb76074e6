import type { Log } from '#base/log.ts'
import type { Octets } from '#base/octets.ts'
import { Fault, messageOf } from '#base/outcome.ts'
import { SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { NodeCaller } from '#client/node/node-caller.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'
import type { OutboxItem } from '#store/mailbox/commit.ts'

const ENTRIES_AT_ONCE = 50
const PIECE_BYTES = 256 * 1024
/** However quiet it is: a gateway that was away has come back. */
const LOOK_AGAIN_MS = 5 * SECOND_MS

interface OutboxPumpParts {
  readonly mailboxes: MailboxStore
  /** Who takes an entry, the same one each time; undefined: nobody now. */
  readonly gatewayFor: (id: string) => NodeCaller | undefined
  readonly clock: Clock
  readonly log: Log
}

/**
 * Hands what deliveries send out from the store's outbox to a gateway's queue, oldest first. An entry
 * is forgotten once the gateway has it durably; handing it over again makes no second message.
 */
export class OutboxPump {
  readonly #parts: OutboxPumpParts
  #isRunning = false
  #again = false
  #isStopping = false
  #running: Promise<void> = Promise.resolve()
  #cancel: (() => void) | undefined

  constructor(parts: OutboxPumpParts) {
    this.#parts = parts
  }

  /** Looks for work now. */
  wake(): void {
    if (this.#isStopping) return
    this.#again = true
    if (this.#isRunning) return
    this.#isRunning = true
    this.#running = this.#run().finally(() => {
      this.#isRunning = false
    })
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    this.#cancel?.()
    await this.#running
  }

  async #run(): Promise<void> {
    this.#cancel?.()
    while (this.#again && !this.#isStopping) {
      this.#again = false
      try {
        await this.#pass()
      } catch (thrown) {
        this.#parts.log.warn('outbox.waiting', { cause: messageOf(thrown) })
      }
    }
    if (!this.#isStopping) this.#cancel = this.#parts.clock.after(LOOK_AGAIN_MS, () => this.wake())
  }

  async #pass(): Promise<void> {
    const { mailboxes, gatewayFor } = this.#parts
    const { items } = await mailboxes.outbox({ limit: ENTRIES_AT_ONCE })
    for (const item of items) {
      if (this.#isStopping) return
      const { accountId: _, ...head } = item
      const gateway = gatewayFor(item.id)
      if (gateway === undefined) throw new Fault('unavailable', 'no gateway takes mail now')
      await gateway.outbox({ ...head, recipients: [...head.recipients] }, this.#octets(item))
      await mailboxes.outboxDone({ ids: [item.id] })
    }
    if (items.length === ENTRIES_AT_ONCE) this.#again = true
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
