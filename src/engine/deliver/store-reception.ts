import { err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import type { Recipient } from '#model/envelope.ts'
import type { Reply } from '#model/reply.ts'
import type { MailCommand, MessageSink, Reception, Transaction } from '#model/reception.ts'
import type { Directory } from '#store/directory/directory.ts'

import { copyIdOf, overQuotaReply } from './delivery-jobs.ts'
import type { DeliveryQueue } from './delivery-queue.ts'
import { DeliverySink, FULL, STALLED } from './delivery-sink.ts'
import type { DeliveryOptions } from './delivery-sink.ts'
import { destinationOf } from './destination.ts'
import type { Destination } from './destination.ts'
import { MailInHand } from './mail-in-hand.ts'
import { PatientSink, QueueingSink } from './patient-sink.ts'
import { ForeignSink } from './unheard-answers.ts'
import type { UnheardAnswers } from './unheard-answers.ts'

export interface StoreReceptionOptions extends DeliveryOptions {
  readonly directory: Directory
  readonly hostname: string
  /** Makes delivery ids for mail of foreign gateways. */
  readonly newDeliveryId: () => string
  /** What foreign peers may send once more though it is filed. */
  readonly unheard: UnheardAnswers
  /** How the storage is: anything but `ready` refuses mail before it is sent. */
  readonly unready: () => string
  /**
   * Takes what the mailboxes cannot take now, of foreign peers alone: a gateway of ours is told 451,
   * since its mail lies in a queue of ours already. Absent: nothing waits here.
   */
  readonly queue?: DeliveryQueue
}

/** LMTP into the mail store: each recipient's scripts run, then one commit, then one reply a recipient (RFC 2033 §4.2). */
export function storeReception(options: StoreReceptionOptions): Reception {
  return {
    unready: () => undefined,
    mail: async (command) => {
      const state = options.unready()
      const queue = command.handed === undefined ? options.queue : undefined
      const mail = { command, queue, isAway: state !== 'ready' }
      if (state === 'ready') return ok(new StoreTransaction(mail, options))
      if (state === 'full') return err(FULL)
      const trouble = queue === undefined ? STALLED : await queue.trouble()
      return trouble === undefined ? ok(new StoreTransaction(mail, options)) : err(trouble)
    },
  }
}

export const UNAVAILABLE: Reply = {
  code: 451,
  status: '4.3.0',
  text: 'The directory is not available now; try again later',
}

interface Begun {
  readonly command: MailCommand
  readonly queue: DeliveryQueue | undefined
  /** The mailboxes were away when it began. */
  readonly isAway: boolean
}

class StoreTransaction implements Transaction {
  readonly #begun: Begun
  readonly #options: StoreReceptionOptions
  readonly #recipients: Recipient[] = []
  readonly #destinations: Destination[] = []

  constructor(begun: Begun, options: StoreReceptionOptions) {
    this.#begun = begun
    this.#options = options
  }

  async rcpt(recipient: Recipient): Promise<Reply | undefined> {
    const { directory, overQuota } = this.#options
    if (directory.seq === 0) return UNAVAILABLE
    const isExpanded = this.#begun.command.handed !== undefined
    const found = destinationOf(recipient.address, directory, { isExpanded })
    if (!found.ok) return found.error
    if (!(await this.#hasRoom(found.value)))
      return overQuotaReply(recipient.address, overQuota?.() ?? 'defer')
    this.#recipients.push(recipient)
    const { address: _, ...dsn } = recipient
    this.#destinations.push({ ...found.value, dsn })
    return undefined
  }

  /** What cannot be told now is told after the message: the commit decides. */
  async #hasRoom({ accounts, leaves, recipient }: Destination): Promise<boolean> {
    const { command, isAway } = this.#begun
    const { mailboxes, unheard } = this.#options
    const [accountId] = accounts
    if (mailboxes.hasRoom === undefined || accountId === undefined || accounts.length > 1)
      return true
    // A foreign peer may be repeating what is filed already: only its octets can tell.
    if (isAway || leaves === true || (command.handed === undefined && !unheard.isEmpty)) return true
    const { handed, sizeBytes = 0 } = command
    const copyId = handed && copyIdOf(handed.deliveryId, recipient)
    const ask = { accountId, sizeBytes, ...(copyId !== undefined && { copyId }) }
    try {
      return (await mailboxes.hasRoom(ask)).hasRoom
    } catch {
      return true
    }
  }

  data(): Promise<Outcome<MessageSink, Reply>> {
    const { command } = this.#begun
    const recipients = this.#recipients
    const destinations = this.#destinations
    const mail = new MailInHand({ command, recipients, destinations }, this.#options)
    const sink = this.#sink(mail)
    if (command.handed !== undefined) return Promise.resolve(ok(sink))
    return Promise.resolve(ok(new ForeignSink(sink, mail, this.#options.unheard)))
  }

  #sink(mail: MailInHand): MessageSink {
    const { queue, isAway } = this.#begun
    if (isAway && queue !== undefined) return new QueueingSink(mail, queue)
    const filing = new DeliverySink(mail, this.#options)
    return queue === undefined ? filing : new PatientSink(filing, mail, queue)
  }

  abort(): void {
    this.#recipients.length = 0
    this.#destinations.length = 0
  }
}
