import { messageOf } from '#base/outcome.ts'
import { DAY_MS } from '#base/time.ts'
import { page } from '#contract/admin/common.ts'
import { node, status } from '#contract/admin/status.ts'
import type { NodeBody, StatusBody } from '#contract/admin/status.ts'
import type { NodePlace } from '#model/node.ts'
import { isoTime } from './context.ts'
import type { AdminDeps, AdminServer } from './context.ts'

const GAPS_SHOWN = 20
const GAPS_COUNTED = 1_000

export function statusRoutes(app: AdminServer, deps: AdminDeps): void {
  app.get(
    '/nodes',
    { config: { permission: 'status.read' }, schema: { response: { 200: page(node) } } },
    async () => ({
      items: await withCounts(deps, nodesOf(deps)),
    }),
  )

  app.get(
    '/status',
    { config: { permission: 'status.read' }, schema: { response: { 200: status } } },
    async () => {
      const { directory } = deps.directory
      const { generation, hash } = deps.settings.latest
      const { items: gaps } = await deps.index.gaps({ limit: GAPS_SHOWN })
      return {
        version: deps.version,
        ...clockOf(deps),
        nodes: nodesOf(deps),
        settings: { generation, hash },
        directory: {
          seq: directory.seq,
          domains: directory.domains().length,
          users: directory.counts.accounts,
          aliases: directory.counts.aliases,
        },
        queue: await queueOf(deps),
        eventGaps: gaps.map((gap) => ({
          node: gap.node,
          from: gap.from,
          to: gap.to,
          found: isoTime(gap.foundAtMs),
        })),
      }
    },
  )
}

function clockOf({ calendar, clock }: AdminDeps): Pick<StatusBody, 'clock'> {
  const { doubt } = calendar ?? {}
  if (doubt === undefined) return {}
  const aheadDays = Math.round(doubt.aheadMs / DAY_MS)
  return { clock: { now: isoTime(clock.nowMs()), today: doubt.today, aheadDays } }
}

/** Those that are or were connected, and those that have joined and were not heard of since. */
function nodesOf(deps: AdminDeps): NodeBody[] {
  const joined = new Map(deps.nodes.nodes.map((node) => [node.name, node]))
  const heard: NodeBody[] = deps.hub.nodes().map(({ lastBeatMs, ...rest }) => {
    const place = joined.get(rest.node)
    joined.delete(rest.node)
    return {
      ...rest,
      ...(lastBeatMs !== undefined && { lastBeat: isoTime(lastBeatMs) }),
      ...(place !== undefined && placeOf(place)),
    }
  })
  const silent = [...joined.values()].map((node) => ({
    node: node.name,
    role: node.role,
    connected: false,
    state: 'unknown',
    ...placeOf(node),
  }))
  return [...heard, ...silent]
}

/** With what waits on each node that is there, and whether events of a node were lost. */
async function withCounts(deps: AdminDeps, nodes: readonly NodeBody[]): Promise<NodeBody[]> {
  const there = new Set(nodes.filter(({ connected }) => connected).map((row) => row.node))
  const queued = new Map<string, number>()
  const asked = deps.queues().filter(({ node: name }) => there.has(name))
  const [{ items: gaps }] = await Promise.all([
    deps.index.gaps({ limit: GAPS_COUNTED }),
    ...asked.map(({ node, queue }) =>
      queue.status().then(
        ({ messages }) => queued.set(node, messages),
        () => undefined, // its state says why
      ),
    ),
  ])
  return nodes.map((row) => {
    const count = queued.get(row.node)
    const eventGaps = gaps.filter((gap) => gap.node === row.node).length
    return {
      ...row,
      ...(count !== undefined && { queued: count }),
      ...(eventGaps > 0 && { eventGaps }),
    }
  })
}

const placeOf = ({ address, port, draining }: NodePlace) => ({ address, port, draining })

/** The queues of all nodes together; those that do not answer are named, not counted as empty. */
async function queueOf(deps: AdminDeps) {
  const sum = { messages: 0, ready: 0, claimed: 0, held: 0 }
  let oldestMs: number | undefined
  const unreachable: { node: string; reason: string }[] = []
  for (const { node, queue } of deps.queues()) {
    try {
      const found = await queue.status()
      sum.messages += found.messages
      sum.ready += found.recipients.ready
      sum.claimed += found.recipients.claimed
      sum.held += found.recipients.held
      if (found.oldestMs !== undefined) oldestMs = Math.min(oldestMs ?? Infinity, found.oldestMs)
    } catch (cause) {
      unreachable.push({ node, reason: messageOf(cause) })
    }
  }
  return { ...sum, ...(oldestMs !== undefined && { oldest: isoTime(oldestMs) }), unreachable }
}
