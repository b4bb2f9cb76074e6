import { unlink, chmod } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import type { AddressInfo, ListenOptions, Server, Socket } from 'node:net'
import { Fault, messageOf } from '#base/outcome.ts'
import { UNREAD_BYTES_MAX } from './tls.ts'

/** Where to listen: an address of IPv4 or IPv6 (`::` takes both), or a Unix socket. */
export type ListenPlace =
  | { readonly address: string; readonly port: number; readonly ipv6Only?: boolean }
  | { readonly path: string; readonly mode?: number }

export interface Listening {
  /** The port that is really listened on; 0 for a Unix socket. */
  readonly port: number
  /** Accepts no more; the sockets that were accepted are the caller's. */
  close(): Promise<void>
}

/** Linux holds no longer path of a Unix socket. */
const SOCKET_PATH_BYTES_MAX = 107
const BACKLOG = 511
const SOCKETS = { allowHalfOpen: true, noDelay: true, highWaterMark: UNREAD_BYTES_MAX }

/**
 * Listens, and hands each accepted socket on, half-open allowed (its owner must end it) and with
 * its errors caught. Throws Fault `config` where the place is taken or cannot be had.
 */
export async function listen(
  options: ListenPlace & { readonly backlog?: number; readonly onSocket: (socket: Socket) => void },
): Promise<Listening> {
  const server = createServer(SOCKETS, (socket) => {
    socket.on('error', () => undefined) // 'close' follows, and that is listened to
    options.onSocket(socket)
  })
  const backlog = options.backlog ?? BACKLOG
  if ('path' in options) await listenOnPath(server, options, backlog)
  else
    await bind(server, {
      host: options.address,
      port: options.port,
      ipv6Only: options.ipv6Only ?? false,
      backlog,
    })
  server.on('error', () => undefined) // EMFILE at accept: the kernel keeps the peer waiting
  const address = server.address()
  return {
    port:
      address === null || typeof address === 'string' ? 0 : (address satisfies AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => undefined) // its callback waits for the sockets too
        setImmediate(resolve)
      }),
  }
}

function bind(server: Server, place: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (cause: NodeJS.ErrnoException): void => {
      const where = place.path ?? `${String(place.host)} port ${String(place.port)}`
      const why = cause.code === 'EADDRINUSE' ? 'it is taken' : messageOf(cause)
      reject(new Fault('config', `cannot listen on ${where}: ${why}`, { cause }))
    }
    server.once('error', onError)
    server.listen(place, () => {
      server.off('error', onError)
      resolve()
    })
  })
}

async function listenOnPath(
  server: Server,
  place: { readonly path: string; readonly mode?: number },
  backlog: number,
): Promise<void> {
  const { path } = place
  if (Buffer.byteLength(path) > SOCKET_PATH_BYTES_MAX)
    throw new Fault('config', `socket path over ${SOCKET_PATH_BYTES_MAX} octets: ${path}`)
  // A killed predecessor leaves its socket behind; one that answers is alive.
  if (!(await answers(path))) await unlink(path).catch(() => undefined)
  await bind(server, { path, backlog })
  if (place.mode !== undefined) await chmod(path, place.mode)
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect({ path })
    probe.on('connect', () => {
      probe.destroy()
      resolve(true)
    })
    // EAGAIN: its backlog is full, so it lives.
    probe.on('error', (cause: NodeJS.ErrnoException) => resolve(cause.code === 'EAGAIN'))
  })
}
