import { timedId } from '#base/id.ts'
import { ok } from '#base/outcome.ts'
import { importBody, imported } from '#contract/admin/import.ts'
import { planImport } from '#engine/people/plan.ts'
import type { ImportPlan } from '#engine/people/plan.ts'
import type { Account, AccountId } from '#model/account.ts'
import type { Person } from '#model/person.ts'
import { mayTouch } from '#model/role.ts'
import { authorOf, roleOfRequest, taken } from './context.ts'
import type { AdminDeps, AdminServer } from './context.ts'
import { keepSomeWayIn } from './last-administrator.ts'

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
      if (dryRun) return { rows: told(plan()), pending: [] }
      let planned: ImportPlan | undefined
      // Planned when it is this write's turn: what others wrote meanwhile counts.
      const done = await deps.directory.update((now) => {
        planned = plan()
        keepSomeWayIn(request, now, accountsOf(planned))
        return ok(planned.edits)
      }, authorOf(request))
      taken(done)
      return { rows: told(planned!), pending: [...(await deps.hub.settled())] }
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

const told = ({ rows }: ImportPlan) =>
  rows.map(({ changes, notes, ...row }) => ({ ...row, changes: [...changes], notes: [...notes] }))
