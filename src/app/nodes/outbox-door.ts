import { concatOctets, emptyOctets, fromLatin1 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import { oneLine } from '#base/text.ts'
import { SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import { inSlices } from '#base/turns.ts'
import type { Steps } from '#base/turns.ts'
import { renderVerdict } from '#codec/auth/verdict.ts'
import type { OutboxHead } from '#contract/node/wire.ts'
import { disposition } from '#engine/policy/disposition.ts'
import { KeptContent } from '#engine/receive/kept-content.ts'
import { SignedOctets } from '#engine/receive/signed-octets.ts'
import { converting } from '#engine/route/convert.ts'
import type { AccountId } from '#model/account.ts'
import { addressKey } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { Judge } from '#engine/scan/judge.ts'
import type { Signer } from '#engine/sender/signer.ts'
import type { DeliveryId, Peer } from '#model/envelope.ts'
import type { EventSink } from '#model/event.ts'
import type { Disposition, Verdict } from '#model/verdict.ts'
import type { Directory } from '#store/directory/directory.ts'
import type { Settings } from '#store/settings/table.ts'
import type { SpoolStore } from '#store/spool/spool-store.ts'

interface OutboxDoorParts {
  readonly spool: SpoolStore
  readonly signer: Signer
  readonly directory: Directory
  readonly clock: Clock
  readonly lifetimeMs: () => number
  readonly accepted: () => void
  readonly judging?: {
    readonly judge: Judge
    readonly settings: () => Settings
    readonly events: EventSink
  }
}

interface Judged {
  readonly verdict: Verdict
  readonly made: Disposition
}

/** Nobody is in a session that could be refused: what policy would not let through waits for the administrator. */
const holdOf = (made: Disposition): string | undefined =>
  'reason' in made ? oneLine(`message ${made.reason}`, 300) : undefined

/**
 * Takes what a store sends out into the gateway's queue. What its deliveries send was judged when it
 * came in; what its users submit there is judged here.
 */
export class OutboxDoor {
  readonly #parts: OutboxDoorParts

  constructor(parts: OutboxDoorParts) {
    this.#parts = parts
  }

  /** Durable when it resolves; the queue knows an id that was taken before, and changes nothing. */
  async take(head: OutboxHead, octets: AsyncIterable<Octets>): Promise<void> {
    const { spool, clock, lifetimeMs, accepted } = this.#parts
    const nowMs = clock.nowMs()
    const recipients = await inSlices(this.#targets(head.recipients))
    const signed = signedOctets(head, this.#parts.signer)
    const kept = await this.#keep(head, octets, signed)
    let judged: Judged | undefined
    let signature: Octets = emptyOctets
    try {
      judged = await this.#judge(head, kept)
      if (signed !== undefined) signature = await signed.finish(head.id)
    } catch (thrown) {
      await kept.drop()
      throw thrown
    }
    if (judged?.made.kind === 'discard') return kept.drop()
    // Each member's copy is signed once more, over the fields that are that member's own.
    const bodyHash = signature.length > 0 ? signed?.bodyHash() : undefined
    const hold = judged === undefined ? undefined : holdOf(judged.made)
    const trace =
      judged === undefined ? '' : `X-Watari-Verdict: ${renderVerdict(judged.verdict)}\r\n`
    await spool.accept({
      deliveryId: head.id as DeliveryId,
      door: 'outbox',
      reversePath: head.reversePath,
      recipients: recipients.map((address) => ({
        address,
        // A list hears of what failed for good: a delay is no news to it.
        ...(head.kind === 'post' && { notify: ['failure'] as const }),
        ...(head.dsn?.notify !== undefined && { notify: head.dsn.notify }),
        ...(hold && { hold }),
      })),
      body: head.body,
      smtpUtf8: head.smtpUtf8,
      ...(head.dsn?.ret !== undefined && { ret: head.dsn.ret }),
      ...(head.deliverBy && { deliverBy: head.deliverBy }),
      ...(head.kind === 'post' && { isBulk: true }),
      ...(head.verp && { verp: head.verp }),
      ...(head.verp && bodyHash && { signed: { startBytes: signature.length, bodyHash } }),
      receivedAtMs: nowMs,
      expiresAtMs: expiryOf(head, { nowMs, lifetimeMs: lifetimeMs() }),
      ...(judged && { verdict: judged.verdict }),
      content: kept.handOver(concatOctets([fromLatin1(trace), signature])),
    })
    accepted()
  }

  /** A redirect may lead to an alias of ours: converted like mail that comes in. */
  *#targets(addresses: readonly Address[]): Steps<readonly Address[]> {
    const targets = new Map<string, Address>()
    for (const address of addresses) {
      const converted = yield* converting(address, this.#parts.directory)
      // One that leads nowhere stays as it is: the delivery will say so to its sender.
      const found = converted.ok
        ? converted.value.targets.map((target) => target.address)
        : [address]
      for (const each of found) targets.set(addressKey(each), each)
      yield
    }
    return [...targets.values()]
  }

  async #keep(
    head: OutboxHead,
    octets: AsyncIterable<Octets>,
    signed: SignedOctets | undefined,
  ): Promise<KeptContent> {
    const kept = new KeptContent(this.#parts.spool)
    let sizeBytes = 0
    try {
      for await (const piece of octets) {
        sizeBytes += piece.byteLength
        if (sizeBytes > head.sizeBytes) throw new Fault('protocol', 'more octets than announced')
        signed?.feed(piece)
        await kept.add(piece)
      }
      if (sizeBytes !== head.sizeBytes) throw new Fault('protocol', 'the entry ended early')
    } catch (thrown) {
      await kept.drop()
      throw thrown
    }
    return kept
  }

  /** Its verdict and what policy makes of it; undefined where it was judged when it came in. */
  async #judge(head: OutboxHead, kept: KeptContent): Promise<Judged | undefined> {
    const { judging, clock } = this.#parts
    const settings = judging?.settings()
    if (head.kind !== 'submission' || settings?.['judge.enabled'] !== true) return undefined
    const source = kept.source()
    const verdict = await judging!.judge.judge({
      source,
      reversePath: head.reversePath,
      recipients: head.recipients,
      peer: STORE,
      door: 'submission',
      nowMs: clock.nowMs(),
      caseId: head.id,
      thresholds: {
        suspectedScore: settings['spam.suspectedScore'],
        spamScore: settings['spam.spamScore'],
      },
      timeoutMs: Math.min(settings['judge.timeoutMs'], JUDGE_MS_MAX),
    })
    if (source.failure !== undefined) throw source.failure
    const made = disposition(verdict, settings)
    judging!.events.emit({
      atMs: clock.nowMs(),
      name: 'outbox.judged',
      deliveryId: head.id,
      fields: {
        class: verdict.class,
        score: verdict.score,
        caseId: verdict.caseId,
        virus: verdict.virus.kind,
        degraded: verdict.degraded.join(','),
        rules: verdict.hits.map((hit) => hit.name).join(','),
        disposition: made.kind,
      },
    })
    return { verdict: { ...verdict, ...submittedBy(head) }, made }
  }
}

/** What is written here is signed, a post by its list; what is merely sent on is its sender's to sign. */
function signedOctets(head: OutboxHead, signer: Signer): SignedOctets | undefined {
  switch (head.kind) {
    case 'redirect':
    case 'forward':
      return undefined
    case 'post':
      return new SignedOctets(signer, head.reversePath?.domain)
    case 'submission':
    case 'reject':
    case 'vacation':
    case 'notify':
    case 'notice':
      return new SignedOctets(signer)
  }
}

/** What is to be returned when its time is over is tried no longer (RFC 2852 §4.1.3). */
function expiryOf(
  { deliverBy }: OutboxHead,
  { nowMs, lifetimeMs }: { readonly nowMs: number; readonly lifetimeMs: number },
): number {
  const end = nowMs + lifetimeMs
  return deliverBy?.mode === 'return' ? Math.min(end, Math.max(deliverBy.atMs, nowMs)) : end
}

const submittedBy = ({ accountId }: OutboxHead): Pick<Verdict, 'submittedBy'> =>
  accountId === undefined ? {} : { submittedBy: accountId as AccountId }

/** Whoever hands it over is no peer of the sender's. */
const STORE: Peer = { ip: '127.0.0.1', port: 0 }
/** Well within the time that a store waits for its answer. */
const JUDGE_MS_MAX = 60 * SECOND_MS
