import { fromLatin1, toUtf8Strict } from '#base/octets.ts'
import { capabilities, loginAllowed } from '#server/imap/session/capabilities.ts'
import type { ImapCommand } from '#server/imap/session/command.ts'
import { done, no } from '#server/imap/session/completion.ts'
import type { Completion } from '#server/imap/session/completion.ts'
import type { ImapSession } from '#server/imap/session/session.ts'
import type { LoginFault } from '#store/directory/authenticator.ts'
import type { Entrant } from '#store/directory/entrant.ts'
import { byPassword } from '#store/directory/sasl-exchange.ts'

/** RFC 9051 §6.2.3. The password is opaque: atom, quoted or literal give the same octets. */
export const login: ImapCommand<'LOGIN'> = {
  name: 'LOGIN',
  states: ['greeted'],
  async run(session, command) {
    if (!loginAllowed(session)) return plaintextRefused()
    const name = toUtf8Strict(fromLatin1(command.login))
    if (name === undefined) return failed(session)
    const password = fromLatin1(command.password)
    const { room, ip } = session
    const attempt = { login: name, password, ip, protocol: 'imap' } as const
    const end = await byPassword(room.authenticator, attempt)
    return end.kind === 'loggedIn' ? enter(session, end.account) : notLoggedIn(session, end.fault)
  },
}

export const plaintextRefused = (): Completion =>
  no('PRIVACYREQUIRED', 'Passwords are taken inside TLS only; use STARTTLS or port 993')

function failed(session: ImapSession): Completion {
  session.loginFailed()
  return no('AUTHENTICATIONFAILED', 'Wrong user name or password')
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
export function enter(session: ImapSession, account: Entrant): Completion {
  const { byAccount, limits, log } = session.room
  if (!byAccount.enter(account.id, limits.connectionsPerAccountMax))
    return no('LIMIT', 'Too many connections of this account')
  session.logIn(account)
  log.info('imap.login', { accountId: account.id, ip: session.ip, tls: session.secure })
  return done('Logged in', `CAPABILITY ${capabilities(session)}`)
}
