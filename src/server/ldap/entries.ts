import { mainAddressOf } from '#model/account.ts'
import type { Account, Alias } from '#model/account.ts'
import { formatAddress } from '#model/address.ts'
import type { Directory } from '#store/directory/directory.ts'
import type { BookAttribute, BookEntry } from './attributes.ts'
import { isEastern, partsOf } from '#model/name-parts.ts'
import { isShown } from './tree.ts'
import type { Tree, TreeNode } from './tree.ts'

/** More members than these are not told: who seeks an address wants the group's. */
const MEMBERS_MAX = 10_000

/** Entries as they are told, made of rows of the directory when somebody asks. */
export class Entries {
  readonly #directory: Directory
  readonly #tree: Tree

  constructor(directory: Directory, tree: Tree) {
    this.#directory = directory
    this.#tree = tree
  }

  /** Members of a group are looked up one by one: only where they are wanted. */
  of(node: Exclude<TreeNode, { kind: 'root' }>, options: { readonly members: boolean }): BookEntry {
    const dn = this.#tree.dnOf(node)
    switch (node.kind) {
      case 'person':
        return entry(dn, 'inetOrgPerson', this.#person(node.account))
      case 'group':
        return entry(dn, 'groupOfNames', this.#group(dn, node.alias, options))
      case 'suffix':
        return entry(dn, 'organization', [
          plain('objectClass', 'top', 'organization', 'dcObject'),
          plain('o', this.#tree.domain),
          plain('dc', this.#tree.domain.split('.')[0]!),
        ])
      case 'people':
      case 'groups':
        return entry(dn, 'organizationalUnit', [
          plain('objectClass', 'top', 'organizationalUnit'),
          plain('ou', node.kind),
        ])
    }
  }

  #person(account: Account): BookAttribute[] {
    const { name, reading, addresses } = account
    const uid = this.#tree.nameOf(mainAddressOf(account))
    const shown = name ?? uid
    return [
      plain('objectClass', 'top', 'person', 'organizationalPerson', 'inetOrgPerson'),
      plain('uid', uid),
      ...named(shown, []),
      plain('displayName', shown),
      ...(name !== undefined && isEastern(name) ? named(name, ['lang-ja']) : []),
      // As address books of Netscape's descent have it.
      ...(reading === undefined ? [] : named(reading, ['lang-ja', 'phonetic'])),
      plain('mail', ...[mainAddressOf(account), ...addresses].map(formatAddress)),
    ]
  }

  #group(dn: string, alias: Alias, options: { readonly members: boolean }): BookAttribute[] {
    const members = options.members ? this.#members(alias) : []
    return [
      plain('objectClass', 'top', 'groupOfNames'),
      plain('cn', this.#tree.nameOf(alias.from)),
      plain('mail', formatAddress(alias.from)),
      // It must have one (RFC 4519 §3.5): where all are elsewhere, itself.
      ...(options.members ? [plain('member', ...(members.length > 0 ? members : [dn]))] : []),
    ]
  }

  #members({ to }: Alias): string[] {
    return to.slice(0, MEMBERS_MAX).flatMap((address) => {
      const account = this.#directory.byAddress(address)
      if (account !== undefined)
        return isShown(account, this.#directory)
          ? [this.#tree.dnOf({ kind: 'person', account })]
          : []
      const alias = this.#directory.alias(address)
      return alias === undefined ? [] : [this.#tree.dnOf({ kind: 'group', alias })]
    })
  }
}

const plain = (type: string, ...values: readonly string[]): BookAttribute => ({
  type,
  options: [],
  values,
})

/** cn, and sn and givenName where the name has parts. */
function named(name: string, options: readonly string[]): BookAttribute[] {
  const { surname, givenName } = partsOf(name)
  const of = (type: string, value: string): BookAttribute => ({ type, options, values: [value] })
  return [
    of('cn', name),
    of('sn', surname),
    ...(givenName === undefined ? [] : [of('givenName', givenName)]),
  ]
}

function entry(dn: string, structural: string, attributes: readonly BookAttribute[]): BookEntry {
  const operational = (type: string, value: string): BookAttribute => ({
    type,
    options: [],
    values: [value],
    isOperational: true,
  })
  const isLeaf = structural === 'inetOrgPerson' || structural === 'groupOfNames'
  return {
    dn,
    attributes: [
      ...attributes,
      operational('entryDN', dn), // RFC 5020
      operational('structuralObjectClass', structural),
      operational('hasSubordinates', isLeaf ? 'FALSE' : 'TRUE'),
    ],
  }
}
