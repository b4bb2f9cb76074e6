import type { Octets } from '#base/octets.ts'
import { isFault } from '#base/outcome.ts'
import type { FaultCode } from '#base/outcome.ts'
import type { MessageSink } from '#model/reception.ts'
import type { Reply } from '#model/reply.ts'

import type { DeliveryQueue, WaitingMail } from './delivery-queue.ts'
import type { DeliverySink } from './delivery-sink.ts'

/** Faults that say: the mailboxes are away, and will take it later. */
const AWAY: readonly FaultCode[] = ['stalled', 'closed', 'timeout', 'unreachable', 'unavailable']

/**
 * Files a message, and queues it where the mailboxes turn out to be away. What is larger than memory
 * is on its way to them already, and is told to come again: by then they are known to be away.
 */
export class PatientSink implements MessageSink {
  readonly #filing: DeliverySink
  readonly #mail: WaitingMail
  readonly #queue: DeliveryQueue

  constructor(filing: DeliverySink, mail: WaitingMail, queue: DeliveryQueue) {
    this.#filing = filing
    this.#mail = mail
    this.#queue = queue
  }

  write(octets: Octets): Promise<void> {
    return this.#filing.write(octets)
  }

  abort(): Promise<void> {
    return this.#filing.abort()
  }

  async finish(): Promise<readonly Reply[]> {
    try {
      return await this.#filing.file()
    } catch (thrown) {
      const { octets, refused } = this.#filing
      const isAway = isFault(thrown) && AWAY.includes(thrown.code)
      if (!isAway || octets === undefined || (await this.#queue.trouble()) !== undefined)
        return this.#filing.failed(thrown)
      return this.#wait(octets, refused)
    }
  }

  /** Queues it for those whom no script has refused: they are told so now, while somebody listens. */
  async #wait(
    octets: readonly Octets[],
    refused: readonly (Reply | undefined)[],
  ): Promise<readonly Reply[]> {
    const recipients = this.#mail.recipients.filter((_, index) => refused[index] === undefined)
    const content = this.#queue.content()
    for (const piece of octets) await content.add(piece)
    const { command, deliveryId, trace, octetsKey } = this.#mail
    const waiting = { command, deliveryId, trace, octetsKey, recipients }
    const replies = await this.#queue.take(waiting, content)
    let next = 0
    return this.#mail.recipients.map((_, index) => refused[index] ?? replies[next++]!)
  }
}

/** Queues a message at once: the mailboxes are known to be away. */
export class QueueingSink implements MessageSink {
  readonly #mail: WaitingMail
  readonly #queue: DeliveryQueue
  readonly #content: ReturnType<DeliveryQueue['content']>
  #fault: unknown

  constructor(mail: WaitingMail, queue: DeliveryQueue) {
    this.#mail = mail
    this.#queue = queue
    this.#content = queue.content()
  }

  async write(octets: Octets): Promise<void> {
    if (this.#fault !== undefined) return
    try {
      await this.#content.add(octets)
    } catch (thrown) {
      this.#fault = thrown
    }
  }

  abort(): Promise<void> {
    return this.#content.drop()
  }

  finish(): Promise<readonly Reply[]> {
    return this.#fault === undefined
      ? this.#queue.take(this.#mail, this.#content)
      : this.#queue.refuse(this.#mail, this.#content, this.#fault)
  }
}
