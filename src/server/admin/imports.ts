import { timedId } from '#base/id.ts'
import { ok } from '#base/outcome.ts'
import { importBody, imported } from '#contract/admin/import.ts'
import { planImport } from '#engine/people/plan.ts'
import type { ImportPlan, PlannedRow } from '#engine/people/plan.ts'
import type { Account, AccountId } from '#model/account.ts'
import type { Person } from '#model/person.ts'
import { parseAddress } from '#model/address.ts'
import { may, mayTouch } from '#model/role.ts'
import type { Directory } from '#store/directory/directory.ts'
import { authorOf, roleOfRequest, taken } from './context.ts'
import type { AdminDeps, AdminServer } from './context.ts'
import { withScripts } from './import-scripts.ts'
import { keepSomeWayIn } from './last-administrator.ts'
import { authorText } from './store-ask.ts'

/** People and groups of another system, many at once, each taken or refused by itself. */
export function importRoutes(app: AdminServer, deps: AdminDeps): void {
  const { directory } = deps.directory
  app.post(
    '/directory/import',
    {
      config: { permission: 'people.write' },
      schema: { body: importBody, response: { 200: imported } },
    },
    async (request) => {
      const { people, groups, dryRun, replacePasswords } = request.body
      const newId = (): AccountId => timedId(deps.clock.nowMs()) as AccountId
      const census = { people: people as readonly Person[], groups }
      const role = roleOfRequest(request)
      const rules = {
        newId,
        replacePasswords,
        mayTouch: (account: Account) => mayTouch(role, account),
      }
      const plan = (): ImportPlan => planImport(directory, census, rules)
      const withTheirs = (rows: readonly PlannedRow[]): Promise<readonly PlannedRow[]> =>
        may(role, 'content.write')
          ? withScripts(rows, census.people, {
              deps,
              by: authorText(request),
              dryRun,
              accountOf: ({ address }) => accountAt(directory, address),
            })
          : Promise.resolve(withoutScripts(rows, census.people))
      if (dryRun) return { rows: told(await withTheirs(plan().rows)), pending: [] }
      let planned: ImportPlan | undefined
      // Planned when it is this write's turn: what others wrote meanwhile counts.
      const done = await deps.directory.update((now) => {
        planned = plan()
        keepSomeWayIn(request, now, accountsOf(planned))
        return ok(planned.edits)
      }, authorOf(request))
      taken(done)
      // Stores know whom the scripts are of before they are asked to keep them.
      const pending = [...(await deps.hub.settled())]
      return { rows: told(await withTheirs(planned!.rows)), pending }
    },
  )
}

const accountsOf = ({ edits }: ImportPlan): ReadonlyMap<AccountId, Account> =>
  new Map(
    edits.flatMap((edit) =>
      edit.kind === 'put' && edit.row.kind === 'account'
        ? [[edit.row.account.id, edit.row.account] as const]
        : [],
    ),
  )

const accountAt = (directory: Directory, text: string): Account | undefined => {
  const address = parseAddress(text)
  return address.ok ? directory.byAddress(address.value) : undefined
}

const withoutScripts = (
  rows: readonly PlannedRow[],
  people: readonly Person[],
): readonly PlannedRow[] =>
  rows.map((row, at) =>
    (people[at]?.scripts ?? []).length === 0
      ? row
      : { ...row, notes: [...row.notes, 'scripts: only an administrator writes those of others'] },
  )

const told = (rows: readonly PlannedRow[]) =>
  rows.map(({ changes, notes, ...row }) => ({ ...row, changes: [...changes], notes: [...notes] }))
