import { page } from '#contract/admin/common.ts'
import { trace, traceQuery } from '#contract/admin/mail.ts'
import type { TraceBy } from '#store/events/event-index.ts'
import { eventBody } from './context.ts'
import type { AdminDeps, AdminServer } from './context.ts'
import { ApiError } from './errors.ts'

/** One message over all roles. */
export function traceRoutes(app: AdminServer, deps: AdminDeps): void {
  app.get(
    '/trace',
    {
      config: { permission: 'trace.read' },
      schema: { querystring: traceQuery, response: { 200: page(trace) } },
    },
    async ({ query }) => {
      for (const by of waysOf(query)) {
        const { items } = await deps.index.trace({ by, limit: query.limit })
        if (items.length > 0)
          return {
            items: items.map(({ events, ...found }) => ({
              ...found,
              events: events.map(eventBody),
            })),
          }
      }
      return { items: [] }
    },
  )
}

function waysOf(query: {
  readonly q?: string | undefined
  readonly deliveryId?: string | undefined
  readonly messageId?: string | undefined
  readonly address?: string | undefined
}): readonly TraceBy[] {
  if (query.deliveryId !== undefined) return [{ kind: 'deliveryId', deliveryId: query.deliveryId }]
  if (query.messageId !== undefined) return [{ kind: 'messageId', messageId: query.messageId }]
  if (query.address !== undefined) return [{ kind: 'address', address: query.address }]
  const text = query.q?.trim() ?? ''
  if (text === '')
    throw new ApiError(
      'invalid',
      'what is to be traced?',
      'Give a delivery id, a Message-ID or an address.',
    )
  const messageId: TraceBy = { kind: 'messageId', messageId: text }
  if (text.startsWith('<')) return [messageId]
  if (text.includes('@')) return [{ kind: 'address', address: text }, messageId]
  return [{ kind: 'deliveryId', deliveryId: text }, messageId]
}
