import { z } from 'zod'

/** Arguments of the calls that control makes to a store about its search index, by name. */
export const SEARCH_CALLS = {
  'search.status': z.object({}),
  'search.rebuild': z.object({
    accountId: z.string().min(1).max(200),
    /** Who wants it, for the event that tells of it. */
    by: z.string().max(200),
  }),
} as const

/** How the index of a store is. */
export interface SearchStatus {
  readonly accounts: number
  readonly segments: number
  readonly bytes: number
  /** Accounts and emails that are not indexed yet. */
  readonly accountsBehind: number
  readonly emailsBehind: number
  /** Why indexing does not go on; absent where nothing is wrong. */
  readonly trouble?: string
}
