import { emptyOctets } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { Fault, isFault, messageOf } from '#base/outcome.ts'
import type { Clock } from '#base/time.ts'
import type { RecipientResult } from '#client/smtp/job.ts'
import { DeliverySink, FULL, STALLED } from '#engine/deliver/delivery-sink.ts'
import type { DeliveryOptions } from '#engine/deliver/delivery-sink.ts'
import { destinationOf } from '#engine/deliver/destination.ts'
import type { Destination } from '#engine/deliver/destination.ts'
import { receivedField } from '#engine/deliver/received-field.ts'
import { UNAVAILABLE } from '#engine/deliver/store-reception.ts'
import type { Attempt } from '#engine/queue/attempt.ts'
import { ownTrouble } from '#engine/queue/attempt.ts'
import type { LoadCarrier } from '#engine/queue/carrier.ts'
import type { Load } from '#engine/queue/hop-lanes.ts'
import type { Reply } from '#model/reply.ts'
import type { Directory } from '#store/directory/directory.ts'
import type { QueueMessage, QueueRecipient, SpoolStore } from '#store/spool/spool-store.ts'

import type { NamedCaller } from './node-callers.ts'

const PIECE_BYTES = 256 * 1024

export interface DeliveryCarrierParts {
  readonly spool: Pick<SpoolStore, 'read'>
  readonly directory: Directory
  readonly delivery: DeliveryOptions
  readonly hostname: string
  /** How the mailboxes are: anything but `ready` is not asked. */
  readonly mailboxes: () => { readonly state: string; readonly reason?: string }
  /** The mailboxes have not answered. */
  readonly doubt: (cause: unknown) => void
  readonly gatewayFor: (id: string) => NamedCaller | undefined
  readonly clock: Clock
}

/**
 * Carries what waits in a deliver's queue: into mailboxes in this very process, as if it had come by
 * LMTP just now; all else to a gateway's queue, over the node API. That is asked for by id, so that an
 * answer that was lost makes no second message, as it would by SMTP.
 */
export class DeliveryCarrier implements LoadCarrier {
  readonly #parts: DeliveryCarrierParts

  constructor(parts: DeliveryCarrierParts) {
    this.#parts = parts
  }

  carry(load: Load): Promise<Attempt> {
    return load.hop.kind === 'local' ? this.#file(load) : this.#handOver(load)
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  async #file(load: Load): Promise<Attempt> {
    const { state, reason } = this.#parts.mailboxes()
    if (state !== 'ready')
      return ownTrouble(load, { code: 451, status: '4.3.0', text: reason ?? state })
    const found = load.recipients.map((recipient) => this.#destination(load.message, recipient))
    const going = found.filter((each): each is Destination => !('code' in each))
    const replies = going.length === 0 ? [] : await this.#deliver(load.message, going)
    let next = 0
    const results = found.map((each): RecipientResult => {
      const reply = 'code' in each ? each : replies[next++]!
      // What no mailbox has said is our own trouble: it is no reason for a report.
      const isOwn = reply === STALLED || reply === FULL || reply === UNAVAILABLE
      return { reply, by: isOwn ? 'self' : 'peer' }
    })
    return { results, own: true, final: true, relayedDsn: false }
  }

  #destination(message: QueueMessage, { address }: QueueRecipient): Destination | Reply {
    const { directory } = this.#parts
    if (directory.seq === 0) return UNAVAILABLE
    const found = destinationOf(address, directory, { isExpanded: message.door !== 'lmtp' })
    return found.ok ? found.value : found.error
  }

  async #deliver(
    message: QueueMessage,
    destinations: readonly Destination[],
  ): Promise<readonly Reply[]> {
    const { delivery, hostname, clock, doubt } = this.#parts
    const { deliveryId, verdict, smtpUtf8 } = message
    // What came by LMTP has the field of its transaction already.
    const trace =
      message.door === 'lmtp'
        ? emptyOctets
        : receivedField({ smtpUtf8, hostname, deliveryId, atMs: clock.nowMs() })
    const command = { ...message, handed: { deliveryId, ...(verdict && { verdict }) } }
    const sink = new DeliverySink(
      { command, deliveryId, destinations, trace, isAccepted: message.door === 'lmtp' },
      delivery,
    )
    try {
      for await (const piece of this.#octets(message)) await sink.write(piece)
    } catch (thrown) {
      await sink.abort()
      throw thrown
    }
    try {
      return await sink.file()
    } catch (thrown) {
      doubt(thrown)
      return sink.failed(thrown)
    }
  }

  async #handOver(load: Load): Promise<Attempt> {
    const results: RecipientResult[] = []
    for (const recipient of load.recipients) results.push(await this.#handOne(load, recipient))
    return { results, own: true, final: false, relayedDsn: true }
  }

  /** An entry for each recipient: who else waits with it may change from attempt to attempt. */
  async #handOne({ message }: Load, { index, address }: QueueRecipient): Promise<RecipientResult> {
    const { deliveryId, reversePath, body, smtpUtf8, sizeBytes } = message
    const id = index === 0 ? deliveryId : `${deliveryId}-r${index}`
    const gateway = this.#parts.gatewayFor(id)
    if (gateway === undefined) return waits('no gateway takes mail now')
    try {
      await gateway.caller.outbox(
        { id, kind: 'forward', reversePath, recipients: [address], body, smtpUtf8, sizeBytes },
        this.#octets(message),
      )
    } catch (thrown) {
      if (!isFault(thrown)) throw thrown
      return waits(`${gateway.node}: ${messageOf(thrown)}`)
    }
    const text = `handed to ${gateway.node}`
    return { reply: { code: 250, status: '2.0.0', text }, by: 'peer' }
  }

  async *#octets({ queueId, sizeBytes }: QueueMessage): AsyncGenerator<Octets> {
    for (let offset = 0; offset < sizeBytes;) {
      const length = Math.min(PIECE_BYTES, sizeBytes - offset)
      const { octets } = await this.#parts.spool.read({ queueId, offset, length })
      if (octets.byteLength === 0) throw new Fault('corrupt', `${queueId} ends early`)
      offset += octets.byteLength
      yield octets
    }
  }
}

const waits = (text: string): RecipientResult => ({
  reply: { code: 451, status: '4.4.1', text },
  by: 'self',
})
