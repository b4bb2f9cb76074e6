import type { Account, AccountId } from './account.ts'

/** A password of one program, made by us: whoever loses the telephone takes that one back, and nothing else. */
export interface AppPassword {
  /** Unique within its account. */
  readonly id: string
  /** What its owner calls it: the program or the machine. */
  readonly name: string
  /** SHA-256 in base64. It has a hundred random bits: no slow hash would make guessing any harder. */
  readonly hash: string
  /** For SCRAM, on the salt of the account's other passwords. */
  readonly scram: string
  /** ISO 8601, UTC. */
  readonly createdAt: string
  /** Absent: wherever programs log in. */
  readonly protocols?: readonly AppProtocol[]
}

/** Where programs log in; never pages, which could change passwords. */
export const APP_PROTOCOLS = ['imap', 'pop3', 'smtp', 'jmap', 'sieve', 'ldap'] as const
export type AppProtocol = (typeof APP_PROTOCOLS)[number]

/** When one was used last, to the hour. */
export interface AppPasswordUse {
  readonly accountId: AccountId
  readonly id: string
  /** ISO 8601, UTC. */
  readonly at: string
  readonly ip: string
  readonly protocol: AppProtocol
}

export const APP_PASSWORDS_MAX = 50
export const APP_PASSWORD_NAME_MAX = 100

/** A name is one line that can be seen. */
export const isAppPasswordName = (name: string): boolean =>
  name.trim() !== '' && name.length <= APP_PASSWORD_NAME_MAX && !/\p{Cc}/u.test(name)

/** One that is added, or one that is taken back. */
export type AppPasswordChange = { readonly accountId: AccountId } & (
  | { readonly add: AppPassword }
  | { readonly remove: string }
)

/** The account with the change, or why there is none. */
export function withAppPassword(
  { appPasswords: before = [], ...account }: Account,
  change: AppPasswordChange,
): Account | 'limit' | 'notFound' {
  if ('add' in change) {
    if (before.length >= APP_PASSWORDS_MAX) return 'limit'
    return { ...account, appPasswords: [...before, change.add] }
  }
  const left = before.filter(({ id }) => id !== change.remove)
  if (left.length === before.length) return 'notFound'
  return { ...account, ...(left.length > 0 && { appPasswords: left }) }
}
