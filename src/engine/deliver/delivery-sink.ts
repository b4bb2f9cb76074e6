import { concatOctets, emptyOctets, fromUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { isFault, messageOf } from '#base/outcome.ts'
import { headerLength } from '#codec/mime/header.ts'
import { formatAddress } from '#model/address.ts'
import { transmissionType } from '#model/envelope.ts'
import type { EventSink } from '#model/event.ts'
import type { Reply } from '#model/reply.ts'
import type { MailCommand, MessageSink } from '#model/reception.ts'
import { RECORD_BYTES_MAX } from '#store/blob/blobs.ts'
import type { Content, LargeHandle } from '#store/blob/blobs.ts'

import { DeliveryPlanner, accountCommit, replyOf, uidOf } from './delivery-jobs.ts'
import type { Job, PlannerOptions } from './delivery-jobs.ts'
import type { Destination } from './destination.ts'
import type { DeliveryMailboxes } from './delivery-mailboxes.ts'
import { sieveContent } from './sieve-message.ts'

export interface DeliveryOptions extends PlannerOptions {
  readonly mailboxes: DeliveryMailboxes
  readonly hostname: string
  /** Makes delivery ids for mail of foreign gateways. */
  readonly newDeliveryId: () => string
  readonly events: EventSink
  /** Called after a delivery that may have put something into the outbox. */
  readonly filed: () => void
}

export const STALLED: Reply = {
  code: 451,
  status: '4.3.0',
  text: 'Storage does not answer; try again',
}
export const FULL: Reply = { code: 452, status: '4.3.1', text: 'Storage is full; try again later' }

/** Takes one message's octets, then files it: one commit for all its recipients, one reply for each. */
export class DeliverySink implements MessageSink {
  readonly #command: MailCommand
  readonly #destinations: readonly Destination[]
  readonly #options: DeliveryOptions
  #head: Octets[] = []
  #sizeBytes = 0
  #large: LargeHandle | undefined
  /** The first fault of a large write; told at the end. */
  #fault: unknown

  constructor(
    command: MailCommand,
    destinations: readonly Destination[],
    options: DeliveryOptions,
  ) {
    this.#command = command
    this.#destinations = destinations
    this.#options = options
  }

  async write(octets: Octets): Promise<void> {
    this.#sizeBytes += octets.byteLength
    if (this.#fault !== undefined) return
    if (this.#large === undefined && this.#sizeBytes <= RECORD_BYTES_MAX) {
      this.#head.push(octets.slice())
      return
    }
    try {
      await this.#stream(octets)
    } catch (thrown) {
      this.#fault = thrown
    }
  }

  async #stream(octets: Octets): Promise<void> {
    const { mailboxes } = this.#options
    if (this.#large === undefined) {
      this.#large = (await mailboxes.openLarge()).handle
      await mailboxes.appendLarge({ handle: this.#large, octets: concatOctets(this.#head) })
    }
    await mailboxes.appendLarge({ handle: this.#large, octets })
  }

  async abort(): Promise<void> {
    const handle = this.#large
    this.#large = undefined
    this.#head = []
    if (handle !== undefined)
      await this.#options.mailboxes.abortLarge({ handle }).catch(() => undefined)
  }

  async finish(): Promise<readonly Reply[]> {
    try {
      if (this.#fault !== undefined) throw this.#fault
      return await this.#deliver()
    } catch (thrown) {
      this.#options.log.warn('deliver.failed', { cause: messageOf(thrown) })
      await this.abort()
      const reply = isFault(thrown, 'full') ? FULL : STALLED
      return this.#destinations.map(() => reply)
    }
  }

  async #deliver(): Promise<readonly Reply[]> {
    const { mailboxes, clock } = this.#options
    const deliveryId = this.#command.handed?.deliveryId ?? this.#options.newDeliveryId()
    const head = concatOctets(this.#head.length === 0 ? [emptyOctets] : this.#head)
    const message = sieveContent(
      head.subarray(0, headerLength(head)),
      this.#sizeBytes,
      this.#command.handed?.verdict,
    )
    const planner = new DeliveryPlanner(this.#options, {
      deliveryId,
      command: this.#command,
      message,
    })
    const jobs = await planner.jobs(this.#destinations)
    const commits = jobs.filter((job) => job.plan.refusal === undefined)
    const content: Content =
      this.#large === undefined
        ? { octets: this.#received(deliveryId, this.#head) }
        : { prefix: concatOctets(this.#received(deliveryId, [])), large: this.#large }
    const results =
      commits.length === 0
        ? []
        : (
            await mailboxes.commit({
              contents: [content],
              commits: commits.map(accountCommit),
            })
          ).results
    if (commits.length === 0) await this.abort()
    for (const [i, job] of commits.entries()) job.result = results[i]
    this.#tell(jobs, deliveryId, clock.nowMs())
    if (jobs.some((job) => job.plan.outbox.length > 0 || job.forwards.length > 0))
      this.#options.filed()
    return this.#destinations.map((destination, index) =>
      replyOf(
        destination,
        jobs.filter((job) => job.indexes.includes(index)),
      ),
    )
  }

  /** One Received field a transaction (RFC 5321 §4.4), shared by all its recipients. */
  #received(deliveryId: string, octets: readonly Octets[]): readonly Octets[] {
    const { hostname, clock } = this.#options
    const { peer, smtpUtf8 } = this.#command
    const from = peer.helo ?? 'localhost'
    const protocol = transmissionType(peer, smtpUtf8)
    const date = new Date(clock.nowMs()).toUTCString().replace('GMT', '+0000')
    const field = `Received: from ${from} (${peer.ip})\r\n by ${hostname} with ${protocol} id ${deliveryId};\r\n ${date}\r\n`
    return [fromUtf8(field), ...octets]
  }

  #tell(jobs: readonly Job[], deliveryId: string, atMs: number): void {
    for (const { accountId, recipient, plan, forwards, result } of jobs)
      this.#options.events.emit({
        atMs,
        name: result?.kind === 'committed' ? 'store.filed' : `store.${result?.kind ?? 'rejected'}`,
        deliveryId,
        fields: {
          recipient: formatAddress(recipient),
          accountId,
          mailboxes: plan.filed.join(', '),
          uid: uidOf(result) ?? null,
          sent: plan.outbox.length + forwards.length,
        },
      })
  }
}
