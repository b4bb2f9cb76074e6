import type { Octets } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import type { LdapControl, LdapEntry, SearchAsk } from '#codec/ldap/message.ts'
import { nextPage, pagedControl } from '#codec/ldap/paged.ts'
import type { LdapConnection } from './connection.ts'
import { SUCCESS, resultFault } from './results.ts'
import { serverName } from './server.ts'

/** Below the 1,000 of Active Directory and the 500 of OpenLDAP, above which they refuse. */
const PAGE_ENTRIES = 500

/**
 * All entries of a search, page by page, as they come; referrals are not followed. Throws Fault
 * `notFound` where the base is missing, `limit` where the server cuts the answer short, `unavailable`
 * for other refusals, and the connection's faults.
 */
export async function* search(
  connection: LdapConnection,
  ask: SearchAsk,
  options: { readonly answerMs?: number } = {},
): AsyncGenerator<LdapEntry, void, void> {
  let cookie: Octets | undefined
  do {
    let controls: readonly LdapControl[] = []
    const page = { controls: [pagedControl(PAGE_ENTRIES, cookie)], ...options }
    for await (const message of connection.answers({ op: 'search', ...ask }, page)) {
      const { response } = message
      if (response.op === 'entry') yield response.entry
      if (response.op !== 'result') continue
      if (response.result.code !== SUCCESS) throw resultFault(connection.server, response.result)
      ;({ controls } = message)
    }
    const next = nextPage(controls)
    if (!next.ok) throw new Fault('protocol', `${serverName(connection.server)}: ${next.error}`)
    cookie = next.value
  } while (cookie !== undefined)
}
