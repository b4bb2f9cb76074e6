import { dnKey } from './dn.ts'

/** A group as a directory tells of it, with its members by whatever they are named there. */
export interface ToldGroup {
  readonly name: string
  /** All of them, the one that others see first; a bare name is one of the default domain. */
  readonly addresses: readonly [string, ...string[]]
  readonly members: readonly MemberName[]
  /** The server tells a part of its members only, as Active Directory does of large groups. */
  readonly isCut?: true
}

/** A DN, a user name or an address, as it is written. */
export type MemberName = `${'dn' | 'uid' | 'mail'}:${string}`

/** The same for whatever the signs between say nothing. */
export const nameKey = (name: MemberName): string =>
  name.startsWith('dn:') ? `dn:${dnKey(name.slice(3))}` : name.toLowerCase()

/** By what members may name an entry. */
export const namesOf = (dn: string, username: string | undefined): readonly string[] => {
  const named = `dn:${dnKey(dn)}`
  return username === undefined ? [named] : [named, `uid:${username}`]
}
