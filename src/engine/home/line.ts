import { fromUtf8, toUtf8 } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import { bind } from '#client/ldap/bind.ts'
import type { LdapConnection } from '#client/ldap/connection.ts'
import { ENTRY_EXISTS, NO_SUCH_OBJECT, resultFault } from '#client/ldap/results.ts'
import { search } from '#client/ldap/search.ts'
import { serverName } from '#client/ldap/server.ts'
import { equal } from '#codec/ldap/filter.ts'
import type { LdapChange, LdapControl, LdapResult } from '#codec/ldap/message.ts'
import { ASSERTION_FAILED, onlyWhere, postRead, readPostRead } from '#codec/ldap/write-controls.ts'
import type { DirectoryEntry } from '#model/directory-entry.ts'
import type { ChangeAuthor } from '#store/directory/directory-log.ts'
import type { DirectoryKey, DirectoryRow } from '#store/directory/directory.ts'
import { changesBetween } from './entry-changes.ts'
import { made, textsOf } from './entry.ts'
import { contextCsn } from './provision.ts'
import { FOLDERS, dnOf, entryOf, folderOf } from './row-entry.ts'

/** A row to write. */
export interface Put {
  readonly key: DirectoryKey
  readonly row: DirectoryRow | null
  readonly by: ChangeAuthor
  readonly atMs: number
}

/** What came of it: the mark of the change, or that the entry is not as it was believed to be. */
export type Written =
  | { readonly kind: 'written'; readonly mark?: string }
  | { readonly kind: 'changed' }

/** Results that say that what was sent cannot be stored, today and tomorrow. */
export const NOT_STORABLE: ReadonlySet<number> = new Set([17, 18, 19, 20, 21, 64, 65])
const WANTED = ['*', 'entryCSN', 'entryUUID', 'modifiersName']

/** The entry of a row with what the server says of it. Undefined where there is none. */
export async function entryAt(
  connection: LdapConnection,
  dn: string,
): Promise<DirectoryEntry | undefined> {
  const ask = { base: dn, scope: 'base', filter: ANY, attributes: WANTED } as const
  try {
    for await (const entry of search(connection, ask)) return entry
  } catch (thrown) {
    if (!(thrown instanceof Fault) || thrown.code !== 'notFound') throw thrown
  }
  return undefined
}

const ANY = { kind: 'present', type: 'objectClass' } as const

/** Rows, and edits that are under way. */
export const ROWS_ASK = (base: string) =>
  ({
    base,
    scope: 'subtree',
    filter: { kind: 'present', type: 'watariKey' },
    attributes: WANTED,
  }) as const

export const markOf = (entry: DirectoryEntry): string | undefined => textsOf(entry, 'entryCSN')[0]

/** Who has changed an entry last: by our own hand whoever it was written for, else as the server knows them. */
export function authorOf(entry: DirectoryEntry, service: string): ChangeAuthor {
  const [modifier = 'unknown'] = textsOf(entry, 'modifiersName')
  if (modifier.toLowerCase() !== service.toLowerCase()) return { who: modifier, from: 'LDAP' }
  try {
    const { who, from } = JSON.parse(textsOf(entry, 'watariEditedBy')[0] ?? '') as ChangeAuthor
    return typeof who === 'string' && typeof from === 'string' ? { who, from } : OURS
  } catch {
    return OURS
  }
}

const OURS: ChangeAuthor = { who: 'watari', from: 'LDAP' }

/**
 * Makes an entry what its row is. `there` is what lies there as it was read; with `isGuarded` nothing is
 * done where it has changed since (RFC 4528). Throws Fault `invalid` where the server cannot hold it.
 */
export async function putEntry(
  connection: LdapConnection,
  base: string,
  {
    put,
    there,
    isGuarded,
  }: {
    readonly put: Put
    readonly there: DirectoryEntry | undefined
    readonly isGuarded: boolean
  },
): Promise<Written> {
  const { key, row, by, atMs } = put
  const dn = dnOf(key, base)
  const csn = there === undefined ? undefined : markOf(there)
  const guard: LdapControl[] =
    isGuarded && csn !== undefined ? [onlyWhere(equal('entryCSN', csn))] : []
  if (row === null) {
    if (there === undefined) return { kind: 'written' }
    const remove = () => connection.ask({ op: 'delete', dn }, { controls: guard })
    let { result } = await remove()
    if (result.code === NOT_ON_NONLEAF) {
      for (const child of await namesBelow(connection, dn)) await removeEntry(connection, child)
      ;({ result } = await remove())
    }
    return written(connection, result, [NO_SUCH_OBJECT])
  }
  const wanted = entryOf(row, base)
  const editedBy = {
    type: 'watariEditedBy',
    values: [fromUtf8(JSON.stringify({ ...by, at: new Date(atMs).toISOString() }))],
  }
  const controls = [...guard, postRead('entryCSN')]
  if (there === undefined) {
    const attributes = [...wanted.attributes, editedBy]
    const add = () => connection.ask({ op: 'add', dn, attributes }, { controls })
    let end = await add()
    if (end.result.code === NO_SUCH_OBJECT) {
      await connection.ask({ op: 'add', ...folderEntry(key, base) }) // of a kind that is new here
      end = await add()
    }
    return written(connection, end.result, [ENTRY_EXISTS], end.controls)
  }
  const changes: LdapChange[] = changesBetween(there, wanted)
  if (changes.length === 0) return { kind: 'written', ...(csn !== undefined && { mark: csn }) }
  changes.push({ kind: 'replace', ...editedBy })
  const end = await connection.ask({ op: 'modify', dn, changes }, { controls })
  return written(connection, end.result, [NO_SUCH_OBJECT], end.controls)
}

/** RFC 4511 §4.1.9 notAllowedOnNonLeaf: the scripts of an account lie below it. */
const NOT_ON_NONLEAF = 66

async function namesBelow(connection: LdapConnection, dn: string): Promise<readonly string[]> {
  const ask = { base: dn, scope: 'one', filter: ANY, attributes: ['1.1'] } as const
  const names: string[] = []
  for await (const entry of search(connection, ask)) names.push(entry.dn)
  return names
}

function folderEntry(key: DirectoryKey, base: string): DirectoryEntry {
  const kind = key.slice(0, key.indexOf(':'))
  return made(folderOf(kind, base), {
    objectClass: ['organizationalUnit'],
    ou: [FOLDERS[kind] ?? kind],
  })
}

function written(
  connection: LdapConnection,
  result: LdapResult,
  meansChanged: readonly number[],
  controls: readonly LdapControl[] = [],
): Written {
  if (result.code === ASSERTION_FAILED || meansChanged.includes(result.code))
    return { kind: 'changed' }
  const fault = resultFault(connection.server, result)
  if (NOT_STORABLE.has(result.code)) throw new Fault('invalid', fault.message)
  if (result.code !== 0) throw fault
  const read = readPostRead(controls)
  const mark = read.ok && read.value !== undefined ? markOf(read.value) : undefined
  return { kind: 'written', ...(mark !== undefined && { mark }) }
}

/** Adds, or replaces, the entry of an edit of several rows; octets, whatever they say. */
export async function putNote(
  connection: LdapConnection,
  dn: string,
  { key, json }: { readonly key: string; readonly json: string },
): Promise<void> {
  const attributes = Object.entries({
    objectClass: 'watariObject',
    watariKey: key,
    watariRest: json,
  })
  const { result } = await connection.ask({
    op: 'add',
    dn,
    attributes: attributes.map(([type, value]) => ({ type, values: [fromUtf8(value)] })),
  })
  if (result.code !== 0) throw resultFault(connection.server, result)
}

export async function removeEntry(connection: LdapConnection, dn: string): Promise<void> {
  const { result } = await connection.ask({ op: 'delete', dn })
  if (result.code !== 0 && result.code !== NO_SUCH_OBJECT)
    throw resultFault(connection.server, result)
}

/** Binds; throws Fault `unavailable` where the account is not known there. */
export async function bindService(
  connection: LdapConnection,
  as: { readonly dn: string; readonly passwordBase64: string },
): Promise<void> {
  const password = Buffer.from(as.passwordBase64, 'base64')
  if (await bind(connection, { kind: 'simple', dn: as.dn, password })) return
  connection.close()
  throw new Fault(
    'unavailable',
    `${serverName(connection.server)}: ${as.dn} is not known there, or has another password`,
  )
}

/**
 * Throws Fault `unavailable` where a server does not have a change that was taken already: one restored from
 * an older backup, or a replica that has not come so far.
 */
export async function requireFloor(
  connection: LdapConnection,
  base: string,
  floor: string,
): Promise<void> {
  if (floor === '' || ((await contextCsn(connection, base)) ?? '') >= floor) return
  throw new Fault(
    'unavailable',
    `${serverName(connection.server)} is behind what was taken from there already`,
  )
}

/** The text of a note's JSON. */
export const noteOf = (entry: DirectoryEntry): string =>
  entry.attributes
    .filter(({ type }) => type.toLowerCase() === 'watarirest')
    .flatMap(({ values }) => values.map(toUtf8))[0] ?? ''
