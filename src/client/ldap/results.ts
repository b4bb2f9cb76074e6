import { Fault } from '#base/outcome.ts'
import type { LdapResult } from '#codec/ldap/message.ts'
import { serverName } from './server.ts'
import type { LdapServer } from './server.ts'

/** Result codes that mean something of their own here (RFC 4511 appendix A). */
export const SUCCESS = 0
export const TIME_LIMIT_EXCEEDED = 3
export const SIZE_LIMIT_EXCEEDED = 4
export const ADMIN_LIMIT_EXCEEDED = 11
/** unavailableCriticalExtension: nothing was done. */
export const NOT_OFFERED = 12
export const NO_SUCH_OBJECT = 32
export const INAPPROPRIATE_AUTHENTICATION = 48
export const INVALID_CREDENTIALS = 49
export const UNWILLING = 53
export const ENTRY_EXISTS = 68

const NAMES: Readonly<Record<number, string>> = {
  1: 'operations error',
  2: 'protocol error',
  3: 'time limit exceeded',
  4: 'size limit exceeded',
  7: 'authentication method not supported',
  8: 'stronger authentication required',
  10: 'referral',
  11: 'administrative limit exceeded',
  12: 'critical extension not available',
  13: 'confidentiality required',
  16: 'no such attribute',
  17: 'undefined attribute type',
  19: 'constraint violation',
  20: 'attribute or value exists',
  21: 'invalid attribute syntax',
  32: 'no such object',
  34: 'invalid DN syntax',
  48: 'inappropriate authentication',
  49: 'invalid credentials',
  50: 'insufficient access rights',
  51: 'busy',
  52: 'unavailable',
  53: 'unwilling to perform',
  65: 'object class violation',
  68: 'entry already exists',
}

/** Operations error, time limit, administrative limit, busy, unavailable, other: another host may do better. */
const OF_SERVER: ReadonlySet<number> = new Set([1, 3, 11, 51, 52, 80])

/** Whether a result tells of trouble of the server, and not of what was asked. */
export const isOfServer = ({ code }: LdapResult): boolean => OF_SERVER.has(code)

/** A result that is no success, as trouble of the source: never "wrong password" or "no such user". */
export function resultFault(server: LdapServer, { code, message, matchedDn }: LdapResult): Fault {
  const said = [NAMES[code] ?? `result ${code}`, message, matchedDn].filter((text) => text !== '')
  const text = `${serverName(server)}: ${said.join('; ')}`
  if (code === SIZE_LIMIT_EXCEEDED) return new Fault('limit', text)
  return new Fault(code === NO_SUCH_OBJECT ? 'notFound' : 'unavailable', text)
}
