import { overlaps } from '#contract/admin/sources.ts'
import { pageQuery } from '#contract/admin/common.ts'
import { isOverlap, overlapOf } from '#engine/people/overlaps.ts'
import type { AccountId } from '#model/account.ts'
import type { Directory } from '#store/directory/directory.ts'
import type { AdminDeps, AdminServer } from './context.ts'
import { mainAddress } from './lookup.ts'

/** Accounts that are gone through before others have their turn. */
const AT_ONCE = 1_000

/** Who is in several directories, whose word counts, and what the others say. */
export function overlapRoutes(app: AdminServer, deps: AdminDeps): void {
  const { directory } = deps.directory
  app.get(
    '/directory/overlaps',
    {
      config: { permission: 'sources.read' },
      schema: { querystring: pageQuery, response: { 200: overlaps } },
    },
    async ({ query: { limit, after } }) => {
      const ids = await idsOf(directory, { after, count: limit + 1 })
      const readings = deps.sources?.readings() ?? []
      const items = ids.slice(0, limit).flatMap((id) => {
        const account = directory.account(id)
        if (account === undefined) return []
        const { sources, rows } = overlapOf(account, readings)
        return {
          address: mainAddress(account),
          id,
          sources: [...sources],
          rows: rows.map((row) => ({ ...row, losers: row.losers.map((each) => ({ ...each })) })),
        }
      })
      const last = ids[limit - 1]
      return { items, ...(ids.length > limit && last !== undefined && { next: last }) }
    },
  )
}

/** The first of them by their ids, behind one of them. */
async function idsOf(
  directory: Directory,
  { after = '', count }: { readonly after: string | undefined; readonly count: number },
): Promise<readonly AccountId[]> {
  const ids: AccountId[] = []
  let passed = 0
  for (const account of directory.accounts()) {
    if (account.id > after && isOverlap(account)) ids.push(account.id)
    if (++passed % AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  return ids.toSorted((a, b) => (a < b ? -1 : 1)).slice(0, count)
}
