import { equalOctets, fromUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { SECOND_MS } from '#base/time.ts'
import type { LdapAsked, LdapControl, LdapEntry, SearchAsk } from '#codec/ldap/message.ts'
import { pageAsked, PAGED_OID, pagedControl } from '#codec/ldap/paged.ts'
import { encodeResponse } from '#codec/ldap/write-response.ts'
import { describe, nameOf, picked } from './attributes.ts'
import type { BookEntry } from './attributes.ts'
import { START_TLS_OID, WHO_AM_I_OID } from './extended.ts'
import { matcher } from './match.ts'
import { resultOf } from './results.ts'
import type { ResultName } from './results.ts'
import type { LdapSession, Running } from './session.ts'
import type { TreeNode } from './tree.ts'

const TIME_MS_MAX = 10 * SECOND_MS
/** Entries are sent when so many octets of them are together. */
const SENT_AT_ONCE_BYTES = 16 * 1024

/** A search that goes on with the next page (RFC 2696 §2). */
export interface PagedSearch {
  readonly cookie: Octets
  /** What was asked: another search does not go on with it. */
  readonly ask: string
  readonly found: AsyncGenerator<BookEntry, undefined>
  /** Found already, and not told yet. */
  readonly ahead: BookEntry
  readonly told: number
  /** The turns of the generator ask whoever runs it now. */
  readonly owner: { isOver: () => boolean }
}

interface Search {
  readonly asked: LdapAsked
  readonly request: SearchAsk
  readonly running: Running
}

export async function search(session: LdapSession, ask: Search): Promise<void> {
  const { asked, request } = ask
  const { book } = session.options.shared
  const node = book.find(request.base)
  // RFC 4513 §3.1.2: what the server can do is told to everybody.
  if (typeof node === 'object' && node.kind === 'root' && request.scope === 'base')
    return tellRoot(session, ask)
  if (session.account === undefined)
    return session.answer(asked, resultOf('insufficientAccessRights', 'log in first'))
  if (node === 'malformed') return session.answer(asked, resultOf('invalidDnSyntax'))
  if (node === undefined)
    return session.answer(asked, resultOf('noSuchObject', '', book.tree.suffix))
  // Programs that were given no base mean all there is.
  return tellFound(session, ask, node.kind === 'root' ? { kind: 'suffix' } : node)
}

async function tellFound(
  session: LdapSession,
  ask: Search,
  base: Exclude<TreeNode, { kind: 'root' }>,
): Promise<void> {
  const { asked, request, running } = ask
  const page = pageAsked(asked.controls)
  if (!page.ok) return session.answer(asked, resultOf('protocolError', page.error))
  const { shared, clock } = session.options
  const seconds = request.timeLimitSeconds ?? 0
  const limitMs = seconds === 0 ? TIME_MS_MAX : Math.min(seconds * SECOND_MS, TIME_MS_MAX)
  const endMs = clock.monotonicMs() + limitMs
  const isLate = (): boolean => clock.monotonicMs() >= endMs
  const isOver = (): boolean => running.isAbandoned || isLate()
  const taken = takePaged(session, ask, page.value)
  if (taken === 'gone')
    return session.answer(
      asked,
      resultOf('unwillingToPerform', 'this search is over: begin it again'),
    )
  const owner = taken?.owner ?? { isOver }
  owner.isOver = isOver
  const found =
    taken?.found ??
    shared.book.search({
      base,
      scope: request.scope,
      filter: request.filter,
      members: wantsMembers(request),
      isOver: () => owner.isOver(),
    })
  const sizeLimit = request.sizeLimit === 0 ? Infinity : (request.sizeLimit ?? Infinity)
  const answerMax = shared.resultsMax()
  const before = taken?.told ?? 0
  const room = Math.min(page.value?.size || Infinity, sizeLimit - before, answerMax)
  const teller = new Teller(session, ask)
  let ahead: BookEntry | undefined = taken?.ahead
  let told = 0
  for (;;) {
    ahead ??= await next(found)
    if (ahead === undefined || told >= room || isOver()) break
    if ((await teller.tell(ahead)) === 'gone') return
    told++
    ahead = undefined
  }
  if (running.isAbandoned) return
  await teller.flush()
  const isPaged = page.value !== undefined
  const isCut = ahead !== undefined && (!isPaged || before + told >= sizeLimit)
  const name: ResultName = isLate() ? 'timeLimitExceeded' : isCut ? 'sizeLimitExceeded' : 'success'
  if (!isPaged) return session.answer(asked, resultOf(name))
  const goesOn = ahead !== undefined && name === 'success'
  const cookie = goesOn ? fromUtf8(`${asked.id} ${before + told}`) : new Uint8Array(0)
  session.paged =
    goesOn && ahead !== undefined
      ? { cookie, ask: keyOf(request), found, ahead, told: before + told, owner }
      : undefined
  const controls: readonly LdapControl[] = [pagedControl(0, cookie)]
  return session.answer(asked, resultOf(name), { controls })
}

const next = async (
  found: AsyncGenerator<BookEntry, undefined>,
): Promise<BookEntry | undefined> => {
  const { value } = await found.next()
  return value
}

/** The search that a cookie names; a cookie works once. */
function takePaged(
  session: LdapSession,
  { request }: Search,
  page: { readonly size: number; readonly cookie: Octets } | undefined,
): PagedSearch | 'gone' | undefined {
  if (page === undefined || page.cookie.length === 0) return undefined
  const { paged } = session
  if (paged === undefined || !equalOctets(paged.cookie, page.cookie)) return 'gone'
  session.paged = undefined
  return paged.ask === keyOf(request) ? paged : 'gone'
}

const keyOf = ({ base, scope, filter, attributes }: SearchAsk): string =>
  JSON.stringify([base, scope, filter, attributes])

/** Only then are they looked up. */
const wantsMembers = ({ attributes, filter }: SearchAsk): boolean =>
  attributes.length === 0 ||
  attributes.some((each) => each === '*' || describe(each)?.type === 'member') ||
  /"type":"(?:member|2\.5\.4\.31)/i.test(JSON.stringify(filter))

/** Sends entries some at a time. */
class Teller {
  readonly #session: LdapSession
  readonly #ask: Search
  #messages: Octets[] = []
  #bytes = 0

  constructor(session: LdapSession, ask: Search) {
    this.#session = session
    this.#ask = ask
  }

  async tell(entry: BookEntry): Promise<'ok' | 'gone'> {
    const { asked, request } = this.#ask
    const response = { op: 'entry', entry: shown(entry, request) } as const
    const octets = encodeResponse(asked.id, response, { op: 'search' })
    this.#messages.push(octets)
    this.#bytes += octets.length
    return this.#bytes < SENT_AT_ONCE_BYTES ? 'ok' : this.flush()
  }

  async flush(): Promise<'ok' | 'gone'> {
    const messages = this.#messages
    this.#messages = []
    this.#bytes = 0
    return messages.length === 0 ? 'ok' : this.#session.send(messages)
  }
}

const shown = (entry: BookEntry, { attributes, typesOnly }: SearchAsk): LdapEntry => ({
  dn: entry.dn,
  attributes: picked(entry, attributes).map((attribute) => ({
    type: nameOf(attribute),
    values: typesOnly === true ? [] : attribute.values.map(fromUtf8),
  })),
})

/** What this server is and can do (RFC 4512 §5.1). */
async function tellRoot(session: LdapSession, ask: Search): Promise<void> {
  const { asked, request } = ask
  const of = (type: string, ...values: readonly string[]) => ({ type, options: [], values })
  const operational = [
    of('namingContexts', session.options.shared.book.tree.suffix),
    of('supportedLDAPVersion', '3'),
    of('supportedControl', PAGED_OID),
    of(
      'supportedExtension',
      ...(session.isSecure ? [WHO_AM_I_OID] : [START_TLS_OID, WHO_AM_I_OID]),
    ),
    ...(session.isLoginAllowed ? [of('supportedSASLMechanisms', 'PLAIN')] : []),
    // All operational attributes (RFC 3673); filters that are always true or false (RFC 4526).
    of('supportedFeatures', '1.3.6.1.4.1.4203.1.5.1', '1.3.6.1.4.1.4203.1.5.3'),
    of('vendorName', 'Watari'), // RFC 3045
  ].map((each) => ({ ...each, isOperational: true as const }))
  const entry: BookEntry = { dn: '', attributes: [of('objectClass', 'top'), ...operational] }
  if (matcher(request.filter)(entry)) {
    const asksFor = new Set(request.attributes.map((each) => each.toLowerCase()))
    const byName = operational.filter(({ type }) => asksFor.has(type.toLowerCase()))
    const attributes = new Set([...picked(entry, request.attributes), ...byName])
    const told = { dn: '', attributes: [...attributes] }
    const all = { ...request, attributes: ['*', '+'] }
    const response = { op: 'entry', entry: shown(told, all) } as const
    await session.send([encodeResponse(asked.id, response, { op: 'search' })])
  }
  return session.answer(asked, resultOf('success'))
}
