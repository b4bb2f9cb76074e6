import type { Octets } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import type { EntryReader, LdapControl, LdapEntry, SearchAsk } from '#codec/ldap/message.ts'
import { nextPage, pagedControl } from '#codec/ldap/paged.ts'
import { readEntry } from '#codec/ldap/response.ts'
import type { LdapConnection } from './connection.ts'
import {
  ADMIN_LIMIT_EXCEEDED,
  SIZE_LIMIT_EXCEEDED,
  SUCCESS,
  TIME_LIMIT_EXCEEDED,
  UNWILLING,
  resultFault,
} from './results.ts'
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
  const pages = searchPages(connection, ask, { ...options, readEntryAs: readEntry })
  for await (const entries of pages) yield* entries
}

/** The same a page at a time, with entries in the form in which they are wanted. */
export async function* searchPages<Entry>(
  connection: LdapConnection,
  ask: SearchAsk,
  options: { readonly answerMs?: number; readonly readEntryAs: EntryReader<Entry> },
): AsyncGenerator<readonly Entry[], void, void> {
  let coming: Promise<Page<Entry>> | undefined = page(connection, ask, options)
  while (coming !== undefined) {
    const { entries, cookie }: Page<Entry> = await coming
    coming = cookie === undefined ? undefined : page(connection, ask, { ...options, cookie })
    coming?.catch(ignored) // told when it is its turn, or never where nobody asks any more
    yield entries
  }
}

/** A server that gives so much at once and no more, or none of it without pages. */
const CUT: ReadonlySet<number> = new Set([
  TIME_LIMIT_EXCEEDED,
  SIZE_LIMIT_EXCEEDED,
  ADMIN_LIMIT_EXCEEDED,
  UNWILLING,
])

/**
 * All entries of a search without pages, as much at once as has come: the server waits for nobody's
 * question. Throws Fault `limit` where it gives them by pages only, else as `search` does.
 */
export async function* searchWhole<Entry>(
  connection: LdapConnection,
  ask: SearchAsk,
  options: { readonly answerMs: number; readonly readEntryAs: EntryReader<Entry> },
): AsyncGenerator<readonly Entry[], void, void> {
  const { answerMs, readEntryAs } = options
  const request = { op: 'search', ...ask } as const
  const asking = { answerMs: () => answerMs }
  for await (const messages of connection.answersAs(readEntryAs, request, asking)) {
    const entries: Entry[] = []
    for (const { response } of messages)
      if (response.op === 'entry') entries.push(response.entry)
      else if (response.op === 'result' && response.result.code !== SUCCESS) {
        const fault = resultFault(connection.server, response.result)
        throw CUT.has(response.result.code) ? new Fault('limit', fault.message) : fault
      }
    yield entries
  }
}

interface Page<Entry> {
  readonly entries: readonly Entry[]
  readonly cookie?: Octets
}

async function page<Entry>(
  connection: LdapConnection,
  ask: SearchAsk,
  {
    answerMs,
    readEntryAs,
    cookie,
  }: {
    readonly answerMs?: number
    readonly readEntryAs: EntryReader<Entry>
    readonly cookie?: Octets
  },
): Promise<Page<Entry>> {
  const entries: Entry[] = []
  let controls: readonly LdapControl[] = []
  const options = {
    controls: [pagedControl(PAGE_ENTRIES, cookie)],
    ...(answerMs !== undefined && { answerMs: () => answerMs }),
  }
  const request = { op: 'search', ...ask } as const
  for await (const messages of connection.answersAs(readEntryAs, request, options))
    for (const message of messages) {
      const { response } = message
      if (response.op === 'entry') {
        // Some page nothing: then it is all in one.
        if (entries.length >= ENTRIES_MAX)
          throw new Fault('limit', 'more entries than can be taken')
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
