import { isFault } from '#base/outcome.ts'
import { SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import { FILINGS_MAX } from '#store/mailbox/mailbox-store.ts'
import type { AccountFiling } from '#store/mailbox/mailbox-store.ts'

import type { DeliveryMailboxes } from './delivery-mailboxes.ts'
import type { Destination } from './destination.ts'

/** What was asked ahead longer ago than this is asked again: a slow peer must not be filed by an old script. */
const FRESH_MS = 1 * SECOND_MS

interface Asked {
  readonly accountIds: readonly AccountId[]
  readonly accounts: readonly AccountFiling[]
}

/** What a mail's accounts are filed by, asked for many at once: a mail may be for 10,000. */
export class Filings {
  readonly #mailboxes: Pick<DeliveryMailboxes, 'filing'>
  readonly #clock: Clock
  readonly #accountIds: readonly AccountId[]
  readonly #known = new Map<AccountId, AccountFiling>()
  #asked = 0
  #ahead: { readonly atMs: number; readonly answer: Promise<Asked> } | undefined

  constructor(
    parts: { readonly mailboxes: Pick<DeliveryMailboxes, 'filing'>; readonly clock: Clock },
    destinations: readonly Destination[],
  ) {
    this.#mailboxes = parts.mailboxes
    this.#clock = parts.clock
    const filing = destinations.filter(({ leaves }) => leaves !== true)
    this.#accountIds = [...new Set(filing.flatMap(({ accounts }) => accounts))]
  }

  /** Asks for the first of them, so that the answer comes while the message does. */
  askAhead(): void {
    if (this.#accountIds.length === 0) return
    const answer = this.#ask()
    answer.catch(() => undefined) // told to whoever needs it
    this.#ahead = { atMs: this.#clock.monotonicMs(), answer }
  }

  /** Of one of the destinations' accounts; others get their turn while it asks. Throws what the mailboxes say. */
  async of(accountId: AccountId): Promise<AccountFiling> {
    for (;;) {
      const known = this.#known.get(accountId)
      if (known !== undefined) return known
      const { accountIds, accounts } = (await this.#fromAhead()) ?? (await this.#ask())
      this.#asked += accountIds.length
      for (const [i, asked] of accountIds.entries()) this.#known.set(asked, accounts[i]!)
    }
  }

  async #fromAhead(): Promise<Asked | undefined> {
    const ahead = this.#ahead
    this.#ahead = undefined
    if (ahead === undefined || this.#clock.monotonicMs() - ahead.atMs > FRESH_MS) return undefined
    try {
      return await ahead.answer
    } catch (thrown) {
      // A second deadline would be more than the peer is made to wait; any other trouble may be over.
      if (isFault(thrown, 'stalled')) throw thrown
      return undefined
    }
  }

  async #ask(): Promise<Asked> {
    const accountIds = this.#accountIds.slice(this.#asked, this.#asked + FILINGS_MAX)
    const { accounts } = await this.#mailboxes.filing({ accountIds })
    return { accountIds, accounts }
  }
}
