import { concatOctets, equalOctets, fromUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import type { Clock } from '#base/time.ts'
import type { Resolver } from '#client/dns/resolver.ts'
import { MailClient } from '#client/smtp/deliver.ts'
import type { ContentSource, DeliverJob, Endpoint } from '#client/smtp/job.ts'
import { ownBeginning } from '#engine/list/leave-way.ts'
import { verpAddress } from '#engine/list/verp.ts'
import type { Address } from '#model/address.ts'
import { formatNextHop } from '#model/route.ts'
import type { Verdict } from '#model/verdict.ts'
import type { SpoolStore } from '#store/spool/spool-store.ts'
import { unreachable } from './attempt.ts'
import type { Attempt } from './attempt.ts'
import { endpointsOf } from './endpoints.ts'
import type { Lane, Load } from './hop-lanes.ts'

export interface CarrierOptions {
  readonly spool: SpoolStore
  readonly resolver: Resolver
  readonly clock: Clock
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

  constructor(options: CarrierOptions) {
    this.#options = options
    this.#client = new MailClient(options.clock)
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
    const delivered = await this.#client.deliver(await this.#jobOf(load, endpoints.value))
    if (!delivered.ok) {
      lane.dead(delivered.error.message, clock)
      return unreachable(load, delivered.error.message)
    }
    lane.alive()
    const { results, peer, relayedDsn } = delivered.value
    const own = load.hop.kind === 'local'
    return { results, peer, relayedDsn, own, final: own || load.hop.kind === 'lmtp' }
  }

  close(): Promise<void> {
    return this.#client.close()
  }

  async #jobOf(load: Load, endpoints: readonly Endpoint[]): Promise<DeliverJob> {
    const { message, hop, recipients } = load
    const { spool, handed, hostname } = this.#options
    const { queueId, sizeBytes, deliveryId, verdict } = message
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
      ...(handed === undefined
        ? {}
        : { handed: handed({ deliveryId, ...(verdict === undefined ? {} : { verdict }) }) }),
      content: await ownCopy(load, {
        sizeBytes,
        read: async (offset, length) => (await spool.read({ queueId, offset, length })).octets,
      }),
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

/**
 * The octets for this load: one content lies in the queue for all members of a list, and a member
 * elsewhere, who has a transaction of their own, gets the own way to leave in it (RFC 8058 §3.1).
 */
async function ownCopy(
  { message, hop, recipients }: Load,
  whole: ContentSource,
): Promise<ContentSource> {
  const { verp } = message
  const [recipient] = recipients
  if (verp === undefined || hop.kind === 'local' || recipient === undefined) return whole
  const beginning = ownBeginning(verp, recipient.address)
  if (beginning === undefined) return whole
  const [common, own] = [fromUtf8(beginning.common), fromUtf8(beginning.own)]
  // Made by a store that begins otherwise, it goes as it is.
  const begins =
    common.length <= whole.sizeBytes && equalOctets(await whole.read(0, common.length), common)
  return begins ? replacedStart(whole, common.length, own) : whole
}

/** The content with other octets in the place of its first ones. */
const replacedStart = (whole: ContentSource, length: number, start: Octets): ContentSource => ({
  sizeBytes: whole.sizeBytes - length + start.length,
  async read(offset, size) {
    const first = start.subarray(offset, offset + size)
    if (first.length === size) return first
    const from = Math.max(offset, start.length) - start.length + length
    return concatOctets([first, await whole.read(from, size - first.length)])
  },
})
