import { timedId } from '#base/id.ts'
import { err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import { formatAddress } from '#model/address.ts'
import type { DeliveryId, Recipient } from '#model/envelope.ts'
import type { Reply } from '#model/reply.ts'
import { bounceAddressOf, maySendAs, refusal } from '#engine/sender/authorise.ts'
import { GatewaySink } from './gateway-sink.ts'
import type { MailCommand, MessageSink, Reception, Transaction } from '#model/reception.ts'
import { tellRefusal } from './reception-events.ts'
import { resolveRecipient } from './recipient.ts'
import type { QueueTarget } from './recipient.ts'
import { FULL, SpoolHealth } from './spool-health.ts'
import type { GatewayReceptionOptions } from './gateway-options.ts'

/** The front door of a gateway for `mx`, `relay` and `submission`: judged, decided in session, queued. */
export function gatewayReception(options: GatewayReceptionOptions): Reception {
  const health = new SpoolHealth(options.spool, options.clock)
  return {
    // A full disk is told before DATA; only a stall closes the door.
    unready: () => (health.known === FULL ? undefined : health.known),
    async mail(command) {
      const id = timedId(options.clock.nowMs()) as DeliveryId
      const trouble = await health.current()
      const refused = trouble ?? refuseMail(command, options)
      if (refused !== undefined) {
        tellRefusal(options, { command, id }, refused)
        return err(refused)
      }
      return ok(new GatewayTransaction(options, health, { command: asSent(command, options), id }))
    },
  }
}

function refuseMail(command: MailCommand, options: GatewayReceptionOptions): Reply | undefined {
  const { account, reversePath, door, sizeBytes } = command
  const sizeBytesMax = options.settings()['mail.sizeBytesMax']
  if (sizeBytes !== undefined && sizeBytes > sizeBytesMax)
    return { code: 552, status: '5.3.4', text: `Message size exceeds ${sizeBytesMax} octets` }
  if (door !== 'submission') return undefined
  if (account === undefined) return { code: 530, status: '5.7.0', text: 'Authentication required' }
  if (reversePath === null || maySendAs(account, reversePath, options.directory)) return undefined
  return { code: 550, status: '5.7.1', text: refusal(account, formatAddress(reversePath)) }
}

/** With the reverse-path by which its sender hears of what comes back. */
function asSent(command: MailCommand, { directory }: GatewayReceptionOptions): MailCommand {
  const { account, reversePath, door } = command
  if (door !== 'submission' || account === undefined || reversePath === null) return command
  return { ...command, reversePath: bounceAddressOf(account, reversePath, directory) }
}

class GatewayTransaction implements Transaction {
  readonly #options: GatewayReceptionOptions
  readonly #health: SpoolHealth
  readonly #command: MailCommand
  readonly #id: DeliveryId
  readonly #recipients: Recipient[] = []
  readonly #targets = new Map<string, QueueTarget>()

  constructor(
    options: GatewayReceptionOptions,
    health: SpoolHealth,
    mail: { readonly command: MailCommand; readonly id: DeliveryId },
  ) {
    this.#options = options
    this.#health = health
    this.#command = mail.command
    this.#id = mail.id
  }

  rcpt(recipient: Recipient): Promise<Reply | undefined> {
    const refused = this.#take(recipient)
    if (refused !== undefined) this.#tell(refused, [recipient])
    return Promise.resolve(refused)
  }

  #take(recipient: Recipient): Reply | undefined {
    const settings = this.#options.settings()
    if (this.#recipients.length >= settings['smtp.recipientsMax'])
      return { code: 452, status: '4.5.3', text: 'Too many recipients' }
    const resolved = resolveRecipient(recipient, this.#command.door, this.#options.directory)
    if (!resolved.ok) return resolved.error
    this.#recipients.push(recipient)
    for (const target of resolved.value)
      if (!this.#targets.has(target.key)) this.#targets.set(target.key, target)
    return undefined
  }

  async data(): Promise<Outcome<MessageSink, Reply>> {
    const trouble = await this.#health.current()
    if (trouble !== undefined) {
      this.#tell(trouble, this.#recipients)
      return err(trouble)
    }
    return ok(
      new GatewaySink(this.#options, {
        command: this.#command,
        id: this.#id,
        recipients: [...this.#recipients],
        targets: [...this.#targets.values()],
      }),
    )
  }

  abort(): void {
    this.#recipients.length = 0
    this.#targets.clear()
  }

  #tell(reply: Reply, recipients: readonly Recipient[]): void {
    tellRefusal(this.#options, { command: this.#command, id: this.#id }, reply, recipients)
  }
}
