import { hash } from 'node:crypto'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Octets } from '#base/octets.ts'

const EXPORTER_BYTES = 32

/**
 * The octets that both ends of this TLS connection know it by (RFC 5056), as the server. Undefined where
 * there is no TLS, or nothing of that type. `tls-unique` is none: TLS 1.3 has no such thing (RFC 9266).
 */
export function channelBinding(socket: Socket, type: string): Octets | undefined {
  if (!(socket instanceof TLSSocket)) return undefined
  if (type === 'tls-exporter') return exported(socket)
  return type === 'tls-server-end-point' ? certificateHash(socket) : undefined
}

/** RFC 9266 §4 allows TLS 1.2 with extended master secrets only, and Node does not tell of those. */
const exported = (socket: TLSSocket): Octets | undefined =>
  socket.getProtocol() === 'TLSv1.3'
    ? socket.exportKeyingMaterial(EXPORTER_BYTES, 'EXPORTER-Channel-Binding', Buffer.alloc(0))
    : undefined

/** RFC 5929 §4.1: by the hash of the certificate's own signature, SHA-256 in the place of weak ones. */
function certificateHash(socket: TLSSocket): Octets | undefined {
  const certificate = socket.getX509Certificate()
  const algorithm = certificate?.signatureAlgorithm ?? ''
  const named = /(md5|sha-?(?:1|224|256|384|512))(?!\d)/i.exec(algorithm)?.[1]?.toLowerCase()
  if (certificate === undefined || named === undefined) return undefined
  const name = named.replace('-', '')
  const strong = name === 'md5' || name === 'sha1' ? 'sha256' : name
  return hash(strong, certificate.raw, 'buffer')
}
