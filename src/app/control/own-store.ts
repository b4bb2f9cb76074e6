import type { KeyPin } from '#base/pin.ts'
import type { NodeId } from '#model/event.ts'
import type { NodePlace } from '#model/node.ts'
import type { NodeHub } from '#server/node/node-hub.ts'
import { listenersOf } from '#app/start/host.ts'
import type { Host } from '#app/start/host.ts'

/** The store of a machine with all roles, for gateways that have joined: at control's own door. */
export function ownStore(host: Host, pin: KeyPin): readonly NodePlace[] {
  const [listener] = listenersOf(host, 'node')
  if (!host.roles.includes('store') || listener === undefined) return []
  const { address, port } = listener
  return [{ name: host.node as NodeId, role: 'store', address, port, pin, draining: false }]
}

/** What the API's health says of the store; `stalled` where none is connected. */
export function stateOfStore(hub: Pick<NodeHub, 'nodes'>): string {
  const store = hub.nodes().find(({ role, connected }) => role === 'store' && connected)
  // One that is degraded takes all mail: what is wrong with it is no reason to wait.
  return store?.state === 'degraded' ? 'ready' : (store?.state ?? 'stalled')
}
