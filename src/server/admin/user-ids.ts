import { userIds, userPlaces, usersQuery } from '#contract/admin/directory.ts'
import type { PeopleIndex } from '#engine/people/people-index.ts'
import type { AccountId } from '#model/account.ts'
import type { AdminDeps, AdminServer } from './context.ts'
import { fullPage } from './usages.ts'

/** Found in one go, before others have their turn. */
const FOUND_AT_ONCE = 500

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
      const ask = { search, tag, isDeleted: query.deleted === 'true', limit: FOUND_AT_ONCE }
      const items: AccountId[] = []
      let after: string | undefined
      do {
        const page =
          percent === undefined
            ? await people.page({ ...ask, after })
            : await fullPage(deps, people, { ...ask, after, percent }).then(
                ({ next, items: used }) => ({
                  items: used.map(({ account }) => account),
                  next,
                }),
              )
        for (const { id } of page.items) items.push(id)
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
    ({ query }) => {
      const { search, tag, limit } = query
      return people.places({ search, tag, limit, isDeleted: query.deleted === 'true' })
    },
  )
}
