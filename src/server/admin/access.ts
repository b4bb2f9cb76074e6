import { z } from 'zod'
import { page } from '#contract/admin/common.ts'
import { accessChange, accessQuery, accessWritten } from '#contract/admin/directory.ts'
import { parseNetwork } from '#store/settings/network-set.ts'
import { authorOf, baseOf, taken } from './context.ts'
import type { AdminDeps, AdminServer } from './context.ts'
import { badCursor, lower } from './lookup.ts'

/** Where the rows after this one begin; it may have gone since the page before. */
function placeAfter(rows: readonly string[], after: string): number {
  const at = rows.indexOf(after)
  if (at >= 0) return at + 1
  const gone = parseNetwork(after)
  if (!gone.ok) throw badCursor(after)
  const later = rows.findIndex((row) => {
    const network = parseNetwork(row)
    if (!network.ok || network.value.first === gone.value.first) return row > after
    return network.value.first > gone.value.first
  })
  return later < 0 ? rows.length : later
}

/** Rows that hold the text; of an address or a network also those that it lies in. */
function found(rows: readonly string[], search: string): readonly string[] {
  const wanted = lower(search)
  const place = parseNetwork(wanted)
  if (!place.ok) return rows.filter((row) => row.includes(wanted))
  const { canonical, first, last } = place.value
  return rows.filter((row) => {
    if (row.includes(wanted) || row === canonical) return true
    // A single address holds no other one: of 100,000 rows few are looked at closely.
    const network = row.includes('/') ? parseNetwork(row) : undefined
    return network?.ok === true && network.value.first <= first && last <= network.value.last
  })
}

const KEY = 'relay.access'

/** The relay's access list: a table of the settings, without a limit in rows. */
export function accessRoutes(app: AdminServer, deps: AdminDeps): void {
  app.get(
    '/access',
    {
      config: { permission: 'settings.read' },
      schema: { querystring: accessQuery, response: { 200: page(z.string()) } },
    },
    async ({ query }) => {
      // In the order of the addresses, as the table is kept; the cursor is a place in it.
      const all = await deps.settings.rows(KEY)
      const rows = query.search === undefined ? all : found(all, query.search)
      const from = query.after === undefined ? 0 : placeAfter(rows, query.after)
      const items = rows.slice(from, from + query.limit)
      return { items, ...(from + items.length < rows.length && { next: items.at(-1)! }) }
    },
  )

  app.post(
    '/access',
    {
      config: { permission: 'settings.write' },
      schema: { body: accessChange, response: { 200: accessWritten } },
    },
    async (request) => {
      const before = await deps.settings.rows(KEY)
      const generation = taken(
        await deps.settings.changeRows(KEY, request.body, {
          by: authorOf(request),
          ...baseOf(request),
        }),
      )
      const rows = await deps.settings.rows(KEY)
      const removed = new Set(before).difference(new Set(rows)).size
      return {
        rows: rows.length,
        added: rows.length - before.length + removed,
        removed,
        generation: generation.generation,
        pending: [...(await deps.hub.settled())],
      }
    },
  )
}
