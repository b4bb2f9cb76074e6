import { emptyOctets, fromLatin1 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import type { LdapAsked, LdapRequest } from '#codec/ldap/message.ts'
import { saslMechanism, startSasl } from '#codec/sasl/mechanism.ts'
import type { LoginFault } from '#store/directory/authenticator.ts'
import { resultOf } from './results.ts'
import type { ResultName } from './results.ts'
import type { LdapSession } from './session.ts'

type Bind = LdapRequest & { readonly op: 'bind' }

/**
 * Logs in by a password (RFC 4513 §5): by the name of an entry, or any login that other protocols take.
 * Whatever goes wrong, the connection is nobody's afterwards.
 */
export async function bind(session: LdapSession, asked: LdapAsked, request: Bind): Promise<void> {
  session.logOut()
  const { by, dn } = request
  if (by.kind === 'simple' && by.password.length === 0) {
    if (dn === '') return session.answer(asked, resultOf('success')) // anonymous: RFC 4513 §5.1.1
    // RFC 4513 §5.1.2: programs take its success for that of a password.
    return session.answer(asked, resultOf('unwillingToPerform', 'a name without a password'))
  }
  if (by.kind === 'sasl' && by.mechanism.toUpperCase() !== 'PLAIN')
    return session.answer(asked, resultOf('authMethodNotSupported', 'PLAIN is what there is'))
  if (!session.isLoginAllowed)
    return session.answer(
      asked,
      resultOf(
        'confidentialityRequired',
        'passwords are taken after StartTLS, or on the port of ldaps',
      ),
    )
  if (by.kind === 'simple') {
    const login = session.options.shared.book.tree.loginOf(dn)
    return logIn(session, asked, { login, password: by.password })
  }
  if (by.credentials === undefined)
    return session.answer(asked, resultOf('saslBindInProgress'), { saslCredentials: emptyOctets })
  const plain = readPlain(by.credentials)
  if (plain === undefined)
    return session.answer(
      asked,
      resultOf('invalidCredentials', 'these are no credentials of PLAIN'),
    )
  return logIn(session, asked, plain)
}

/** `[authzid] NUL authcid NUL passwd` (RFC 4616 §2); undefined: it is not, or somebody else is meant. */
function readPlain(
  credentials: Octets,
): { readonly login: string; readonly password: Octets } | undefined {
  const base64 = fromLatin1(Buffer.from(credentials).toString('base64'))
  const step = startSasl(saslMechanism('PLAIN')!, base64)
  if (step.kind !== 'credentials') return undefined
  const { login, password, authzid } = step
  // RFC 4513 §5.2.1.8: `u:` and a user's name.
  return authzid === undefined || authzid === `u:${login}` ? { login, password } : undefined
}

async function logIn(
  session: LdapSession,
  asked: LdapAsked,
  { login, password }: { readonly login: string; readonly password: Octets },
): Promise<void> {
  const { ip } = session
  const attempt = { login, password, ip, protocol: 'ldap' } as const
  const found = await session.options.authenticator.login(attempt)
  if (found.ok) {
    session.logIn(found.value)
    return session.answer(asked, resultOf('success'))
  }
  if (found.error === 'refused') session.loginFailed()
  const [name, text] = FAULTS[found.error]
  return session.answer(asked, resultOf(name, text))
}

const FAULTS: Readonly<Record<LoginFault, readonly [ResultName, string]>> = {
  refused: ['invalidCredentials', 'name or password is wrong'],
  slowed: ['busy', 'too many wrong passwords: try again later'],
  unavailable: ['unavailable', 'logins cannot be checked now'],
}
