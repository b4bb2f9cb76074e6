import type { RequestListener } from 'node:http'

import { pinOf } from '#base/pin.ts'
import type { KeyPin } from '#base/pin.ts'
import { openNodeDoor } from '#app/nodes/node-door.ts'
import type { NodeDoor } from '#app/nodes/node-door.ts'
import { dialPinned } from '#client/node/pinned.ts'
import type { NodeIdentity } from '#client/node/pinned.ts'
import type { Dial } from '#client/node/request.ts'

import { fakeCertificate } from './identity.ts'

/** A machine's key, made anew, with the pin that it is known by. */
export async function fakeNode(
  name: string,
): Promise<{ readonly identity: NodeIdentity; readonly pin: KeyPin }> {
  const identity = await fakeCertificate(name)
  return { identity, pin: pinOf(identity.certificate) }
}

export interface PinnedDoor {
  readonly door: NodeDoor
  readonly pin: KeyPin
  readonly port: number
  /** As the holder of this key would ask. */
  dialAs(identity: NodeIdentity): Dial
}

/** The node API of one machine on a port of its own. */
export async function openPinned(
  onRequest: RequestListener,
  more: Omit<Parameters<typeof openNodeDoor>[0], 'identity' | 'listener' | 'onRequest'> = {},
): Promise<PinnedDoor> {
  const { identity, pin } = await fakeNode('server')
  const door = await openNodeDoor({
    identity,
    listener: { protocol: 'node', address: '127.0.0.1', port: 0, hostname: 'localhost' },
    onRequest,
    ...more,
  })
  const { port } = door
  return {
    door,
    pin,
    port,
    dialAs: (own) => dialPinned(own, { address: '127.0.0.1', port, pin }),
  }
}
