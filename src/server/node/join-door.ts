import { hash } from 'node:crypto'
import type { IncomingMessage, RequestListener } from 'node:http'
import type { Log } from '#base/log.ts'
import { Fault, messageOf } from '#base/outcome.ts'
import type { Clock } from '#base/time.ts'
import { JOIN_BYTES_MAX, JOIN_PATH, joinRequest } from '#contract/node/join.ts'
import type { JoinAnswer } from '#contract/node/join.ts'
import { peerAddress } from '#net/peer.ts'
import type { NodeBeside } from '#model/node.ts'
import type { NodeRegistry, RegisteredNode } from '#store/nodes/node-registry.ts'
import { readBody, sendFault, sendJson } from './http.ts'
import { keyOf } from './peer-key.ts'
import { reachedAt } from './peer-place.ts'

export interface JoinDoorParts {
  readonly registry: Pick<NodeRegistry, 'join'>
  readonly clock: Clock
  readonly log: Log
  readonly domain: string
  /** The roles of this machine beside control. */
  readonly own?: readonly NodeBeside[]
  /** It belongs to us from now on. */
  readonly joined: (node: RegisteredNode) => void
  /** All other requests: of those whose key is known. */
  readonly next: RequestListener
}

/**
 * The one door of the node API that a key without a name may use: takes a machine in by its one-time
 * secret, and knows it by its key from then on. For a server of mutual TLS that asks for certificates.
 */
export function joinDoor(parts: JoinDoorParts): RequestListener {
  return (request, response) => {
    if (request.method !== 'POST' || request.url !== JOIN_PATH) return parts.next(request, response)
    // Asked now: a connection that has ended has no address any more.
    const { ip } = peerAddress(request.socket)
    takeIn(parts, request).then(
      (answer) => sendJson(response, 200, answer),
      (cause: unknown) => {
        parts.log.warn('node.joinRefused', {
          ip,
          cause: messageOf(cause),
        })
        sendFault(response, cause)
        request.resume()
      },
    )
  }
}

async function takeIn(parts: JoinDoorParts, request: IncomingMessage): Promise<JoinAnswer> {
  const pin = keyOf(request)
  if (pin === undefined) throw new Fault('invalid', 'the node shows no key of its own')
  const asked = await readBody(request, joinRequest, JOIN_BYTES_MAX)
  const address = reachedAt(asked.address, request)
  const { node } = await parts.registry.join({
    secretSha256: hash('sha256', asked.secret, 'hex'),
    pin,
    address,
    port: asked.port,
    nowMs: parts.clock.nowMs(),
    ...(parts.own !== undefined && { own: parts.own }),
  })
  parts.log.info('node.joined', { node: node.name, role: node.role, address, port: node.port })
  parts.joined(node)
  return { name: node.name, role: node.role, domain: parts.domain }
}
