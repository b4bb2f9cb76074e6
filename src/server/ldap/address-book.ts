import { MINUTE_MS } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import type { Filter } from '#codec/ldap/filter.ts'
import { foldText } from '#codec/mime/fold-text.ts'
import type { Account, AccountId, Alias } from '#model/account.ts'
import { addressKey, formatAddress, parseAddress } from '#model/address.ts'
import { mainAddressOf } from '#model/account.ts'
import type { Directory, DirectoryKey } from '#store/directory/directory.ts'
import type { BookEntry } from './attributes.ts'
import { Entries } from './entries.ts'
import { holder, matcher } from './match.ts'
import { isShown, Tree } from './tree.ts'
import type { TreeNode } from './tree.ts'

/** So long a search works on while everybody else of this process waits; looked at after some rows. */
const TURN_MS = 2
const LOOKED_AT_ONCE = 32
const FOLDED_AT_ONCE = 500
/** Nobody has searched for so long: the texts are made anew when somebody does. */
const QUIET_MS = 10 * MINUTE_MS

/** Row keys that have changed; all, where the whole copy came anew or a domain changed. */
export type RowsListener = (keys: readonly DirectoryKey[] | 'all') => void

/**
 * People and groups of the directory as entries, found by filters. Each row's texts are kept folded in
 * one string, so that a search over 200,000 looks at strings, and makes entries of those only that hold
 * what is sought; they are made when somebody first logs in, and forgotten after ten quiet minutes.
 */
export class AddressBook {
  readonly tree: Tree
  readonly entries: Entries
  readonly #directory: Directory
  readonly #clock: Clock
  readonly #withGroups: () => boolean
  #texts: Promise<Map<DirectoryKey, string>> | undefined
  /** Rows that changed while the texts are being made. */
  #late: Set<DirectoryKey> | undefined
  #forget: (() => void) | undefined

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
    parts.onRows((keys) => this.#changed(keys))
  }

  /** What a name means; undefined: nothing that anybody is shown. */
  find(dn: string): TreeNode | 'malformed' | undefined {
    const node = this.tree.find(dn)
    const isGroup = typeof node === 'object' && (node.kind === 'group' || node.kind === 'groups')
    return isGroup && !this.#withGroups() ? undefined : node
  }

  /** Makes the texts ready for the search that follows a login. */
  warm(): void {
    void this.#ready()
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
    const holds = holder(ask.filter)
    let looked = 0
    let turnEndMs = this.#clock.monotonicMs() + TURN_MS
    for (const [key, text] of await this.#ready()) {
      if (++looked >= LOOKED_AT_ONCE) {
        looked = 0
        if (this.#clock.monotonicMs() >= turnEndMs) {
          await turn()
          if (ask.isOver()) return undefined
          turnEndMs = this.#clock.monotonicMs() + TURN_MS
        }
      }
      if (!holds(text) || !kinds.some((kind) => key.startsWith(kind))) continue
      const node = this.#nodeOf(key)
      if (node === undefined) continue
      looked = LOOKED_AT_ONCE // it costs as much as many
      const entry = this.entries.of(node, ask)
      if (isMatch(entry)) yield entry
    }
    return undefined
  }

  #ready(): Promise<ReadonlyMap<DirectoryKey, string>> {
    this.#forget?.()
    this.#forget = this.#clock.after(QUIET_MS, () => (this.#texts = undefined))
    if (this.#texts === undefined) {
      const made = this.#make()
      this.#texts = made
      made.catch(() => {
        if (this.#texts === made) this.#texts = undefined
      })
    }
    return this.#texts
  }

  async #make(): Promise<Map<DirectoryKey, string>> {
    const texts = new Map<DirectoryKey, string>()
    const late = (this.#late = new Set())
    let made = 0
    const pause = async (): Promise<void> => {
      if (++made % FOLDED_AT_ONCE === 0) await turn()
    }
    for (const account of this.#directory.accounts()) {
      texts.set(`account:${account.id}`, textOfAccount(account))
      await pause()
    }
    for (const alias of this.#directory.aliases()) {
      texts.set(`alias:${addressKey(alias.from)}`, textOfAlias(alias))
      await pause()
    }
    if (this.#late === late) this.#late = undefined
    for (const key of late) this.#renew(texts, key)
    return texts
  }

  #changed(keys: readonly DirectoryKey[] | 'all'): void {
    if (this.#texts === undefined) return
    if (keys === 'all') {
      this.#texts = undefined
      this.#late = undefined
      return
    }
    for (const key of keys) this.#late?.add(key)
    if (this.#late !== undefined) return
    const at = this.#texts
    void at.then((texts) => {
      for (const key of keys) this.#renew(texts, key)
    })
  }

  #renew(texts: Map<DirectoryKey, string>, key: DirectoryKey): void {
    const row = this.#rowOf(key)
    if (row === undefined) texts.delete(key)
    else texts.set(key, row.kind === 'person' ? textOfAccount(row.account) : textOfAlias(row.alias))
  }

  /** What others find of a row now: days begin and end without a change of it. */
  #nodeOf(key: DirectoryKey): RowNode | undefined {
    const row = this.#rowOf(key)
    return row?.kind === 'person' && !isShown(row.account, this.#directory) ? undefined : row
  }

  /** The row as it is now; undefined: it is gone, or none of ours. */
  #rowOf(key: DirectoryKey): RowNode | undefined {
    const [, kind, name = ''] = /^(account|alias):(.*)$/s.exec(key) ?? []
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

/** Everything that is compared as text; a surname is a part of its name. */
const textOfAccount = (account: Account): string =>
  foldText(
    [
      account.name ?? '',
      account.reading ?? '',
      ...[mainAddressOf(account), ...account.addresses].map(formatAddress),
    ].join('\n'),
  )

const textOfAlias = ({ from }: Alias): string => foldText(formatAddress(from))

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
