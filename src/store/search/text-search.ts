import type { Log } from '#base/log.ts'
import { messageOf } from '#base/outcome.ts'
import type { Clock } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import type { SearchFeeder } from './feeder.ts'
import { isBounded } from './query.ts'
import type { SearchQuery } from './query.ts'
import type { SearchIndex } from './search-index.ts'

export interface TextSearchAsk {
  readonly accountId: AccountId
  readonly query: SearchQuery
  /** Numbers of the emails that are asked for, ascending. */
  readonly within: Uint32Array
  /** Awaited between pieces of work; rejects to give up. */
  readonly goOn: () => Promise<void>
}

/** True or false for an email; undefined where its text has to be read. */
export type Decide = (emailNumber: number) => boolean | undefined

/** Searches an account's texts. Undefined where there is no index to ask: then texts are read. */
export type TextSearch = (ask: TextSearchAsk) => Promise<Decide | undefined>

/** How long a search waits for new mail to be indexed; what is not by then is read. */
const CATCH_UP_MS = 500

export function indexedSearch(parts: {
  readonly feeder: Pick<SearchFeeder, 'catchUp'>
  readonly index: SearchIndex
  readonly clock: Clock
  readonly log: Log
}): TextSearch {
  const { feeder, index, log } = parts
  return async ({ accountId, query, within, goOn }) => {
    if (!isBounded(query)) return undefined
    const found = new Set<number>()
    const unsure = new Set<number>()
    let upTo = 0
    await feeder.catchUp(accountId, CATCH_UP_MS)
    for (let after: number | undefined; ;) {
      let part: Awaited<ReturnType<SearchIndex['find']>>
      try {
        part = await index.find({
          accountId,
          query,
          within,
          ...(after !== undefined && { after }),
        })
      } catch (thrown) {
        log.warn('search.unanswered', { cause: messageOf(thrown) })
        return undefined
      }
      for (const number of part.found) found.add(number)
      for (const number of part.unsure) unsure.add(number)
      // A segment that turned out to be damaged takes back what was decided before.
      upTo = after === undefined ? part.upTo : Math.min(upTo, part.upTo)
      after = part.next
      if (after === undefined) break
      await goOn()
    }
    return (number) => {
      if (number >= upTo || unsure.has(number)) return undefined
      return found.has(number)
    }
  }
}
