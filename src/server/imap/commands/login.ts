import { CR, LF, NUL, fromLatin1, toUtf8Strict } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { capabilities, loginAllowed } from '#server/imap/session/capabilities.ts'
import type { ImapCommand } from '#server/imap/session/command.ts'
import { done, no } from '#server/imap/session/completion.ts'
import type { Completion } from '#server/imap/session/completion.ts'
import type { ImapSession } from '#server/imap/session/session.ts'
import type { Account } from '#model/account.ts'
import type { LoginFault } from '#store/directory/authenticator.ts'

/** RFC 9051 §6.2.3. The password is opaque: atom, quoted or literal give the same octets. */
export const login: ImapCommand<'LOGIN'> = {
  name: 'LOGIN',
  states: ['greeted'],
  async run(session, command) {
    if (!loginAllowed(session)) return plaintextRefused()
    const name = toUtf8Strict(fromLatin1(command.login))
    const password = fromLatin1(command.password)
    return name === undefined ? failed(session) : logIn(session, name, password)
  },
}

export const plaintextRefused = (): Completion =>
  no('PRIVACYREQUIRED', 'Passwords are taken inside TLS only; use STARTTLS or port 993')

const PASSWORD_BYTES_MAX = 1_000

function failed(session: ImapSession): Completion {
  session.loginFailed()
  return no('AUTHENTICATIONFAILED', 'Wrong user name or password')
}

/** Checks a password and enters the account. */
export async function logIn(
  session: ImapSession,
  name: string,
  password: Octets,
): Promise<Completion> {
  const { authenticator } = session.room
  if (password.length === 0 || password.length > PASSWORD_BYTES_MAX) return failed(session)
  if ([NUL, LF, CR].some((octet) => password.includes(octet))) return failed(session)
  const outcome = await authenticator.login({
    login: name,
    password,
    ip: session.ip,
    protocol: 'imap',
  })
  return outcome.ok ? enter(session, outcome.value) : notLoggedIn(session, outcome.error)
}

/** Why a login did not succeed. */
export function notLoggedIn(session: ImapSession, fault: LoginFault): Completion {
  if (fault === 'refused') return failed(session)
  const text =
    fault === 'slowed'
      ? 'Too many attempts; try again later'
      : 'Logins cannot be checked for now; try again later'
  return no('UNAVAILABLE', text)
}

/** Enters the account of a login that was right. */
export function enter(session: ImapSession, account: Account): Completion {
  const { byAccount, limits, log } = session.room
  if (!byAccount.enter(account.id, limits.connectionsPerAccountMax))
    return no('LIMIT', 'Too many connections of this account')
  session.logIn(account)
  log.info('imap.login', { accountId: account.id, ip: session.ip, tls: session.secure })
  return done('Logged in', `CAPABILITY ${capabilities(session)}`)
}
