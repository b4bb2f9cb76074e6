import { z } from 'zod'
import type { FastifyRequest } from 'fastify'
import { err, ok } from '#base/outcome.ts'
import {
  listsOfUser,
  membersAdded,
  membersChange,
  membersChanged,
  membersRemoval,
  newMembers,
} from '#contract/admin/lists.ts'
import { wished, withoutMember } from '#engine/list/edits.ts'
import { listsOfAccount } from '#engine/list/membership.ts'
import type { Account } from '#model/account.ts'
import { formatAddress } from '#model/address.ts'
import { isInFrom } from '#model/list-member.ts'
import type { ListMember } from '#model/list-member.ts'
import { isOwner, mayModerate } from '#model/list.ts'
import type { MailingList } from '#model/list.ts'
import type { DirectoryEdit } from '#store/directory/check-edits.ts'
import type { Directory } from '#store/directory/directory.ts'
import { authorOf } from '#server/admin/context.ts'
import type { AdminDeps, AdminServer } from '#server/admin/context.ts'
import { accountOf } from '#server/admin/lookup.ts'
import { addMembers } from './adding.ts'
import { endOfDay } from './days.ts'
import { memberFileRoutes } from './member-files.ts'
import { listFor } from './right.ts'
import { rosterRoutes } from './roster.ts'
import { selfOf } from './self.ts'
import { whichMembers } from './which.ts'
import { writeInSteps } from '#server/admin/steps.ts'

const named = z.object({ list: z.string() })

/** Who is in a list: looked at, added, changed, taken out. */
export function listMemberRoutes(app: AdminServer, deps: AdminDeps): void {
  memberFileRoutes(app, deps)
  rosterRoutes(app, deps)
  const { directory } = deps.directory
  const listOf = (
    request: FastifyRequest & { readonly params: z.infer<typeof named> },
  ): MailingList => listFor(request, directory, request.params.list, 'change')

  app.post(
    '/lists/:list/members',
    {
      config: { permission: 'known', list: 'change' },
      schema: { params: named, body: newMembers, response: { 200: membersAdded } },
    },
    async (request) => {
      const { text, who = [], filters = [], exclude, preview, delivery, until } = request.body
      const { id } = listOf(request)
      return addMembers(deps, request, id, {
        text: [...(text === undefined ? [] : [text]), ...who].join('\n'),
        filters: filters.map(({ base, ...rest }) => ({
          kind: 'filter' as const,
          ...rest,
          ...(base !== undefined && { base }),
        })),
        isPreview: preview,
        how: () => ({
          as: exclude ? 'excluded' : 'member',
          ...(delivery !== undefined && { delivery }),
          ...(until !== undefined && { until: until && endOfDay(until, directory.moment) }),
        }),
      })
    },
  )

  app.post(
    '/lists/:list/members/change',
    {
      config: { permission: 'known', list: 'change' },
      schema: { params: named, body: membersChange, response: { 200: membersChanged } },
    },
    async (request) => {
      const { id } = listOf(request)
      const { delivery, until } = request.body
      const change = {
        ...(delivery !== undefined && { delivery }),
        ...(until !== undefined && { until: until && endOfDay(until, directory.moment) }),
      }
      const { who: by } = authorOf(request)
      const act = { list: id, atMs: deps.clock.nowMs(), by }
      return changeMembers(deps, request, id, (now, row) => {
        if (!isInFrom(row.terms, act.atMs)) return []
        const member = wished(now, { who: row.who, as: row.as, ...change }, act)
        return member === undefined ? [] : [{ kind: 'put', row: { kind: 'member', member } }]
      })
    },
  )

  app.post(
    '/lists/:list/members/remove',
    {
      config: { permission: 'known', list: 'change' },
      schema: { params: named, body: membersRemoval, response: { 200: membersChanged } },
    },
    async (request) => {
      const { id } = listOf(request)
      const atMs = deps.clock.nowMs()
      return changeMembers(deps, request, id, (_, row) => withoutMember(row, atMs) ?? [])
    },
  )

  app.get(
    '/users/:user/lists',
    {
      config: { permission: 'lists.read' },
      schema: { params: z.object({ user: z.string() }), response: { 200: listsOfUser } },
    },
    async (request) => listsOf(deps, accountOf(directory, request.params.user)),
  )

  app.get(
    '/me/lists',
    { config: { permission: 'known' }, schema: { response: { 200: listsOfUser } } },
    async (request) => listsOf(deps, selfOf(deps, request)),
  )
}

/** Lists that somebody is in, by whatever way, or answers for. */
function listsOf({ directory: { directory }, clock }: AdminDeps, account: Account) {
  const isIn = new Map(
    listsOfAccount(account, directory, clock.nowMs()).map(({ list, own }) => [list.id, own]),
  )
  const items = directory
    .lists()
    .filter(({ deletedAt }) => deletedAt === undefined)
    .flatMap((list) => {
      const own = isIn.get(list.id)
      const as = [
        ...(own === undefined ? [] : (['member'] as const)),
        ...(isOwner(list, account.id)
          ? (['owner'] as const)
          : mayModerate(list, account.id, directory.moment.today)
            ? (['moderator'] as const)
            : []),
      ]
      if (as.length === 0) return []
      const row = own?.find(({ as: how }) => how === 'member')
      return [
        {
          id: list.id,
          address: formatAddress(list.address),
          ...(list.name !== undefined && { name: list.name }),
          as,
          ...(row !== undefined && { delivery: row.delivery }),
          mayLeave: own !== undefined && list.leaving !== 'owners',
        },
      ]
    })
    .toArray()
  return { items: items.toSorted((a, b) => (a.address < b.address ? -1 : 1)) }
}

/** Each row that is meant, in steps; a name of nobody who is in changes nothing at all. */
async function changeMembers(
  deps: AdminDeps,
  request: FastifyRequest & { readonly body: z.infer<typeof membersRemoval> },
  id: MailingList['id'],
  make: (now: Directory, row: ListMember) => DirectoryEdit | readonly DirectoryEdit[],
) {
  const keys = await whichMembers(deps, id, request.body.members)
  let count = 0
  const done = await writeInSteps(deps, request, keys, (now, some) => {
    if (now.list(id) === undefined)
      return err({ code: 'notFound', message: 'the list is gone', remedy: 'watari list ls' })
    const edits = some.flatMap((key) => {
      const row = now.member(id, key)
      return row === undefined ? [] : make(now, row)
    })
    count += edits.length
    return ok(edits)
  })
  return { changed: count, ...done }
}
