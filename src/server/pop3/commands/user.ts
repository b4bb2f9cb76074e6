import { fromLatin1, toUtf8Strict } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { AUTHORIZATION } from '#server/pop3/command.ts'
import type { Pop3Handler } from '#server/pop3/command.ts'
import { Maildrop } from '#server/pop3/maildrop.ts'
import type { Pop3Session } from '#server/pop3/session.ts'
import type { LoginFault } from '#store/directory/authenticator.ts'
import type { Entrant } from '#store/directory/entrant.ts'
import { byPassword } from '#store/directory/sasl-exchange.ts'

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

async function logIn(session: Pop3Session, login: string, password: Octets): Promise<void> {
  const { options, ip } = session
  const end = await byPassword(options.authenticator, { login, password, ip, protocol: 'pop3' })
  if (end.kind === 'loggedIn') await enter(session, end.account)
  else notLoggedIn(session, end.fault)
}

export function notLoggedIn(session: Pop3Session, fault: LoginFault): void {
  if (fault === 'refused') return session.loginFailed()
  session.error(session.words.loginsUnavailable, 'SYS/TEMP')
}

/** Opens the maildrop of a login that was right. */
export async function enter(session: Pop3Session, account: Entrant): Promise<void> {
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
