import { Agent, request } from 'node:https'
import { connect } from 'node:tls'
import type { TLSSocket } from 'node:tls'
import { Fault } from '#base/outcome.ts'
import { pinOf } from '#base/pin.ts'
import type { KeyPin } from '#base/pin.ts'
import { SECOND_MS } from '#base/time.ts'
import type { Dial } from './request.ts'

/** A key of our own with its certificate, as PEM. */
export interface NodeIdentity {
  readonly certificate: string
  readonly key: string
}

export interface PinnedPeer {
  readonly address: string
  readonly port: number
  readonly pin: KeyPin
}

const CONNECT_MS = 5 * SECOND_MS
/** A half-open connection is noticed by the next request's deadline; an idle one is not kept for long. */
const IDLE_MS = 30 * SECOND_MS

/**
 * Talks to a node API over mutual TLS: shows our key, and speaks to nobody but the holder of the
 * pinned one. Certificates are no more than a wrapping for keys: neither their dates nor who signed
 * them count, so that a clock that is a year off keeps nobody out.
 */
export function dialPinned(identity: NodeIdentity, peer: PinnedPeer): Dial {
  const agent = new Agent({ keepAlive: true, timeout: IDLE_MS, maxCachedSessions: 0 })
  agent.createConnection = (_, done) => {
    connectPinned(identity, peer).then(
      (socket) => done?.(null, socket),
      (cause: Error) => done?.(cause, undefined as never),
    )
    return undefined
  }
  return (options) => {
    const asked = request({ ...options, host: peer.address, port: peer.port, agent })
    asked.once('error', () => {
      // A peer that is gone answers on none of them: the next request begins with a new connection.
      for (const idle of Object.values(agent.freeSockets))
        for (const each of idle ?? []) each.destroy()
    })
    return asked
  }
}

/** A socket to the holder of the pinned key, handshake done. Throws Fault `unreachable`. */
function connectPinned(identity: NodeIdentity, peer: PinnedPeer): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: peer.address,
      port: peer.port,
      cert: identity.certificate,
      key: identity.key,
      minVersion: 'TLSv1.3',
      rejectUnauthorized: false, // the pin below decides
      ALPNProtocols: ['http/1.1'],
    })
    const fail = (text: string): void => {
      socket.destroy()
      reject(new Fault('unreachable', `${peer.address} port ${peer.port}: ${text}`))
    }
    socket.setTimeout(CONNECT_MS, () => fail('no connection'))
    socket.on('error', (cause) => fail(cause.message))
    socket.once('secureConnect', () => {
      const certificate = socket.getPeerX509Certificate()
      if (certificate === undefined || pinOf(certificate) !== peer.pin)
        return fail('another key than the pinned one answers there')
      socket.setTimeout(0)
      resolve(socket)
    })
  })
}
