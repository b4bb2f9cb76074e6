import type { Octets } from '#base/octets.ts'
import type { Filter } from './filter.ts'

/** What a client asks of a server (RFC 4511 §4.2 to §4.14). */
export type LdapRequest =
  | { readonly op: 'bind'; readonly dn: string; readonly by: BindBy }
  | { readonly op: 'unbind' }
  | ({ readonly op: 'search' } & SearchAsk)
  | { readonly op: 'modify'; readonly dn: string; readonly changes: readonly LdapChange[] }
  | { readonly op: 'add'; readonly dn: string; readonly attributes: readonly LdapAttribute[] }
  | { readonly op: 'delete'; readonly dn: string }
  | {
      readonly op: 'rename'
      readonly dn: string
      readonly rdn: string
      readonly deleteOldRdn: boolean
      readonly superior?: string
    }
  | { readonly op: 'compare'; readonly dn: string; readonly type: string; readonly value: Octets }
  | { readonly op: 'abandon'; readonly id: number }
  | { readonly op: 'extended'; readonly oid: string; readonly value?: Octets }

/** Passwords are octets: they are carried as they were typed. */
export type BindBy =
  | { readonly kind: 'simple'; readonly password: Octets }
  | { readonly kind: 'sasl'; readonly mechanism: string; readonly credentials?: Octets }

export interface SearchAsk {
  readonly base: string
  readonly scope: 'base' | 'one' | 'subtree'
  readonly filter: Filter
  /** None asks for all that users may see; `+` for what the server keeps of itself. */
  readonly attributes: readonly string[]
  /** 0 leaves it to the server. */
  readonly sizeLimit?: number
  readonly timeLimitSeconds?: number
  /** Names of attributes alone, without values. */
  readonly typesOnly?: boolean
}

export interface LdapAttribute {
  readonly type: string
  readonly values: readonly Octets[]
}

export interface LdapChange extends LdapAttribute {
  readonly kind: 'add' | 'delete' | 'replace'
}

export interface LdapEntry {
  readonly dn: string
  readonly attributes: readonly LdapAttribute[]
}

/** Reads the parts of an entry that lie between these two; throws Malformed. */
export type EntryReader<Entry> = (octets: Octets, at: number, end: number) => Entry

/** How an operation ended (RFC 4511 §4.1.9); 0 is success. */
export interface LdapResult {
  readonly code: number
  readonly matchedDn: string
  readonly message: string
  readonly referrals: readonly string[]
}

/** What a server says; entries in the form in which they are read. */
export type LdapResponse<Entry = LdapEntry> =
  | { readonly op: 'entry'; readonly entry: Entry }
  | { readonly op: 'reference'; readonly uris: readonly string[] }
  | { readonly op: 'intermediate'; readonly oid?: string; readonly value?: Octets }
  | {
      readonly op: 'result'
      readonly result: LdapResult
      /** Of a bind: the server's turn in a SASL exchange. */
      readonly saslCredentials?: Octets
      /** Of an extended operation. */
      readonly oid?: string
      readonly value?: Octets
    }

export interface LdapControl {
  readonly oid: string
  readonly critical?: boolean
  readonly value?: Octets
}

/** A request with its number. */
export interface LdapAsked {
  readonly id: number
  readonly request: LdapRequest
  readonly controls: readonly LdapControl[]
}

/** Message 0 is nobody's answer: the server speaks of its own accord (RFC 4511 §4.4). */
export interface LdapMessage<Entry = LdapEntry> {
  readonly id: number
  readonly response: LdapResponse<Entry>
  readonly controls: readonly LdapControl[]
}
