import { fromUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { isFault } from '#base/outcome.ts'
import type { LdapConnection } from '#client/ldap/connection.ts'
import { ENTRY_EXISTS, NO_SUCH_OBJECT, resultFault } from '#client/ldap/results.ts'
import { search } from '#client/ldap/search.ts'
import { parseDn } from '#codec/ldap/dn.ts'
import { equal } from '#codec/ldap/filter.ts'
import type { LdapControl, LdapResult } from '#codec/ldap/message.ts'
import { ASSERTION_FAILED, onlyWhere, postRead, readPostRead } from '#codec/ldap/write-controls.ts'
import type { ScriptWrite } from '#contract/node/scripts.ts'
import type { AccountId } from '#model/account.ts'
import type { DirectoryEntry } from '#model/directory-entry.ts'
import { textsOf } from './entry.ts'
import { NOT_STORABLE, markOf } from './line.ts'
import { dnOf, escapedName } from './row-entry.ts'
import { SCRIPT_CLASS } from './schema.ts'

/** A script as its entry tells it, without its octets. */
export interface ScriptThere {
  readonly uuid: string
  readonly dn: string
  readonly accountId: AccountId
  readonly id: string
  readonly name: string
  readonly active: boolean
  readonly csn: string
  /** Who has changed it last, as the server knows them. */
  readonly modifier: string
}

const IS_SCRIPT = equal('objectClass', SCRIPT_CLASS)
const WANTED = ['watariScriptName', 'watariScriptActive', 'entryCSN', 'entryUUID', 'modifiersName']

/** All scripts of a home, without their octets. */
export const SCRIPTS_ASK = (base: string) =>
  ({ base, scope: 'subtree', filter: IS_SCRIPT, attributes: WANTED }) as const

const scriptDn = (accountId: AccountId, id: string, base: string): string =>
  `watariScriptId=${escapedName(id)},${accountDn(accountId, base)}`

const accountDn = (accountId: AccountId, base: string): string => dnOf(`account:${accountId}`, base)

/** Undefined where it does not lie below an account. */
export function scriptThere(entry: DirectoryEntry): ScriptThere | undefined {
  const [own, above] = parseDn(entry.dn) ?? []
  const [[id], [key]] = [own ?? [], above ?? []]
  if (id?.type !== 'watariscriptid' || key?.type !== 'watarikey') return undefined
  if (!key.value.startsWith('account:')) return undefined
  const text = (type: string): string => textsOf(entry, type)[0] ?? ''
  return {
    uuid: text('entryUUID'),
    dn: entry.dn,
    accountId: key.value.slice('account:'.length) as AccountId,
    id: id.value,
    name: text('watariScriptName'),
    active: text('watariScriptActive') === 'TRUE',
    csn: text('entryCSN'),
    modifier: text('modifiersName'),
  }
}

/** Those of an account; none where it has no entry. */
export async function scriptsAt(
  connection: LdapConnection,
  accountId: AccountId,
  base: string,
): Promise<readonly ScriptThere[]> {
  const ask = { ...SCRIPTS_ASK(accountDn(accountId, base)), scope: 'one' } as const
  const found: ScriptThere[] = []
  try {
    for await (const entry of search(connection, ask)) {
      const script = scriptThere(entry)
      if (script !== undefined) found.push(script)
    }
  } catch (thrown) {
    if (!isFault(thrown, 'notFound')) throw thrown
  }
  return found
}

/** Undefined where the entry is gone. */
export async function scriptOctetsAt(
  connection: LdapConnection,
  dn: string,
): Promise<Octets | undefined> {
  const ask = { base: dn, scope: 'base', filter: IS_SCRIPT, attributes: ['watariScript'] } as const
  try {
    for await (const entry of search(connection, ask))
      return entry.attributes[0]?.values[0] ?? fromUtf8('')
  } catch (thrown) {
    if (!isFault(thrown, 'notFound')) throw thrown
  }
  return undefined
}

/** `changed`: the entry is not as it was read. `refused`: the server cannot hold it, and says why. */
export type ScriptWritten =
  | { readonly kind: 'written'; readonly mark?: string }
  | { readonly kind: 'changed' }
  | { readonly kind: 'refused'; readonly message: string }

/**
 * Makes an entry what is written of a script; with `csn` only where it was changed by that last, and adds it
 * only where it is none. What is to be there no more, or filters no more, may be missing.
 */
export async function putScript(
  connection: LdapConnection,
  base: string,
  put: { readonly accountId: AccountId; readonly write: ScriptWrite; readonly csn?: string },
): Promise<ScriptWritten> {
  const { accountId, write, csn } = put
  const dn = scriptDn(accountId, write.id, base)
  const guard: LdapControl[] = csn === undefined ? [] : [onlyWhere(equal('entryCSN', csn))]
  if ('gone' in write) {
    const { result } = await connection.ask({ op: 'delete', dn }, { controls: guard })
    return written(connection, result.code === NO_SUCH_OBJECT ? { ...result, code: 0 } : result)
  }
  const { name, active, text } = write
  const values = (value: string): readonly Octets[] => (value === '' ? [] : [fromUtf8(value)])
  const fields = [
    { type: 'watariScriptName', values: [fromUtf8(name)] },
    { type: 'watariScriptActive', values: values(active ? 'TRUE' : '') },
    ...(text === undefined ? [] : [{ type: 'watariScript', values: values(text) }]),
  ]
  const controls = [...guard, postRead('entryCSN')]
  const changes = fields.map((field) => ({ kind: 'replace', ...field }) as const)
  const changed = await connection.ask({ op: 'modify', dn, changes }, { controls })
  if (changed.result.code !== NO_SUCH_OBJECT)
    return written(connection, changed.result, changed.controls)
  if (csn !== undefined) return { kind: 'changed' }
  if (text === undefined) return { kind: 'written' }
  const attributes = [
    { type: 'objectClass', values: [fromUtf8(SCRIPT_CLASS)] },
    { type: 'watariScriptId', values: [fromUtf8(write.id)] },
    ...fields.filter((field) => field.values.length > 0),
  ]
  const added = await connection.ask(
    { op: 'add', dn, attributes },
    { controls: [postRead('entryCSN')] },
  )
  if (added.result.code === NO_SUCH_OBJECT)
    return { kind: 'refused', message: 'the account has no entry there' }
  return written(connection, added.result, added.controls)
}

function written(
  connection: LdapConnection,
  result: LdapResult,
  controls: readonly LdapControl[] = [],
): ScriptWritten {
  if (result.code === ASSERTION_FAILED || result.code === ENTRY_EXISTS) return { kind: 'changed' }
  if (NOT_STORABLE.has(result.code))
    return { kind: 'refused', message: resultFault(connection.server, result).message }
  if (result.code !== 0) throw resultFault(connection.server, result)
  const read = readPostRead(controls)
  const mark = read.ok && read.value !== undefined ? markOf(read.value) : undefined
  return { kind: 'written', ...(mark !== undefined && { mark }) }
}
