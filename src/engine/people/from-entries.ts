import { toUtf8Strict } from '#base/octets.ts'
import type { DirectoryEntry } from '#model/directory-entry.ts'
import type { Census, CensusException, MailGroup, Person } from '#model/person.ts'
import { factsAfter } from '#model/person-facts.ts'
import type { PersonFacts } from '#model/person-facts.ts'
import { mapOf } from './attribute-map.ts'
import type { AttributeMap, Preset } from './attribute-map.ts'
import { dnKey, firstOfDn } from './dn.ts'

/** Entries of nobody, that nobody misses. */
const STRUCTURE = new Set([
  'organization',
  'organizationalunit',
  'dcobject',
  'domain',
  'locality',
  'country',
  'container',
  'organizationalrole',
])

interface Read {
  readonly entry: DirectoryEntry
  readonly map: AttributeMap
  readonly values: ReadonlyMap<string, readonly string[]>
}

/** People and groups of a directory. Members of groups are looked up among the same entries. */
export function fromEntries(entries: Iterable<DirectoryEntry>, preset?: Preset): Census {
  const exceptions: CensusException[] = []
  const people: Person[] = []
  const groups: Read[] = []
  /** Addresses by DN, and by user name. */
  const byDn = new Map<string, string>()
  const byName = new Map<string, string>()
  for (const entry of entries) {
    const found = readEntry(entry, preset, exceptions)
    if (found === undefined) continue
    const { read } = found
    if (found.kind === 'group') {
      groups.push(read)
      const address = groupAddress(read)
      if (address !== undefined) byDn.set(dnKey(entry.dn), address)
      continue
    }
    const person = personOf(read, exceptions)
    if (person === undefined) continue
    people.push(person)
    const address =
      person.domain === undefined ? person.username : `${person.username}@${person.domain}`
    byDn.set(dnKey(entry.dn), address)
    byName.set(person.username, address)
  }
  return {
    people,
    groups: groups.flatMap((read) => groupOf(read, { byDn, byName }, exceptions)),
    exceptions,
  }
}

/** Who an entry is, by itself; what of it is not taken is told to `exceptions`. */
export function fromEntry(
  entry: DirectoryEntry,
  preset: Preset | undefined,
  exceptions: CensusException[],
): Person | undefined {
  const found = readEntry(entry, preset, exceptions)
  return found?.kind === 'person' ? personOf(found.read, exceptions) : undefined
}

function readEntry(
  entry: DirectoryEntry,
  preset: Preset | undefined,
  exceptions: CensusException[],
): { readonly read: Read; readonly kind: 'person' | 'group' } | undefined {
  const values = textsOf(entry)
  const classes = values.get('objectclass') ?? []
  const found = mapOf(classes, preset)
  if (found !== undefined) return { read: { entry, map: found.map, values }, kind: found.kind }
  if (!classes.some((name) => STRUCTURE.has(name.toLowerCase())))
    exceptions.push({ source: entry.dn, text: `no person and no group (${classes.join(', ')})` })
  return undefined
}

/** Values that are text, by their attribute in lower case; of its options only `;phonetic` says something else. */
function textsOf({ attributes }: DirectoryEntry): Map<string, readonly string[]> {
  const texts = new Map<string, readonly string[]>()
  for (const { type, values } of attributes) {
    const name = nameOf(type)
    const read: string[] = []
    for (const value of values) {
      const text = toUtf8Strict(value)
      if (text !== undefined) read.push(text)
    }
    const before = texts.get(name)
    texts.set(name, before === undefined ? read : [...before, ...read])
  }
  return texts
}

function nameOf(type: string): string {
  const lower = type.toLowerCase()
  const at = lower.indexOf(';')
  if (at < 0) return lower
  const isPhonetic = lower.split(';').includes('phonetic')
  return isPhonetic ? `${lower.slice(0, at)}${PHONETIC}` : lower.slice(0, at)
}

/** How a value of the same name is said, in Japanese directories: `cn;lang-ja;phonetic`. */
const PHONETIC = ';phonetic'

/** Most attributes that a map names are in few entries. */
function all({ values }: Read, names: readonly string[]): readonly string[] {
  const found: string[] = []
  for (const name of names) for (const text of values.get(name) ?? NONE) found.push(text.trim())
  return found
}

const NONE: readonly string[] = []

function first({ values }: Read, names: readonly string[]): string | undefined {
  for (const name of names)
    for (const text of values.get(name) ?? NONE) {
      const trimmed = text.trim()
      if (trimmed !== '') return trimmed
    }
  return undefined
}

function personOf(read: Read, exceptions: CensusException[]): Person | undefined {
  const { entry, map } = read
  const addresses = addressesOf(read)
  const [main] = addresses
  // Zimbra and others that have no user name but the address.
  const username = (first(read, map.username) ?? main?.split('@')[0])?.toLowerCase()
  if (username === undefined) {
    exceptions.push({ source: entry.dn, text: `a person without ${map.username.join(' or ')}` })
    return undefined
  }
  const at = username.indexOf('@')
  const bare = at < 0 ? username : username.slice(0, at)
  const domain = at < 0 ? main?.split('@')[1] : username.slice(at + 1)
  const own = domain === undefined ? undefined : `${bare}@${domain}`
  const forwards = all(read, map.forward)
  const to =
    forwards.length === 0
      ? NONE
      : forwards.flatMap((text) => text.split(/\s*,\s*/)).filter((text) => text !== '')
  const keepAs = map.keepIn === undefined ? undefined : first(read, [map.keepIn])
  const keep = map.keep === undefined ? false : map.keep(keepAs ?? '')
  const name = first(read, map.name)
  const hash = first(read, map.password)
  const status = map.isDisabled && first(read, [map.isDisabled.attribute])
  if (hash !== undefined && !hash.startsWith('{'))
    exceptions.push({ source: entry.dn, text: 'a password in plain text, which is not taken' })
  return {
    source: entry.dn,
    username: bare,
    ...(domain !== undefined && { domain: domain.toLowerCase() }),
    ...(name !== undefined && { name }),
    ...factsOf(read),
    addresses: addresses.filter((address) => address !== own),
    ...(to.length > 0 && { forward: { to, keep } }),
    ...(status !== undefined && map.isDisabled?.test(status) === true && { disabled: true }),
    ...(hash?.startsWith('{') === true && { passwordHash: hash }),
    ...quotaOf(read),
  }
}

const factsOf = (read: Read): PersonFacts => {
  const { formerNames = [], tags = [], startsOn = [], expiresOn = [] } = read.map
  return factsAfter(
    {},
    {
      reading: first(read, read.map.reading),
      externalId: first(read, read.map.externalId),
      formerNames: all(read, formerNames),
      tags: all(read, tags),
      startsOn: first(read, startsOn),
      expiresOn: first(read, expiresOn),
    },
  )
}

function quotaOf(read: Read): Pick<Person, 'quota'> {
  const limit = (names: readonly string[] = []): number | undefined => {
    const text = first(read, names)
    return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined
  }
  const bytes = limit(read.map.quotaBytes)
  const messages = limit(read.map.quotaMessages)
  if (bytes === undefined && messages === undefined) return {}
  return {
    quota: { ...(bytes !== undefined && { bytes }), ...(messages !== undefined && { messages }) },
  }
}

/** Without the words before them: `SMTP:` is the main one of Active Directory, `smtp:` a further one. */
function addressesOf(read: Read): readonly string[] {
  const main: string[] = []
  const further: string[] = []
  for (const text of all(read, read.map.addresses)) {
    const colon = text.indexOf(':')
    const word = colon < 0 ? '' : text.slice(0, colon)
    if (/^[a-z0-9]+$/i.test(word) && word.toLowerCase() !== 'smtp') continue // X500:, sip:
    const address = (word.toLowerCase() === 'smtp' ? text.slice(colon + 1) : text).toLowerCase()
    if (!address.includes('@')) continue
    if (word === 'SMTP') main.push(address)
    else further.push(address)
  }
  return main.length + further.length < 2
    ? [...main, ...further]
    : [...new Set([...main, ...further])]
}

/** An address, or a bare name where it has none. */
const groupAddress = (read: Read): string | undefined =>
  addressesOf(read)[0] ?? first(read, ['cn', 'uid'])?.toLowerCase()

function groupOf(
  read: Read,
  known: {
    readonly byDn: ReadonlyMap<string, string>
    readonly byName: ReadonlyMap<string, string>
  },
  exceptions: CensusException[],
): MailGroup[] {
  const { entry, map } = read
  const address = groupAddress(read)
  if (address === undefined || /\s/.test(address)) {
    exceptions.push({ source: entry.dn, text: 'a group without an address' })
    return []
  }
  const to = new Set(all(read, map.memberAddress).filter((text) => text !== ''))
  for (const dn of all(read, map.memberDn)) {
    const member = known.byDn.get(dnKey(dn))
    if (member !== undefined) to.add(member)
    else
      exceptions.push({ source: entry.dn, text: `a member that is nobody here: ${firstOfDn(dn)}` })
  }
  for (const name of all(read, map.memberName)) {
    const member = known.byName.get(name.toLowerCase())
    if (member !== undefined) to.add(member)
    else exceptions.push({ source: entry.dn, text: `a member that is nobody here: ${name}` })
  }
  if (to.size > 0) return [{ source: entry.dn, address, to: [...to] }]
  exceptions.push({ source: entry.dn, text: 'a group without members' })
  return []
}
