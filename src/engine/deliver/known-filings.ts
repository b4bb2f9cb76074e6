import { MINUTE_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import type { AccountFiling, MailboxStore } from '#store/mailbox/mailbox-store.ts'
import type { StoreChanged } from '#store/mailbox/mailbox-view.ts'

/** Accounts that are known at a time, each with a script of so many characters at most. */
const KNOWN_MAX = 1_000
const SCRIPT_LENGTH_MAX = 16 * 1024
/** More at once are a mail for very many, which would push out those who get mail often. */
const ASKED_MAX = 16
/** The one thing that nobody tells, an account purged days after its removal, is known after so long. */
const KNOWN_MS = 1 * MINUTE_MS

/**
 * What filing has asked of accounts lately, so that most mail asks the storage process once, by its
 * commit. Exact: a change is told over the same pipe, before whoever made it hears that it is made.
 */
export class KnownFilings {
  readonly #mailboxes: Pick<MailboxStore, 'filing'>
  readonly #clock: Clock
  readonly #known = new Map<AccountId, { readonly filing: AccountFiling; readonly atMs: number }>()
  /** What is asked now may be answered from before the last of these. */
  #changes = 0

  constructor(parts: { readonly mailboxes: Pick<MailboxStore, 'filing'>; readonly clock: Clock }) {
    this.#mailboxes = parts.mailboxes
    this.#clock = parts.clock
  }

  /** As the store's. */
  readonly filing: MailboxStore['filing'] = async (ask) => {
    const { accountIds } = ask
    if (accountIds.length > ASKED_MAX) return this.#mailboxes.filing(ask)
    const known = accountIds.flatMap((accountId) => this.#find(accountId) ?? [])
    if (known.length === accountIds.length) return { accounts: known }
    const changes = this.#changes
    const atMs = this.#clock.monotonicMs()
    const { accounts } = await this.#mailboxes.filing(ask)
    if (changes === this.#changes)
      for (const [i, accountId] of accountIds.entries())
        this.#keep(accountId, { filing: accounts[i]!, atMs })
    return { accounts }
  }

  readonly changed = (change: StoreChanged): void => {
    if (!('names' in change) && !('scripts' in change)) return
    this.#changes++
    this.#known.delete(change.accountId)
  }

  /** Changes may have been made that nobody could tell: the storage process has ended. */
  forgetAll(): void {
    this.#changes++
    this.#known.clear()
  }

  #find(accountId: AccountId): AccountFiling | undefined {
    const known = this.#known.get(accountId)
    if (known === undefined) return undefined
    this.#known.delete(accountId)
    if (this.#clock.monotonicMs() - known.atMs > KNOWN_MS) return undefined
    this.#known.set(accountId, known) // the last that goes
    return known.filing
  }

  #keep(
    accountId: AccountId,
    known: { readonly filing: AccountFiling; readonly atMs: number },
  ): void {
    if ((known.filing.script?.length ?? 0) > SCRIPT_LENGTH_MAX) return
    this.#known.set(accountId, known)
    const oldest = this.#known.keys().next()
    if (this.#known.size > KNOWN_MAX && oldest.done !== true) this.#known.delete(oldest.value)
  }
}
