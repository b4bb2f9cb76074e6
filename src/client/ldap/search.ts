import type { Octets } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import type { LdapControl, LdapEntry, SearchAsk } from '#codec/ldap/message.ts'
import { nextPage, pagedControl } from '#codec/ldap/paged.ts'
import type { LdapConnection } from './connection.ts'
import { SUCCESS, resultFault } from './results.ts'
import { serverName } from './server.ts'

/** Below the 1,000 of Active Directory and the 500 of OpenLDAP, above which they refuse. */
const PAGE_ENTRIES = 500
const ENTRIES_MAX = 1_000_000

/**
 * All entries of a search, page by page, as they come; referrals are not followed. A page is asked for
 * while the one before it is looked at. Throws Fault `notFound` where the base is missing, `limit` where
 * the server cuts the answer short, `unavailable` for other refusals, and the connection's faults.
 */
export async function* search(
  connection: LdapConnection,
  ask: SearchAsk,
  options: { readonly answerMs?: number } = {},
): AsyncGenerator<LdapEntry, void, void> {
  let coming: Promise<Page> | undefined = page(connection, ask, options)
  while (coming !== undefined) {
    const { entries, cookie }: Page = await coming
    coming = cookie === undefined ? undefined : page(connection, ask, { ...options, cookie })
    coming?.catch(ignored) // told when it is its turn, or never where nobody asks any more
    yield* entries
  }
}

interface Page {
  readonly entries: readonly LdapEntry[]
  readonly cookie?: Octets
}

async function page(
  connection: LdapConnection,
  ask: SearchAsk,
  { answerMs, cookie }: { readonly answerMs?: number; readonly cookie?: Octets },
): Promise<Page> {
  const entries: LdapEntry[] = []
  let controls: readonly LdapControl[] = []
  const options = {
    controls: [pagedControl(PAGE_ENTRIES, cookie)],
    ...(answerMs !== undefined && { answerMs: () => answerMs }),
  }
  for await (const message of connection.answers({ op: 'search', ...ask }, options)) {
    const { response } = message
    if (response.op === 'entry') {
      // Some page nothing: then it is all in one.
      if (entries.length >= ENTRIES_MAX) throw new Fault('limit', 'more entries than can be taken')
      entries.push(response.entry)
    }
    if (response.op !== 'result') continue
    if (response.result.code !== SUCCESS) throw resultFault(connection.server, response.result)
    ;({ controls } = message)
  }
  const next = nextPage(controls)
  if (!next.ok) throw new Fault('protocol', `${serverName(connection.server)}: ${next.error}`)
  return { entries, ...(next.value !== undefined && { cookie: next.value }) }
}

const ignored = (): void => undefined
