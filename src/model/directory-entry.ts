import type { Octets } from '#base/octets.ts'

/** An entry of an LDAP directory, as a server or a file of LDIF has it. */
export interface DirectoryEntry {
  readonly dn: string
  readonly attributes: readonly EntryAttribute[]
}

export interface EntryAttribute {
  /** With its options: `cn;lang-ja`. */
  readonly type: string
  readonly values: readonly Octets[]
}
