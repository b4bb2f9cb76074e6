import { CR, LF, NUL, fromLatin1, toUtf8Strict } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { AUTHORIZATION } from '#server/pop3/command.ts'
import type { Pop3Handler } from '#server/pop3/command.ts'
import { Maildrop } from '#server/pop3/maildrop.ts'
import type { Pop3Session } from '#server/pop3/session.ts'
import type { Account } from '#model/account.ts'
import type { LoginFault } from '#store/directory/authenticator.ts'

/** RFC 1939 §7: says +OK to every name, so that nobody learns which exist. */
export const user: Pop3Handler = {
  verb: 'USER',
  states: AUTHORIZATION,
  async run(session, args) {
    if (!session.loginAllowed) return plaintextRefused(session)
    const name = args.length === 0 ? undefined : toUtf8Strict(fromLatin1(args.join(' ')))
    if (name === undefined) return session.error(session.words.expectedUser)
    session.user = name
    session.ok(session.words.sendPassword)
  },
}

/** RFC 1939 §7: the password is all that follows the first blank. */
export const pass: Pop3Handler = {
  verb: 'PASS',
  states: AUTHORIZATION,
  async run(session, args) {
    if (!session.loginAllowed) return plaintextRefused(session)
    const name = session.user
    if (name === undefined) return session.error(session.words.userFirst)
    session.user = undefined
    await logIn(session, name, fromLatin1(args[0] ?? ''))
  },
}

export const plaintextRefused = (session: Pop3Session): void => session.error(session.words.tlsOnly)

const PASSWORD_BYTES_MAX = 1_000

/** Checks a password and opens the maildrop. */
export async function logIn(session: Pop3Session, name: string, password: Octets): Promise<void> {
  const { authenticator } = session.options
  if (password.length === 0 || password.length > PASSWORD_BYTES_MAX) return session.loginFailed()
  if ([NUL, LF, CR].some((octet) => password.includes(octet))) return session.loginFailed()
  const outcome = await authenticator.login({
    login: name,
    password,
    ip: session.ip,
    protocol: 'pop3',
  })
  if (outcome.ok) await enter(session, outcome.value)
  else notLoggedIn(session, outcome.error)
}

export function notLoggedIn(session: Pop3Session, fault: LoginFault): void {
  if (fault === 'refused') return session.loginFailed()
  session.error(session.words.loginsUnavailable, 'SYS/TEMP')
}

/** Opens the maildrop of a login that was right. */
export async function enter(session: Pop3Session, account: Account): Promise<void> {
  const { shared, log } = session.options
  if (shared.open.has(account.id)) return session.error(session.words.inUse, 'IN-USE') // RFC 2449 §8.1.1
  shared.open.add(account.id)
  try {
    session.maildrop = await Maildrop.open(shared.store, {
      accountId: account.id,
      withJunk: shared.withJunk(),
    })
  } catch (thrown) {
    shared.open.delete(account.id)
    throw thrown
  }
  session.logIn(account)
  log.info('pop3.login', { accountId: account.id, ip: session.ip, tls: session.secure })
  session.ok(session.words.messages(session.maildrop.length))
}
