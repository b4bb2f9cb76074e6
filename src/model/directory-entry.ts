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

/** An entry of which the values are wanted that are text. */
export interface EntryTexts {
  readonly dn: string
  /** By their attribute in lower case, with its options. */
  readonly texts: ReadonlyMap<string, readonly string[]>
  /** Values that are no UTF-8, likewise. */
  readonly octets: ReadonlyMap<string, readonly Octets[]>
  /** Whether an attribute has options: most entries have none. */
  readonly hasOptions: boolean
}
