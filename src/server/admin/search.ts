import { z } from 'zod'
import { done } from '#contract/admin/common.ts'
import { searchStatus } from '#contract/admin/search.ts'
import type { AdminDeps, AdminServer } from './context.ts'
import { accountOf } from './lookup.ts'
import { askStore, authorText } from './store-ask.ts'

const owner = z.object({ user: z.string() })

/** The index that searches are answered from. */
export function searchRoutes(app: AdminServer, deps: AdminDeps): void {
  app.get(
    '/search',
    { config: { permission: 'status.read' }, schema: { response: { 200: searchStatus } } },
    async () => {
      const { node, search } = deps.search()
      const { bytes, ...status } = await askStore(node, () => search.status())
      return { ...status, sizeBytes: bytes }
    },
  )

  app.post(
    '/users/:user/search/rebuild',
    {
      config: { permission: 'mailboxes.write' },
      schema: { params: owner, response: { 200: done } },
    },
    async (request) => {
      const { id } = accountOf(deps.directory.directory, request.params.user)
      const { node, search } = deps.search()
      await askStore(node, () => search.rebuild({ accountId: id, by: authorText(request) }))
      return { pending: [] }
    },
  )
}
