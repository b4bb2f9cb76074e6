import type { RequestListener } from 'node:http'
import { createServer } from 'node:https'
import type { Server } from 'node:https'
import { connect } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'

import { pinOf } from '#base/pin.ts'
import type { KeyPin } from '#base/pin.ts'
import { SECOND_MS } from '#base/time.ts'
import { Fault } from '#base/outcome.ts'
import type { NodeIdentity } from '#client/node/pinned.ts'
import { LMTP_PROTOCOL } from '#contract/node/wire.ts'
import { keyOf } from '#server/node/peer-key.ts'

import type { Listener } from '#app/start/host.ts'

export interface NodeDoor {
  readonly port: number
  /** Cuts every connection of the holder of this key: it belongs to us no longer. */
  cut(pin: KeyPin): void
  close(graceMs: number): Promise<void>
}

/** Peers are machines of ours, a few connections each. */
const CONNECTIONS_MAX = 2_000
/** Of one address: a stranger, or a node gone wild, must leave room for the others. */
const CONNECTIONS_PER_ADDRESS_MAX = 600
const HANDSHAKE_MS = 10 * SECOND_MS
const HEADERS_MS = 20 * SECOND_MS
/** An entry of an outbox over a slow line. */
const REQUEST_MS = 150 * SECOND_MS

/**
 * The node API of this machine over mutual TLS. Every peer has to show a key; who it belongs to and
 * what it may do is the listener's question, by its pin.
 */
export function openNodeDoor(options: {
  readonly identity: NodeIdentity
  readonly listener: Listener
  readonly onRequest: RequestListener
  /** Connections of one address at once. */
  readonly perAddressMax?: number
  /** How long a request may take to come: its head, and all of it. */
  readonly waits?: { readonly headMs: number; readonly requestMs: number }
  /** A request to change protocols, by its path; the socket is the handler's. */
  readonly onUpgrade?: (pin: KeyPin | undefined, path: string, socket: Duplex, head: Buffer) => void
}): Promise<NodeDoor> {
  const { identity, listener } = options
  const { headMs, requestMs } = options.waits ?? { headMs: HEADERS_MS, requestMs: REQUEST_MS }
  const server = createServer(
    {
      cert: identity.certificate,
      key: identity.key,
      minVersion: 'TLSv1.3',
      requestCert: true,
      rejectUnauthorized: false, // self-signed, one and all: the pin decides
      handshakeTimeout: HANDSHAKE_MS,
      headersTimeout: headMs,
      requestTimeout: requestMs,
      connectionsCheckingInterval: Math.min(headMs / 4, 5 * SECOND_MS),
    },
    options.onRequest,
  )
  server.maxConnections = CONNECTIONS_MAX
  limitByAddress(server, options.perAddressMax ?? CONNECTIONS_PER_ADDRESS_MAX)
  const peers = new Map<TLSSocket, KeyPin>()
  server.on('secureConnection', (socket) => {
    const certificate = socket.getPeerX509Certificate()
    if (certificate === undefined) return
    peers.set(socket, pinOf(certificate))
    socket.once('close', () => peers.delete(socket))
  })
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
    server.listen(listener.port, listener.address, () => resolve(doorOf(server, peers)))
  })
}

/** Counted before the handshake: that is what costs. */
function limitByAddress(server: Server, max: number): void {
  const counts = new Map<string, number>()
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? ''
    const count = (counts.get(address) ?? 0) + 1
    if (count > max) return void socket.destroy()
    counts.set(address, count)
    socket.once('close', () => {
      const left = counts.get(address)! - 1
      if (left > 0) counts.set(address, left)
      else counts.delete(address)
    })
  })
}

const doorOf = (server: Server, peers: ReadonlyMap<TLSSocket, KeyPin>): NodeDoor => ({
  port: (server.address() as AddressInfo).port,
  cut: (pin) => {
    for (const [socket, held] of peers) if (held === pin) socket.destroy()
  },
  close: () => {
    server.close()
    server.closeAllConnections()
    return Promise.resolve()
  },
})

/** Cuts off who is no longer among the nodes, at each change of them; the returned function is told of one. */
export function cutRemoved(
  doors: readonly Pick<NodeDoor, 'cut'>[],
  pins: () => readonly KeyPin[],
): () => void {
  let before = new Set(pins())
  return () => {
    const now = new Set(pins())
    for (const pin of before.difference(now)) for (const door of doors) door.cut(pin)
    before = now
  }
}

/** Says no to a request to change protocols. */
export const refuseUpgrade = (socket: Duplex): void =>
  void socket.end('HTTP/1.1 403 Forbidden\r\nconnection: close\r\n\r\n', () => socket.destroy())

/** Changes to LMTP; what the peer has sent already comes first. */
export function takeUpgrade(socket: Duplex, head: Buffer): Socket {
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: ${LMTP_PROTOCOL}\r\n\r\n`,
  )
  if (head.byteLength > 0) socket.unshift(head)
  return socket as Socket
}

/** Hands LMTP on to a store of this machine: two connections that end together. */
export function passLmtp(socket: Socket, path: string): void {
  const local = connect(path)
  socket.on('error', () => local.destroy())
  local.on('error', () => socket.destroy())
  socket.once('close', () => local.destroy())
  local.once('close', () => socket.destroy())
  socket.pipe(local).pipe(socket)
}
