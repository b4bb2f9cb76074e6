import { renderString } from '#codec/managesieve/words.ts'
import { SIEVE_EXTENSIONS } from '#engine/sieve/extensions.ts'
import { SIEVE_REDIRECTS_MAX } from '#engine/sieve/run.ts'
import { scramOffered } from '#store/directory/scram-exchange.ts'
import type { ManageSieveSession } from './session.ts'

/** Puts what the session offers in its present state (RFC 5804 §1.7). */
export function putCapabilities(session: ManageSieveSession): void {
  for (const [name, value] of capabilities(session)) {
    session.put(renderString(name, 'server'))
    if (value !== undefined) {
      session.put(' ')
      session.put(renderString(value, 'server'))
    }
    session.put('\r\n')
  }
}

/** Clients look for `SASL` and `STARTTLS` before they log in; nobody needs them afterwards. */
function capabilities(session: ManageSieveSession): readonly (readonly [string, string?])[] {
  const { account } = session
  const extensions = Object.keys(SIEVE_EXTENSIONS)
  return [
    ['IMPLEMENTATION', 'Watari'],
    ['SASL', account === undefined ? mechanisms(session).join(' ') : ''],
    ['SIEVE', extensions.join(' ')],
    // RFC 6134: schemes of the names of lists
    ...(extensions.includes('extlists') ? [['EXTLISTS', 'tag urn'] as const] : []),
    ...(extensions.includes('enotify') ? [['NOTIFY', 'mailto'] as const] : []),
    ...(account === undefined && session.tlsOffered ? [['STARTTLS'] as const] : []),
    ['MAXREDIRECTS', String(SIEVE_REDIRECTS_MAX)],
    ['LANGUAGE', 'en'],
    ...(account === undefined ? [] : [['OWNER', account.username] as const]),
    ['UNAUTHENTICATE'],
    ['VERSION', '1.0'],
  ]
}

/** None before TLS, where passwords are not taken without it. */
function mechanisms(session: ManageSieveSession): readonly string[] {
  if (!session.loginAllowed) return []
  const { authenticator } = session.options
  return ['PLAIN', 'LOGIN', ...scramOffered(authenticator, session.connection.channel)]
}
