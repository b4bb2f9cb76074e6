import { bufferOf, toUtf8Strict } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import type { Clock } from '#base/time.ts'
import { SECOND_MS } from '#base/time.ts'
import type { LdapConnection } from '#client/ldap/connection.ts'
import { LdapHosts } from '#client/ldap/hosts.ts'
import { search } from '#client/ldap/search.ts'
import { emptyCsns } from '#codec/ldap/csn.ts'
import { equal, parseFilter } from '#codec/ldap/filter.ts'
import type { Filter } from '#codec/ldap/filter.ts'
import type { SearchAsk } from '#codec/ldap/message.ts'
import type { DirectoryEntry } from '#model/directory-entry.ts'
import type { CensusException } from '#model/person.ts'
import type { DirectorySource } from '#model/source.ts'
import { PRESETS } from './attribute-map.ts'
import type { AttributeMap, Preset } from './attribute-map.ts'
import { fromEntry } from './from-entries.ts'
import type { SourcePerson } from './gather.ts'
import { SourceCopy, noNews } from './source-copy.ts'
import type { CopiedEntry, SourceNews } from './source-copy.ts'

/** A page of a large directory may take its server a while. */
const ANSWER_MS = 30_000
/** Nobody waits for a reading as for a login: a host may be busy. */
const READ_TIMES = { connectMs: 3 * SECOND_MS, answerMs: 3 * SECOND_MS, besideMs: 3 * SECOND_MS }
/** Entries of one source: more than that is a base or a filter that is set too wide. */
export const PEOPLE_MAX = 500_000

/** What was read, and what of it says nothing to us. */
export interface SourceContent {
  readonly people: ReadonlyMap<string, SourcePerson>
  readonly exceptions: readonly CensusException[]
}

/** The hosts of a source, bound as it says. */
export const hostsOf = (source: DirectorySource, clock: Clock): LdapHosts =>
  new LdapHosts(serversOf(source), {
    clock,
    times: READ_TIMES,
    ...(source.bind !== undefined && {
      as: {
        kind: 'simple',
        dn: source.bind.dn,
        password: Buffer.from(source.bind.passwordBase64, 'base64'),
      },
    }),
  })

export const serversOf = ({ servers, ca }: DirectorySource) =>
  servers.map((server) => ({ ...server, ...(ca !== undefined && { ca }) }))

/** Everybody of a source, read whole once, to look at. Throws as `readWhole` does. */
export async function readSource(
  source: DirectorySource,
  hosts: Pick<LdapHosts, 'inTurn'>,
): Promise<SourceContent> {
  const news = await hosts.inTurn((connection) => readWhole(connection, source))
  const copy = new SourceCopy(source)
  copy.take(copy.plan(news, emptyCsns), emptyCsns)
  return { people: copy.people, exceptions: copy.exceptions() }
}

/**
 * All that a source has, page by page. Throws the Fault of its host, `config` where filter or base mean
 * nothing there, `limit` where there are too many.
 */
export async function readWhole(
  connection: LdapConnection,
  source: DirectorySource,
  { peopleMax = PEOPLE_MAX } = {},
): Promise<SourceNews> {
  const news = { ...noNews(), isRestGone: true }
  for await (const entry of search(connection, askOf(source), { answerMs: ANSWER_MS })) {
    if (news.entries.size >= peopleMax) throw tooMany(source, peopleMax)
    const copied = copiedEntry(source, entry)
    news.entries.set(textIn(entry, 'entryuuid') ?? copied.key ?? entry.dn, copied)
  }
  return news
}

export const tooMany = ({ name }: DirectorySource, peopleMax: number): Fault =>
  new Fault(
    'limit',
    `${name}: more than ${peopleMax} entries; a narrower --base or --filter has fewer`,
  )

/** Which entries a source is asked for, and what of them. Throws Fault `config`. */
export function askOf(source: DirectorySource): SearchAsk {
  const preset = source.map as Preset | undefined
  const maps: readonly AttributeMap[] =
    preset === undefined ? Object.values(PRESETS) : [PRESETS[preset]]
  return {
    base: source.base,
    scope: 'subtree',
    filter: filterOf(source, maps),
    attributes: attributesOf(source, maps),
  }
}

const NONE: readonly string[] = []

/** What of an entry is kept. */
export function copiedEntry(source: DirectorySource, entry: DirectoryEntry): CopiedEntry {
  const told: CensusException[] = []
  const person = fromEntry(entry, source.map as Preset | undefined, told)
  const key = person === undefined ? undefined : keyOf(source, entry)
  const csn = textIn(entry, 'entrycsn')
  const exceptions = told.map(({ text }) => text)
  if (person !== undefined && key === undefined) exceptions.push(`there is no ${source.key}`)
  return {
    dn: entry.dn,
    ...(csn !== undefined && { csn }),
    ...(key !== undefined && { key }),
    ...(person !== undefined && { person }),
    exceptions: exceptions.length === 0 ? NONE : exceptions,
  }
}

const valueOf = ({ attributes }: DirectoryEntry, name: string): Octets | undefined =>
  attributes.find(({ type }) => type.toLowerCase() === name)?.values[0]

function textIn(entry: DirectoryEntry, name: string): string | undefined {
  const value = valueOf(entry, name)
  return value === undefined ? undefined : toUtf8Strict(value)
}

function filterOf(source: DirectorySource, maps: readonly AttributeMap[]): Filter {
  if (source.filter !== undefined) {
    const parsed = parseFilter(source.filter)
    if (!parsed.ok) throw new Fault('config', `${source.name}: filter: ${parsed.error}`)
    return parsed.value
  }
  const classes = new Set(maps.flatMap(({ people }) => people))
  return { kind: 'or', filters: [...classes].map((name) => equal('objectClass', name)) }
}

/** What the maps look at, and nothing else: photographs stay where they are. */
const attributesOf = (source: DirectorySource, maps: readonly AttributeMap[]): string[] => [
  ...new Set([
    'objectClass',
    'entryUUID',
    'entryCSN',
    source.key,
    ...maps.flatMap((map) => [
      ...map.username,
      ...map.name,
      // The attribute itself is asked for: its values with options come with it.
      ...map.reading.map((name) => name.split(';')[0]!),
      ...map.externalId,
      ...(map.formerNames ?? []),
      ...(map.tags ?? []),
      ...(map.startsOn ?? []),
      ...(map.expiresOn ?? []),
      ...map.addresses,
      ...map.forward,
      ...map.quotaBytes,
      ...(map.quotaMessages ?? []),
      ...(map.keepIn === undefined ? [] : [map.keepIn]),
      ...(map.isDisabled === undefined ? [] : [map.isDisabled.attribute]),
      ...(source.auth === 'hash' ? map.password : []),
    ]),
  ]),
]

/** `attribute=value`, as text or as its octets in hexadecimal: Active Directory's objectGUID is no text. */
function keyOf({ key }: DirectorySource, entry: DirectoryEntry): string | undefined {
  const name = key.toLowerCase()
  const value = valueOf(entry, name)
  if (value === undefined || value.length === 0) return undefined
  return `${name}=${toUtf8Strict(value) ?? bufferOf(value).toString('hex')}`
}
