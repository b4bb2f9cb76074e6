import { timedId } from '#base/id.ts'
import { ok } from '#base/outcome.ts'
import { importedLists, listImportBody } from '#contract/admin/list-import.ts'
import { planLists } from '#engine/people/plan-lists.ts'
import type { AccountId } from '#model/account.ts'
import type { ForeignList } from '#model/foreign-list.ts'
import { authorOf, taken } from './context.ts'
import type { AdminDeps, AdminServer } from './context.ts'
import { accountOf } from './lookup.ts'

/** Mailing lists of another system, each taken or refused by itself. */
export function listImportRoutes(app: AdminServer, deps: AdminDeps): void {
  const { directory } = deps.directory
  app.post(
    '/lists/import',
    {
      config: { permission: 'lists.write' },
      schema: { body: listImportBody, response: { 200: importedLists } },
    },
    async (request) => {
      const { lists, domain, owner, dryRun } = request.body
      const author = authorOf(request)
      const rules = {
        newId: (): AccountId => timedId(deps.clock.nowMs()) as AccountId,
        now: new Date(deps.clock.nowMs()).toISOString(),
        addedBy: author.who,
        ...(domain !== undefined && { domain }),
        ...(owner !== undefined && { owner: accountOf(directory, owner).id }),
      }
      const plan = (): ReturnType<typeof planLists> =>
        planLists(directory, lists as readonly ForeignList[], rules)
      if (dryRun) return { rows: told(plan()), pending: [] }
      let planned: ReturnType<typeof planLists> | undefined
      // Planned when it is this write's turn: what others wrote meanwhile counts.
      const done = await deps.directory.update(() => {
        planned = plan()
        return ok(planned.edits)
      }, author)
      taken(done)
      return { rows: told(planned!), pending: [...(await deps.hub.settled())] }
    },
  )
}

const told = ({ rows }: ReturnType<typeof planLists>) =>
  rows.map(({ stayed, notes, ...row }) => ({ ...row, stayed: [...stayed], notes: [...notes] }))
