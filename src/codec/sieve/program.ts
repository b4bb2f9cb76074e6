import type { Address } from '#model/address.ts'

/** A checked script: everything that can be refused has been, so running it meets no surprise. */
export interface SieveProgram {
  readonly statements: readonly SieveStatement[]
}

export type SieveStatement =
  | {
      readonly kind: 'if'
      readonly branches: readonly {
        readonly test: SieveCondition
        readonly block: readonly SieveStatement[]
      }[]
      readonly otherwise: readonly SieveStatement[]
    }
  | { readonly kind: 'stop' | 'discard' }
  | { readonly kind: 'keep'; readonly flags?: readonly string[] }
  | {
      readonly kind: 'fileinto'
      readonly mailbox: string
      readonly copy: boolean
      readonly create: boolean
      readonly flags?: readonly string[]
    }
  | { readonly kind: 'redirect'; readonly address: Address; readonly copy: boolean }
  | { readonly kind: 'reject' | 'ereject'; readonly reason: string }
  | { readonly kind: 'setflag' | 'addflag' | 'removeflag'; readonly flags: readonly string[] }

export type SieveComparator = 'i;octet' | 'i;ascii-casemap' | 'i;ascii-numeric'
export type SieveRelation = 'gt' | 'ge' | 'lt' | 'le' | 'eq' | 'ne'

/** How keys are compared (RFC 5228 §2.7, RFC 5231). */
export interface SieveMatch {
  readonly comparator: SieveComparator
  readonly type:
    | { readonly kind: 'is' | 'contains' | 'matches' }
    | { readonly kind: 'value'; readonly relation: SieveRelation }
    | { readonly kind: 'count'; readonly relation: SieveRelation }
}

export type SieveAddressPart = 'all' | 'localpart' | 'domain' | 'user' | 'detail'

export type SieveCondition =
  | { readonly kind: 'true' | 'false' }
  | { readonly kind: 'not'; readonly test: SieveCondition }
  | { readonly kind: 'allof' | 'anyof'; readonly tests: readonly SieveCondition[] }
  | { readonly kind: 'size'; readonly over: boolean; readonly limit: number }
  | { readonly kind: 'exists'; readonly headers: readonly string[] }
  | {
      readonly kind: 'header'
      readonly headers: readonly string[]
      readonly keys: readonly string[]
      readonly match: SieveMatch
    }
  | {
      readonly kind: 'address' | 'envelope'
      readonly part: SieveAddressPart
      readonly headers: readonly string[]
      readonly keys: readonly string[]
      readonly match: SieveMatch
    }
  | { readonly kind: 'mailboxexists'; readonly mailboxes: readonly string[] }
  | { readonly kind: 'spamtest'; readonly key: string; readonly match: SieveMatch }
  | { readonly kind: 'hasflag'; readonly keys: readonly string[]; readonly match: SieveMatch }
