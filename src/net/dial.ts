import { connect, isIP } from 'node:net'
import type { Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { TLSSocket } from 'node:tls'
import { Fault, messageOf } from '#base/outcome.ts'
import type { Clock } from '#base/time.ts'

/** How long, by whose clock, and how the place is called where it cannot be had. */
export interface DialWait {
  readonly clock: Clock
  readonly timeoutMs: number
  readonly what: string
}

/** Connects. Throws Fault `timeout` or `unreachable`; a later reset is told by whoever reads the socket. */
export function dial(
  place: { readonly path: string } | { readonly host: string; readonly port: number },
  { clock, timeoutMs, what }: DialWait,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = 'path' in place ? connect(place) : connect({ ...place, noDelay: true })
    const fail = (fault: Fault): void => {
      cancel()
      socket.destroy()
      reject(fault)
    }
    const cancel = clock.after(timeoutMs, () =>
      fail(new Fault('timeout', `${what}: no connection`)),
    )
    // Stays for the socket's life: without a listener a reset would end the process.
    socket.on('error', (cause) =>
      fail(new Fault('unreachable', `${what}: ${messageOf(cause)}`, { cause })),
    )
    socket.on('connect', () => {
      cancel()
      resolve(socket)
    })
  })
}

/**
 * Speaks TLS as the client on a connected socket. `name` is whom the certificate has to name; without
 * `ca` the system's authorities are asked, and `unchecked` takes any. Throws Fault `protocol`.
 */
export function secureClient(
  socket: Socket,
  trust: {
    readonly name: string
    readonly ca?: string
    readonly unchecked?: boolean
    /** What is shown to a server that asks who calls. */
    readonly identity?: { readonly certificate: string; readonly key: string }
  },
  { clock, timeoutMs }: Omit<DialWait, 'what'>,
): Promise<TLSSocket> {
  const { name, ca, unchecked = false, identity } = trust
  return new Promise((resolve, reject) => {
    const secured = connectTls({
      socket,
      rejectUnauthorized: !unchecked,
      ...(ca !== undefined && { ca }),
      ...(identity !== undefined && { cert: identity.certificate, key: identity.key }),
      ...(isIP(name) === 0 ? { servername: name } : { host: name }),
    })
    const fail = (text: string): void => {
      cancel()
      secured.destroy()
      socket.destroy()
      reject(new Fault('protocol', `TLS: ${text}`))
    }
    const cancel = clock.after(timeoutMs, () => fail('no handshake in time'))
    secured.on('error', (cause) => fail(cause.message))
    secured.on('close', () => fail('the connection was closed'))
    secured.once('secureConnect', () => {
      cancel()
      resolve(secured)
    })
  })
}
