import { CR, LF, NUL } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { saslMechanism, startSasl } from '#codec/sasl/mechanism.ts'
import { scramMechanism } from '#codec/sasl/scram.ts'
import type { Authenticator, LoginAttempt, LoginFault } from './authenticator.ts'
import type { Entrant } from './entrant.ts'
import { exchangeScram, scramOffered } from './scram-exchange.ts'
import type { Channel } from './scram-exchange.ts'

/** How an exchange ended. malformed: the client broke the protocol, or cancelled. gone: it said nothing. */
export type SaslEnd =
  | {
      readonly kind: 'loggedIn'
      readonly account: Entrant
      /** What the server says last, where the protocol has a place for it beside its success. */
      readonly final?: Octets
    }
  | { readonly kind: 'fault'; readonly fault: LoginFault }
  | { readonly kind: 'unknownMechanism' | 'notOffered' | 'otherUser' | 'gone' }
  | { readonly kind: 'malformed'; readonly text: string }

export interface SaslAttempt extends Pick<LoginAttempt, 'ip' | 'protocol'> {
  readonly mechanism: string
  readonly channel: Channel | undefined
  /** In base64, where the command had one. */
  readonly initial: Octets | undefined
  /** beside: the client reads what the server says last together with its success; absent: it is asked to hear it. */
  readonly lastWords?: 'beside'
}

/**
 * Logs in by one of PLAIN, LOGIN, SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 4422 §3). `ask` sends a
 * challenge and gives the client's answer, both in base64.
 */
export async function exchangeSasl(
  authenticator: Authenticator,
  attempt: SaslAttempt,
  ask: (challenge: Octets) => Promise<Octets | undefined>,
): Promise<SaslEnd> {
  const scram = scramMechanism(attempt.mechanism)
  if (scram !== undefined) {
    const isOffered = scramOffered(authenticator, attempt.channel).includes(scram)
    if (authenticator.scram === undefined || !isOffered) return { kind: 'notOffered' }
    return exchangeScram(authenticator.scram, { ...attempt, mechanism: scram }, ask)
  }
  const mechanism = saslMechanism(attempt.mechanism)
  if (mechanism === undefined) return { kind: 'unknownMechanism' }
  let step = startSasl(mechanism, attempt.initial)
  while (step.kind === 'challenge') {
    const response = await ask(step.octets)
    if (response === undefined) return { kind: 'gone' }
    step = step.next(response)
  }
  if (step.kind === 'error') return { kind: 'malformed', text: step.text }
  if (step.authzid !== undefined) return { kind: 'otherUser' }
  return byPassword(authenticator, { ...attempt, login: step.login, password: step.password })
}

/** Whether there is such a mechanism, offered now or not. */
export const isSaslMechanism = (name: string): boolean =>
  scramMechanism(name) !== undefined || saslMechanism(name) !== undefined

const PASSWORD_BYTES_MAX = 1_000

/** Checks a password that came whole; what cannot be one is refused like a wrong one (DESIGN section 7.5). */
export async function byPassword(
  authenticator: Authenticator,
  { login, password, ip, protocol }: LoginAttempt,
): Promise<SaslEnd & { readonly kind: 'loggedIn' | 'fault' }> {
  if (
    password.length === 0 ||
    password.length > PASSWORD_BYTES_MAX ||
    [NUL, LF, CR].some((octet) => password.includes(octet))
  )
    return { kind: 'fault', fault: 'refused' }
  const outcome = await authenticator.login({ login, password, ip, protocol })
  return outcome.ok
    ? { kind: 'loggedIn', account: outcome.value }
    : { kind: 'fault', fault: outcome.error }
}
