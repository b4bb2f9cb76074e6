import type { Outcome } from '#base/outcome.ts'
import type { Octets } from '#base/octets.ts'
import type { AccountId } from '#model/account.ts'
import type { Entrant } from './entrant.ts'

export interface LoginAttempt {
  /** As the client sent it, in UTF-8. */
  readonly login: string
  /** Opaque octets, 1 to 1,000 without NUL, CR and LF (DESIGN section 7.5). */
  readonly password: Octets
  readonly ip: string
  /** `http`: a program, by JMAP; `page`: a person in a browser, who may change passwords there. */
  readonly protocol: 'smtp' | 'imap' | 'pop3' | 'http' | 'page' | 'managesieve' | 'ldap'
}

/** refused: wrong, unknown or disabled, all alike in text and time. unavailable: our trouble, 4xx. slowed: too many guesses, 4xx. */
export type LoginFault = 'refused' | 'unavailable' | 'slowed'

export interface Authenticator {
  login(attempt: LoginAttempt): Promise<Outcome<Entrant, LoginFault>>
  /** Whether a session of whom it has let in may go on. */
  mayStay?(entrant: Entrant): boolean
  /** Told whose rows have changed, gone ones too; the returned function ends it. */
  onChange?(listener: AccountsListener): () => void
  /** Absent: SCRAM is not to be had. */
  readonly scram?: ScramLogins
}

export type AccountsListener = (accounts: ReadonlySet<AccountId> | 'all') => void

/** Logins in which the password is not sent (RFC 5802). */
export interface ScramLogins {
  /** Only while every account that can log in has keys: a client that prefers it locks nobody out. */
  readonly offered: boolean
  /** What a client needs to prove that it knows the password; the same whether the name exists or not. */
  begin(login: string): ScramChallenge
}

export interface ScramChallenge {
  readonly salt: Octets
  readonly iterations: number
  /** Whose login it was, and what proves to the client that we have known its keys. */
  finish(
    answer: Pick<LoginAttempt, 'ip' | 'protocol'> & {
      readonly proof: Octets
      readonly authMessage: string
    },
  ): Promise<Outcome<{ readonly account: Entrant; readonly signature: Octets }, LoginFault>>
}
