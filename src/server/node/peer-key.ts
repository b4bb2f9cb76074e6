import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { pinOf } from '#base/pin.ts'
import type { KeyPin } from '#base/pin.ts'

/** The pin of the key that the peer has proved to hold; undefined where it showed none. */
export function keyOf(request: IncomingMessage): KeyPin | undefined {
  const certificate = (request.socket as TLSSocket).getPeerX509Certificate?.()
  return certificate === undefined ? undefined : pinOf(certificate)
}
