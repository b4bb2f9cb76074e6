import { err, ok } from '#base/outcome.ts'
import type { Octets } from '#base/octets.ts'
import type { MailCommand, Reception } from '#model/reception.ts'
import { formatAddress } from '#model/address.ts'
import type { Recipient } from '#model/envelope.ts'
import type { Reply } from '#model/reply.ts'

export interface FakeMessage {
  readonly command: MailCommand
  readonly recipients: readonly Recipient[]
  readonly content: Buffer
}

/** A reception that keeps what it is handed. Recipients `unknown@…` do not exist. */
export class FakeReception implements Reception {
  readonly messages: FakeMessage[] = []
  /** What happened, in order: `mail`, `rcpt a@b`, `data`, `finish`, `abort`, `sink.abort`. */
  readonly events: string[] = []
  refusal: Reply | undefined
  dataRefusal: Reply | undefined
  writeFails: Error | undefined
  /** Held up here before the end of each message. */
  gate: Promise<void> = Promise.resolve()
  #waiting: { event: string; resolve: () => void }[] = []

  unready(): Reply | undefined {
    return this.refusal
  }

  /** Resolves once the event has happened. */
  seen(event: string): Promise<void> {
    if (this.events.includes(event)) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push({ event, resolve }))
  }

  #note(event: string): void {
    this.events.push(event)
    for (const one of this.#waiting) if (one.event === event) one.resolve()
  }

  async mail(command: MailCommand): ReturnType<Reception['mail']> {
    this.#note('mail')
    const recipients: Recipient[] = []
    const parts: Octets[] = []
    return ok({
      rcpt: async (recipient) => {
        const { address } = recipient
        this.#note(`rcpt ${formatAddress(address)}`)
        if (address.localpart === 'unknown')
          return { code: 550, status: '5.1.1', text: `no such mailbox: ${formatAddress(address)}` }
        if (address.localpart === 'throws') throw new Error('a fault of the world')
        recipients.push(recipient)
        return undefined
      },
      data: async () => {
        this.#note('data')
        if (this.dataRefusal !== undefined) return err(this.dataRefusal)
        return ok({
          write: async (octets) => {
            if (this.writeFails !== undefined) throw this.writeFails
            parts.push(Buffer.from(octets))
            this.#note('write')
          },
          finish: async () => {
            this.#note('finishing')
            await this.gate
            this.messages.push({ command, recipients, content: Buffer.concat(parts) })
            this.#note('finish')
            if (command.door !== 'lmtp') return [{ code: 250, status: '2.0.0', text: 'taken' }]
            return recipients.map(({ address }) =>
              address.localpart === 'full'
                ? { code: 452, status: '4.2.2', text: `${formatAddress(address)} is full` }
                : { code: 250, status: '2.1.5', text: `${formatAddress(address)} delivered` },
            )
          },
          abort: async () => this.#note('sink.abort'),
          unheard: () => this.#note('unheard'),
        })
      },
      abort: () => this.#note('abort'),
    })
  }
}
