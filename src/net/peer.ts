import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

/** Who is at the other end; a Unix socket is this machine. */
export function peerAddress(socket: Socket): { readonly ip: string; readonly port: number } {
  return {
    ip: canonicalIp(socket.remoteAddress ?? '127.0.0.1'),
    port: socket.remotePort ?? 0,
  }
}

/** An IPv4-mapped address as IPv4, without a zone: one peer has one text. */
export function canonicalIp(text: string): string {
  const zone = text.indexOf('%')
  const ip = zone < 0 ? text : text.slice(0, zone)
  return /^::ffff:[0-9.]+$/i.test(ip) ? ip.slice(7) : ip
}

/** Version and cipher of a TLS connection, for Received and for logs. */
export function tlsOf(
  socket: Socket,
): { readonly version: string; readonly cipher: string } | undefined {
  if (!(socket instanceof TLSSocket)) return undefined
  return { version: socket.getProtocol() ?? 'TLS', cipher: socket.getCipher()?.name ?? 'unknown' }
}
