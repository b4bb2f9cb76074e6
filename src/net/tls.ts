import type { Socket } from 'node:net'
import { createSecureContext, TLSSocket } from 'node:tls'
import type { SecureContext } from 'node:tls'
import { Fault, messageOf } from '#base/outcome.ts'
import type { Clock } from '#base/time.ts'

/**
 * A certificate chain with its key, ready to serve. Listeners ask for the current one at each
 * handshake, so a renewed certificate needs no restart. Throws Fault `config` where the pair does not fit.
 */
export class TlsIdentity {
  readonly context: SecureContext
  constructor(pem: { readonly certificate: string; readonly key: string }) {
    try {
      this.context = createSecureContext({
        cert: pem.certificate,
        key: pem.key,
        minVersion: 'TLSv1.2', // RFC 8996 §4 and §5 retired what was before
        honorCipherOrder: true,
      })
    } catch (cause) {
      throw new Fault('config', `certificate and key cannot be used: ${messageOf(cause)}`, {
        cause,
      })
    }
  }
}

/**
 * What a socket keeps of a peer while nobody reads, but for what one read of the kernel's brings. Node
 * keeps a buffer of some 250 octets for each TLS record and each segment: with its own 64 KiB, a peer
 * that sends octet by octet has 16 MB kept for it.
 */
export const UNREAD_BYTES_MAX = 4 * 1024

/** A peer that has not finished its handshake by then is gone. */
const TLS_HANDSHAKE_TIMEOUT_MS = 30_000

/**
 * Speaks TLS as the server on an accepted socket from its next octet on. Undefined where the
 * handshake failed or took too long: the socket is destroyed then. Nobody else may read the plain socket.
 */
export function startTls(
  socket: Socket,
  identity: TlsIdentity,
  wait: { readonly clock: Clock; readonly timeoutMs?: number },
): Promise<TLSSocket | undefined> {
  return new Promise((resolve) => {
    let secured: TLSSocket | undefined
    const done = (result: TLSSocket | undefined): void => {
      cancel()
      if (result === undefined) {
        secured?.destroy()
        socket.destroy()
      }
      resolve(result)
    }
    const cancel = wait.clock.after(wait.timeoutMs ?? TLS_HANDSHAKE_TIMEOUT_MS, () =>
      done(undefined),
    )
    socket.on('close', () => {
      secured?.destroy()
      done(undefined)
    })
    const begin = (): void => {
      if (socket.readableLength === 0) return done(undefined) // it has ended
      secured = wrapped(socket, identity)
      secured.on('error', () => done(undefined)) // stays, so that a later reset ends no process
      secured.on('close', () => done(undefined))
      secured.once('secure', () => done(secured))
    }
    // Node keeps for each TLS socket the buffer that the first octets came in: 64 KiB where it reads
    // them itself, 16 where they are there already.
    if (socket.readableLength > 0) begin()
    else socket.once('readable', begin)
  })
}

const wrapped = (socket: Socket, identity: TlsIdentity): TLSSocket =>
  new TLSSocket(socket, {
    isServer: true,
    secureContext: identity.context,
    allowHalfOpen: true,
    highWaterMark: UNREAD_BYTES_MAX,
  } as ConstructorParameters<typeof TLSSocket>[1])
