import type { EmailView } from './email-views.ts'
import type { Filter } from './email-filter.ts'
import { MethodError } from '#server/jmap/method/method-error.ts'
import type { Call } from '#server/jmap/room.ts'

/** Asks the search index about all emails of the views, where the filter asks for texts. */
export async function consult(
  call: Call,
  filter: Filter,
  views: readonly EmailView[],
): Promise<void> {
  const { search, clock, limits } = call.room
  if (search === undefined || filter.oracles.length === 0) return
  const untilMs = clock.monotonicMs() + limits.searchMs
  const goOn = (): Promise<void> => {
    if (!call.signal.aborted && clock.monotonicMs() <= untilMs) return Promise.resolve()
    throw new MethodError('serverUnavailable', 'The search takes too long: narrow it')
  }
  const within = numbersIn(views)
  for (const oracle of filter.oracles)
    oracle.decide = await search({ accountId: call.account.id, query: oracle.query, within, goOn })
}

/** Numbers of the views' emails, ascending; of one that lies in several, several times. */
function numbersIn(views: readonly EmailView[]): Uint32Array {
  const numbers = new Uint32Array(views.reduce((sum, { emails }) => sum + emails.length, 0))
  let at = 0
  for (const { emails } of views) {
    numbers.set(emails, at)
    at += emails.length
  }
  return numbers.sort()
}
