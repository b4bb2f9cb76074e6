import type { Address } from './address.ts'
import type { AppPassword } from './app-password.ts'
import type { DkimKey } from './dkim-key.ts'
import type { Day, PersonFacts } from './person-facts.ts'
import type { Profile } from './profile.ts'
import type { OwnQuota } from './quota.ts'
import type { GivenRole } from './role.ts'
import type { Origin } from './source.ts'

export type AccountId = string & { readonly __brand: 'AccountId' }

/** A person or office that logs in and owns mailboxes. */
export interface Account extends PersonFacts {
  /** Immutable; never reused. */
  readonly id: AccountId
  /** User name, unique within its domain; lower-case. */
  readonly username: string
  readonly domain: string
  readonly name?: string
  readonly admin: boolean
  /** What else it may do than use its own mail; `admin` is more than any. */
  readonly role?: GivenRole
  readonly disabled: boolean
  /** PHC string of argon2id, or a brought-in `{SCHEME}` hash; never leaves the nodes. */
  readonly credential?: string
  /** What SCRAM-SHA-256 checks the same password with (RFC 5803), where that can be; never leaves the nodes. */
  readonly scram?: string
  /** Passwords of single programs, beside its own. */
  readonly appPasswords?: readonly AppPassword[]
  /** Grows with each new password; keys what is remembered of a check. */
  readonly credentialVersion: number
  /** Further addresses of the account, besides username@domain. */
  readonly addresses: readonly Address[]
  /** Addresses that it may also send under. */
  readonly delegated: readonly Address[]
  readonly quota?: OwnQuota
  readonly profile?: Profile
  /** What other directories say of it, first to last; it is theirs alone where `isOwn` is absent. */
  readonly origins?: readonly Origin[]
  /** None of those directories has it any more; whoever is of that name there now is somebody else. */
  readonly isGone?: true
  /** The account was made here, and stays when no other directory has it any more. */
  readonly isOwn?: true
  /** Whose answer to a bind decides about a password, where it has no credential here. */
  readonly bind?: Origin
  /** It is disabled because another directory says so, or has it no more. */
  readonly isDisabledThere?: true
  /** Its main addresses of earlier times. */
  readonly formerAddresses?: readonly FormerAddress[]
  /** Where mail goes when the account has left, and the last day of that. */
  readonly afterLeaving?: { readonly to: readonly Address[]; readonly until: Day }
  /** The last notice of its end that was sent: of which last day, and so many days before. */
  readonly expiryNotice?: { readonly expiresOn: Day; readonly days: number }
  /** When it was deleted, in ISO 8601 and UTC; it can be had back until it is deleted for good. */
  readonly deletedAt?: string
}

/** An address that somebody was called by; both times in ISO 8601 and UTC. */
export interface FormerAddress {
  readonly address: Address
  /** Mail to it still arrives until then. */
  readonly keptUntil: string
  /** Nobody else is given it until then. */
  readonly reservedUntil: string
}

/** A domain that is ours. */
export interface LocalDomain {
  readonly name: string
  /** Addresses of this domain are those of `convertTo` (envelope only). */
  readonly convertTo?: string
  /** What its accounts may hold, where they have no limit of their own. */
  readonly quota?: OwnQuota
  /** Secret: what salts of names that do not exist are made from, so that they look like others. */
  readonly saltKey?: string
  /** By which its mail is signed, in the order of their making. */
  readonly dkim?: readonly DkimKey[]
}

/** `from` is handed on to each of `to`; local or not. */
export interface Alias {
  readonly from: Address
  readonly to: readonly Address[]
  /** What people call the group that it is; one with a name may have no members yet. */
  readonly name?: string
  /** What another system calls the group. */
  readonly externalId?: string
  /** Entries of other directories that say all of it, first to last. */
  readonly origins?: readonly Origin[]
}

/** What an account's mail is forwarded to. */
export interface Forward {
  readonly accountId: AccountId
  readonly to: readonly Address[]
  /** Keep a copy in the mailbox. */
  readonly keep: boolean
}

/** The address that an account is called by. */
export const mainAddressOf = ({
  username,
  domain,
}: Pick<Account, 'username' | 'domain'>): Address => ({
  localpart: username,
  domain,
})
