import { z } from 'zod'
import { filterLook, filterNames, filterSources } from '#contract/admin/lists.ts'
import { FilterLook } from '#engine/people/filter-look.ts'
import type { AdminDeps, AdminServer } from '#server/admin/context.ts'
import { listFor } from './right.ts'
import { personBody } from './shown.ts'

const named = z.object({ list: z.string() })

/** People of an answer: enough to see whether it is who was meant. */
const SHOWN_MAX = 100

/** Filters before they are members: which directories they can ask, and whom they name now. */
export function listFilterRoutes(app: AdminServer, deps: AdminDeps): void {
  const { directory } = deps.directory
  const looks = new FilterLook({ directory: deps.directory, clock: deps.clock })

  app.get(
    '/lists/:list/filters/sources',
    {
      config: { permission: 'known', list: 'change' },
      schema: { params: named, response: { 200: filterSources } },
    },
    (request) => {
      listFor(request, directory, request.params.list, 'change')
      return { items: directory.sources().map(({ name, base }) => ({ name, base })) }
    },
  )

  app.post(
    '/lists/:list/filters/look',
    {
      config: { permission: 'known', list: 'change' },
      schema: { params: named, body: filterLook, response: { 200: filterNames } },
    },
    async (request) => {
      listFor(request, directory, request.params.list, 'change')
      const { source, base, filter } = request.body
      const found = await looks.look({
        kind: 'filter',
        source,
        filter,
        ...(base !== undefined && { base }),
      })
      if (!found.ok) return { total: 0, items: [], fault: found.error }
      const people = found.value.slice(0, SHOWN_MAX).map((id) => personBody(directory, id))
      return { total: found.value.length, items: people }
    },
  )
}
