import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { pinOf } from '#base/pin.ts'
import type { KeyPin } from '#base/pin.ts'

/** A connection shows one key for its whole life; to work out its pin costs more than most requests. */
const known = new WeakMap<object, KeyPin>()

/** The pin of the key that the peer has proved to hold; undefined where it showed none. */
export function keyOf({ socket }: IncomingMessage): KeyPin | undefined {
  const found = known.get(socket)
  if (found !== undefined) return found
  const certificate = (socket as TLSSocket).getPeerX509Certificate?.()
  if (certificate === undefined) return undefined
  const pin = pinOf(certificate)
  known.set(socket, pin)
  return pin
}
