import type { AccountId } from '#model/account.ts'
import { ANYONE, hasRight } from '#model/acl.ts'
import type { Right } from '#model/acl.ts'
import type { MailboxRow, StoreChanged } from '#store/mailbox/mailbox-view.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'

/** An account of somebody else, some of whose mailboxes a login may look up (RFC 8620 §1.6.2). */
export interface Share {
  readonly accountId: AccountId
  /** Nothing can be changed in any of them. */
  readonly isReadOnly: boolean
}

/** Logins whose shares are remembered. */
const LOGINS_MAX = 10_000
/** What JMAP can change by. */
const CHANGING: readonly Right[] = ['s', 'w', 'i', 'k', 'x', 't', 'e']

/** Whether who asked may do something there: the owner everything. */
export const mayIn = ({ rights }: MailboxRow, right: Right): boolean =>
  rights === undefined || hasRight(rights, right)

/** RFC 8621 §2, mayReadItems: l and r. */
export const mayRead = (row: MailboxRow): boolean => mayIn(row, 'l') && mayIn(row, 'r')

/** What others share with each login, remembered until rights change: each request asks for it. */
export class Shares {
  readonly #store: Pick<MailboxStore, 'sharedWith'>
  /** Last asked last. */
  readonly #known = new Map<AccountId, Promise<readonly Share[]>>()

  constructor(store: Pick<MailboxStore, 'sharedWith'>) {
    this.#store = store
  }

  of(login: AccountId): Promise<readonly Share[]> {
    const known = this.#known.get(login)
    this.#known.delete(login)
    const shares = known ?? this.#ask(login)
    this.#known.set(login, shares)
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= LOGINS_MAX) break
      this.#known.delete(oldest)
    }
    return shares
  }

  /** Forgets what a change may have made untrue, also of what is being asked just now. */
  forget(change: StoreChanged): void {
    const logins = loginsOf(change)
    if (logins === 'all') this.#known.clear()
    else for (const login of logins) this.#known.delete(login)
  }

  async #ask(login: AccountId): Promise<readonly Share[]> {
    try {
      const { owners } = await this.#store.sharedWith({ by: login })
      return owners.flatMap(({ accountId, mailboxes }) => {
        const shown = mailboxes.filter((row) => mayIn(row, 'l'))
        const isReadOnly = !shown.some((row) => CHANGING.some((right) => mayIn(row, right)))
        return shown.length === 0 ? [] : [{ accountId, isReadOnly }]
      })
    } catch (thrown) {
      this.#known.delete(login) // the next one asks again
      throw thrown
    }
  }
}

/** Whose rights the change has touched. */
export function loginsOf(change: StoreChanged): 'all' | readonly AccountId[] {
  const rights = 'rights' in change ? (change.rights ?? []) : []
  const names = rights.map((who) => who.replace(/^-/, ''))
  return names.includes(ANYONE) ? 'all' : (names as AccountId[])
}
