import { SECOND_MS } from '#base/time.ts'
import type { ClientIdentity } from '#model/client-identity.ts'

/** One host of a directory service. */
export interface LdapServer {
  readonly host: string
  readonly port: number
  /** `none` sends passwords in plain: for loopback and tests. */
  readonly tls: 'implicit' | 'starttls' | 'none'
  /** Certificates, in PEM, that alone are trusted; absent: those of the system. */
  readonly ca?: string
  /** Shown to it in the handshake. */
  readonly identity?: ClientIdentity
  /** A socket of this machine, in the place of host and port. */
  readonly path?: string
}

/** How long to wait for what. */
export interface LdapTimes {
  /** For a connection and its TLS, each. */
  readonly connectMs: number
  /** Without a word about what was asked. */
  readonly answerMs: number
  /** After which another host, or the same one by another connection, is asked beside the first. */
  readonly besideMs: number
}

/** A host that hangs costs a login less than half a second: with two of them it is let in within one. */
export const LDAP_TIMES: LdapTimes = {
  connectMs: SECOND_MS,
  answerMs: SECOND_MS,
  besideMs: 0.4 * SECOND_MS,
}

export const serverName = ({ host, port, path }: LdapServer): string =>
  path ?? `${host.includes(':') ? `[${host}]` : host}:${port}`
