import { fromUtf8, isAscii, toUtf8, toUtf8Strict } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import { asciiLower } from '#base/text.ts'
import { formatAddress, parseAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { DirectoryEntry } from '#model/directory-entry.ts'
import { formatNextHop, parseNextHop } from '#model/route.ts'
import type { NextHop } from '#model/route.ts'
import type { DirectoryKey, DirectoryRow } from '#store/directory/directory.ts'
import { rowKey } from '#store/directory/row-key.ts'

/**
 * A row as an entry below `base`. Each field lies in one place: in its attribute where it has one that
 * gives it back as it was, else in watariRest; what is there only for others to read is made anew.
 */
export function entryOf(row: DirectoryRow, base: string): DirectoryEntry {
  const key = rowKey(row)
  const fields = FIELDS[row.kind] ?? []
  const rest: Record<string, unknown> = { ...bodyOf(row) }
  const attributes = new Map<string, readonly string[]>()
  for (const type of NAMED_BY_KEY[row.kind] ?? []) delete rest[type]
  for (const { name, write, read, types } of fields) {
    const written = write(rest[name])
    if (
      written === undefined ||
      !isSame(
        read((type) => written[type] ?? []),
        rest[name],
      )
    )
      continue
    for (const type of types)
      if ((written[type]?.length ?? 0) > 0) attributes.set(type, written[type]!)
    delete rest[name]
  }
  const json = JSON.stringify(sorted(rest))
  return {
    dn: dnOf(key, base),
    attributes: Object.entries({
      objectClass: classesOf(row.kind),
      watariKey: [key],
      ...shown(row),
      ...Object.fromEntries(attributes),
      ...(json !== '{}' && { watariRest: [json] }),
    }).map(([type, values]) => ({ type, values: values.map(fromUtf8) })),
  }
}

/** The row of an entry; the error says what of it cannot be understood. */
export function rowOf(
  entry: DirectoryEntry,
): Outcome<{ readonly key: DirectoryKey; readonly row: DirectoryRow }, string> {
  const values = valuesOf(entry)
  const [key = ''] = values('watariKey')
  const colon = key.indexOf(':')
  const kind = key.slice(0, colon)
  const body: Record<string, unknown> = {}
  for (const type of NAMED_BY_KEY[kind] ?? []) body[type] = key.slice(colon + 1)
  for (const { name, read, isNeeded } of FIELDS[kind] ?? []) {
    const value = read(values)
    if (value === WRONG) return err(`${name} cannot be understood`)
    if (value !== undefined) body[name] = value
    else if (isNeeded === true) body[name] = MISSING
  }
  const rest = objectOf(values('watariRest')[0] ?? '{}')
  if (rest === undefined) return err('watariRest is no object of JSON')
  Object.assign(body, rest)
  const lacking = Object.entries(body).find(([, value]) => value === MISSING)
  if (lacking !== undefined) return err(`${lacking[0]} is missing`)
  const row = { kind, [kind]: body } as unknown as DirectoryRow
  const own = rowKey(row) as DirectoryKey | undefined
  if (own === undefined) return err(`${key} is of no kind that this program knows`)
  if (own !== key) return err(`watariKey is ${key}, and what it holds is ${own}`)
  return ok({ key, row })
}

/** What of an entry is ours to write, and to read changes from. */
export function attributesOf(entry: DirectoryEntry): readonly string[] {
  const [key = ''] = valuesOf(entry)('watariKey')
  return ATTRIBUTES_OF[key.slice(0, key.indexOf(':'))] ?? ['watariRest']
}

/** Where the row of a key lies. */
export const dnOf = (key: DirectoryKey, base: string): string =>
  `watariKey=${escapedName(key)},${folderOf(key.slice(0, key.indexOf(':')), base)}`

/** Where rows of a kind lie. */
export const folderOf = (kind: string, base: string): string =>
  `ou=${escapedName(FOLDERS[kind] ?? kind)},${base}`

export const FOLDERS: Readonly<Record<string, string>> = {
  domain: 'domains',
  account: 'accounts',
  alias: 'aliases',
  forward: 'forwards',
  route: 'routes',
  source: 'sources',
}

/** Every sign that a distinguished name gives a meaning to (RFC 4514 §2.4). */
export const escapedName = (text: string): string =>
  text
    .replaceAll(/[\\",;<>=+#\0]/g, (sign) => (sign === '\0' ? '\\00' : `\\${sign}`))
    .replace(/^ | $/g, '\\ ')

interface Field {
  readonly name: string
  readonly types: readonly string[]
  readonly isNeeded?: true
  /** Undefined where these attributes cannot hold it. */
  readonly write: (value: unknown) => Readonly<Record<string, readonly string[]>> | undefined
  /** Undefined where it is not there, WRONG where it is not what it has to be. */
  readonly read: (values: (type: string) => readonly string[]) => unknown
}

const WRONG = Symbol('wrong')
const MISSING = Symbol('missing')

const field = (
  name: string,
  type: string,
  as: {
    readonly write: (value: unknown) => string | undefined
    readonly read: (text: string) => unknown
    readonly absent?: unknown
  },
): Field => ({
  name,
  types: [type],
  write: (value) => {
    const text = value === undefined || value === as.absent ? undefined : as.write(value)
    return text === undefined ? {} : { [type]: [text] }
  },
  read: (values) => {
    const all = values(type)
    if (all.length > 1) return WRONG
    return all[0] === undefined ? as.absent : as.read(all[0])
  },
})

const text = (name: string, type: string): Field =>
  field(name, type, {
    write: (value) => (typeof value === 'string' && value !== '' ? value : undefined),
    read: (value) => value,
  })

const needed = (each: Field): Field => ({ ...each, isNeeded: true })

/** Absent is no. */
const flag = (name: string, type: string): Field =>
  field(name, type, {
    absent: false,
    write: (value) => (value === true ? 'TRUE' : undefined),
    read: (value) => value === 'TRUE',
  })

const number = (name: string, type: string, absent: number): Field => ({
  ...field(name, type, {
    write: (value) => (Number.isSafeInteger(value) ? String(value) : undefined),
    read: (value) => (/^-?\d{1,15}$/.test(value) ? Number(value) : WRONG),
  }),
  read: (values) => {
    const [value] = values(type)
    if (value === undefined) return absent
    return /^-?\d{1,15}$/.test(value) ? Number(value) : WRONG
  },
})

/** slapd knows argon2 by a scheme, as it does all hashes; we by the bare form of PHC. */
const credential = field('credential', 'userPassword', {
  write: (value) => {
    if (typeof value !== 'string' || /^\{argon2\}\$argon2/i.test(value)) return undefined
    return value.startsWith('$argon2') ? `{ARGON2}${value}` : value
  },
  read: (value) => value.replace(/^\{argon2\}(?=\$argon2)/i, ''),
})

const addressText = (value: unknown): string | undefined => {
  const { localpart, domain } = (value ?? {}) as Partial<Address>
  return typeof localpart === 'string' && typeof domain === 'string'
    ? formatAddress({ localpart, domain })
    : undefined
}

const readAddress = (value: string): unknown => {
  const parsed = parseAddress(value)
  return parsed.ok ? parsed.value : WRONG
}

const address = (name: string, type: string): Field =>
  field(name, type, { write: addressText, read: readAddress })

/** A set: LDAP keeps no order, and takes nothing twice that only case or width tells apart. */
const addresses = (
  name: string,
  types: { readonly ascii?: string; readonly any: string },
): Field => {
  const used = types.ascii === undefined ? [types.any] : [types.ascii, types.any]
  return {
    name,
    types: used,
    write: (value) => {
      if (!Array.isArray(value)) return value === undefined ? {} : undefined
      const texts = value.map(addressText)
      const known = texts.filter((each) => each !== undefined)
      if (known.length < texts.length) return undefined
      if (new Set(known.map(likeness)).size < known.length) return undefined
      const written: Record<string, string[]> = {}
      for (const each of known) {
        const type = types.ascii !== undefined && isAscii(fromUtf8(each)) ? types.ascii : types.any
        ;(written[type] ??= []).push(each)
      }
      return written
    },
    read: (values) => {
      const all = used.flatMap(values).map(readAddress)
      return all.includes(WRONG) ? WRONG : all
    },
  }
}

/** As caseIgnoreMatch sees it (RFC 4518 §2). */
const likeness = (value: string): string =>
  value.normalize('NFKC').toLowerCase().replaceAll(/\s+/g, ' ')

const FIELDS: Readonly<Record<string, readonly Field[]>> = {
  domain: [
    needed(text('name', 'watariDomainName')),
    text('convertTo', 'watariConvertTo'),
    text('saltKey', 'watariSaltKey'),
  ],
  account: [
    needed(text('username', 'uid')),
    needed(text('domain', 'watariDomainName')),
    text('name', 'displayName'),
    flag('admin', 'watariAdmin'),
    flag('disabled', 'watariDisabled'),
    credential,
    text('scram', 'watariScram'),
    number('credentialVersion', 'watariCredentialVersion', 1),
    addresses('addresses', { ascii: 'mailLocalAddress', any: 'watariAddress' }),
    addresses('delegated', { any: 'watariDelegated' }),
  ],
  alias: [needed(address('from', 'watariFrom')), addresses('to', { any: 'watariTo' })],
  forward: [addresses('to', { any: 'watariTo' }), flag('keep', 'watariKeep')],
  route: [
    needed(text('match', 'watariMatch')),
    needed(
      field('nextHop', 'watariNextHop', {
        write: (value) => (value === undefined ? undefined : formatNextHop(value as NextHop)),
        read: (value) => nextHop(value) ?? WRONG,
      }),
    ),
  ],
  source: [],
}

const nextHop = (value: string): NextHop | undefined =>
  value.startsWith('mx:') ? { kind: 'mx', domain: value.slice(3) } : parseNextHop(value)

const ATTRIBUTES_OF: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  Object.entries(FIELDS).map(([kind, fields]) => [
    kind,
    [
      ...fields.flatMap(({ types }) => types),
      ...(kind === 'account' ? ['cn', 'sn', 'mail'] : []),
      'watariRest',
    ],
  ]),
)

/** Fields that the key says already. */
const NAMED_BY_KEY: Readonly<Record<string, readonly string[]>> = {
  account: ['id'],
  forward: ['accountId'],
}

const CLASSES: Readonly<Record<string, readonly string[]>> = {
  account: ['inetOrgPerson', 'inetLocalMailRecipient', 'watariAccount'],
  domain: ['watariDomain'],
  alias: ['watariAlias'],
  forward: ['watariForward'],
  route: ['watariRoute'],
  source: ['watariSource'],
}

const classesOf = (kind: string): readonly string[] => CLASSES[kind] ?? ['watariObject']

/** What others look for, and nobody here reads: a person needs a name, and mail its usual attribute. */
function shown(row: DirectoryRow): Readonly<Record<string, readonly string[]>> {
  if (row.kind !== 'account') return {}
  const { username, domain, name } = row.account
  const main = `${username}@${domain}`
  const called = name === undefined || name === '' ? username : name
  return { cn: [called], sn: [called], ...(isAscii(fromUtf8(main)) && { mail: [main] }) }
}

const bodyOf = (row: DirectoryRow): Readonly<Record<string, unknown>> =>
  (row as unknown as Record<string, Record<string, unknown>>)[row.kind]!

function valuesOf(entry: DirectoryEntry): (type: string) => readonly string[] {
  const byType = new Map(
    entry.attributes.map(({ type, values }) => [asciiLower(type), values] as const),
  )
  return (type) => (byType.get(asciiLower(type)) ?? []).map(textOf)
}

/** A password that is no text stays what it is: octets, and no hash. */
const textOf = (octets: Octets): string => toUtf8Strict(octets) ?? toUtf8(octets)

function objectOf(json: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(json)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

/** Of a field; those that are lists are sets. */
const isSame = (a: unknown, b: unknown): boolean => textOfField(a) === textOfField(b)

const textOfField = (value: unknown): string | undefined =>
  Array.isArray(value)
    ? JSON.stringify(value.map((each) => JSON.stringify(sorted(each))).toSorted())
    : JSON.stringify(sorted(value))

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => each !== undefined)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, each]) => [name, sorted(each)]),
  )
}
