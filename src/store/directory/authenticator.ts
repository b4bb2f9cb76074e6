import type { Outcome } from '#base/outcome.ts'
import type { Octets } from '#base/octets.ts'
import type { Account } from '#model/account.ts'

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
  login(attempt: LoginAttempt): Promise<Outcome<Account, LoginFault>>
  /** Whether a session of the account may go on: not when it is suspended, has left, or is gone. */
  mayStay?(account: Account): boolean
  /** Absent: SCRAM is not to be had. */
  readonly scram?: ScramLogins
}

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
  ): Promise<Outcome<{ readonly account: Account; readonly signature: Octets }, LoginFault>>
}
