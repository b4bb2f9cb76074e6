import { equalOctets, fromUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { err, ok } from '#base/outcome.ts'
import type { Account, AccountId } from '#model/account.ts'
import type { LoginAttempt, LoginFault } from '#store/directory/authenticator.ts'
import type { Authenticator } from '#store/directory/authenticator.ts'

/** Accounts with their passwords; `fault` is answered instead while it is set. */
export class FakeAuthenticator implements Authenticator {
  fault: LoginFault | undefined
  /** As the directory knows them, where a test has changed them. */
  accounts: ReadonlyMap<string, Account> = new Map()
  readonly attempts: LoginAttempt[] = []
  /** Whose sessions may not go on. */
  readonly fallen = new Set<AccountId>()
  readonly #passwords: Map<string, Octets>
  constructor(passwords: Readonly<Record<string, string | Octets>>) {
    this.#passwords = new Map(
      Object.entries(passwords).map(([login, password]) => [
        login,
        typeof password === 'string' ? fromUtf8(password) : password,
      ]),
    )
  }

  /** Of all accounts. */
  get names(): readonly string[] {
    return [...this.#passwords.keys()]
  }

  mayStay = ({ id }: Account): boolean => !this.fallen.has(id)

  login: Authenticator['login'] = async (attempt) => {
    this.attempts.push(attempt)
    if (this.fault !== undefined) return err(this.fault)
    const password = this.#passwords.get(attempt.login)
    const matches = password !== undefined && equalOctets(password, attempt.password)
    if (!matches) return err('refused')
    const account = fakeAccount(attempt.login)
    return ok(this.accounts.get(account.id) ?? account)
  }
}

export const fakeAccount = (username: string): Account => ({
  id: `account-${username}` as AccountId,
  username,
  domain: 'campus.example',
  admin: false,
  disabled: false,
  credentialVersion: 1,
  addresses: [],
  delegated: [],
})
