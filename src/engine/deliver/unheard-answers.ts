import { createHash } from 'node:crypto'
import { HOUR_MS, SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { Octets } from '#base/octets.ts'
import { addressKey } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { MessageSink } from '#model/reception.ts'
import type { Reply } from '#model/reply.ts'
import type { Arrival } from '#store/mailbox/commit.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'
import type { SpoolStore } from '#store/spool/spool-store.ts'

/** Long enough for the retries that come before anybody looks. */
const KEPT_MS = 24 * HOUR_MS
const KEPT_MAX = 10_000
/** An answer is on its way within moments of its COMMIT. */
const UNANSWERED_MS = 10 * SECOND_MS
const RECALLED_MAX = 1_000
/** Of the last mails at a door, that the store keeps: more than wait for an answer at once. */
const ARRIVALS_KEPT = 1_024

interface Unheard {
  readonly deliveryId: string
  readonly recipients: ReadonlySet<string>
  readonly atMs: number
}

/**
 * Mail of foreign peers that may be filed though its peer does not know: its connection died before
 * the answer was heard, or the answer was our own 451. The same octets for the same recipients are the
 * same delivery then. Never by Message-ID or content alone: who has heard a 250 and sends again means it.
 */
export class UnheardAnswers {
  readonly #clock: Clock
  /** By sender and octets; the oldest first. */
  readonly #kept = new Map<string, Unheard>()
  /** Names the arrivals that the store keeps for the next life; undefined: it does not. */
  #door: string | undefined
  #arrivals = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Nothing that comes can be a repetition. */
  get isEmpty(): boolean {
    return this.#kept.size === 0
  }

  remember(octetsKey: string, mail: Omit<Unheard, 'atMs'>): void {
    this.#kept.delete(octetsKey)
    this.#kept.set(octetsKey, { ...mail, atMs: this.#clock.monotonicMs() })
    for (const key of this.#kept.keys()) {
      if (this.#kept.size <= KEPT_MAX) break
      this.#kept.delete(key)
    }
  }

  /**
   * After a start: connections died with the last life, and the last it has queued may not have been
   * answered. Throws what the spool throws.
   */
  async recall(spool: Pick<SpoolStore, 'list'>): Promise<void> {
    const { messages } = await spool.list({ limit: RECALLED_MAX, order: 'newest' })
    const last = messages[0]?.receivedAtMs ?? 0
    for (const { octetsKey, deliveryId, receivedAtMs, recipients } of messages)
      if (octetsKey !== undefined && last - receivedAtMs <= UNANSWERED_MS) {
        const keys = new Set(recipients.map(({ address }) => addressKey(address)))
        this.remember(octetsKey, { deliveryId, recipients: keys })
      }
  }

  /**
   * Likewise of what was filed at once, and from here on the store is told what is (`arrivalOf`). Throws
   * what the store throws.
   */
  async recallFiled(store: Pick<MailboxStore, 'arrivals'>, door: string): Promise<void> {
    const { arrivals } = await store.arrivals({ door })
    const last = arrivals.at(-1)?.atMs ?? 0
    for (const { octetsKey, deliveryId, recipients, atMs } of arrivals)
      if (last - atMs <= UNANSWERED_MS)
        this.remember(octetsKey, { deliveryId, recipients: new Set(recipients) })
    this.#door = door
  }

  /** What is committed with a mail, so that it is known after a kill between COMMIT and answer. */
  arrivalOf(mail: Pick<Arrival, 'deliveryId' | 'octetsKey' | 'recipients'>): Arrival | undefined {
    if (this.#door === undefined) return undefined
    return { door: this.#door, slot: this.#arrivals++ % ARRIVALS_KEPT, ...mail }
  }

  /** The delivery that this is once more; undefined: a new one. */
  deliveryOf(octetsKey: string, recipients: ReadonlySet<string>): string | undefined {
    const found = this.#kept.get(octetsKey)
    if (found === undefined || !recipients.isSubsetOf(found.recipients)) return undefined
    if (this.#clock.monotonicMs() - found.atMs <= KEPT_MS) return found.deliveryId
    this.#kept.delete(octetsKey)
    return undefined
  }
}

/** A foreign peer's mail as it is told apart: the delivery id is settled when all octets are there. */
interface ForeignMail {
  readonly command: { readonly reversePath: Address | null }
  readonly recipients: readonly { readonly address: Address }[]
  deliveryId: string
  octetsKey: string
  arrival?: Arrival
}

/** Hands a foreign peer's message on, under the delivery id of the one that it repeats. */
export class ForeignSink implements MessageSink {
  readonly #inner: MessageSink
  readonly #mail: ForeignMail
  readonly #answers: UnheardAnswers
  readonly #hash = createHash('sha256')
  #replies: readonly Reply[] = []

  constructor(inner: MessageSink, mail: ForeignMail, answers: UnheardAnswers) {
    this.#inner = inner
    this.#mail = mail
    this.#answers = answers
    const { reversePath } = mail.command
    this.#hash.update(`${reversePath === null ? '' : addressKey(reversePath)}\n`)
  }

  write(octets: Octets): Promise<void> {
    this.#hash.update(octets)
    return this.#inner.write(octets)
  }

  abort(): Promise<void> {
    return this.#inner.abort()
  }

  async finish(): Promise<readonly Reply[]> {
    const octetsKey = this.#hash.digest('base64url')
    this.#mail.octetsKey = octetsKey
    const recipients = new Set(this.#mail.recipients.map(({ address }) => addressKey(address)))
    const known = this.#answers.deliveryOf(octetsKey, recipients)
    if (known !== undefined) this.#mail.deliveryId = known
    const { deliveryId } = this.#mail
    const arrival = this.#answers.arrivalOf({ deliveryId, octetsKey, recipients: [...recipients] })
    if (arrival !== undefined) this.#mail.arrival = arrival
    this.#replies = await this.#inner.finish()
    // Our own 4xx may come after a COMMIT: whoever was told it sends again.
    if (this.#replies.some(({ code, status }) => code === 451 && status === '4.3.0'))
      this.#remember(({ code }) => code === 451)
    return this.#replies
  }

  unheard(): void {
    this.#remember(({ code }) => code === 250 || code === 451)
  }

  #remember(isMeant: (reply: Reply) => boolean): void {
    const { deliveryId, octetsKey, recipients } = this.#mail
    const meant = recipients.filter((_, index) => {
      const reply = this.#replies[index]
      return reply !== undefined && isMeant(reply)
    })
    if (meant.length === 0) return
    const keys = new Set(meant.map(({ address }) => addressKey(address)))
    this.#answers.remember(octetsKey, { deliveryId, recipients: keys })
  }
}
