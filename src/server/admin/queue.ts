import { z } from 'zod'
import { messageOf } from '#base/outcome.ts'
import { queueActed, queueActs, queueMessage, queuePage, queueQuery } from '#contract/admin/mail.ts'
import type { QueueMessageBody } from '#contract/admin/mail.ts'
import { formatAddress } from '#model/address.ts'
import type { QueueFilter, QueueId, QueueMessage } from '#store/spool/spool-store.ts'
import { isoTime } from './context.ts'
import type { AdminDeps, AdminServer } from './context.ts'
import { ApiError } from './errors.ts'
import { badCursor } from './lookup.ts'

/** After so long no further gateway is asked: the next page goes on there. */
const PAGE_MS = 500

const named = z.object({ queueId: z.string() })
const acted = named.extend({ act: queueActs })

export function queueRoutes(app: AdminServer, deps: AdminDeps): void {
  app.get(
    '/queue',
    { schema: { querystring: queueQuery, response: { 200: queuePage } } },
    async ({ query }) => {
      const [startNode, startId] = query.after?.split('/', 2) ?? []
      if (startNode !== undefined && startId === undefined) throw badCursor(startNode)
      const items: QueueMessageBody[] = []
      const unreachable: { node: string; reason: string }[] = []
      const gateways = deps.gateways().toSorted((a, b) => (a.node < b.node ? -1 : 1))
      const endMs = deps.clock.monotonicMs() + PAGE_MS
      for (const { node, queue } of gateways) {
        if (startNode !== undefined && node < startNode) continue
        const after = node === startNode ? startId! : ''
        if (items.length >= query.limit || deps.clock.monotonicMs() > endMs)
          return { items, next: `${node}/${after}`, unreachable }
        try {
          const filter: QueueFilter = {
            limit: query.limit - items.length,
            ...(query.state !== undefined && { state: query.state }),
            ...(query.address !== undefined && { address: query.address }),
            ...(after !== '' && { after: after as QueueId }),
          }
          const { messages, next } = await queue.list(filter)
          items.push(...messages.map((message) => bodyOf(node, message)))
          if (next !== undefined) return { items, next: `${node}/${next}`, unreachable }
        } catch (cause) {
          unreachable.push({ node, reason: messageOf(cause) })
        }
      }
      return { items, unreachable }
    },
  )

  app.get(
    '/queue/:queueId',
    { schema: { params: named, response: { 200: queueMessage } } },
    async ({ params }) => {
      const { node, message } = await find(deps, params.queueId as QueueId)
      return bodyOf(node, message)
    },
  )

  app.post(
    '/queue/:queueId/:act',
    { schema: { params: acted, response: { 200: queueActed } } },
    async ({ params }) => {
      const { node, queue } = await find(deps, params.queueId as QueueId)
      const { changed } = await queue.act({
        queueId: params.queueId as QueueId,
        act: params.act,
        nowMs: deps.clock.nowMs(),
      })
      return { node, queueId: params.queueId, changed }
    },
  )
}

async function find(deps: AdminDeps, queueId: QueueId) {
  let trouble: string | undefined
  for (const { node, queue } of deps.gateways()) {
    try {
      const { message } = await queue.show({ queueId })
      if (message !== undefined) return { node, queue, message }
    } catch (cause) {
      trouble = `${node}: ${messageOf(cause)}`
    }
  }
  // A gateway that does not answer may hold it: then "not found" would be a guess.
  if (trouble !== undefined)
    throw new ApiError('unavailable', trouble, 'Try again when the gateway answers: watari status.')
  throw new ApiError(
    'notFound',
    `no queue holds ${queueId}`,
    'watari queue ls shows what waits; watari trace what became of it.',
  )
}

function bodyOf(node: string, message: QueueMessage): QueueMessageBody {
  return {
    node,
    queueId: message.queueId,
    deliveryId: message.deliveryId,
    door: message.door,
    from: message.reversePath === null ? '' : formatAddress(message.reversePath),
    sizeBytes: message.sizeBytes,
    received: isoTime(message.receivedAtMs),
    expires: isoTime(message.expiresAtMs),
    recipients: message.recipients.map((recipient) => ({
      address: formatAddress(recipient.address),
      state: recipient.state,
      attempts: recipient.attempts,
      ...(recipient.state === 'ready' && { nextAttempt: isoTime(recipient.nextAttemptMs) }),
      ...(recipient.lastStatus !== undefined && { lastStatus: recipient.lastStatus }),
      ...(recipient.hold !== undefined && recipient.state === 'held' && { hold: recipient.hold }),
    })),
  }
}
