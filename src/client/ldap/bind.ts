import type { Octets } from '#base/octets.ts'
import { concatOctets, emptyOctets, fromUtf8 } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import type { BindBy, LdapResult } from '#codec/ldap/message.ts'
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
  /** Whom the machine's own socket, or the certificate that was shown, says it is (RFC 4422 appendix A). */
  | { readonly kind: 'external' }

/**
 * Binds the connection. False for a wrong password, whatever that server calls it; throws Fault
 * `unavailable` for every other refusal, and the connection's faults. An empty name or password is
 * never sent: servers take it for an anonymous bind, and say yes (RFC 4513 §5.1.2).
 */
export async function bind(connection: LdapConnection, who: LdapIdentity): Promise<boolean> {
  const result = await askBind(connection, who)
  const isRight = isRightBy(result)
  if (isRight === undefined) throw resultFault(connection.server, result)
  return isRight
}

/** The same with the server's own word. */
export async function askBind(connection: LdapConnection, who: LdapIdentity): Promise<LdapResult> {
  if (isEmpty(who)) return NOTHING_TO_ASK
  const dn = who.kind === 'simple' ? who.dn : ''
  return (await connection.ask({ op: 'bind', dn, by: bindBy(who) })).result
}

/** Undefined where it says neither that a password is right nor that it is wrong. */
export function isRightBy({ code }: LdapResult): boolean | undefined {
  if (code === SUCCESS) return true
  // 48: the entry has no password; who asks cannot know one.
  return code === INVALID_CREDENTIALS || code === INAPPROPRIATE_AUTHENTICATION ? false : undefined
}

const NOTHING_TO_ASK: LdapResult = {
  code: INVALID_CREDENTIALS,
  matchedDn: '',
  message: '',
  referrals: [],
}

const isEmpty = (who: LdapIdentity): boolean =>
  who.kind !== 'external' &&
  ((who.kind === 'simple' ? who.dn : who.user) === '' || who.password.length === 0)
const NUL = Uint8Array.of(0)

function bindBy(who: LdapIdentity): BindBy {
  if (who.kind === 'simple') return { kind: 'simple', password: who.password }
  if (who.kind === 'external')
    return { kind: 'sasl', mechanism: 'EXTERNAL', credentials: emptyOctets }
  if (who.user.includes('\0')) throw new Fault('invalid', 'a user name has no NUL') // RFC 4616 §2
  const credentials = concatOctets([NUL, fromUtf8(who.user), NUL, who.password])
  return { kind: 'sasl', mechanism: 'PLAIN', credentials }
}
