import type { LdapAsked, LdapRequest } from '#codec/ldap/message.ts'
import { isOf } from '#codec/ldap/match.ts'
import { describe } from './attributes.ts'
import { matcher } from './match.ts'
import { resultOf } from './results.ts'
import type { LdapSession } from './session.ts'

/** Whether an entry has that value (RFC 4511 §4.10). */
export async function compare(
  session: LdapSession,
  asked: LdapAsked,
  request: LdapRequest & { readonly op: 'compare' },
): Promise<void> {
  if (session.account === undefined)
    return session.answer(asked, resultOf('insufficientAccessRights', 'log in first'))
  const { book } = session.options.shared
  const node = book.find(request.dn)
  if (node === 'malformed') return session.answer(asked, resultOf('invalidDnSyntax'))
  if (node === undefined || node.kind === 'root')
    return session.answer(asked, resultOf('noSuchObject'))
  const entry = book.entries.of(node, { members: true })
  const { type, value } = request
  const description = describe(type)
  if (description === undefined || !entry.attributes.some((each) => isOf(each, description)))
    return session.answer(asked, resultOf('noSuchAttribute'))
  const isEqual = matcher({ kind: 'equal', type, value })(entry)
  return session.answer(asked, resultOf(isEqual ? 'compareTrue' : 'compareFalse'))
}
