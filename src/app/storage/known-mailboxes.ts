import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'

/** Rows of mailboxes that are known at a time, of all accounts; each some hundred octets. */
const ROWS_MAX = 20_000

type Answer = Awaited<ReturnType<MailboxStore['mailboxes']>>

/**
 * Which mailboxes accounts have, with their counters, as storage has answered since its rows last changed: a
 * program that selects one mailbox after another, or asks each one's STATUS, asks storage once. Exact: that
 * rows have changed is told over the same pipe, before anybody hears what the change was.
 */
export class KnownMailboxes {
  readonly #store: Pick<MailboxStore, 'mailboxes'>
  readonly #isReady: () => boolean
  /** In the order in which they were asked for. */
  readonly #known = new Map<string, Answer>()
  #rows = 0
  /** What is asked now may be answered from before the last of these. */
  #changes = 0

  constructor(parts: {
    readonly store: Pick<MailboxStore, 'mailboxes'>
    /** Whether storage answers: else nothing is answered for it either. */
    readonly isReady: () => boolean
  }) {
    this.#store = parts.store
    this.#isReady = parts.isReady
  }

  /** As the store's. */
  readonly mailboxes: MailboxStore['mailboxes'] = async (ask) => {
    const key = JSON.stringify([ask.accountId, ask.by])
    const known = this.#isReady() ? this.#known.get(key) : undefined
    if (known !== undefined) return known
    const changes = this.#changes
    const answer = await this.#store.mailboxes(ask)
    if (changes === this.#changes) this.#keep(key, answer)
    return answer
  }

  /** Rows have changed, or may have: the storage process has ended. */
  forgetAll(): void {
    this.#changes++
    this.#known.clear()
    this.#rows = 0
  }

  #keep(key: string, answer: Answer): void {
    if (this.#known.has(key)) return
    this.#known.set(key, answer)
    this.#rows += rowsOf(answer)
    for (const [oldest, old] of this.#known) {
      if (this.#rows <= ROWS_MAX) return
      this.#known.delete(oldest)
      this.#rows -= rowsOf(old)
    }
  }
}

/** An account without mailboxes takes room, too. */
const rowsOf = ({ mailboxes, subscriptions }: Answer): number =>
  1 + mailboxes.length + subscriptions.length
