import { bufferOf, fromUtf8, toUtf8Strict } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import type { Clock } from '#base/time.ts'
import { LdapHosts } from '#client/ldap/hosts.ts'
import { search } from '#client/ldap/search.ts'
import { LDAP_TIMES } from '#client/ldap/server.ts'
import { equal, parseFilter } from '#codec/ldap/filter.ts'
import type { Filter } from '#codec/ldap/filter.ts'
import type { DirectoryEntry } from '#model/directory-entry.ts'
import type { CensusException, Person } from '#model/person.ts'
import type { DirectorySource } from '#model/source.ts'
import { PRESETS } from './attribute-map.ts'
import type { AttributeMap, Preset } from './attribute-map.ts'
import { fromEntries } from './from-entries.ts'
import type { SourcePerson } from './sources.ts'

/** A page of a large directory may take its server a while. */
const ANSWER_MS = 30_000
/** People of one source. */
const PEOPLE_MAX = 1_000_000

/** What was read, and what of it says nothing to us. */
export interface SourceContent {
  readonly people: ReadonlyMap<string, SourcePerson>
  readonly exceptions: readonly CensusException[]
}

/** The hosts of a source, bound as it says. */
export const hostsOf = (source: DirectorySource, clock: Clock): LdapHosts =>
  new LdapHosts(serversOf(source), {
    clock,
    times: LDAP_TIMES,
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

/**
 * Everybody of a source, read whole. Throws the Fault of its hosts where none answers, and `config`
 * where filter or base mean nothing there.
 */
export async function readSource(
  source: DirectorySource,
  hosts: Pick<LdapHosts, 'inTurn'>,
): Promise<SourceContent> {
  const preset = source.map as Preset | undefined
  const maps: readonly AttributeMap[] =
    preset === undefined ? Object.values(PRESETS) : [PRESETS[preset]]
  const ask = {
    base: source.base,
    scope: 'subtree' as const,
    filter: filterOf(source, maps),
    attributes: attributesOf(source, maps),
  }
  return hosts.inTurn(async (connection) => {
    const entries: DirectoryEntry[] = []
    const keys = new Map<string, string>()
    for await (const entry of search(connection, ask, { answerMs: ANSWER_MS })) {
      if (entries.length >= PEOPLE_MAX)
        throw new Fault('limit', `${source.name}: more than ${PEOPLE_MAX} people`)
      entries.push(entry)
      const key = keyOf(source, entry)
      if (key !== undefined) keys.set(entry.dn, key)
    }
    const { people, exceptions } = fromEntries(entries, preset)
    return peopleOf(source, people, { keys, exceptions })
  })
}

function peopleOf(
  source: DirectorySource,
  people: readonly Person[],
  known: {
    readonly keys: ReadonlyMap<string, string>
    readonly exceptions: readonly CensusException[]
  },
): SourceContent {
  const byKey = new Map<string, SourcePerson>()
  const exceptions = [...known.exceptions]
  for (const person of people) {
    const dn = person.source
    const key = known.keys.get(dn)
    if (key === undefined) exceptions.push({ source: dn, text: `there is no ${source.key}` })
    else if (byKey.has(key))
      exceptions.push({ source: dn, text: `${key} is that of ${byKey.get(key)!.dn}` })
    else byKey.set(key, { dn, person })
  }
  return { people: byKey, exceptions }
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
function keyOf({ key }: DirectorySource, { attributes }: DirectoryEntry): string | undefined {
  const found = attributes.find(({ type }) => type.toLowerCase() === key.toLowerCase())
  const value: Octets = found?.values[0] ?? fromUtf8('')
  if (value.length === 0) return undefined
  return `${key.toLowerCase()}=${toUtf8Strict(value) ?? bufferOf(value).toString('hex')}`
}
