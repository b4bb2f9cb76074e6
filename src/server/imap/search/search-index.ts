import type { SearchKey } from '#codec/imap/search-key.ts'
import type { SearchQuery } from '#store/search/query.ts'
import type { Decide } from '#store/search/text-search.ts'
import type { Facts } from './search-facts.ts'
import type { ImapSession } from '#server/imap/session/session.ts'
import type { Selected } from '#server/imap/view/selected.ts'

/** A part of a search that asks for texts only, with what the index says of it. */
export interface Oracle {
  readonly query: SearchQuery
  decide: Decide | undefined
}

/** What the index is asked for a key; undefined for one that asks for more than texts. */
export function queryOf(
  key: SearchKey,
  readText: (text: string) => string,
): SearchQuery | undefined {
  switch (key.kind) {
    case 'address':
      return { kind: 'text', places: [key.field], term: readText(key.text) }
    case 'subject':
      return { kind: 'text', places: ['subject'], term: readText(key.text) }
    case 'body':
      return { kind: 'text', places: ['body'], term: readText(key.text) }
    case 'text':
      return { kind: 'text', places: ['header', 'body'], term: readText(key.text) }
    case 'header':
      return { kind: 'field', name: key.field.toLowerCase(), term: readText(key.text) }
    case 'not': {
      const query = queryOf(key.key, readText)
      return query && { kind: 'not', query }
    }
    case 'and':
    case 'or': {
      const queries: SearchQuery[] = []
      for (const inner of key.keys) {
        const query = queryOf(inner, readText)
        if (query === undefined) return undefined
        queries.push(query)
      }
      return { kind: key.kind, queries }
    }
    default:
      return undefined
  }
}

/** Fewer messages are read sooner than asked for. */
const ROWS_MIN = 4

/** Asks the index about messages that nothing else has decided; each is told which email it is. */
export async function consult(
  session: ImapSession,
  {
    selected,
    open,
    oracles,
  }: {
    readonly selected: Selected
    readonly open: readonly Facts[]
    readonly oracles: readonly Oracle[]
  },
): Promise<void> {
  const { search } = session.room
  if (search === undefined || oracles.length === 0 || open.length < ROWS_MIN) return
  // What the index knows of the owner's is asked within what the session may see.
  const { accountId } = selected.view
  const numbers = await selected.view.emails.numbersOf(selected.uidsOf(open.map(({ row }) => row)))
  const known = new Uint32Array(open.length)
  let count = 0
  for (const [index, fact] of open.entries()) {
    const number = numbers[index]!
    if (Number.isNaN(number)) continue
    fact.email = number
    known[count++] = number
  }
  const within = known.subarray(0, count).sort()
  const goOn = (): Promise<void> => session.connection.stillThere()
  for (const oracle of oracles)
    oracle.decide = await search({ accountId, query: oracle.query, within, goOn })
}
