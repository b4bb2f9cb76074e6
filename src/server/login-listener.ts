import type { Log } from '#base/log.ts'
import type { Clock } from '#base/time.ts'
import type { TlsIdentity } from '#net/tls.ts'
import type { Authenticator } from '#store/directory/authenticator.ts'

/** What each protocol needs to listen for clients that log in. */
export interface LoginListenerOptions {
  readonly listen: { readonly address: string; readonly port: number; readonly ipv6Only?: boolean }
  /** The certificate of now; without one there is no TLS. */
  readonly identity?: () => TlsIdentity
  readonly hostname: string
  readonly authenticator: Authenticator
  /** Whether passwords are taken without TLS, by the client's address: for loopback and tests. */
  readonly allowPlaintext?: boolean | ((ip: string) => boolean)
  readonly clock: Clock
  readonly log: Log
}

export interface LoginListener {
  readonly port: number
  connections(): number
  /** Accepts no more, ends sessions that wait, and gives the others `graceMs`. */
  close(graceMs: number): Promise<void>
}
