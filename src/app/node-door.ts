import type { RequestListener } from 'node:http'
import { createServer } from 'node:https'
import type { Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'

import type { KeyPin } from '#base/pin.ts'
import { Fault } from '#base/outcome.ts'
import type { NodeIdentity } from '#client/node/pinned.ts'
import { keyOf } from '#server/node/peer-key.ts'

import type { Listener } from './host.ts'

export interface NodeDoor {
  readonly port: number
  close(graceMs: number): Promise<void>
}

/**
 * The node API of this machine over mutual TLS. Every peer has to show a key; who it belongs to and
 * what it may do is the listener's question, by its pin.
 */
export function openNodeDoor(options: {
  readonly identity: NodeIdentity
  readonly listener: Listener
  readonly onRequest: RequestListener
  /** A request to change protocols, by its path; the socket is the handler's. */
  readonly onUpgrade?: (pin: KeyPin | undefined, path: string, socket: Duplex, head: Buffer) => void
}): Promise<NodeDoor> {
  const { identity, listener } = options
  const server = createServer(
    {
      cert: identity.certificate,
      key: identity.key,
      minVersion: 'TLSv1.3',
      requestCert: true,
      rejectUnauthorized: false, // self-signed, one and all: the pin decides
    },
    options.onRequest,
  )
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => undefined)
    if (options.onUpgrade === undefined) return void socket.destroy()
    options.onUpgrade(keyOf(request), request.url ?? '', socket, head)
  })
  server.on('tlsClientError', (_, socket) => socket.destroy())
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'EADDRINUSE' ? 'it is taken' : cause.message
      const where = `${listener.address} port ${listener.port}`
      reject(new Fault('config', `cannot listen on ${where}: ${why}`, { cause }))
    })
    server.listen(listener.port, listener.address, () => resolve(doorOf(server)))
  })
}

const doorOf = (server: Server): NodeDoor => ({
  port: (server.address() as AddressInfo).port,
  close: () => {
    server.close()
    server.closeAllConnections()
    return Promise.resolve()
  },
})
