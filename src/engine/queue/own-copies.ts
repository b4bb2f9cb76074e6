import { availableParallelism } from 'node:os'
import { Semaphore } from '#base/deadline.ts'
import { concatOctets, equalOctets, fromUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { err, isFault, messageOf, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import { MINUTE_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { ContentSource } from '#client/smtp/job.ts'
import { ownBeginning } from '#engine/list/leave-way.ts'
import { HeaderCollector } from '#engine/receive/header-collector.ts'
import { RelaxedHeader } from '#engine/sender/signed-header.ts'
import type { Signer } from '#engine/sender/signer.ts'
import type { QueueId, QueueMessage } from '#store/spool/spool-store.ts'
import type { Load } from './hop-lanes.ts'

/** Why a copy cannot be made now, and for how long it is not tried again. */
export interface CopyTrouble {
  readonly text: string
  readonly leftMs: number
}

/** Posts of which it is kept what all copies share. */
const POSTS_KEPT = 8
const PIECE_BYTES = 64 * 1024
/**
 * Signatures of copies at work at once. A personal mail is signed when it is queued, by the same threads
 * (libuv has four): one of them, and a processor, is left to it.
 */
const SIGNED_AT_ONCE = Math.max(1, Math.min(3, availableParallelism() - 1))
/** What cannot be signed is told once in so long, not once for each member. */
const REST_MS = 5 * MINUTE_MS

/** What the copies of one content share. */
interface Shared {
  /** Octets that the member's own ones stand in the place of; undefined: it begins otherwise, and goes as it is. */
  readonly replaced: number | undefined
  /** Behind these. */
  readonly header: RelaxedHeader | undefined
  restsUntilMs: number
  trouble: string
}

/**
 * The octets of each load: one content lies in the queue for all members of a list, and a member
 * elsewhere, who has a transaction of their own, gets the own way to leave in it (RFC 8058 §3.1),
 * under a signature over these fields where the list's domain signs (§4).
 */
export class OwnCopies {
  readonly #signer: Signer
  readonly #clock: Clock
  readonly #signing = new Semaphore(SIGNED_AT_ONCE)
  readonly #shared = new Map<QueueId, Promise<Shared>>()

  constructor(parts: { readonly signer: Signer; readonly clock: Clock }) {
    this.#signer = parts.signer
    this.#clock = parts.clock
  }

  /** Throws what reading our own octets throws. */
  async of(
    { message, hop, recipients }: Load,
    whole: ContentSource,
  ): Promise<Outcome<ContentSource, CopyTrouble>> {
    const { verp } = message
    const [recipient] = recipients
    if (verp === undefined || hop.kind === 'local' || recipient === undefined) return ok(whole)
    const beginning = ownBeginning(verp, recipient.address)
    if (beginning === undefined) return ok(whole)
    const shared = await this.#sharedOf(message, fromUtf8(beginning.common), whole)
    if (shared.replaced === undefined) return ok(whole)
    const own = fromUtf8(beginning.own)
    const signature = await this.#signature(message, shared, own)
    if (!signature.ok) return signature
    return ok(replacedStart(whole, shared.replaced, concatOctets([signature.value, own])))
  }

  #sharedOf(message: QueueMessage, common: Octets, whole: ContentSource): Promise<Shared> {
    const { queueId } = message
    const known = this.#shared.get(queueId)
    const shared = known ?? sharedOf(message, common, whole)
    this.#shared.delete(queueId)
    this.#shared.set(queueId, shared) // the one that was used last is forgotten last
    if (known === undefined) shared.catch(() => this.#shared.delete(queueId))
    for (const oldest of this.#shared.keys()) {
      if (this.#shared.size <= POSTS_KEPT) break
      this.#shared.delete(oldest)
    }
    return shared
  }

  /** Never without one that the post came with, unless `dkim.onFailure` says so. */
  async #signature(
    { signed, reversePath, deliveryId }: QueueMessage,
    shared: Shared,
    own: Octets,
  ): Promise<Outcome<Octets, CopyTrouble>> {
    if (signed === undefined || shared.header === undefined) return ok(new Uint8Array())
    const nowMs = this.#clock.monotonicMs()
    const waits = (): Outcome<Octets, CopyTrouble> =>
      err({ text: shared.trouble, leftMs: Math.ceil(shared.restsUntilMs - nowMs) })
    if (shared.restsUntilMs > nowMs) return waits()
    const by = { domain: reversePath?.domain ?? '', bodyHash: signed.bodyHash }
    const signing = this.#signer.resume(shared.header, by)
    try {
      return ok(
        await this.#signing.run(() => this.#signer.sign(signing, { id: deliveryId, added: own })),
      )
    } catch (thrown) {
      if (!isFault(thrown)) throw thrown
      shared.trouble = messageOf(thrown)
      shared.restsUntilMs = nowMs + REST_MS
      return waits()
    }
  }
}

/** Made by a store that begins otherwise, it goes as it is. */
async function sharedOf(
  { signed }: QueueMessage,
  common: Octets,
  whole: ContentSource,
): Promise<Shared> {
  const startBytes = signed?.startBytes ?? 0
  const replaced = startBytes + common.length
  const begins =
    replaced <= whole.sizeBytes && equalOctets(await whole.read(startBytes, common.length), common)
  return {
    replaced: begins ? replaced : undefined,
    header: begins && signed !== undefined ? await headerFrom(whole, replaced) : undefined,
    restsUntilMs: 0,
    trouble: '',
  }
}

/** The header from there on; what is too large for one was never signed. */
async function headerFrom(whole: ContentSource, start: number): Promise<RelaxedHeader> {
  const collector = new HeaderCollector()
  for (let at = start; at < whole.sizeBytes; at += PIECE_BYTES) {
    const length = Math.min(PIECE_BYTES, whole.sizeBytes - at)
    const split = collector.feed(await whole.read(at, length))
    if (split === 'tooLarge') break
    if (split !== undefined) return new RelaxedHeader(split.header)
  }
  return new RelaxedHeader(collector.finish().header)
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
