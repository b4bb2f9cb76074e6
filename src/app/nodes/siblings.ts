import { hash } from 'node:crypto'
import type { RequestListener } from 'node:http'
import type { Socket } from 'node:net'
import { join } from 'node:path'

import type { Log } from '#base/log.ts'
import { Fault } from '#base/outcome.ts'
import type { KeyPin } from '#base/pin.ts'
import { SECOND_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import { openLmtp } from '#client/node/lmtp-tunnel.ts'
import { NodeCaller } from '#client/node/node-caller.ts'
import { dialPinned } from '#client/node/pinned.ts'
import type { NodeIdentity, PinnedPeer } from '#client/node/pinned.ts'
import { askJson } from '#client/node/request.ts'
import type { Dial } from '#client/node/request.ts'
import type { Endpoint } from '#client/smtp/job.ts'
import { aliveAnswer, LMTP_PATH, NODE_PATHS } from '#contract/node/wire.ts'
import { keepsMailboxes, keepsQueue, sendsMail, takesMail } from '#model/node.ts'
import type { JoiningRole, NodePlace } from '#model/node.ts'
import { keyOf } from '#server/node/peer-key.ts'

import { listenersOf } from '#app/start/host.ts'
import type { Host } from '#app/start/host.ts'
import { cutRemoved, openNodeDoor, refuseUpgrade, takeUpgrade } from './node-door.ts'
import type { NamedCaller } from './node-callers.ts'
import { closeServer, dialPath, openListeners, servePath } from './node-parts.ts'
import type { NodeRoleName } from '#app/role-names.ts'
import type { Listened } from '#app/role.ts'

const ALIVE_MS = 3 * SECOND_MS

/** What a role does for the others. */
export interface Offered {
  readonly onRequest: RequestListener
  /** LMTP with verdicts that are believed: of joined gateways only. */
  readonly onLmtp?: (socket: Socket) => void
}

/** How a role reaches the other roles, and they it. */
export interface Siblings {
  readonly control: Dial
  /** Where mail for mailboxes goes; asked at each attempt. */
  stores(): readonly Endpoint[]
  /** Whether one of them takes mail now. A rejection: none answers. */
  areStoresReady(): Promise<boolean>
  /** The node that keeps the mailboxes, where that is another one; asked at each call. */
  serve(): Dial | undefined
  /**
   * Whose queue is handed this entry of an outbox, now and when it is tried again: a deliver's where
   * there is one, else a gateway's, which alone can judge what users submit. None: wait.
   */
  queueFor(entry: { readonly id: string; readonly kind: string }): NamedCaller | undefined
  /** The gateway that is handed what leaves under this id; none: wait. */
  gatewayFor(id: string): NamedCaller | undefined
  offer(offered: Offered): Promise<{ readonly listening: readonly Listened[]; close(): void }>
}

/** All roles of one machine: Unix sockets that only our own user can open. */
export function ownSiblings(own: {
  readonly runDir: string
  readonly name: NodeRoleName
  readonly identity: NodeIdentity
  /** Gateways that have joined beside this machine's own. */
  readonly places: () => readonly NodePlace[]
  readonly clock: Clock
}): Siblings {
  const { clock, identity } = own
  const socket = (name: string): string => join(own.runDir, `${name}.sock`)
  const gateway = { name: 'gateway', dial: dialPath(socket('gateway')) }
  const dialTo = dialsOf(identity)
  const joined = (place: NodePlace) => ({ name: place.name, dial: dialTo(place) })
  const gatewayFor = (id: string): NamedCaller | undefined => {
    const [chosen] = [gateway, ...own.places().filter(sendsMail).map(joined)].toSorted(byWeight(id))
    return chosen && { node: chosen.name, caller: new NodeCaller({ dial: chosen.dial, clock }) }
  }
  return {
    control: dialPath(socket('node')),
    stores: () => [{ path: socket('lmtp') }],
    areStoresReady: () => takesMailAt(dialPath(socket('store')), clock),
    serve: () => undefined,
    queueFor: ({ id }) => gatewayFor(id),
    gatewayFor,
    offer: async ({ onRequest }) => {
      const server = await servePath(socket(own.name), onRequest)
      return { listening: [], close: () => closeServer(server) }
    },
  }
}

/** A machine that has joined: mutual TLS, each peer known by its key. */
export function joinedSiblings(own: {
  readonly host: Host
  readonly control: NonNullable<Host['control']>
  readonly identity: NodeIdentity
  readonly places: () => readonly NodePlace[]
  readonly onPlaces: (listener: () => void) => void
  readonly clock: Clock
  readonly log: Log
}): Siblings {
  const { host, control, identity, clock, log } = own
  const dial = dialsOf(identity)
  // A store on control's own machine is where control is, however that machine calls itself.
  const dialTo = (place: PinnedPeer): Dial => dial(place.pin === control.pin ? control : place)
  const callerFor = (id: string, takes: (place: NodePlace) => boolean): NamedCaller | undefined => {
    const place = own.places().filter(takes).toSorted(byWeight(id))[0]
    return place && { node: place.name, caller: new NodeCaller({ dial: dialTo(place), clock }) }
  }
  const holder = (pin: KeyPin | undefined): NodePlace | undefined =>
    own.places().find((place) => place.pin === pin)
  return {
    control: dialTo(control),
    stores: () =>
      own
        .places()
        .filter(takesMail)
        .map((place) => ({
          name: place.name,
          open: () => openLmtp(dialTo(place), clock),
        })),
    areStoresReady: () =>
      Promise.any(
        own
          .places()
          .filter(takesMail)
          .map(async (place) => {
            if (!(await takesMailAt(dialTo(place), clock)))
              throw new Fault('unavailable', `${place.name} takes no mail now`)
            return true
          }),
      ),
    serve: () => {
      const place = own.places().find(keepsMailboxes)
      return place && dialTo(place)
    },
    queueFor: ({ id, kind }) => {
      // A gateway alone judges what is submitted, and knows the own reverse-path of each member of a list.
      const isGateways = kind === 'submission' || kind === 'post'
      const queue = isGateways ? undefined : callerFor(id, keepsQueue)
      return queue ?? callerFor(id, sendsMail)
    },
    gatewayFor: (id) => callerFor(id, sendsMail),
    offer: async ({ onRequest, onLmtp }) => {
      const doors = await openListeners(listenersOf(host, 'node'), log, (listener) =>
        openNodeDoor({
          identity,
          listener,
          onRequest: (request, response) => {
            const pin = keyOf(request)
            const url = request.url ?? ''
            // Control asks for all but what only a delivery does.
            const isControl = pin === control.pin && !url.startsWith(NODE_PATHS.mailboxes)
            if (isControl || mayAsk(holder(pin)?.role, url)) return onRequest(request, response)
            log.warn('node.stranger', { ip: request.socket.remoteAddress ?? null })
            response.writeHead(403, { connection: 'close' }).end()
          },
          onUpgrade: (pin, path, socket, head) => {
            if (path !== LMTP_PATH || onLmtp === undefined || holder(pin)?.role !== 'gateway')
              return refuseUpgrade(socket)
            onLmtp(takeUpgrade(socket, head))
          },
        }),
      )
      own.onPlaces(cutRemoved(doors.opened, () => own.places().map(({ pin }) => pin)))
      return {
        listening: doors.listened,
        close: () => {
          for (const door of doors.opened) void door.close(0)
        },
      }
    },
  }
}

async function takesMailAt(dial: Dial, clock: Clock): Promise<boolean> {
  const ask = { dial, clock, method: 'GET', path: NODE_PATHS.alive, timeoutMs: ALIVE_MS } as const
  const { state } = aliveAnswer.parse(await askJson(ask))
  // One of an earlier version says no more than that it is there.
  return state === undefined || state === 'ready'
}

/** One dial a peer, with its connections kept for the next request. */
function dialsOf(identity: NodeIdentity): (peer: PinnedPeer) => Dial {
  const dials = new Map<string, Dial>()
  return ({ address, port, pin }) => {
    const key = `${pin} ${address} ${port}`
    let dial = dials.get(key)
    if (dial === undefined) dials.set(key, (dial = dialPinned(identity, { address, port, pin })))
    return dial
  }
}

/** What a joined node may ask of another. */
function mayAsk(role: JoiningRole | undefined, url: string): boolean {
  if (url === NODE_PATHS.alive) return role !== undefined
  if (url === NODE_PATHS.outbox) return role === 'store' || role === 'serve' || role === 'deliver'
  return url.startsWith(NODE_PATHS.mailboxes) && role === 'deliver'
}

/**
 * Rendezvous hashing: an entry keeps its gateway for as long as that is there, so that one whose
 * answer was lost meets the queue that knows it.
 */
const byWeight =
  (id: string) =>
  (a: { readonly name: string }, b: { readonly name: string }): number =>
    hash('sha256', `${b.name} ${id}`, 'hex') > hash('sha256', `${a.name} ${id}`, 'hex') ? 1 : -1
