import { join } from 'node:path'

import { Fault } from '#base/outcome.ts'
import type { Clock } from '#base/time.ts'
import { NodeCaller } from '#client/node/node-caller.ts'
import { dialPinned } from '#client/node/pinned.ts'
import type { NodeIdentity } from '#client/node/pinned.ts'
import type { JoiningRole, NodePlace } from '#model/node.ts'
import type { SpoolStore } from '#store/spool/spool-store.ts'

import { dialPath } from './node-parts.ts'
import type { RoleName } from '#app/role-names.ts'

export interface NamedCaller {
  readonly node: string
  readonly caller: NodeCaller
}

interface Parts {
  readonly book: { readonly places: readonly NodePlace[] }
  readonly identity: NodeIdentity
  /** Roles of control's own machine, and where their sockets are. */
  readonly own: readonly RoleName[]
  readonly runDir: string
  readonly clock: Clock
}

/** How control asks the other roles: those of its own machine, and those that have joined. */
export class NodeCallers {
  readonly #parts: Parts
  readonly #joined = new Map<string, NamedCaller>()

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Those with a queue. */
  queues(): readonly NamedCaller[] {
    return this.#of('gateway', 'deliver')
  }

  /** The store that holds the mailboxes. Throws Fault `unavailable` where none has joined yet. */
  store(): NamedCaller {
    const [store] = this.#of('store', 'serve')
    if (store === undefined) throw new Fault('unavailable', 'no store has joined yet')
    return store
  }

  /** Of the roles of one kind; the first is what it is called on a machine with all of them. */
  #of(role: 'gateway' | 'store', ...alike: readonly JoiningRole[]): readonly NamedCaller[] {
    const { book, own, runDir, clock } = this.#parts
    const dial = dialPath(join(runDir, `${role}.sock`))
    const ours = own.includes(role) ? [{ node: role, caller: new NodeCaller({ dial, clock }) }] : []
    const joined = book.places.filter((place) => place.role === role || alike.includes(place.role))
    return [...ours, ...joined.map((place) => this.#joinedAt(place))]
  }

  #joinedAt(place: NodePlace): NamedCaller {
    const { identity, clock } = this.#parts
    const key = `${place.pin} ${place.address} ${place.port}`
    let named = this.#joined.get(key)
    if (named === undefined) {
      const caller = new NodeCaller({ dial: dialPinned(identity, place), clock })
      named = { node: place.name, caller }
      this.#joined.set(key, named)
    }
    return named
  }
}

/** A node's queue, asked through its node API. */
export const remoteQueue = (
  node: NodeCaller,
): Pick<SpoolStore, 'list' | 'show' | 'act' | 'status'> => ({
  list: (ask) => node.call('queue.list', ask) as ReturnType<SpoolStore['list']>,
  show: (ask) => node.call('queue.show', ask) as ReturnType<SpoolStore['show']>,
  act: (ask) => node.call('queue.act', ask) as ReturnType<SpoolStore['act']>,
  status: () => node.call('queue.status', {}) as ReturnType<SpoolStore['status']>,
})
