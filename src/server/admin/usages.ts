import { SECOND_MS } from '#base/time.ts'
import { USAGES_MAX } from '#contract/node/keeping.ts'
import type { PeopleAsk, PeopleIndex } from '#engine/people/people-index.ts'
import type { Account } from '#model/account.ts'
import { isLimited, shareOf } from '#model/quota.ts'
import type { Usage } from '#model/quota.ts'
import type { AdminDeps } from './context.ts'
import { ApiError } from './errors.ts'
import { mainAddress } from './lookup.ts'
import { effectiveQuota } from './quota.ts'
import { askStore } from './store-ask.ts'

/** A page ends early where few are that full: its next one goes on. */
const LOOKING_MS = 2 * SECOND_MS

export interface UsedAccount {
  readonly account: Account
  readonly used: Usage
}

/** What each of the accounts holds, in their order. */
async function usagesOf(deps: AdminDeps, accounts: readonly Account[]): Promise<UsedAccount[]> {
  if (accounts.length === 0) return []
  const { node, keeping } = deps.keeping()
  const accountIds = accounts.map(({ id }) => id)
  const usages = await askStore(node, () => keeping.usages({ accountIds }))
  return accounts.map((account, index) => ({
    account,
    used: usages[index] ?? { bytes: 0, messages: 0 },
  }))
}

/** As `usagesOf`; undefined where the store does not tell: the directory is shown without it. */
export async function usagesIfTold(
  deps: AdminDeps,
  accounts: readonly Account[],
): Promise<ReadonlyMap<Account, Usage> | undefined> {
  try {
    const used: UsedAccount[] = []
    for (let at = 0; at < accounts.length; at += USAGES_MAX)
      used.push(...(await usagesOf(deps, accounts.slice(at, at + USAGES_MAX))))
    return new Map(used.map((each) => [each.account, each.used]))
  } catch (thrown) {
    if (thrown instanceof ApiError) return undefined
    throw thrown
  }
}

/** Accounts that use so many percent of a limit, in the order of their addresses. */
export async function fullPage(
  deps: AdminDeps,
  people: PeopleIndex,
  ask: Omit<PeopleAsk, 'holds'> & { readonly percent: number },
): Promise<{ readonly items: UsedAccount[]; readonly next?: string }> {
  const { clock } = deps
  const endMs = clock.monotonicMs() + LOOKING_MS
  const holds = (account: Account): boolean => isLimited(effectiveQuota(deps, account))
  const items: UsedAccount[] = []
  let { after } = ask
  do {
    const page = await people.page({ ...ask, holds, limit: USAGES_MAX, after })
    for (const each of await usagesOf(deps, page.items)) {
      if (shareOf(each.used, effectiveQuota(deps, each.account)) * 100 < ask.percent) continue
      if (items.length === ask.limit) return { items, next: mainAddress(items.at(-1)!.account) }
      items.push(each)
    }
    after = page.next
  } while (after !== undefined && items.length < ask.limit && clock.monotonicMs() < endMs)
  return { items, ...(after !== undefined && { next: after }) }
}
