import type { Outcome } from '#base/outcome.ts'
import type { Octets } from '#base/octets.ts'
import type { Account } from '#model/account.ts'

export interface LoginAttempt {
  /** As the client sent it, in UTF-8. */
  readonly login: string
  /** Opaque octets, 1 to 1,000 without NUL, CR and LF (DESIGN section 7.5). */
  readonly password: Octets
  readonly ip: string
  readonly protocol: 'smtp' | 'imap' | 'pop3' | 'http' | 'managesieve'
}

/** refused: wrong, unknown or disabled, all alike in text and time. unavailable: our trouble, 4xx. slowed: too many guesses, 4xx. */
export type LoginFault = 'refused' | 'unavailable' | 'slowed'

export interface Authenticator {
  login(attempt: LoginAttempt): Promise<Outcome<Account, LoginFault>>
}
