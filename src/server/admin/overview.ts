import { HOUR_MS, MINUTE_MS, SECOND_MS } from '#base/time.ts'
import { overview } from '#contract/admin/overview.ts'
import type { OverviewBody } from '#contract/admin/overview.ts'
import { isoTime } from './context.ts'
import type { AdminDeps, AdminServer } from './context.ts'

/** However many pages look, the index is asked once in so long. */
const FRESH_MS = 5 * SECOND_MS

/** Counts of the last hour, from the begin of its first minute on: the index counts by minutes. */
export function overviewRoutes(app: AdminServer, deps: AdminDeps): void {
  let last: { readonly atMs: number; readonly body: Promise<OverviewBody> } | undefined
  const count = async (): Promise<OverviewBody> => {
    const nowMs = deps.clock.nowMs()
    const sinceMs = Math.floor((nowMs - HOUR_MS) / MINUTE_MS) * MINUTE_MS
    const { items, partial } = await deps.index.counts({ sinceMs })
    return {
      at: isoTime(nowMs),
      since: isoTime(sinceMs),
      counts: items.map(({ name, ...rest }) => ({ event: name, ...rest })),
      partial,
    }
  }
  app.get(
    '/overview',
    { config: { permission: 'status.read' }, schema: { response: { 200: overview } } },
    async () => {
      const atMs = deps.clock.monotonicMs()
      if (last === undefined || atMs - last.atMs >= FRESH_MS) {
        const body = count()
        last = { atMs, body }
        body.catch(() => (last = undefined))
      }
      return last.body
    },
  )
}
