import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { Fault } from '#base/outcome.ts'
import { MINUTE_MS, SECOND_MS } from '#base/time.ts'
import {
  appPasswordChange,
  appPasswordUses,
  ownChoicesAct,
  ack,
  eventBatch,
  heartbeat,
  newCredential,
  NODE_HEADER,
  NODE_PATHS,
  ROLE_HEADER,
} from '#contract/node/wire.ts'
import type { Ack, HeartbeatBody } from '#contract/node/wire.ts'
import { membershipAct } from '#contract/node/membership.ts'
import type { MembershipActBody } from '#contract/node/membership.ts'
import { scriptWrites } from '#contract/node/scripts.ts'
import type { AccountId } from '#model/account.ts'
import type { AppPasswordChange, AppPasswordUse } from '#model/app-password.ts'
import type { EventRecord, NodeId } from '#model/event.ts'
import { EventIntake } from './event-intake.ts'
import { readBody, sendFault, sendJson } from './http.ts'
import { reachedAt } from './peer-place.ts'
import { SharedLines } from './shared-lines.ts'
import { Subscription } from './subscription.ts'
import type { HubParts } from './hub-parts.ts'

/** A node as control sees it. */
export interface NodeStatus {
  readonly node: NodeId
  readonly role: string
  readonly connected: boolean
  readonly state: HeartbeatBody['state'] | 'unknown'
  readonly reason?: string
  readonly version?: string
  readonly pid?: number
  readonly lastBeatMs?: number
  /** The generation and row that it has in force, by its own word. */
  readonly generation?: number
  readonly hash?: string
  readonly seq?: number
  /** Why it did not take the latest generation. */
  readonly error?: string
}

/** A node that has not taken a write, and why as far as known. */
export interface Straggler {
  readonly node: NodeId
  readonly reason: string
}

interface Known {
  node: NodeId
  role: string
  beat?: HeartbeatBody
  lastBeatMs?: number
  /** How far its clock is ahead of ours, by its last beat. */
  aheadMs?: number
  acked: Ack
  subscription?: Subscription
  /** Ends the wait for its next beat. */
  unwatch?: () => void
}

const SETTLE_MS = 5 * SECOND_MS
/** A node beats every two seconds: one that has not for so long is away, whatever its socket believes. */
const SILENCE_MS = 10 * SECOND_MS

/**
 * Control's side of the node API: settings and rows down, acks, heartbeats and events up. Its
 * `listener` is for whatever server app has.
 */
export class NodeHub {
  readonly #parts: HubParts
  readonly #nodes = new Map<string, Known>()
  readonly #waiters = new Set<() => void>()
  readonly #lines: SharedLines
  readonly #intake: EventIntake
  readonly #unsubscribe: readonly (() => void)[]

  constructor(parts: HubParts) {
    this.#parts = parts
    this.#lines = new SharedLines(parts)
    this.#intake = new EventIntake(parts)
    const wake = (): void => {
      for (const { subscription } of this.#nodes.values()) subscription?.wake()
    }
    this.#unsubscribe = [
      parts.settings.onChange(wake),
      parts.directory.onChange(wake),
      ...(parts.nodes === undefined ? [] : [parts.nodes.onChange(wake)]),
    ]
  }

  readonly listener: RequestListener = (request, response) => {
    void this.#serve(request, response).catch((cause: unknown) => {
      sendFault(response, cause)
      request.resume()
    })
  }

  nodes(): readonly NodeStatus[] {
    return [...this.#nodes.values()].map((known) => statusOf(known))
  }

  /**
   * Waits until each node that is connected now has in force what control has now, 5 s at most;
   * names those that have not, that refused the generation, or that are away.
   */
  async settled(timeoutMs = SETTLE_MS): Promise<readonly Straggler[]> {
    const { hash } = this.#parts.settings.snapshot
    const { seq } = this.#parts.directory.directory
    const all = [...this.#nodes.values()]
    const asked = new Set(all.filter((known) => known.subscription !== undefined))
    const late = (): Known[] => all.filter((known) => !hasTaken(known, hash, seq))
    const undecided = (): Known[] =>
      late().filter((known) => asked.has(known) && !hasRefused(known, hash))
    if (undecided().length > 0)
      await new Promise<void>((resolve) => {
        const cancel = this.#parts.clock.after(timeoutMs, end)
        const waiters = this.#waiters
        waiters.add(look)
        function end(): void {
          cancel()
          waiters.delete(look)
          resolve()
        }
        function look(): void {
          if (undecided().length === 0) end()
        }
      })
    return late().map((known) => ({
      node: known.node,
      reason: hasRefused(known, hash)
        ? (known.acked.settings?.error ?? 'refused')
        : known.subscription === undefined
          ? 'it is not connected'
          : 'no answer yet',
    }))
  }

  /** It belongs to us no longer: its stream ends, and nobody waits for it. */
  forget(node: string): void {
    for (const [key, known] of this.#nodes) {
      if (known.node !== node) continue
      this.#nodes.delete(key)
      known.subscription?.end()
    }
    for (const waiter of this.#waiters) waiter()
  }

  close(): void {
    for (const end of this.#unsubscribe) end()
    for (const { subscription } of this.#nodes.values()) subscription?.end()
    this.#lines.clear()
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const who = this.#parts.identify(request)
    if (who === undefined) {
      response.shouldKeepAlive = false
      sendJson(response, 403, { error: { code: 'invalid', message: 'this node has not joined' } })
      return
    }
    const known = this.#know(who)
    const url = new URL(request.url ?? '/', 'http://node')
    const route = `${request.method} ${url.pathname}`
    if (route === `GET ${NODE_PATHS.alive}`)
      return sendJson(response, 200, { state: this.#parts.storeState?.() })
    if (route === `GET ${NODE_PATHS.subscribe}`) return this.#subscribe(known, url, response)
    if (route === `POST ${NODE_PATHS.acks}`) {
      this.#acked(known, await readBody(request, ack))
      return sendJson(response, 200, {})
    }
    if (route === `POST ${NODE_PATHS.heartbeat}`) {
      const beat = await readBody(request, heartbeat)
      known.beat = beat
      known.lastBeatMs = this.#parts.clock.nowMs()
      if (beat.atMs !== undefined) known.aheadMs = beat.atMs - known.lastBeatMs // less its way
      if (known.subscription !== undefined) this.#watch(known, known.subscription)
      if (beat.listens !== undefined) {
        const { address, port } = beat.listens
        await this.#parts.nodes?.moved(who.node, { address: reachedAt(address, request), port })
      }
      this.#acked(known, { settings: beat.settings, seq: beat.seq })
      return sendJson(response, 200, {})
    }
    if (route === `POST ${NODE_PATHS.events}`) {
      const batch = await readBody(request, eventBatch)
      const records = batch.records.map(({ deliveryId, ...record }) => ({
        ...onOurClock(record, known.aheadMs),
        node: who.node,
        ...(deliveryId !== undefined && { deliveryId }),
      }))
      const { epoch } = batch
      const acked = await this.#intake.put({ node: who.node, epoch, records })
      return sendJson(response, 200, { acked })
    }
    if (route === `POST ${NODE_PATHS.credentials}`) {
      const made = await readBody(request, newCredential)
      await this.#parts.credential?.(made, who.node)
      return sendJson(response, 200, {})
    }
    // Whoever serves pages: a gateway has no business with it.
    if (route === `POST ${NODE_PATHS.appPasswords}` && /^(?:store|serve)$/.test(who.role)) {
      const change = (await readBody(request, appPasswordChange)) as AppPasswordChange
      const end = (await this.#parts.appPassword?.(change, who.node)) ?? 'notFound'
      return sendJson(response, 200, { end })
    }
    if (route === `POST ${NODE_PATHS.uses}`) {
      const { uses } = await readBody(request, appPasswordUses)
      await this.#parts.uses?.noteUses({ uses: uses as unknown as readonly AppPasswordUse[] })
      return sendJson(response, 200, {})
    }
    if (route === `GET ${NODE_PATHS.uses}` && /^(?:store|serve)$/.test(who.role)) {
      const accountId = (url.searchParams.get('account') ?? '') as AccountId
      const { items = [] } = (await this.#parts.uses?.usesOf({ accountId })) ?? {}
      return sendJson(response, 200, { uses: items })
    }
    if (route === `POST ${NODE_PATHS.choices}` && /^(?:store|serve)$/.test(who.role)) {
      const { accountId, act } = await readBody(request, ownChoicesAct)
      const end = await this.#parts.choices?.(accountId as AccountId, act, who.node)
      if (end === undefined) throw new Fault('notFound', 'no choices are kept here')
      // Whoever asked looks at his own copy next.
      if (end.end === 'done') await this.settled(2 * SECOND_MS)
      return sendJson(response, 200, end)
    }
    if (route === `POST ${NODE_PATHS.membership}` && /^(?:store|serve)$/.test(who.role)) {
      const act: MembershipActBody = await readBody(request, membershipAct)
      const end = (await this.#parts.membership?.(act, who.node)) ?? 'notFound'
      if (end === 'done') await this.settled(2 * SECOND_MS)
      return sendJson(response, 200, { end })
    }
    if (route === `POST ${NODE_PATHS.scripts}` && /^(?:store|serve)$/.test(who.role)) {
      const change = await readBody(request, scriptWrites)
      return sendJson(response, 200, { end: (await this.#parts.scripts?.(change)) ?? 'here' })
    }
    if (request.method === 'GET' && url.pathname.startsWith(NODE_PATHS.tables)) {
      const text = await this.#parts.settings.table(url.pathname.slice(NODE_PATHS.tables.length))
      if (text === undefined) throw new Fault('notFound', 'there is no such table')
      response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' })
      response.end(text)
      return
    }
    throw new Fault('notFound', `there is no ${route}`)
  }

  #know(who: { readonly node: NodeId; readonly role: string }): Known {
    const key = `${who.role} ${who.node}`
    let known = this.#nodes.get(key)
    if (known === undefined) {
      known = { ...who, acked: {} }
      this.#nodes.set(key, known)
    }
    return known
  }

  /** A connection that is dead at its other end shows nothing: the beats do, which come on others. */
  #watch(known: Known, subscription: Subscription): void {
    known.unwatch?.()
    known.unwatch = this.#parts.clock.after(SILENCE_MS, () => subscription.end())
  }

  #acked(known: Known, taken: Ack): void {
    known.acked = {
      settings: taken.settings ?? known.acked.settings,
      seq: taken.seq ?? known.acked.seq,
    }
    for (const waiter of this.#waiters) waiter()
  }

  async #subscribe(known: Known, url: URL, response: ServerResponse): Promise<void> {
    const number = (name: string): number => Number(url.searchParams.get(name) ?? 0) || 0
    const subscription = new Subscription({
      parts: this.#parts,
      lines: this.#lines,
      response,
      hash: url.searchParams.get('hash') ?? '',
      generation: number('generation'),
      seq: number('seq'),
    })
    // A node that comes again has lost its connection, whatever the old socket believes.
    known.subscription?.end()
    known.subscription = subscription
    this.#watch(known, subscription)
    this.#parts.trouble.info('node.connected', { node: known.node, role: known.role })
    try {
      await subscription.run()
    } finally {
      if (known.subscription === subscription) {
        delete known.subscription
        known.unwatch?.()
      }
      this.#parts.trouble.info('node.disconnected', { node: known.node, role: known.role })
    }
  }
}

/** Control's word for who asks, where the transport is a Unix socket that only our own processes reach. */
export function declaredNode(
  request: IncomingMessage,
): { readonly node: NodeId; readonly role: string } | undefined {
  const node = request.headers[NODE_HEADER]
  const role = request.headers[ROLE_HEADER]
  if (typeof node !== 'string' || typeof role !== 'string') return undefined
  return /^[\w.-]{1,64}$/.test(node) && /^[a-z]{1,16}$/.test(role)
    ? { node: node as NodeId, role }
    : undefined
}

/** Less is what a message takes on its way. */
const CLOCK_OFF_MS = MINUTE_MS

const isClockOff = (aheadMs: number | undefined): aheadMs is number =>
  aheadMs !== undefined && Math.abs(aheadMs) >= CLOCK_OFF_MS

/**
 * Else a trace would show a year between the rooms of one message. Right to within the time that a
 * beat was on its way; what the node itself took for the time stays with the record, since it stands
 * in the message's fields as well.
 */
function onOurClock<R extends { readonly atMs: number; readonly fields: EventRecord['fields'] }>(
  record: R,
  aheadMs: number | undefined,
): R {
  if (!isClockOff(aheadMs)) return record
  const { atMs, fields } = record
  return { ...record, atMs: Math.round(atMs - aheadMs), fields: { ...fields, nodeAtMs: atMs } }
}

function clockText(aheadMs: number | undefined): string | undefined {
  if (!isClockOff(aheadMs)) return undefined
  const minutes = Math.round(Math.abs(aheadMs) / MINUTE_MS)
  const span =
    minutes < 120
      ? `${minutes} minutes`
      : minutes < 48 * 60
        ? `${Math.round(minutes / 60)} hours`
        : `${Math.round(minutes / 1_440)} days`
  return `its clock is ${span} ${aheadMs > 0 ? 'ahead of' : 'behind'} control's`
}

const hasTaken = ({ acked }: Known, hash: string, seq: number): boolean =>
  acked.settings?.status === 'applied' && acked.settings.hash === hash && (acked.seq ?? -1) >= seq

const hasRefused = ({ acked }: Known, hash: string): boolean =>
  acked.settings?.status === 'error' && acked.settings.hash === hash

function statusOf(known: Known): NodeStatus {
  const { beat, acked } = known
  const reason = beat?.reason ?? clockText(known.aheadMs)
  return {
    node: known.node,
    role: known.role,
    connected: known.subscription !== undefined,
    state: beat?.state ?? 'unknown',
    ...(reason !== undefined && { reason }),
    ...(beat !== undefined && { version: beat.version, pid: beat.pid }),
    ...(known.lastBeatMs !== undefined && { lastBeatMs: known.lastBeatMs }),
    ...(acked.settings?.status === 'applied' && {
      generation: acked.settings.generation,
      hash: acked.settings.hash,
    }),
    ...(acked.settings?.error !== undefined && { error: acked.settings.error }),
    ...(acked.seq !== undefined && { seq: acked.seq }),
  }
}
