import { Fault } from '#base/outcome.ts'
import type { LdapConnection } from '#client/ldap/connection.ts'
import { search } from '#client/ldap/search.ts'
import type { KnownScript, ScriptShelf } from '#store/directory/script-shelf.ts'
import { SCRIPT_CLASS } from './schema.ts'
import { SCRIPTS_ASK, scriptThere } from './script-entry.ts'

const ROWS_A_PAGE = 2_000

/** All that is known, or that of accounts behind one and up to another. */
export async function* knownScripts(
  shelf: Pick<ScriptShelf, 'between'>,
  after = '',
  to?: string,
): AsyncGenerator<KnownScript> {
  for (let from = after; ;) {
    const ask = { after: from, limit: ROWS_A_PAGE, ...(to !== undefined && { to }) }
    const page = await shelf.between(ask)
    const last = page.at(-1)?.accountId
    const isEnd = page.length < ROWS_A_PAGE
    // The last account may go on behind the page.
    const whole = isEnd ? page : page.filter(({ accountId }) => accountId !== last)
    yield* whole
    if (isEnd) return
    from = whole.at(-1)!.accountId
  }
}

/** Of the scripts that are known, how many a server has not, or as they were before. */
export async function lackingScripts(
  connection: LdapConnection,
  base: string,
  shelf: Pick<ScriptShelf, 'between'>,
): Promise<number> {
  const there = new Map<string, string>()
  for await (const entry of search(connection, SCRIPTS_ASK(base))) {
    const script = scriptThere(entry)
    if (script !== undefined) there.set(script.uuid, script.csn)
  }
  let lacking = 0
  for await (const { uuid, csn } of knownScripts(shelf))
    if (csn > (there.get(uuid) ?? '')) lacking++
  return lacking
}

/** Whether the store has an account's scripts as they are known to lie there too. */
export const isAlike = (
  here: readonly { readonly id: string; readonly active: boolean; readonly digest: string }[],
  known: readonly KnownScript[],
): boolean =>
  here.length === known.length &&
  known.every(({ id, active, digest, note, csn }) =>
    here.some(
      (each) =>
        csn !== '' &&
        note === null &&
        each.id === id &&
        each.digest === digest &&
        each.active === (active === 1),
    ),
  )

/** Throws Fault `unavailable` where the server's schema is of an earlier version. */
export async function requireScripts(connection: LdapConnection): Promise<void> {
  const ask = {
    base: 'cn=Subschema',
    scope: 'base',
    filter: { kind: 'present', type: 'objectClass' },
    attributes: ['objectClasses'],
  } as const
  for await (const { attributes } of search(connection, ask)) {
    const values = attributes.flatMap(({ values }) => values.map((each) => Buffer.from(each)))
    if (values.some((value) => value.includes(`'${SCRIPT_CLASS}'`))) return
  }
  throw new Fault(
    'unavailable',
    'the schema there knows no scripts, which stay in the store alone: run directory provision once more',
  )
}
