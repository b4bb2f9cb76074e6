import type { Clock } from '#base/time.ts'
import type { Resolver } from '#client/dns/resolver.ts'
import { MailClient } from '#client/smtp/deliver.ts'
import type { ContentSource, DeliverJob, Endpoint } from '#client/smtp/job.ts'
import { verpAddress } from '#engine/list/verp.ts'
import type { Address } from '#model/address.ts'
import { formatNextHop } from '#model/route.ts'
import type { Signer } from '#engine/sender/signer.ts'
import type { Verdict } from '#model/verdict.ts'
import type { QueueMessage, SpoolStore } from '#store/spool/spool-store.ts'
import { ownTrouble, unreachable } from './attempt.ts'
import type { Attempt } from './attempt.ts'
import { endpointsOf } from './endpoints.ts'
import type { Lane, Load } from './hop-lanes.ts'
import { OwnCopies } from './own-copies.ts'

export interface CarrierOptions {
  readonly spool: SpoolStore
  readonly resolver: Resolver
  readonly clock: Clock
  readonly signer: Signer
  /** Our name in EHLO and in reports. */
  readonly hostname: string
  /** The LMTP door of this installation's store; none: it is away. */
  readonly local: () => readonly Endpoint[]
  /** Whether one of our own MX listeners answers there: mail sent there would come back. */
  readonly isOwn: (ip: string, port: number) => boolean
  /** Renders the XWATARI parameter: verdict and delivery id for our own stores. */
  readonly handed?: (message: { readonly deliveryId: string; readonly verdict?: Verdict }) => string
  readonly mxPort?: number
}

/** Takes loads to their next hops: one attempt each. */
export interface LoadCarrier {
  /** Throws what reading our own octets throws. */
  carry(load: Load, lane: Lane): Promise<Attempt>
  /** No load is carried any more. */
  close(): Promise<void>
}

/** Carries by SMTP and LMTP. */
export class Carrier implements LoadCarrier {
  readonly #options: CarrierOptions
  readonly #client: MailClient
  readonly #copies: OwnCopies

  constructor(options: CarrierOptions) {
    this.#options = options
    this.#client = new MailClient(options.clock)
    this.#copies = new OwnCopies(options)
  }

  async carry(load: Load, lane: Lane): Promise<Attempt> {
    const { clock } = this.#options
    const resting = lane.resting(clock)
    if (resting !== undefined)
      return { ...unreachable(load, resting.trouble), notBeforeMs: resting.leftMs }
    const endpoints = await endpointsOf(load.hop, {
      ...this.#options,
      mxPort: this.#options.mxPort ?? 25,
    })
    if (!endpoints.ok) {
      const reply = endpoints.error
      const results = load.recipients.map(() => ({ reply, by: 'self' as const }))
      return { results, own: false, final: false, relayedDsn: false }
    }
    const copy = await this.#copies.of(load, this.#contentOf(load.message))
    if (!copy.ok) {
      // RFC 3463 §3.8: 4.7.5, a cryptographic failure
      const reply = { code: 451, status: '4.7.5', text: copy.error.text }
      return { ...ownTrouble(load, reply), notBeforeMs: copy.error.leftMs }
    }
    const job = this.#jobOf(load, endpoints.value, copy.value)
    const delivered = await this.#client.deliver(job)
    if (!delivered.ok) {
      lane.dead(delivered.error.message, clock)
      return unreachable(load, delivered.error.message)
    }
    lane.alive()
    const { results, peer, relayedDsn, relayedBy } = delivered.value
    const own = load.hop.kind === 'local'
    return { results, peer, relayedDsn, relayedBy, own, final: own || load.hop.kind === 'lmtp' }
  }

  close(): Promise<void> {
    return this.#client.close()
  }

  #contentOf({ queueId, sizeBytes }: QueueMessage): ContentSource {
    const { spool } = this.#options
    return {
      sizeBytes,
      read: async (offset, length) => (await spool.read({ queueId, offset, length })).octets,
    }
  }

  #jobOf(load: Load, endpoints: readonly Endpoint[], content: ContentSource): DeliverJob {
    const { message, hop, recipients } = load
    const { handed, hostname } = this.#options
    const { deliveryId, verdict } = message
    return {
      protocol: hop.kind === 'local' || hop.kind === 'lmtp' ? 'lmtp' : 'smtp',
      endpoints,
      poolKey: formatNextHop(hop),
      tls: hop.kind === 'local' ? 'never' : 'opportunistic',
      helo: hostname,
      reversePath: reversePathOf(load),
      recipients,
      body: message.body,
      smtpUtf8: message.smtpUtf8,
      ...(message.ret === undefined ? {} : { ret: message.ret }),
      ...(message.envid === undefined ? {} : { envid: message.envid }),
      ...(message.deliverBy === undefined || hop.kind === 'local' || hop.kind === 'lmtp'
        ? {}
        : { deliverBy: message.deliverBy }),
      ...(handed === undefined
        ? {}
        : { handed: handed({ deliveryId, ...(verdict === undefined ? {} : { verdict }) }) }),
      content,
    }
  }
}

/** Of one mail to many, what comes back names whom it did not reach. */
function reversePathOf({ message, hop, recipients }: Load): Address | null {
  const { reversePath, verp } = message
  const [recipient] = recipients
  if (verp === undefined || reversePath === null || hop.kind === 'local' || recipient === undefined)
    return reversePath
  return verpAddress(reversePath, verp, recipient.address)
}
