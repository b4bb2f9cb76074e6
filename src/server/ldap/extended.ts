import { fromUtf8 } from '#base/octets.ts'
import type { LdapAsked, LdapRequest } from '#codec/ldap/message.ts'
import { resultOf } from './results.ts'
import type { LdapSession } from './session.ts'

export const START_TLS_OID = '1.3.6.1.4.1.1466.20037'
export const WHO_AM_I_OID = '1.3.6.1.4.1.4203.1.11.3'

/** StartTLS (RFC 4511 §4.14) and who am I (RFC 4532). */
export async function extended(
  session: LdapSession,
  asked: LdapAsked,
  { oid, value }: LdapRequest & { readonly op: 'extended' },
): Promise<void> {
  if (oid === WHO_AM_I_OID) {
    const { account } = session
    const dn =
      account === undefined
        ? ''
        : `dn:${session.options.shared.book.tree.dnOf({ kind: 'person', account })}`
    return session.answer(asked, resultOf('success'), { value: fromUtf8(dn) })
  }
  if (oid !== START_TLS_OID || value !== undefined)
    return session.answer(asked, resultOf('protocolError', `${oid.slice(0, 100)} is not known`))
  if (session.isSecure || !session.isIdle)
    return session.answer(
      asked,
      resultOf('operationsError', session.isSecure ? 'TLS is there' : 'a search is under way'),
      { oid },
    )
  await session.answer(asked, resultOf('success'), { oid })
  await session.secure()
}
