import type { Octets } from '#base/octets.ts'
import { concatOctets, fromUtf8 } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import type { BindBy } from '#codec/ldap/message.ts'
import type { LdapConnection } from './connection.ts'
import {
  INAPPROPRIATE_AUTHENTICATION,
  INVALID_CREDENTIALS,
  SUCCESS,
  resultFault,
} from './results.ts'

/** Who somebody says to be, to a directory server. */
export type LdapIdentity =
  | { readonly kind: 'simple'; readonly dn: string; readonly password: Octets }
  | { readonly kind: 'plain'; readonly user: string; readonly password: Octets }

/**
 * Binds the connection. False for a wrong password, whatever that server calls it; throws Fault
 * `unavailable` for every other refusal, and the connection's faults. An empty name or password is
 * never sent: servers take it for an anonymous bind, and say yes (RFC 4513 §5.1.2).
 */
export async function bind(connection: LdapConnection, who: LdapIdentity): Promise<boolean> {
  const name = who.kind === 'simple' ? who.dn : who.user
  if (name === '' || who.password.length === 0) return false
  const dn = who.kind === 'simple' ? who.dn : ''
  const { result } = await connection.ask({ op: 'bind', dn, by: bindBy(who) })
  if (result.code === SUCCESS) return true
  // 48: the entry has no password; who asks cannot know one.
  if (result.code === INVALID_CREDENTIALS || result.code === INAPPROPRIATE_AUTHENTICATION)
    return false
  throw resultFault(connection.server, result)
}

const NUL = Uint8Array.of(0)

function bindBy(who: LdapIdentity): BindBy {
  if (who.kind === 'simple') return { kind: 'simple', password: who.password }
  if (who.user.includes('\0')) throw new Fault('invalid', 'a user name has no NUL') // RFC 4616 §2
  const credentials = concatOctets([NUL, fromUtf8(who.user), NUL, who.password])
  return { kind: 'sasl', mechanism: 'PLAIN', credentials }
}
