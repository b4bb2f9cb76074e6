import type { Octets } from '#base/octets.ts'
import type { Clock } from '#base/time.ts'
import type { Recipient } from '#model/envelope.ts'
import type { MailCommand } from '#model/reception.ts'
import type { Arrival } from '#store/mailbox/commit.ts'

import type { WaitingMail } from './delivery-queue.ts'
import type { ArrivingMail } from './delivery-sink.ts'
import type { Destination } from './destination.ts'
import { receivedField } from './received-field.ts'

/** A message whose octets are coming. What it is known by is settled when they are all there. */
export class MailInHand implements ArrivingMail, WaitingMail {
  readonly command: MailCommand
  readonly recipients: readonly Recipient[]
  readonly destinations: readonly Destination[]
  readonly isAccepted = false
  deliveryId: string
  octetsKey = ''
  /** Of a foreign peer, where the store keeps it. */
  arrival?: Arrival
  readonly #hostname: string
  readonly #clock: Clock

  constructor(
    mail: {
      readonly command: MailCommand
      readonly recipients: readonly Recipient[]
      readonly destinations: readonly Destination[]
    },
    parts: {
      readonly hostname: string
      readonly clock: Clock
      readonly newDeliveryId: () => string
    },
  ) {
    this.command = mail.command
    this.recipients = [...mail.recipients]
    this.destinations = [...mail.destinations]
    this.deliveryId = mail.command.handed?.deliveryId ?? parts.newDeliveryId()
    this.#hostname = parts.hostname
    this.#clock = parts.clock
  }

  get trace(): Octets {
    const { peer, smtpUtf8 } = this.command
    const atMs = this.#clock.nowMs()
    const { deliveryId } = this
    return receivedField({ peer, smtpUtf8, hostname: this.#hostname, deliveryId, atMs })
  }
}
