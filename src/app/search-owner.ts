import { join } from 'node:path'
import type { Log } from '#base/log.ts'
import type { Clock } from '#base/time.ts'
import type { SearchStatus } from '#contract/node/search.ts'
import type { AccountId } from '#model/account.ts'
import type { StoreChanged } from '#store/mailbox/mailbox-view.ts'
import type { TextSource } from '#store/mailbox/text-source.ts'
import { SearchFeeder } from '#store/search/feeder.ts'
import { indexedSearch } from '#store/search/text-search.ts'
import type { TextSearch } from '#store/search/text-search.ts'
import { OnDemandChild } from './storage/on-demand.ts'

export interface SearchOwner {
  readonly find: TextSearch
  readonly changed: (change: StoreChanged) => void
  status(): Promise<SearchStatus>
  /** What is wrong with the index, while mail and searches go on without it: a line each. */
  readonly ailments: () => readonly string[]
  /** Forgets the account's index, and begins anew. */
  rebuild(accountId: AccountId): Promise<void>
  close(): Promise<void>
}

/** The index of a store's mailboxes, in a storage child of its own, and what keeps it up to date. */
export function startSearch(parts: {
  /** The mailboxes' folder; the index lies beside them. */
  readonly dir: string
  readonly mailboxes: TextSource
  readonly clock: Clock
  readonly log: Log
}): SearchOwner {
  const { dir, mailboxes, clock, log } = parts
  const indexDir = join(dir, 'fts')
  const child = new OnDemandChild({
    kind: 'search',
    dir: indexDir,
    clock,
    log: log.with({ storage: 'search' }),
    isResting: (running) => running.service('search').resting(),
  })
  const index = child.service('search')
  const feeder = new SearchFeeder({ store: mailboxes, index, clock, log })
  feeder.start()
  return {
    find: indexedSearch({ feeder, index, clock, log }),
    changed: ({ accountId }) => feeder.changed(accountId),
    status: async () => {
      const [status, lag] = await Promise.all([index.status(), feeder.lag()])
      return { ...status, ...lag, ...feeder.status() }
    },
    ailments: () => {
      const { trouble } = feeder.status()
      if (trouble === undefined) return []
      const why = trouble.includes(indexDir) ? trouble : `${indexDir}: ${trouble}`
      return [`${why}; nothing is indexed, searches read all mail meanwhile`]
    },
    rebuild: async (accountId) => {
      await index.forget({ accountId })
      feeder.enqueue(accountId)
    },
    close: async () => {
      await feeder.close()
      await child.stop()
    },
  }
}
