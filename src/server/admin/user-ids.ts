import { userIds, userPlaces, usersQuery } from '#contract/admin/directory.ts'
import type { PeopleIndex } from '#engine/people/people-index.ts'
import type { AccountId } from '#model/account.ts'
import type { AdminDeps, AdminServer } from './context.ts'
import { fullPage } from './usages.ts'

/** Of those who use much, whom the store has to be asked about. */
const FULL_AT_ONCE = 2_000

/** Whom a search finds as a whole: who they are, for a change of many; where its pages begin, for a look at its end. */
export function userIdRoutes(app: AdminServer, deps: AdminDeps, people: PeopleIndex): void {
  app.get(
    '/directory/user-ids',
    {
      config: { permission: 'people.read' },
      schema: {
        querystring: usersQuery.pick({ search: true, tag: true, deleted: true, fullFrom: true }),
        response: { 200: userIds },
      },
    },
    async ({ query }) => {
      const { search, tag, fullFrom: percent } = query
      const ask = { search, tag, isDeleted: query.deleted === 'true' }
      if (percent === undefined)
        return { items: (await people.whole(ask)).map(({ id }): string => id) }
      const items: AccountId[] = []
      let after: string | undefined
      do {
        const page = await fullPage(deps, people, { ...ask, after, percent, limit: FULL_AT_ONCE })
        for (const { account } of page.items) items.push(account.id)
        after = page.next
      } while (after !== undefined)
      return { items }
    },
  )

  app.get(
    '/directory/user-places',
    {
      config: { permission: 'people.read' },
      schema: {
        querystring: usersQuery.pick({ search: true, tag: true, deleted: true, limit: true }),
        response: { 200: userPlaces },
      },
    },
    async ({ query }) => {
      const { search, tag, limit } = query
      const all = await people.whole({ search, tag, isDeleted: query.deleted === 'true' })
      const pages = Math.max(1, Math.ceil(all.length / limit))
      const items = Array.from({ length: pages - 1 }, (_, at) => all[(at + 1) * limit - 1]!.address)
      return { count: all.length, items }
    },
  )
}
