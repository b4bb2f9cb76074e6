import { emptyOctets } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import type { Clock } from '#base/time.ts'
import type { OutboxHead } from '#contract/node/wire.ts'
import { convert } from '#engine/route/convert.ts'
import { addressKey } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { DeliveryId } from '#model/envelope.ts'
import { RECORD_BYTES_MAX } from '#store/blob/blobs.ts'
import type { Content, LargeHandle } from '#store/blob/blobs.ts'
import type { Directory } from '#store/directory/directory.ts'
import type { SpoolStore } from '#store/spool/spool-store.ts'

interface OutboxDoorParts {
  readonly spool: SpoolStore
  readonly directory: Directory
  readonly clock: Clock
  readonly lifetimeMs: () => number
  readonly accepted: () => void
}

/** Takes what a store's deliveries send out into the gateway's queue; it was judged when it came in. */
export class OutboxDoor {
  readonly #parts: OutboxDoorParts

  constructor(parts: OutboxDoorParts) {
    this.#parts = parts
  }

  /** Durable when it resolves; the queue knows an id that was taken before, and changes nothing. */
  async take(head: OutboxHead, octets: AsyncIterable<Octets>): Promise<void> {
    const { spool, clock, lifetimeMs, accepted } = this.#parts
    const nowMs = clock.nowMs()
    const recipients = this.#targets(head.recipients)
    const content = await this.#content(head, octets)
    await spool.accept({
      deliveryId: head.id as DeliveryId,
      door: 'outbox',
      reversePath: head.reversePath,
      recipients: recipients.map((address) => ({ address })),
      body: head.body,
      smtpUtf8: head.smtpUtf8,
      receivedAtMs: nowMs,
      expiresAtMs: nowMs + lifetimeMs(),
      content,
    })
    accepted()
  }

  /** A redirect may lead to an alias of ours: converted like mail that comes in. */
  #targets(addresses: readonly Address[]): readonly Address[] {
    const targets = new Map<string, Address>()
    for (const address of addresses) {
      const converted = convert(address, this.#parts.directory)
      // One that leads nowhere stays as it is: the delivery will say so to its sender.
      const found = converted.ok
        ? converted.value.targets.map((target) => target.address)
        : [address]
      for (const each of found) targets.set(addressKey(each), each)
    }
    return [...targets.values()]
  }

  async #content(head: OutboxHead, octets: AsyncIterable<Octets>): Promise<Content> {
    const { spool } = this.#parts
    const pieces: Octets[] = []
    let sizeBytes = 0
    let large: LargeHandle | undefined
    try {
      if (head.sizeBytes > RECORD_BYTES_MAX) large = (await spool.openLarge()).handle
      for await (const piece of octets) {
        sizeBytes += piece.byteLength
        if (sizeBytes > head.sizeBytes) throw new Fault('protocol', 'more octets than announced')
        if (large === undefined) pieces.push(piece.slice())
        else await spool.appendLarge({ handle: large, octets: piece.slice() })
      }
      if (sizeBytes !== head.sizeBytes) throw new Fault('protocol', 'the entry ended early')
    } catch (thrown) {
      if (large !== undefined) await spool.abortLarge({ handle: large }).catch(() => undefined)
      throw thrown
    }
    return large === undefined ? { octets: pieces } : { prefix: emptyOctets, large }
  }
}
