import { bufferOf } from '#base/octets.ts'
import { Fault, isFault } from '#base/outcome.ts'
import type { Clock } from '#base/time.ts'
import { SECOND_MS } from '#base/time.ts'
import type { LdapIdentity } from '#client/ldap/bind.ts'
import type { LdapConnection } from '#client/ldap/connection.ts'
import { LdapHosts } from '#client/ldap/hosts.ts'
import { knownAttributes } from '#client/ldap/look.ts'
import { searchPages, searchWhole } from '#client/ldap/search.ts'
import type { LdapServer } from '#client/ldap/server.ts'
import { emptyCsns } from '#codec/ldap/csn.ts'
import { EntryTextReader } from '#codec/ldap/entry-texts.ts'
import { equal, parseFilter } from '#codec/ldap/filter.ts'
import type { Filter } from '#codec/ldap/filter.ts'
import type { SearchAsk } from '#codec/ldap/message.ts'
import { parseAddress } from '#model/address.ts'
import type { EntryTexts } from '#model/directory-entry.ts'
import type { CensusException } from '#model/person.ts'
import type { DirectorySource } from '#model/source.ts'
import { PRESETS } from './attribute-map.ts'
import type { AttributeMap, Preset } from './attribute-map.ts'
import { fromEntry } from './from-entries.ts'
import type { SourcePerson } from './gather.ts'
import { isCut, withAllValues } from './ranged-values.ts'
import { SourceCopy, noNews } from './source-copy.ts'
import type { SourceGroup, SourceNews } from './source-copy.ts'
import type { CopiedEntry } from './copied-entry.ts'

/** A page of a large directory may take its server a while. */
const ANSWER_MS = 30_000
/** Nobody waits for a reading as for a login: a host may be busy. */
const READ_TIMES = { connectMs: 3 * SECOND_MS, answerMs: 3 * SECOND_MS, besideMs: 3 * SECOND_MS }
/** Entries of one source: more than that is a base or a filter that is set too wide. */
export const PEOPLE_MAX = 500_000

/** What was read, and what of it says nothing to us. */
export interface SourceContent {
  readonly people: ReadonlyMap<string, SourcePerson>
  readonly groups: ReadonlyMap<string, SourceGroup>
  readonly exceptions: readonly CensusException[]
}

/** The hosts of a source, bound as it says. */
export const hostsOf = (source: DirectorySource, clock: Clock): LdapHosts =>
  new LdapHosts(serversOf(source), {
    clock,
    times: READ_TIMES,
    ...readerOf(source),
  })

/** A name with its password goes before what the certificate says. */
function readerOf({ bind, identity }: DirectorySource): { readonly as?: LdapIdentity } {
  if (bind === undefined) return identity === undefined ? {} : { as: { kind: 'external' } }
  const password = Buffer.from(bind.passwordBase64, 'base64')
  return { as: { kind: 'simple', dn: bind.dn, password } }
}

export const serversOf = ({ servers, ca, identity }: DirectorySource): readonly LdapServer[] =>
  servers.map((server) => ({
    ...server,
    ...(ca !== undefined && { ca }),
    ...(identity !== undefined && server.tls !== 'none' && { identity }),
  }))

/** Everybody of a source, read whole once, to look at. Throws as `readWhole` does. */
export async function readSource(
  source: DirectorySource,
  hosts: Pick<LdapHosts, 'inTurn'>,
): Promise<SourceContent> {
  const news = await hosts.inTurn((connection) => readWhole(connection, source))
  const copy = new SourceCopy(source)
  copy.take(copy.plan(news, emptyCsns), emptyCsns)
  return { people: copy.people, groups: copy.groups, exceptions: copy.exceptions() }
}

/**
 * All that a source has, by pages where its server gives no more at once. Throws the Fault of its host, `config` where filter or base mean
 * nothing there, `limit` where there are too many.
 */
export async function readWhole(
  connection: LdapConnection,
  source: DirectorySource,
  { peopleMax = PEOPLE_MAX } = {},
): Promise<SourceNews> {
  const news = { ...noNews(), isRestGone: true }
  const ask = askOf(source, await knownAttributes(connection))
  const options = { answerMs: ANSWER_MS, readEntryAs: new EntryTextReader().read }
  let cut: EntryTexts[] = []
  const put = (entry: EntryTexts): void => {
    const copied = copiedEntry(source, entry)
    news.entries.set(copied.id, copied)
  }
  const take = async (batches: AsyncIterable<readonly EntryTexts[]>): Promise<void> => {
    for await (const entries of batches)
      for (const entry of entries) {
        if (news.entries.size >= peopleMax) throw tooMany(source, peopleMax)
        put(entry)
        if (source.groups === true && isCut(entry)) cut.push(entry)
      }
  }
  try {
    await take(searchWhole(connection, ask, options))
  } catch (thrown) {
    if (!isFault(thrown, 'limit') || news.entries.size >= peopleMax) throw thrown
    news.entries.clear()
    cut = []
    await take(searchPages(connection, ask, options))
  }
  for (const entry of cut) put(await withAllValues(connection, entry, { answerMs: ANSWER_MS }))
  return news
}

export const tooMany = ({ name }: DirectorySource, peopleMax: number): Fault =>
  new Fault(
    'limit',
    `${name}: more than ${peopleMax} entries; a narrower --base or --filter has fewer`,
  )

/**
 * Which entries a source is asked for, and what of them: of `known` names alone, where its server says
 * which it knows. Throws Fault `config`.
 */
export function askOf(source: DirectorySource, known?: ReadonlySet<string>): SearchAsk {
  const preset = source.map as Preset | undefined
  const maps: readonly AttributeMap[] =
    preset === undefined ? Object.values(PRESETS) : [PRESETS[preset]]
  return {
    base: source.base,
    scope: 'subtree',
    filter: filterOf(source, maps),
    attributes: namesIn(attributesOf(source, maps), source, known),
  }
}

/** A server that says nothing of what each entry has, or of what people are known by, hides more than that. */
function namesIn(
  names: readonly string[],
  { key }: DirectorySource,
  known: ReadonlySet<string> | undefined,
): readonly string[] {
  if (known?.has('objectclass') !== true || !known.has(key.toLowerCase())) return names
  return names.filter((name) => known.has(name.toLowerCase()))
}

const NONE: readonly string[] = []

/** What of an entry is kept; `uuid`: by which name its server tells what becomes of it. */
export function copiedEntry(
  source: DirectorySource,
  entry: EntryTexts,
  uuid = entry.texts.get('entryuuid')?.[0],
): CopiedEntry {
  const { dn } = entry
  const told: CensusException[] = []
  const { kind, person, group } = fromEntry(entry, source.map as Preset | undefined, told)
  // What a filter of the administrator's brings beside people is nobody, and not missed.
  const isLeft = kind === 'group' && source.groups !== true
  if (isLeft) told.length = 0
  const csn = entry.texts.get('entrycsn')?.[0]
  if (group !== undefined && !isLeft) {
    // Numbers of employees are of people: a group is known by what no entry lacks.
    const own = entry.texts.get('entryuuid')?.[0]
    const key = own === undefined ? (keyOf(source, entry) ?? `dn=${dn}`) : `entryuuid=${own}`
    const [address] = group.addresses
    const isOne = parseAddress(address.includes('@') ? address : `${address}@example.org`).ok
    if (!isOne) told.push({ source: dn, text: `${address} is no address` })
    const exceptions = textsOf(told)
    return { id: uuid ?? key, dn, csn, key, person, ...(isOne && { group }), exceptions }
  }
  const key = person === undefined ? undefined : keyOf(source, entry)
  if (person !== undefined && key === undefined)
    told.push({ source: dn, text: `there is no ${source.key}` })
  return { id: uuid ?? key ?? dn, dn, csn, key, person, exceptions: textsOf(told) }
}

const textsOf = (told: readonly CensusException[]): readonly string[] =>
  told.length === 0 ? NONE : told.map(({ text }) => text)

function filterOf(source: DirectorySource, maps: readonly AttributeMap[]): Filter {
  const of = (classes: readonly string[]): readonly Filter[] =>
    [...new Set(classes)].map((name) => equal('objectClass', name))
  const groups = source.groups === true ? of(maps.flatMap((map) => map.groups)) : []
  if (source.filter === undefined)
    return { kind: 'or', filters: [...of(maps.flatMap(({ people }) => people)), ...groups] }
  const parsed = parseFilter(source.filter)
  if (!parsed.ok) throw new Fault('config', `${source.name}: filter: ${parsed.error}`)
  return groups.length === 0 ? parsed.value : { kind: 'or', filters: [parsed.value, ...groups] }
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
      ...(source.groups === true
        ? [...map.memberDn, ...map.memberName, ...map.memberAddress, 'displayName', 'cn']
        : []),
    ]),
  ]),
]

/** `attribute=value`, as text or as its octets in hexadecimal: Active Directory's objectGUID is no text. */
export function keyOf(
  { key }: Pick<DirectorySource, 'key'>,
  { texts, octets }: EntryTexts,
): string | undefined {
  const name = key.toLowerCase()
  const text = texts.get(name)?.[0]
  if (text !== undefined) return text === '' ? undefined : `${name}=${text}`
  const [value] = octets.get(name) ?? []
  return value === undefined ? undefined : `${name}=${bufferOf(value).toString('hex')}`
}
