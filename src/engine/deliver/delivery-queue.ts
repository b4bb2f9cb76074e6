import type { Octets } from '#base/octets.ts'
import type { Clock } from '#base/time.ts'
import { KeptContent } from '#engine/receive/kept-content.ts'
import { replyOf, SpoolHealth } from '#engine/receive/spool-health.ts'
import { formatAddress } from '#model/address.ts'
import type { DeliveryId, Recipient } from '#model/envelope.ts'
import type { EventSink } from '#model/event.ts'
import type { MailCommand } from '#model/reception.ts'
import type { Reply } from '#model/reply.ts'
import type { SpoolStore } from '#store/spool/spool-store.ts'

/** A message that waits for the mailboxes, as its peer gave it. */
export interface WaitingMail {
  readonly command: MailCommand
  readonly deliveryId: string
  readonly recipients: readonly Recipient[]
  /** The Received field of its transaction. */
  readonly trace: Octets
  /** Of its sender and octets (`UnheardAnswers`). */
  readonly octetsKey: string
}

interface DeliveryQueueParts {
  readonly spool: SpoolStore
  readonly lifetimeMs: () => number
  readonly clock: Clock
  readonly events: EventSink
  /** Something has entered. */
  readonly entered: () => void
}

/** Where mail of foreign peers waits while the mailboxes are away; a 250 of it is durable. */
export class DeliveryQueue {
  readonly #parts: DeliveryQueueParts
  readonly #health: SpoolHealth

  constructor(parts: DeliveryQueueParts) {
    this.#parts = parts
    this.#health = new SpoolHealth(parts.spool, parts.clock)
  }

  /** Why it takes nothing now; undefined: it does. */
  trouble(): Promise<Reply | undefined> {
    return this.#health.current()
  }

  /** Octets of a message that is to wait. */
  content(): KeptContent {
    return new KeptContent(this.#parts.spool)
  }

  /** Durable where the replies are 250; one for each recipient. */
  async take(mail: WaitingMail, content: KeptContent): Promise<readonly Reply[]> {
    try {
      const queueId = await this.#accept(mail, content)
      return mail.recipients.map(({ address }) => ({
        code: 250,
        status: '2.1.5',
        text: `<${formatAddress(address)}> queued as ${queueId}`,
      }))
    } catch (thrown) {
      return this.refuse(mail, content, thrown)
    }
  }

  /** Our trouble, told to each recipient; nothing is kept. */
  async refuse(
    mail: WaitingMail,
    content: KeptContent,
    thrown: unknown,
  ): Promise<readonly Reply[]> {
    await content.drop()
    const reply = replyOf(thrown)
    return mail.recipients.map(() => reply)
  }

  async #accept(mail: WaitingMail, content: KeptContent): Promise<string> {
    const { spool, clock, events, entered, lifetimeMs } = this.#parts
    const { command, deliveryId, recipients, trace, octetsKey } = mail
    const { ret, envid, handed } = command
    const nowMs = clock.nowMs()
    const { queueId } = await spool.accept({
      deliveryId: deliveryId as DeliveryId,
      door: 'lmtp',
      reversePath: command.reversePath,
      recipients: recipients.map((recipient) => ({
        ...recipient,
        // Nobody here has verified the sender: it is told of a delay only where it asks (RFC 3461 §4.1).
        notify: recipient.notify ?? ['failure'],
      })),
      body: command.body,
      smtpUtf8: command.smtpUtf8,
      ...(ret !== undefined && { ret }),
      ...(envid !== undefined && { envid }),
      ...(handed?.verdict !== undefined && { verdict: handed.verdict }),
      octetsKey,
      receivedAtMs: nowMs,
      expiresAtMs: nowMs + lifetimeMs(),
      content: content.handOver(trace),
    })
    const from = command.reversePath === null ? '<>' : formatAddress(command.reversePath)
    for (const { address } of recipients)
      events.emit({
        atMs: nowMs,
        name: 'queue.accepted',
        deliveryId,
        fields: { queueId, from, recipient: formatAddress(address), ip: command.peer.ip },
      })
    entered()
    return queueId
  }
}
