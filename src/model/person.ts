import type { PersonFacts } from './person-facts.ts'
import type { Vacation } from './choices.ts'
import type { OwnQuota } from './quota.ts'
import type { ForeignScript } from './script.ts'

/** Somebody as another system has them: what stands between any directory's form and our own rows. */
export interface Person extends PersonFacts {
  /** Where it was read: a line of a file, or a DN. */
  readonly source: string
  readonly username: string
  /** Absent: the default domain's. */
  readonly domain?: string
  readonly name?: string
  /** Further addresses, as they are written. */
  readonly addresses: readonly string[]
  /** Where mail is sent on to. */
  readonly forward?: { readonly to: readonly string[]; readonly keep: boolean }
  readonly disabled?: boolean
  /** A hash with its scheme: `{SSHA}…`. */
  readonly passwordHash?: string
  readonly quota?: OwnQuota
  /** What was wanted of the mail there. */
  readonly wishes?: Wishes
  /** Scripts of Sieve, the names of mailboxes as they are there, parted by `/`. */
  readonly scripts?: readonly ForeignScript[]
}

/** Choices of another system, as far as ours can be such. */
export interface Wishes {
  readonly vacation?: Vacation
  /** As they are written. */
  readonly blocked?: readonly string[]
  readonly welcome?: readonly string[]
}

/** An address that leads to others. */
export interface MailGroup {
  readonly source: string
  /** An address, or a bare name of the default domain. */
  readonly address: string
  readonly to: readonly string[]
}

/** What a file or a directory says of people and groups, and what of it cannot be had. */
export interface Census {
  readonly people: readonly Person[]
  readonly groups: readonly MailGroup[]
  readonly exceptions: readonly CensusException[]
}

/** Something that was read and not taken, for whoever has to look after it. */
export interface CensusException {
  readonly source: string
  readonly text: string
}
