import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { Server } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'

import { clientNetwork } from '#base/client-network.ts'
import type { Log } from '#base/log.ts'
import { Fault, messageOf } from '#base/outcome.ts'
import { LEAVE_PATH } from '#engine/list/leave-way.ts'
import { request } from '#net/http.ts'
import type { Jmap } from '#server/jmap/serve.ts'
import type { ServeLeaving } from '#server/unsubscribe/serve.ts'
import { peerAddress } from '#net/peer.ts'

import { sendAway, sentNow, watchAlive } from './alive.ts'
import type { Listener } from '#app/start/host.ts'
import { servePages } from './serve-pages.ts'

const PROXY_TIMEOUT_MS = 120_000

/** What a request must have sent of itself within that time: nobody holds a connection by dribbling. */
export const WEB_TIMEOUTS = {
  headersTimeout: 20_000,
  requestTimeout: 300_000,
  keepAliveTimeout: 60_000,
  handshakeTimeout: 20_000,
  /** How long an answer may lie that its reader takes nothing of. */
  takingTimeout: 60_000,
  /** How often it is looked. */
  connectionsCheckingInterval: 2_000,
}
const CONNECTIONS_MAX = 10_000
/** Of one client's network: a campus may sit behind one address. */
const CONNECTIONS_PER_CLIENT_MAX = 2_000

/** The HTTPS door: the web pages, JMAP of a store, `/api/v1` and `/scim/v2`, which go to control; control may be away. */
export function serveWeb(options: {
  readonly dir: string
  readonly listener: Listener
  readonly adminSocket: string
  /** Absent where there are no mailboxes; loaded when somebody first asks. */
  readonly jmap?: { readonly load: () => Promise<Jmap>; readonly log: Log }
  /** Where mailboxes of lists are: links by which members leave one. */
  readonly leaving?: ServeLeaving
  /** The folder of the built pages. */
  readonly pages: string
  readonly timeouts?: typeof WEB_TIMEOUTS
  readonly connectionsPerClientMax?: number
}): Promise<{ readonly port: number; close(graceMs: number): Promise<void> }> {
  const { listener } = options
  const pages = servePages(options.pages)
  const { takingTimeout, ...timeouts } = options.timeouts ?? WEB_TIMEOUTS
  const server = createServer(
    {
      cert: readFileSync(join(options.dir, 'tls', 'server.pem')),
      key: readFileSync(join(options.dir, 'tls', 'server.key')),
      ...timeouts,
      // Whoever asks elsewhere to go on in another protocol is answered in this one.
      shouldUpgradeCallback: (incoming) =>
        options.jmap !== undefined && (incoming.url ?? '/').split('?')[0] === SOCKET_PATH,
    },
    (incoming, response) => {
      response.setHeader('strict-transport-security', 'max-age=31536000')
      response.setHeader('x-content-type-options', 'nosniff')
      const path = (incoming.url ?? '/').split('?')[0]!
      if (CONTROL_PATH.test(path)) return proxy(incoming, response, options.adminSocket)
      if (options.leaving !== undefined && path.startsWith(LEAVE_PATH))
        return options.leaving(incoming, response)
      if (options.jmap !== undefined && JMAP_PATH.test(path))
        return answerJmap(incoming, response, options.jmap)
      pages(incoming, response)
    },
  )
  server.on('upgrade', (incoming, socket, head) => {
    if (options.jmap !== undefined) upgradeJmap(options.jmap, { incoming, socket, head })
  })
  server.maxConnections = CONNECTIONS_MAX
  cutIdleReaders(server, takingTimeout)
  countClients(server, options.connectionsPerClientMax ?? CONNECTIONS_PER_CLIENT_MAX)
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'EADDRINUSE' ? 'it is taken' : cause.message
      const where = `${listener.address} port ${listener.port}`
      reject(new Fault('config', `cannot listen on ${where}: ${why}`, { cause }))
    })
    server.listen(listener.port, listener.address, () =>
      resolve({
        port: (server.address() as AddressInfo).port,
        close: () => {
          server.close()
          server.closeAllConnections()
          return Promise.resolve()
        },
      }),
    )
  })
}

/** A stream of events may be silent for long; who has something waiting and takes none of it holds our memory. */
function cutIdleReaders(server: Server, timeoutMs: number): void {
  server.setTimeout(timeoutMs, (socket) => {
    if (socket.writableLength > 0) socket.destroy()
  })
}

/** Nobody alone takes all connections. */
function countClients(server: Server, max: number): void {
  const counts = new Map<string, number>()
  server.on('connection', (socket: Socket) => {
    const client = clientNetwork(peerAddress(socket).ip)
    const count = counts.get(client) ?? 0
    if (count >= max) return void socket.destroy()
    counts.set(client, count + 1)
    socket.once('close', () => {
      const left = (counts.get(client) ?? 1) - 1
      if (left === 0) counts.delete(client)
      else counts.set(client, left)
    })
  })
}

const CONTROL_PATH = /^\/(?:api\/v1|scim\/v2)(?:\/|$)/
/** RFC 8887: the only place where a connection becomes a WebSocket. */
const SOCKET_PATH = '/jmap/ws'
const JMAP_PATH = /^\/(?:jmap|auth)\/|^\/\.well-known\/jmap$/

function answerJmap(
  incoming: IncomingMessage,
  response: ServerResponse,
  { load, log }: { readonly load: () => Promise<Jmap>; readonly log: Log },
): void {
  load().then(
    (jmap) => jmap.handle(incoming, response),
    (cause: unknown) => {
      log.error('jmap.failed', { cause: messageOf(cause) })
      response.writeHead(503, { 'retry-after': '5' })
      response.end()
    },
  )
}

function upgradeJmap(
  { load, log }: { readonly load: () => Promise<Jmap>; readonly log: Log },
  { incoming, socket, head }: { incoming: IncomingMessage; socket: Duplex; head: Buffer },
): void {
  load().then(
    (jmap) => jmap.upgrade(incoming, socket as Socket, head),
    (cause: unknown) => {
      log.error('jmap.failed', { cause: messageOf(cause) })
      socket.end('HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\n\r\n')
    },
  )
}

function proxy(incoming: IncomingMessage, response: ServerResponse, socketPath: string): void {
  const { method, url } = incoming
  // Who is at the other end is this door's word, whatever the peer says of itself.
  const headers = {
    ...withoutHop(incoming.headers),
    ...sentNow(),
    'watari-peer': peerAddress(incoming.socket).ip,
  }
  const onward = request({ socketPath, method, path: url, headers, timeout: PROXY_TIMEOUT_MS })
  onward.on('timeout', () => onward.destroy(new Error('timeout')))
  const watch = watchAlive(socketPath, () => onward.destroy(new Error('no answer')))
  onward.on('close', () => watch.end())
  onward.on('response', (answer) => {
    watch.end()
    response.writeHead(answer.statusCode ?? 502, withoutHop(answer.headers))
    answer.pipe(response)
  })
  onward.on('error', () => {
    if (response.headersSent) return void response.destroy()
    sendAway(response, 'control is not available now')
  })
  incoming.on('error', () => onward.destroy())
  response.on('close', () => onward.destroy())
  incoming.pipe(onward)
}

/**
 * Without what concerns one connection alone (RFC 9110 §7.6.1). Control, told to close, would do so as
 * soon as it has answered, and the end of a request that comes behind that finds nobody there.
 */
function withoutHop(headers: IncomingMessage['headers']): IncomingMessage['headers'] {
  const { connection: _, 'keep-alive': __, ...onwards } = headers
  return onwards
}
