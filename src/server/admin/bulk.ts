import { z } from 'zod'
import { timedId } from '#base/id.ts'
import { ok } from '#base/outcome.ts'
import {
  bulkBody,
  bulkDone,
  newPlan,
  plannedPlan,
  plans,
  upkeep,
  upkeepDone,
  upkeepRun,
} from '#contract/admin/bulk.ts'
import type { PlanBody } from '#contract/admin/bulk.ts'
import { done } from '#contract/admin/common.ts'
import { countsOf, planBulk, whyNotBy } from '#engine/people/bulk.ts'
import type { BulkPlan } from '#engine/people/bulk.ts'
import type { Account, AccountId } from '#model/account.ts'
import type { BulkChange, DatedPlan, Selection } from '#model/plan.ts'
import { authorOf, isoTime, roleOfRequest } from './context.ts'
import type { AdminDeps, AdminServer } from './context.ts'
import { writeDirectory } from './directory-writes.ts'
import { ApiError } from './errors.ts'
import { keepSomeWayIn } from './last-administrator.ts'

/** Changes of many at once: now, or on a day. */
export function bulkRoutes(app: AdminServer, deps: AdminDeps): void {
  const { directory } = deps.directory

  app.post(
    '/users/bulk',
    {
      config: { permission: 'people.write' },
      schema: { body: bulkBody, response: { 200: bulkDone } },
    },
    async (request) => {
      const { dryRun } = request.body
      const ask = request.body as Asked
      const plan = (): BulkPlan => planBulk(directory, ask, whyNotBy(roleOfRequest(request)))
      if (dryRun) return { ...told(plan()), pending: [] }
      let planned: BulkPlan | undefined
      const target = { key: 'users', name: 'these users', version: () => undefined }
      const pending = await writeDirectory(deps, request, target, (now) => {
        planned = plan()
        keepSomeWayIn(request, now, changedBy(planned))
        return ok(planned.edits)
      })
      return { ...told(planned!), pending }
    },
  )

  app.get(
    '/directory/plans',
    { config: { permission: 'people.read' }, schema: { response: { 200: plans } } },
    async () => ({
      items: directory
        .plans()
        .toSorted((a, b) => (a.on < b.on ? -1 : a.on > b.on ? 1 : a.id < b.id ? -1 : 1))
        .map(planBody),
    }),
  )

  app.get(
    '/directory/plans/:id',
    {
      config: { permission: 'people.read' },
      schema: { params: z.object({ id: z.string() }), response: { 200: plannedPlan } },
    },
    async (request) => {
      const plan = planOf(deps, request.params.id)
      const preview = plan.done === undefined ? planBulk(directory, plan) : { rows: [] }
      return { ...planBody(plan), ...told(preview), pending: [] }
    },
  )

  app.post(
    '/directory/plans',
    {
      config: { permission: 'people.write' },
      schema: { body: newPlan, response: { 200: plannedPlan } },
    },
    async (request) => {
      const { title, on, dryRun } = request.body
      const { where, change } = request.body as Asked
      const { who } = authorOf(request)
      const id = timedId(deps.clock.nowMs())
      const plan: DatedPlan = {
        id,
        title: title.trim(),
        on,
        where,
        change,
        by: who,
        byRole: roleOfRequest(request),
      }
      if (on < directory.moment.today)
        throw new ApiError('invalid', `${on} is over`, 'Give a day to come, or: watari user bulk.')
      const preview = planBulk(directory, plan, whyNotBy(roleOfRequest(request)))
      const shown = { ...planBody(plan), ...told(preview) }
      if (dryRun) return { ...shown, pending: [] }
      const target = { key: `plan:${id}`, name: plan.title, version: () => undefined }
      const pending = await writeDirectory(deps, request, target, () =>
        ok([{ kind: 'put', row: { kind: 'plan', plan } }]),
      )
      return { ...shown, pending }
    },
  )

  app.delete(
    '/directory/plans/:id',
    {
      config: { permission: 'people.write' },
      schema: { params: z.object({ id: z.string() }), response: { 200: done } },
    },
    async (request) => {
      const { id, title } = planOf(deps, request.params.id)
      const target = { key: `plan:${id}`, name: title, version: () => undefined }
      const pending = await writeDirectory(deps, request, target, () =>
        ok([{ kind: 'remove', key: `plan:${id}` }]),
      )
      return { pending }
    },
  )

  app.get(
    '/directory/upkeep',
    { config: { permission: 'people.read' }, schema: { response: { 200: upkeep } } },
    async () => {
      const { isHeld, lastRunMs, deletions, plans: due } = await keeper(deps).state()
      return {
        ...(lastRunMs !== undefined && { lastRun: isoTime(lastRunMs) }),
        held: isHeld,
        deletions: deletions.length,
        plans: due.map(planBody),
      }
    },
  )

  app.post(
    '/directory/upkeep',
    {
      config: { permission: 'people.write' },
      schema: { body: upkeepRun, response: { 200: upkeepDone } },
    },
    async (request) => {
      const accept = request.body.acceptClock
      const run = await keeper(deps).run({ accept, by: authorOf(request) })
      return {
        held: run.held,
        deleted: run.deleted,
        told: run.told,
        plans: run.plans.map(planBody),
        pending: [...(await deps.hub.settled())],
      }
    },
  )
}

interface Asked {
  readonly where: Selection
  readonly change: BulkChange
}

const changedBy = ({ edits }: BulkPlan): ReadonlyMap<AccountId, Account | undefined> =>
  new Map(
    edits.flatMap((edit) =>
      edit.kind === 'put' && edit.row.kind === 'account'
        ? [
            [
              edit.row.account.id,
              edit.row.account.deletedAt === undefined ? edit.row.account : undefined,
            ] as const,
          ]
        : [],
    ),
  )

const told = (planned: Pick<BulkPlan, 'rows'>) => ({
  ...countsOf(planned),
  rows: planned.rows.map(({ id, changes, ...row }) => ({
    ...row,
    ...(id !== undefined && { id }),
    changes: [...changes],
  })),
})

function planBody(plan: DatedPlan): PlanBody {
  const { byRole: _, ...told } = structuredClone(plan)
  return told as PlanBody
}

function planOf(deps: AdminDeps, id: string): DatedPlan {
  const plan = deps.directory.directory.plan(id)
  if (plan !== undefined) return plan
  throw new ApiError(
    'notFound',
    `there is no plan ${id}`,
    'watari directory plans ls shows what there is.',
  )
}

function keeper(deps: AdminDeps) {
  if (deps.upkeep !== undefined) return deps.upkeep
  throw new ApiError('unavailable', 'nothing looks after accounts here', 'Ask control.')
}
