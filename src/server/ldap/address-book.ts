import type { Clock } from '#base/time.ts'
import type { Filter } from '#codec/ldap/filter.ts'
import type { Account, AccountId } from '#model/account.ts'
import { addressKey, formatAddress, parseAddress } from '#model/address.ts'
import { mainAddressOf } from '#model/account.ts'
import { foldedTogether } from '#engine/people/folded-texts.ts'
import type { TextEntry } from '#engine/people/text-blocks.ts'
import { TextIndex } from '#engine/people/text-index.ts'
import type { Directory, DirectoryKey } from '#store/directory/directory.ts'
import type { BookEntry } from './attributes.ts'
import { Entries } from './entries.ts'
import { holder, matcher, wordsIn } from './match.ts'
import { isShown, Tree } from './tree.ts'
import type { TreeNode } from './tree.ts'

/** So long a search works on while everybody else of this process waits; looked at after each entry and some rows. */
const TURN_MS = 2

/** Row keys that have changed; all, where the whole copy came anew or a domain changed. */
export type RowsListener = (keys: readonly DirectoryKey[] | 'all') => void

/**
 * People and groups of the directory as entries, found by filters. The texts of all rows are kept folded,
 * so that a search over 200,000 looks at strings, and makes entries of those only that hold what is sought.
 */
export class AddressBook {
  readonly tree: Tree
  readonly entries: Entries
  readonly #directory: Directory
  readonly #clock: Clock
  readonly #withGroups: () => boolean
  readonly #texts: TextIndex<RowNode>

  constructor(parts: {
    readonly directory: Directory
    readonly clock: Clock
    readonly onRows: (listener: RowsListener) => void
    /** Whether aliases stand in it. */
    readonly withGroups: () => boolean
  }) {
    this.#directory = parts.directory
    this.#clock = parts.clock
    this.#withGroups = parts.withGroups
    this.tree = new Tree(parts.directory)
    this.entries = new Entries(parts.directory, this.tree)
    this.#texts = new TextIndex<RowNode>(
      { all: () => this.#rows(), row: (key) => this.#rowOf(key), entriesOf },
      parts.clock,
    )
    parts.onRows((keys) =>
      this.#texts.changed(keys === 'all' ? keys : keys.filter((key) => ROW_KEY.test(key))),
    )
  }

  /** What a name means; undefined: nothing that anybody is shown. */
  find(dn: string): TreeNode | 'malformed' | undefined {
    const node = this.tree.find(dn)
    const isGroup = typeof node === 'object' && (node.kind === 'group' || node.kind === 'groups')
    return isGroup && !this.#withGroups() ? undefined : node
  }

  /** Makes the texts soon, in the background. */
  warm(): void {
    this.#texts.warm()
  }

  /** Every entry below (and at) a place for which the filter is true; others have their turns in between. */
  async *search(ask: {
    readonly base: Exclude<TreeNode, { kind: 'root' }>
    readonly scope: 'base' | 'one' | 'subtree'
    readonly filter: Filter
    /** Whether members of groups are wanted. */
    readonly members: boolean
    /** Asked at each turn; true ends it. */
    readonly isOver: () => boolean
  }): AsyncGenerator<BookEntry, undefined> {
    const isMatch = matcher(ask.filter)
    const withGroups = this.#withGroups()
    const fixed = placesOf(ask, withGroups).map((node) => this.entries.of(node, ask))
    for (const entry of fixed) if (isMatch(entry)) yield entry
    const kinds = kindsOf(ask, withGroups)
    if (kinds.length === 0) return undefined
    const texts = await this.#texts.ready()
    let turnEndMs = this.#clock.monotonicMs() + TURN_MS
    for (const found of texts.find({ words: wordsIn(ask.filter), holds: holder(ask.filter) })) {
      if (this.#clock.monotonicMs() >= turnEndMs) {
        await turn()
        if (ask.isOver()) return undefined
        turnEndMs = this.#clock.monotonicMs() + TURN_MS
      }
      if (found === undefined || !kinds.some((kind) => found.id.startsWith(kind))) continue
      const node = this.#nodeOf(found.id)
      if (node === undefined) continue
      const entry = this.entries.of(node, ask)
      if (isMatch(entry)) yield entry
    }
    return undefined
  }

  *#rows(): Generator<RowNode, undefined> {
    for (const account of this.#directory.accounts()) yield { kind: 'person', account }
    for (const alias of this.#directory.aliases()) yield { kind: 'group', alias }
    return undefined
  }

  /** What others find of a row now: days begin and end without a change of it. */
  #nodeOf(key: string): RowNode | undefined {
    const row = this.#rowOf(key)
    return row?.kind === 'person' && !isShown(row.account, this.#directory) ? undefined : row
  }

  /** The row as it is now; undefined: it is gone, or none of ours. */
  #rowOf(key: string): RowNode | undefined {
    const [, kind, name = ''] = ROW_KEY.exec(key) ?? []
    if (kind === 'account') {
      const account = this.#directory.account(name as AccountId)
      return account && { kind: 'person', account }
    }
    if (kind !== 'alias') return undefined
    const address = parseAddress(name)
    const alias = address.ok ? this.#directory.alias(address.value) : undefined
    return alias && { kind: 'group', alias }
  }
}

type RowNode = Extract<TreeNode, { readonly kind: 'person' | 'group' }>

const ROW_KEY = /^(account|alias):(.*)$/s

/** Everything that is compared as text; a surname is a part of its name. */
function entriesOf(nodes: readonly RowNode[]): TextEntry[] {
  const texts = foldedTogether(
    nodes.map((node) =>
      node.kind === 'person' ? textsOf(node.account) : [formatAddress(node.alias.from)],
    ),
  )
  return nodes.map((node, at) => {
    const id =
      node.kind === 'person' ? `account:${node.account.id}` : `alias:${addressKey(node.alias.from)}`
    return { id, key: id, text: texts[at]! }
  })
}

const textsOf = (account: Account): string[] => [
  account.name ?? '',
  account.reading ?? '',
  ...[mainAddressOf(account), ...account.addresses].map(formatAddress),
]

/** The places of the tree itself that a search is for. */
function placesOf(
  ask: Parameters<AddressBook['search']>[0],
  withGroups: boolean,
): Exclude<TreeNode, { kind: 'root' }>[] {
  const { base, scope } = ask
  if (scope === 'base') return [base]
  if (base.kind === 'suffix') {
    const below = withGroups
      ? ([{ kind: 'people' }, { kind: 'groups' }] as const)
      : ([{ kind: 'people' }] as const)
    return scope === 'one' ? [...below] : [base, ...below]
  }
  return scope === 'subtree' ? [base] : []
}

/** Which rows a search is for, by how their keys begin. */
function kindsOf(
  { base, scope }: Parameters<AddressBook['search']>[0],
  withGroups: boolean,
): readonly string[] {
  if (scope === 'base') return []
  const groups = withGroups ? ['alias:'] : []
  if (base.kind === 'suffix') return scope === 'subtree' ? ['account:', ...groups] : []
  if (base.kind === 'people') return ['account:']
  return base.kind === 'groups' ? groups : []
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
