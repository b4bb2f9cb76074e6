import { toUtf8Strict } from '#base/octets.ts'
import { isFault } from '#base/outcome.ts'
import { attributeNames } from '#codec/ldap/attribute-types.ts'
import { csnVector, emptyCsns } from '#codec/ldap/csn.ts'
import type { CsnVector } from '#codec/ldap/csn.ts'
import type { LdapEntry } from '#codec/ldap/message.ts'
import { SYNC_REQUEST } from '#codec/ldap/sync.ts'
import type { LdapConnection } from './connection.ts'
import { search } from './search.ts'

/** Whom a connection has led to, as far as a server says it. */
export interface LdapLook {
  /** Content synchronisation, as its list of controls has it. */
  readonly offersSync: boolean
  /** The naming context that the base lies in; empty: not told. */
  readonly suffix: string
  /** Up to which changes it has come; empty: not told. */
  readonly csns: CsnVector
}

/** Asks a server what it can do, and how far it has come with what lies below a base. */
export async function lookAt(connection: LdapConnection, base: string): Promise<LdapLook> {
  const root = await entryOf(connection, '', ['supportedControl', 'namingContexts'])
  const lower = base.toLowerCase().replaceAll(/\s*([,=])\s*/g, '$1')
  const [suffix = ''] = textsOf(root, 'namingcontexts')
    .filter((name) => `,${lower}`.endsWith(`,${name.toLowerCase()}`))
    .toSorted((a, b) => b.length - a.length)
  return {
    offersSync: textsOf(root, 'supportedcontrol').includes(SYNC_REQUEST),
    suffix,
    csns: suffix === '' ? emptyCsns : await csnsOf(connection, suffix),
  }
}

/** Refused, or not there: then it is not told. */
const NOT_TOLD = ['notFound', 'unavailable', 'limit'] as const

/**
 * The names of the attributes that a server knows, in lower case; undefined where it tells no such thing.
 * Each name that OpenLDAP does not know costs it a look through its schema for each entry.
 */
export async function knownAttributes(
  connection: LdapConnection,
): Promise<ReadonlySet<string> | undefined> {
  try {
    const [schema] = textsOf(
      await entryOf(connection, '', ['subschemaSubentry']),
      'subschemasubentry',
    )
    if (schema === undefined) return undefined
    const types = textsOf(await entryOf(connection, schema, ['attributeTypes']), 'attributetypes')
    return types.length === 0 ? undefined : attributeNames(types)
  } catch (thrown) {
    if (NOT_TOLD.some((code) => isFault(thrown, code))) return undefined
    throw thrown
  }
}

/** How far a server has come with a naming context. */
export async function csnsOf(connection: LdapConnection, suffix: string): Promise<CsnVector> {
  return csnVector(textsOf(await entryOf(connection, suffix, ['contextCSN']), 'contextcsn'))
}

async function entryOf(
  connection: LdapConnection,
  base: string,
  attributes: readonly string[],
): Promise<LdapEntry | undefined> {
  const filter = { kind: 'present', type: 'objectClass' } as const
  let found: LdapEntry | undefined
  try {
    for await (const entry of search(connection, { base, scope: 'base', filter, attributes }))
      found ??= entry
  } catch (thrown) {
    // Hidden from who asks: then it is not told.
    if (!isFault(thrown, 'notFound')) throw thrown
  }
  return found
}

const textsOf = (entry: LdapEntry | undefined, name: string): readonly string[] =>
  (entry?.attributes ?? [])
    .filter(({ type }) => type.toLowerCase() === name)
    .flatMap(({ values }) => values.flatMap((value) => toUtf8Strict(value) ?? []))
