import { z } from 'zod'
import { messageOf } from '#base/outcome.ts'
import {
  queueActed,
  queueActs,
  queueMessage,
  queueNews,
  queueNewsQuery,
  queuePage,
  queueQuery,
} from '#contract/admin/mail.ts'
import type { QueueMessageBody } from '#contract/admin/mail.ts'
import { formatAddress } from '#model/address.ts'
import { idAfter, timeId } from '#store/spool/queue-id.ts'
import type { QueueFilter, QueueId, QueueMessage } from '#store/spool/spool-store.ts'
import { isoTime } from './context.ts'
import type { AdminDeps, AdminServer } from './context.ts'
import { ApiError } from './errors.ts'
import { badCursor } from './lookup.ts'

/** After so long no further node is asked: the next page goes on there. */
const PAGE_MS = 500
/** Of each node; beyond that it is "more than". */
const NEWS_MAX = 100

const named = z.object({ queueId: z.string() })
const acted = named.extend({ act: queueActs })

export function queueRoutes(app: AdminServer, deps: AdminDeps): void {
  app.get(
    '/queue',
    {
      config: { permission: 'queue.read' },
      schema: { querystring: queueQuery, response: { 200: queuePage } },
    },
    ({ query }) => pageOfQueues(deps, query),
  )

  newsRoute(app, deps)

  app.get(
    '/queue/:queueId',
    {
      config: { permission: 'queue.read' },
      schema: { params: named, response: { 200: queueMessage } },
    },
    async ({ params }) => {
      const { node, message } = await find(deps, params.queueId as QueueId)
      return bodyOf(node, message)
    },
  )

  app.post(
    '/queue/:queueId/:act',
    {
      config: { permission: 'queue.act' },
      schema: { params: acted, response: { 200: queueActed } },
    },
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

/** A page over the queues of all nodes, one after the other. */
async function pageOfQueues(deps: AdminDeps, query: z.infer<typeof queueQuery>) {
  const [startNode, startId] = query.after?.split('/', 2) ?? []
  if (startNode !== undefined && startId === undefined) throw badCursor(startNode)
  const marks = query.until === undefined ? undefined : readMark(query.until)
  const queues = deps.queues().toSorted((a, b) => (a.node < b.node ? -1 : 1))
  if (query.order === 'newest') queues.reverse()
  const began = queues.findIndex(({ node }) => node === startNode)
  const items: QueueMessageBody[] = []
  const unreachable: { node: string; reason: string }[] = []
  const endMs = deps.clock.monotonicMs() + PAGE_MS
  // A node that is gone meanwhile: what stands after its place.
  const isBefore = (node: string): boolean =>
    startNode !== undefined && (query.order === 'newest' ? node > startNode : node < startNode)
  for (const { node, queue } of began >= 0 ? queues.slice(began) : queues) {
    if (began < 0 && isBefore(node)) continue
    const after = node === startNode ? startId! : ''
    if (items.length >= query.limit || deps.clock.monotonicMs() > endMs)
      return { items, next: `${node}/${after}`, unreachable }
    try {
      const { messages, next } = await queue.list({
        ...filterOf(query, marks?.get(node)),
        limit: query.limit - items.length,
        ...(query.order === 'newest' && { order: query.order }),
        ...(after !== '' && { after: after as QueueId }),
      })
      items.push(...messages.map((message) => bodyOf(node, message)))
      if (next !== undefined) return { items, next: `${node}/${next}`, unreachable }
    } catch (cause) {
      unreachable.push({ node, reason: messageOf(cause) })
    }
  }
  return { items, unreachable }
}

/** How much has come since a page began to look: pages say so, instead of moving rows below one's hand. */
function newsRoute(app: AdminServer, deps: AdminDeps): void {
  app.get(
    '/queue/news',
    {
      config: { permission: 'queue.read' },
      schema: { querystring: queueNewsQuery, response: { 200: queueNews } },
    },
    async ({ query }) => {
      const since = query.since === undefined ? undefined : readMark(query.since)
      const now = new Map(since)
      const unreachable: { node: string; reason: string }[] = []
      let count = 0
      let isMore = false
      for (const { node, queue } of deps.queues())
        try {
          const [last] = (await queue.list({ limit: 1, order: 'newest' })).messages
          const seen = since?.get(node)
          now.set(node, last?.queueId ?? seen ?? EMPTY)
          // What a page was told before this node was known, it shows without an end.
          if (seen === undefined || last === undefined) continue
          const { messages, next } = await queue.list({
            ...filterOf(query),
            limit: NEWS_MAX,
            ...(seen !== EMPTY && { after: seen }),
          })
          count += messages.length
          isMore ||= next !== undefined
        } catch (cause) {
          unreachable.push({ node, reason: messageOf(cause) })
        }
      return { mark: writeMark(now), count, isMore, unreachable }
    },
  )
}

type Filter = Pick<
  z.infer<typeof queueQuery>,
  'state' | 'address' | 'text' | 'domain' | 'from' | 'before'
>

/** `last` is the last message that is meant. */
function filterOf(query: Filter, last?: QueueId): Omit<QueueFilter, 'limit'> {
  // Ids sort as their numbers do.
  const [before] = [
    ...(query.before === undefined ? [] : [timeId(Date.parse(query.before))]),
    ...(last === undefined ? [] : [last === EMPTY ? timeId(0) : idAfter(last)]),
  ].toSorted()
  return {
    ...(query.state !== undefined && { state: query.state }),
    ...(query.address !== undefined && { address: query.address }),
    ...(query.text !== undefined && { text: query.text }),
    ...(query.domain !== undefined && { domain: query.domain }),
    ...(query.from !== undefined && { from: timeId(Date.parse(query.from)) }),
    ...(before !== undefined && { before }),
  }
}

/** Of a queue in which nothing waited. */
const EMPTY = '' as QueueId

/** `gateway-1/ID,gateway-2/`: the last message of each queue. */
const writeMark = (mark: ReadonlyMap<string, QueueId>): string =>
  [...mark].map(([node, id]) => `${node}/${id}`).join(',')

function readMark(text: string): ReadonlyMap<string, QueueId> {
  const mark = new Map<string, QueueId>()
  for (const each of text.split(',').filter(Boolean)) {
    const [node, id] = each.split('/', 2)
    if (id === undefined || !/^[0-9A-Z]*$/.test(id))
      throw new ApiError('invalid', 'this is no mark', 'Give the mark of GET /queue/news.')
    mark.set(node!, id as QueueId)
  }
  return mark
}

async function find(deps: AdminDeps, queueId: QueueId) {
  let trouble: string | undefined
  for (const { node, queue } of deps.queues()) {
    try {
      const { message } = await queue.show({ queueId })
      if (message !== undefined) return { node, queue, message }
    } catch (cause) {
      trouble = `${node}: ${messageOf(cause)}`
    }
  }
  // A node that does not answer may hold it: then "not found" would be a guess.
  if (trouble !== undefined)
    throw new ApiError('unavailable', trouble, 'Try again when the node answers: watari status.')
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
