import { mainAddressOf } from '#model/account.ts'
import type { Account, Alias } from '#model/account.ts'
import { mayLogIn } from '#model/account-life.ts'
import { formatAddress, parseAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import { dnKeyOf, formatRdn, parseDn } from '#codec/ldap/dn.ts'
import type { Directory } from '#store/directory/directory.ts'

/** What a name in the tree means. */
export type TreeNode =
  | { readonly kind: 'root' } // the server itself (RFC 4512 §5.1)
  | { readonly kind: 'suffix' | 'people' | 'groups' }
  | { readonly kind: 'person'; readonly account: Account }
  | { readonly kind: 'group'; readonly alias: Alias }

/** People whose tag this is stand in no address book. */
const HIDDEN_TAG = 'hidden'

/** Whether others find somebody: not who is disabled, has left or not come yet, nor who is hidden. */
export const isShown = (account: Account, { moment }: Directory): boolean =>
  mayLogIn(account, moment) &&
  account.isGone !== true &&
  account.tags?.includes(HIDDEN_TAG) !== true

/**
 * The names of entries: `uid=USER,ou=people,dc=campus,dc=example` of people and `cn=LIST,ou=groups,…` of
 * aliases, below the default domain; USER and LIST are whole addresses where they are of another one.
 */
export class Tree {
  readonly #directory: Directory
  /** The domain that the suffix was made of: it stands in every name. */
  #of = ''
  #suffix = ''

  constructor(directory: Directory) {
    this.#directory = directory
  }

  get domain(): string {
    return this.#directory.defaultDomain ?? 'invalid'
  }

  get suffix(): string {
    const { domain } = this
    if (domain !== this.#of) {
      this.#of = domain
      this.#suffix = domain
        .split('.')
        .map((value) => formatRdn({ type: 'dc', value }))
        .join(',')
    }
    return this.#suffix
  }

  dnOf(node: TreeNode): string {
    switch (node.kind) {
      case 'root':
        return ''
      case 'suffix':
        return this.suffix
      case 'people':
      case 'groups':
        return `ou=${node.kind},${this.suffix}`
      case 'person': {
        const value = this.nameOf(mainAddressOf(node.account))
        return `${formatRdn({ type: 'uid', value })},ou=people,${this.suffix}`
      }
      case 'group': {
        const value = this.nameOf(node.alias.from)
        return `${formatRdn({ type: 'cn', value })},ou=groups,${this.suffix}`
      }
    }
  }

  /** An address by its localpart alone, where it is of the default domain. */
  nameOf(address: Address): string {
    return address.domain === this.domain ? address.localpart : formatAddress(address)
  }

  /** Undefined: there is nothing of that name. `malformed`: it is none. */
  find(dn: string): TreeNode | 'malformed' | undefined {
    const parts = parseDn(dn)
    if (parts === undefined) return 'malformed'
    if (parts.length === 0) return { kind: 'root' }
    const key = dnKeyOf(parts)
    for (const kind of ['suffix', 'people', 'groups'] as const)
      if (key === keyOf(this.dnOf({ kind }))) return { kind }
    const [first, ...rest] = parts
    if (first?.length !== 1) return undefined
    const above = dnKeyOf(rest)
    const { type, value } = first[0]!
    if (type === 'uid' && above === keyOf(this.dnOf({ kind: 'people' }))) return this.#person(value)
    if (type === 'cn' && above === keyOf(this.dnOf({ kind: 'groups' }))) return this.#group(value)
    return undefined
  }

  /** The login that somebody binds by: the name of an entry's own part, or what is no name at all as it is. */
  loginOf(dn: string): string {
    const parts = parseDn(dn)
    const [first, ...rest] = parts ?? []
    if (first?.length !== 1) return dn
    const above = dnKeyOf(rest)
    const isOurs = [this.dnOf({ kind: 'people' }), this.suffix].some(
      (each) => above === keyOf(each),
    )
    const { type, value } = first[0]!
    return isOurs && ['uid', 'mail', 'cn'].includes(type) ? value : dn
  }

  #person(name: string): TreeNode | undefined {
    const address = this.#address(name)
    const account = address && this.#directory.byAddress(address)
    // By its main address alone: each has one name.
    if (account === undefined || !isShown(account, this.#directory)) return undefined
    const node = { kind: 'person', account } as const
    return this.nameOf(mainAddressOf(account)).toLowerCase() === name.toLowerCase()
      ? node
      : undefined
  }

  #group(name: string): TreeNode | undefined {
    const address = this.#address(name)
    const alias = address && this.#directory.alias(address)
    return alias && { kind: 'group', alias }
  }

  #address(name: string): Address | undefined {
    const parsed = parseAddress(name.includes('@') ? name : `${name}@${this.domain}`)
    return parsed.ok ? parsed.value : undefined
  }
}

const keyOf = (dn: string): string => dnKeyOf(parseDn(dn) ?? [])
