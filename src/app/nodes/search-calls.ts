import { Fault } from '#base/outcome.ts'
import type { Clock } from '#base/time.ts'
import type { NodeCaller } from '#client/node/node-caller.ts'
import { SEARCH_CALLS } from '#contract/node/search.ts'
import type { SearchStatus } from '#contract/node/search.ts'
import type { AccountId } from '#model/account.ts'
import type { EventSink } from '#model/event.ts'
import type { RemoteSearch } from '#server/admin/context.ts'

type Name = keyof typeof SEARCH_CALLS

/** What control may ask of a store about its search index. */
export function searchCalls(
  search: {
    status(): Promise<SearchStatus>
    rebuild(accountId: AccountId): Promise<void>
  },
  { events, clock }: { readonly events: EventSink; readonly clock: Clock },
): Readonly<Record<Name, (argument: never) => Promise<unknown>>> {
  return {
    'search.status': () => search.status(),
    'search.rebuild': async (given) => {
      const parsed = SEARCH_CALLS['search.rebuild'].safeParse(given)
      if (!parsed.success)
        throw new Fault('invalid', parsed.error.issues[0]?.message ?? 'search.rebuild: invalid')
      const { accountId, by } = parsed.data
      await search.rebuild(accountId as AccountId)
      events.emit({ atMs: clock.nowMs(), name: 'store.reindexed', fields: { accountId, by } })
      return {}
    },
  }
}

/** A store's search index, asked through its node API. */
export const remoteSearch = (store: NodeCaller): RemoteSearch => ({
  status: () => store.call('search.status', {}) as Promise<SearchStatus>,
  rebuild: async (ask) => {
    await store.call('search.rebuild', ask)
  },
})
