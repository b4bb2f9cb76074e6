import type { DirectoryEntry, EntryTexts } from '#model/directory-entry.ts'
import type { Census, CensusException, MailGroup, Person } from '#model/person.ts'
import { factsAfter } from '#model/person-facts.ts'
import type { PersonFacts } from '#model/person-facts.ts'
import { mapOf } from './attribute-map.ts'
import type { AttributeMap, Preset } from './attribute-map.ts'
import { textsOf } from './entry-texts.ts'
import { dnKey, firstOfDn } from './dn.ts'
import { entryWishes } from './entry-wishes.ts'
import type { MemberName, ToldGroup } from './told-group.ts'

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
  readonly entry: EntryTexts
  readonly map: AttributeMap
  readonly values: ReadonlyMap<string, readonly string[]>
}

/** People and groups of a directory. Members of groups are looked up among the same entries. */
export function fromEntries(entries: Iterable<DirectoryEntry>, preset?: Preset): Census {
  const exceptions: CensusException[] = []
  const people: Person[] = []
  const groups: { readonly dn: string; readonly group: ToldGroup }[] = []
  /** Addresses by DN, and by user name. */
  const byDn = new Map<string, string>()
  const byName = new Map<string, string>()
  for (const entry of entries) {
    const found = readEntry(textsOf(entry), preset, exceptions)
    if (found === undefined) continue
    const { read } = found
    if (found.kind === 'group') {
      const group = toldGroup(read, exceptions)
      if (group === undefined) continue
      groups.push({ dn: entry.dn, group })
      byDn.set(dnKey(entry.dn), group.addresses[0])
      continue
    }
    const known = personOf(read, exceptions)
    if (known === undefined) continue
    const { notes, ...wanted } = entryWishes(read.values)
    for (const text of notes) exceptions.push({ source: entry.dn, text })
    const person = Object.assign(known, wanted)
    people.push(person)
    const address =
      person.domain === undefined ? person.username : `${person.username}@${person.domain}`
    byDn.set(dnKey(entry.dn), address)
    byName.set(person.username, address)
  }
  return {
    people,
    groups: groups.flatMap((told) => groupOf(told, { byDn, byName }, exceptions)),
    exceptions,
  }
}

/** Who or what an entry is, by itself; what of it is not taken is told to `exceptions`. */
export function fromEntry(
  entry: EntryTexts,
  preset: Preset | undefined,
  exceptions: CensusException[],
): EntryRead {
  const found = readEntry(entry, preset, exceptions)
  if (found === undefined) return NOTHING
  const { kind, read } = found
  const person = kind === 'person' ? personOf(read, exceptions) : undefined
  const group = kind === 'group' ? toldGroup(read, exceptions) : undefined
  return { kind, person, group }
}

/** What was found in an entry; a person or a group where it can be one. */
interface EntryRead {
  readonly kind: 'person' | 'group' | undefined
  readonly person: Person | undefined
  readonly group: ToldGroup | undefined
}

const NOTHING: EntryRead = { kind: undefined, person: undefined, group: undefined }

function readEntry(
  entry: EntryTexts,
  preset: Preset | undefined,
  exceptions: CensusException[],
): { readonly read: Read; readonly kind: 'person' | 'group' } | undefined {
  const classes = entry.texts.get('objectclass') ?? NONE
  const found = mapOf(classes, preset)
  if (found !== undefined) {
    const values = entry.hasOptions ? withoutOptions(entry.texts) : entry.texts
    return { read: { entry, map: found.map, values }, kind: found.kind }
  }
  if (!classes.some((name) => STRUCTURE.has(name.toLowerCase())))
    exceptions.push({ source: entry.dn, text: `no person and no group (${classes.join(', ')})` })
  return undefined
}

/** Of an attribute's options only `;phonetic` says something else. */
function withoutOptions(texts: EntryTexts['texts']): EntryTexts['texts'] {
  const all = new Map<string, readonly string[]>()
  for (const [type, values] of texts) {
    const name = nameOf(type)
    all.set(name, [...(all.get(name) ?? NONE), ...values])
  }
  return all
}

function nameOf(lower: string): string {
  const at = lower.indexOf(';')
  if (at < 0) return lower
  const isPhonetic = lower.split(';').includes('phonetic')
  return isPhonetic ? `${lower.slice(0, at)}${PHONETIC}` : lower.slice(0, at)
}

/** How a value of the same name is said, in Japanese directories: `cn;lang-ja;phonetic`. */
const PHONETIC = ';phonetic'

/** Most attributes that a map names are in few entries. */
function all({ values }: Read, names: readonly string[]): readonly string[] {
  let found: string[] | undefined
  for (const name of names)
    for (const text of values.get(name) ?? NONE) (found ??= []).push(text.trim())
  return found ?? NONE
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
  const domain = at < 0 ? main?.slice(main.indexOf('@') + 1) : username.slice(at + 1)
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
  // Put one by one: there are as many people as a directory has, and most of it is absent.
  const person: { -readonly [K in keyof Person]: Person[K] } = {
    source: entry.dn,
    username: bare,
    addresses: domain === undefined ? addresses : addresses.filter(isOther(bare, domain)),
  }
  if (domain !== undefined) person.domain = domain.toLowerCase()
  if (name !== undefined) person.name = name
  if (to.length > 0) person.forward = { to, keep }
  if (status !== undefined && map.isDisabled?.test(status) === true) person.disabled = true
  if (hash?.startsWith('{') === true) person.passwordHash = hash
  const quota = quotaOf(read)
  if (quota !== undefined) person.quota = quota
  const facts = factsOf(read)
  return facts === undefined ? person : Object.assign(person, facts)
}

/** Whether it is not `local@domain`, which is put together for nobody. */
const isOther =
  (local: string, domain: string) =>
  (address: string): boolean =>
    address.length !== local.length + 1 + domain.length ||
    address[local.length] !== '@' ||
    !address.startsWith(local) ||
    !address.endsWith(domain)

/** Undefined: none, as of most people. */
function factsOf(read: Read): PersonFacts | undefined {
  const { formerNames = NONE, tags = NONE, startsOn = NONE, expiresOn = NONE } = read.map
  const facts = {
    reading: first(read, read.map.reading),
    externalId: first(read, read.map.externalId),
    formerNames: all(read, formerNames),
    tags: all(read, tags),
    startsOn: first(read, startsOn),
    expiresOn: first(read, expiresOn),
  }
  const isNone =
    facts.reading === undefined &&
    facts.externalId === undefined &&
    facts.formerNames.length === 0 &&
    facts.tags.length === 0 &&
    facts.startsOn === undefined &&
    facts.expiresOn === undefined
  return isNone ? undefined : factsAfter({}, facts)
}

function quotaOf(read: Read): Person['quota'] {
  const limit = (names: readonly string[] = NONE): number | undefined => {
    const text = first(read, names)
    return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined
  }
  const bytes = limit(read.map.quotaBytes)
  const messages = limit(read.map.quotaMessages)
  if (bytes === undefined && messages === undefined) return undefined
  return { ...(bytes !== undefined && { bytes }), ...(messages !== undefined && { messages }) }
}

/** Without the words before them: `SMTP:` is the main one of Active Directory, `smtp:` a further one. */
function addressesOf(read: Read): readonly string[] {
  const main: string[] = []
  const further: string[] = []
  for (const text of all(read, read.map.addresses)) {
    const colon = text.indexOf(':')
    const word = colon < 0 ? '' : text.slice(0, colon)
    const isSmtp = word !== '' && word.toLowerCase() === 'smtp'
    if (!isSmtp && /^[a-z0-9]+$/i.test(word)) continue // X500:, sip:
    const address = (isSmtp ? text.slice(colon + 1) : text).toLowerCase()
    if (!address.includes('@')) continue
    const list = word === 'SMTP' ? main : further
    if (!list.includes(address)) list.push(address)
  }
  if (main.length === 0) return further
  return [...main, ...further.filter((address) => !main.includes(address))]
}

/** Its address, or a bare name where it has none. */
function toldGroup(read: Read, exceptions: CensusException[]): ToldGroup | undefined {
  const { entry, map } = read
  const bare = first(read, ['cn', 'uid'])?.toLowerCase()
  const [address = bare, ...further] = addressesOf(read)
  if (address === undefined || /\s/.test(address)) {
    exceptions.push({ source: entry.dn, text: 'a group without an address' })
    return undefined
  }
  const members = new Set<MemberName>()
  for (const text of all(read, map.memberAddress)) if (text !== '') members.add(`mail:${text}`)
  for (const dn of all(read, map.memberDn)) if (dn !== '') members.add(`dn:${dn}`)
  for (const name of all(read, map.memberName)) members.add(`uid:${name}`)
  const isCut = entry.hasOptions && [...entry.texts.keys()].some((type) => RANGE_OF_MORE.test(type))
  return {
    name: first(read, ['displayname', 'cn']) ?? address,
    addresses: [address, ...further],
    members: [...members],
    ...(isCut && { isCut }),
  }
}

/** `member;range=0-1499`: the last one of them would be `1500-*` ([MS-ADTS] §3.1.1.3.1.3.3). */
const RANGE_OF_MORE = /;range=\d+-\d+$/

function groupOf(
  { dn, group }: { readonly dn: string; readonly group: ToldGroup },
  known: {
    readonly byDn: ReadonlyMap<string, string>
    readonly byName: ReadonlyMap<string, string>
  },
  exceptions: CensusException[],
): MailGroup[] {
  const to = new Set<string>()
  for (const named of group.members) {
    const name = named.slice(named.indexOf(':') + 1)
    const member = named.startsWith('mail:')
      ? name
      : named.startsWith('dn:')
        ? known.byDn.get(dnKey(name))
        : known.byName.get(name.toLowerCase())
    if (member === undefined) exceptions.push({ source: dn, text: nobodyHere(named) })
    else to.add(member)
  }
  if (to.size > 0) return [{ source: dn, address: group.addresses[0], to: [...to] }]
  exceptions.push({ source: dn, text: 'a group without members' })
  return []
}

/** What to tell of a member that cannot be found. */
export const nobodyHere = (member: MemberName): string => {
  const name = member.slice(member.indexOf(':') + 1)
  return `a member that is nobody here: ${member.startsWith('dn:') ? firstOfDn(name) : name}`
}
