import { err, isFault } from '#base/outcome.ts'
import { importScripts } from '#engine/deliver/imported-scripts.ts'
import type { ImportedScript, ScriptImport, ScriptRoom } from '#engine/deliver/imported-scripts.ts'
import type { PlannedRow } from '#engine/people/plan.ts'
import type { Account, AccountId } from '#model/account.ts'
import { DEFAULT_MAILBOXES } from '#model/mailbox.ts'
import type { Person } from '#model/person.ts'
import type { AdminDeps } from './context.ts'

/** Stores are asked about so many people at once. */
const AT_ONCE = 8
/** As the reading of a file leaves them: a slash may stand in front. */
const NAMING = { separator: '/', prefix: '/' }

/** The rows of these people with what became of their scripts, or would; each by itself. */
export async function withScripts(
  rows: readonly PlannedRow[],
  people: readonly Person[],
  how: {
    readonly deps: AdminDeps
    readonly by: string
    readonly dryRun: boolean
    readonly accountOf: (row: PlannedRow) => Account | undefined
  },
): Promise<PlannedRow[]> {
  const told = [...rows]
  // The people of a census come first, each in its place.
  const todo = people.entries().filter(([at, { scripts = [] }]) => {
    return scripts.length > 0 && rows[at]?.outcome !== 'refused'
  })
  const work = async (): Promise<void> => {
    for (const [at, { scripts = [] }] of todo) {
      const row = rows[at]!
      const account = how.accountOf(row)
      const ask = { scripts, ...NAMING, replace: false, dryRun: how.dryRun }
      told[at] = withTold(row, await brought(account, ask, how))
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return told
}

async function brought(
  account: Account | undefined,
  ask: Omit<ScriptImport, 'accountId'>,
  { deps, by }: { readonly deps: AdminDeps; readonly by: string },
): Promise<readonly ImportedScript[] | string> {
  if (account === undefined)
    return (await importScripts({ ...ask, accountId: NOBODY }, NEW)).scripts
  const { node, scripts } = deps.scripts(account.id)
  try {
    return (await scripts.bringIn({ ...ask, accountId: account.id, by })).scripts
  } catch (thrown) {
    if (!isFault(thrown)) throw thrown
    return `${node} cannot take them now (${thrown.message}): import it again later`
  }
}

const NOBODY = '' as AccountId
/** What a store has of somebody who is not there yet, for a look ahead. */
const NEW: ScriptRoom = {
  scripts: {
    list: async () => [],
    get: async () => NOTHING,
    put: async () => NOTHING,
    keep: async () => NOTHING,
  },
  mailboxes: { mailboxes: async () => ({ mailboxes: DEFAULT_MAILBOXES }) },
}
const NOTHING = err({ code: 'notFound', message: 'nobody is there yet' } as const)

function withTold(row: PlannedRow, done: readonly ImportedScript[] | string): PlannedRow {
  if (typeof done === 'string') return { ...row, notes: [...row.notes, `scripts: ${done}`] }
  const isNew = done.some(({ outcome }) => outcome === 'stored' || outcome === 'kept')
  const changes = isNew && row.outcome !== 'added' ? [...row.changes, 'scripts'] : row.changes
  return {
    ...row,
    outcome: isNew && row.outcome === 'same' ? 'changed' : row.outcome,
    changes,
    notes: [...row.notes, ...done.flatMap(toldOf)],
  }
}

/** One line a script, and one for each of its names and warnings. */
function toldOf(script: ImportedScript): string[] {
  const { name, outcome, active, reason, names, warnings } = script
  if (outcome === 'unchanged') return []
  const what = `script ${name}: ${outcome}${active ? ', it filters' : ', switched off'}`
  return [
    reason === undefined ? what : `${what} (${reason})`,
    ...names.map(
      ({ line, before, after }) => `script ${name}: line ${line}: ${before} is now ${after}`,
    ),
    ...warnings.map(({ line, message }) => `script ${name}: line ${line}: ${message}`),
  ]
}
