import { DAY_MS, HOUR_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import type { DirectoryReplica } from '#store/directory/replica.ts'
import { readRows } from '#store/directory/rows-text.ts'
import type { MailboxStore } from '#store/mailbox/mailbox-store.ts'
import { recurring } from './recurring.ts'

/** A start has other things to do first. */
const FIRST_MS = HOUR_MS

const PAGE_ROWS = 1_000

/**
 * Deletes once a day what was expunged, and accounts that the directory has no more, since `keptMs`
 * or longer. Close it before the stores.
 */
export function purgeDaily(
  mailboxes: Pick<MailboxStore, 'keepAccounts' | 'purge'>,
  replica: Pick<DirectoryReplica, 'load'>,
  clock: Clock,
  keptMs: () => Promise<number>,
): { close(): void } {
  const times = { name: 'mailboxes.purge', firstMs: FIRST_MS, everyMs: DAY_MS }
  return recurring(clock, times, async (isClosed) => {
    const accountIds = await accountsOf(replica)
    // A directory without an account is one that has not come yet, or is broken.
    if (accountIds.length > 0 && !isClosed()) await mailboxes.keepAccounts({ accountIds })
    // The store itself ends a purge that runs when it is closed.
    const beforeMs = clock.nowMs() - (await keptMs())
    if (!isClosed()) await mailboxes.purge({ beforeMs })
  })
}

async function accountsOf(replica: Pick<DirectoryReplica, 'load'>): Promise<AccountId[]> {
  const ids: AccountId[] = []
  for (let after: number | undefined = 0; after !== undefined;) {
    const page: Awaited<ReturnType<DirectoryReplica['load']>> = await replica.load({
      after,
      limit: PAGE_ROWS,
    })
    for (const { row } of readRows(page)) if (row.kind === 'account') ids.push(row.account.id)
    after = page.next
  }
  return ids
}
