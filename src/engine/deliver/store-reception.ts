import { err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import type { Recipient } from '#model/envelope.ts'
import type { Reply } from '#model/reply.ts'
import type { MailCommand, MessageSink, Reception, Transaction } from '#model/reception.ts'
import type { Directory } from '#store/directory/directory.ts'

import { DeliverySink, FULL, STALLED } from './delivery-sink.ts'
import type { DeliveryOptions } from './delivery-sink.ts'
import { destinationOf } from './destination.ts'
import type { Destination } from './destination.ts'

export interface StoreReceptionOptions extends DeliveryOptions {
  readonly directory: Directory
  /** How the storage is: anything but `ready` refuses mail before it is sent. */
  readonly unready: () => string
}

/** LMTP into the mail store: each recipient's scripts run, then one commit, then one reply a recipient (RFC 2033 §4.2). */
export function storeReception(options: StoreReceptionOptions): Reception {
  return {
    unready: () => undefined,
    mail: (command) => {
      const state = options.unready()
      if (state === 'ready') return Promise.resolve(ok(new StoreTransaction(command, options)))
      return Promise.resolve(err(state === 'full' ? FULL : STALLED))
    },
  }
}

const UNAVAILABLE: Reply = {
  code: 451,
  status: '4.3.0',
  text: 'The directory is not available now; try again later',
}
class StoreTransaction implements Transaction {
  readonly #command: MailCommand
  readonly #options: StoreReceptionOptions
  readonly #destinations: Destination[] = []

  constructor(command: MailCommand, options: StoreReceptionOptions) {
    this.#command = command
    this.#options = options
  }

  rcpt(recipient: Recipient): Promise<Reply | undefined> {
    const { directory } = this.#options
    if (directory.seq === 0) return Promise.resolve(UNAVAILABLE)
    const found = destinationOf(recipient.address, this.#command, directory)
    if (found.ok) this.#destinations.push(found.value)
    return Promise.resolve(found.ok ? undefined : found.error)
  }

  data(): Promise<Outcome<MessageSink, Reply>> {
    return Promise.resolve(ok(new DeliverySink(this.#command, this.#destinations, this.#options)))
  }

  abort(): void {
    this.#destinations.length = 0
  }
}
