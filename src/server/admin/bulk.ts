import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { timedId } from '#base/id.ts'
import { Turns } from '#base/turns.ts'
import { ok } from '#base/outcome.ts'
import {
  bulkBody,
  bulkDone,
  bulkUndo,
  newPlan,
  plannedPlan,
  plans,
  upkeep,
  upkeepDone,
  upkeepRun,
} from '#contract/admin/bulk.ts'
import type { PlanBody } from '#contract/admin/bulk.ts'
import { done } from '#contract/admin/common.ts'
import {
  bulkSteps,
  countsOf,
  planBulk,
  bulkPlanOf,
  undoSteps,
  whyNotBy,
} from '#engine/people/bulk.ts'
import type {
  AccountChange,
  BulkAsk,
  BulkPlan,
  BulkRow,
  BulkStep,
  BulkSteps,
} from '#engine/people/bulk.ts'
import type { Account, AccountId } from '#model/account.ts'
import type { DatedPlan } from '#model/plan.ts'
import type { Directory } from '#store/directory/directory.ts'
import { authorOf, isoTime, roleOfRequest } from './context.ts'
import type { AdminDeps, AdminServer } from './context.ts'
import { writeDirectory } from './directory-writes.ts'
import { ApiError } from './errors.ts'
import { keepSomeWayIn } from './last-administrator.ts'
import { rowsOfUndo, writeInSteps } from './steps.ts'
import type { RowChange } from './steps.ts'

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
      const { change, where, dryRun } = request.body as BulkAsk & { readonly dryRun: boolean }
      const why = whyNotBy(roleOfRequest(request))
      const planned = await plannedInSlices(bulkSteps(directory, { where, change }, why))
      if (dryRun) return { ...told(planned), pending: [] }
      return writeBulk(deps, request, planned, (now, ids) =>
        planBulk(now, { where: { ...where, users: ids }, change }, why),
      )
    },
  )

  app.post(
    '/users/bulk/undo',
    {
      config: { permission: 'people.write' },
      schema: { body: bulkUndo, response: { 200: bulkDone } },
    },
    async (request) => {
      const why = whyNotBy(roleOfRequest(request))
      const rows = await rowsOfUndo(deps, request.body.undo, (key) => key.startsWith('account:'))
      const changes = new Map(rows.flatMap(accountChange).map((each) => [each.after.id, each]))
      const planned = await plannedInSlices(undoSteps(directory, [...changes.values()], why))
      return writeBulk(deps, request, planned, (now, ids) =>
        bulkPlanOf([
          ...undoSteps(
            now,
            ids.map((id) => changes.get(id)!),
            why,
          ),
        ]),
      )
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
      const preview =
        plan.done === undefined ? await plannedInSlices(bulkSteps(directory, plan)) : { rows: [] }
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
      const { where, change } = request.body as BulkAsk
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
      const why = whyNotBy(roleOfRequest(request))
      const preview = await plannedInSlices(bulkSteps(directory, plan, why))
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
        lists: run.lists.deleted,
        forgotten: run.lists.forgotten,
        plans: run.plans.map(planBody),
        pending: [...(await deps.hub.settled())],
      }
    },
  )
}

/** While others get their turn in between: what is planned is planned anew when it is written. */
async function plannedInSlices(steps: BulkSteps): Promise<BulkPlan> {
  const turns = new Turns()
  const taken: (BulkStep | undefined)[] = []
  for (const step of steps) {
    taken.push(step)
    if (turns.isOver) await turns.next()
  }
  return bulkPlanOf(taken)
}

/**
 * Writes what was planned in steps, each planned anew when its turn comes, so that what others wrote
 * meanwhile counts. Nobody is shut out by one of them whom all of them together would shut out.
 */
async function writeBulk(
  deps: AdminDeps,
  request: FastifyRequest,
  planned: BulkPlan,
  again: (now: Directory, ids: AccountId[]) => BulkPlan,
) {
  keepSomeWayIn(request, deps.directory.directory, changedBy(planned))
  const ids = planned.rows.flatMap(({ id, outcome }) =>
    id !== undefined && outcome === 'changed' ? [id] : [],
  )
  const became = new Map<AccountId | undefined, BulkRow>()
  const { undo, pending } = await writeInSteps(deps, request, ids, (now, some) => {
    const step = again(now, [...some])
    keepSomeWayIn(request, now, changedBy(step))
    for (const row of step.rows) became.set(row.id, row)
    return ok(step.edits)
  })
  const rows = planned.rows.map((row) => became.get(row.id) ?? row)
  return { ...told({ rows }), ...(undo !== undefined && { undo }), pending }
}

/** Whoever was made or deleted for good meanwhile cannot be put back by its fields. */
const accountChange = ({ before, after }: RowChange): readonly AccountChange[] =>
  before?.kind === 'account' && after?.kind === 'account'
    ? [{ before: before.account, after: after.account }]
    : []

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
