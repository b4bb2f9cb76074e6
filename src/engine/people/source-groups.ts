import { mainAddressOf } from '#model/account.ts'
import type { Alias } from '#model/account.ts'
import { addressKey, formatAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { Origin } from '#model/source.ts'
import { findCycle } from '#engine/route/check.ts'
import { checkRow } from '#store/directory/check-edits.ts'
import type { DirectoryEdit } from '#store/directory/check-edits.ts'
import type { Directory, DirectoryRow } from '#store/directory/directory.ts'
import { rowKey } from '#store/directory/row-key.ts'
import { addressIn } from './claims.ts'
import { nobodyHere } from './from-entries.ts'
import type { TrialDirectory } from './plan.ts'
import type { SourceCopy, SourceGroup } from './source-copy.ts'
import type { SourceNote } from './sources.ts'
import type { MemberName } from './told-group.ts'

interface Share extends SourceGroup {
  readonly copy: SourceCopy
  readonly key: string
  /** A further address of the group leads to this one, which has the members. */
  readonly main?: Address
}

interface Plan {
  readonly edits: readonly DirectoryEdit[]
  /** Of the groups that were looked at: what of them is not taken. */
  readonly notes: readonly SourceNote[]
  readonly looked: readonly Pick<SourceNote, 'source' | 'key'>[]
}

/**
 * The rows that make groups of sources what they say, at these addresses, each tried behind those before
 * it. Of several sources with one address the first one that has members says who they are. What was made
 * here stays, and so does a group of a source that has not been read since the start.
 */
export function planGroups(
  directory: TrialDirectory,
  copies: readonly SourceCopy[],
  addresses: Iterable<Address>,
): Plan {
  const trial = directory.trial()
  const planner = new Planner(directory, copies)
  try {
    for (const address of addresses) {
      const edit = planner.at(address)
      if (edit === undefined) continue
      if (edit.kind === 'put') trial.put(rowKey(edit.row), edit.row)
      else trial.put(edit.key, null)
      planner.edits.push(edit)
    }
    return planner
  } finally {
    trial.end()
  }
}

/** Where a group is to be reached; what of it is none of our addresses is left out. */
export const addressesOfGroup = (
  directory: Directory,
  { group }: Pick<SourceGroup, 'group'>,
): readonly Address[] =>
  group.addresses
    .map((text) => addressIn(directory, text))
    .filter((address) => typeof address !== 'string')

class Planner implements Plan {
  readonly edits: DirectoryEdit[] = []
  readonly notes: SourceNote[] = []
  readonly looked: Pick<SourceNote, 'source' | 'key'>[] = []
  readonly #directory: Directory
  readonly #copies: readonly SourceCopy[]
  /** By their addresses; first source first. */
  readonly #shares = new Map<string, Share[]>()

  constructor(directory: Directory, copies: readonly SourceCopy[]) {
    this.#directory = directory
    this.#copies = copies.toSorted((a, b) => a.source.order - b.source.order)
    for (const copy of this.#copies)
      for (const [key, told] of copy.groups) {
        const [main, ...further] = addressesOfGroup(directory, told)
        if (main !== undefined) this.#share(main, { ...told, copy, key })
        for (const each of further) this.#share(each, { ...told, copy, key, main: main! })
      }
  }

  #share(address: Address, share: Share): void {
    const key = addressKey(address)
    const shares = this.#shares.get(key)
    if (shares === undefined) this.#shares.set(key, [share])
    else shares.push(share)
  }

  at(address: Address): DirectoryEdit | undefined {
    const before = this.#directory.alias(address)
    const shares: Share[] = []
    for (const share of this.#shares.get(addressKey(address)) ?? []) {
      this.looked.push({ source: share.copy.source.name, key: share.key })
      const other = shares.find(({ copy }) => copy === share.copy)
      if (other === undefined) shares.push(share)
      else this.#tell(share, `${formatAddress(address)} is that of ${other.dn}`)
    }
    if (before?.origins?.some((origin) => this.#isUnread(origin)) === true) return undefined
    const [first] = shares
    if (first === undefined) {
      if (before?.origins === undefined) return undefined
      return { kind: 'remove', key: rowKey({ kind: 'alias', alias: before }) }
    }
    if (before !== undefined && before.origins === undefined) {
      this.#tell(first, `${formatAddress(address)} was made here, and stays as it is`)
      return undefined
    }
    const alias = this.#alias(address, before, [first, ...shares.slice(1)])
    if (alias === undefined || isSame(before, alias)) return undefined
    const row: DirectoryRow = { kind: 'alias', alias }
    const refusal = checkRow(this.#directory, row)
    if (refusal === undefined) return { kind: 'put', row }
    this.#tell(first, refusal.message)
    return undefined
  }

  #alias(
    from: Address,
    before: Alias | undefined,
    shares: readonly [Share, ...Share[]],
  ): Alias | undefined {
    const [first] = shares
    const telling = shares.find(({ group }) => group.members.length > 0) ?? first
    if (telling.group.isCut === true) {
      this.#tell(telling, 'its server tells a part of its members only; nothing of it is done')
      return undefined
    }
    const wanted = telling.main === undefined ? this.#members(telling) : [telling.main]
    const to = this.#withoutCircles(from, keptOrder(before, wanted), telling)
    return {
      ...before,
      from,
      to,
      name: first.group.name,
      origins: shares.map(({ copy, key, dn }) => ({ source: copy.source.name, key, dn })),
    }
  }

  #members(share: Share): readonly Address[] {
    const to = new Map<string, Address>()
    for (const member of share.group.members) {
      const found = this.#found(share, member)
      if (typeof found === 'string') this.#tell(share, found)
      else to.set(addressKey(found), found)
    }
    return [...to.values()]
  }

  /** Whom a member's name means; else what to tell of it. */
  #found({ copy }: Share, member: MemberName): Address | string {
    if (member.startsWith('mail:')) return addressIn(this.#directory, member.slice(5))
    for (const each of [copy, ...this.#copies]) {
      const key = each.members?.key(member)
      if (key === undefined) continue
      const group = each.groups.get(key)
      if (group !== undefined) {
        const [main] = addressesOfGroup(this.#directory, group)
        const owner = main && this.#directory.byAddress(main)
        if (main !== undefined && owner === undefined) return main
        return `a group that has no address here: ${group.dn}`
      }
      const account = this.#directory.byOrigin(each.source.name, key)
      if (account !== undefined && account.isGone !== true) return mainAddressOf(account)
    }
    return nobodyHere(member)
  }

  /** Groups that would lead back here are left out: the others of it have their mail. */
  #withoutCircles(from: Address, to: readonly Address[], share: Share): readonly Address[] {
    const circle = (members: readonly Address[]): string | undefined => {
      const row: DirectoryRow = { kind: 'alias', alias: { from, to: members } }
      return findCycle(this.#directory, { key: rowKey(row), row })
    }
    if (circle(to) === undefined) return to
    return to.filter((member) => {
      const why = circle([member])
      if (why !== undefined) this.#tell(share, `a member is left out: ${why}`)
      return why === undefined
    })
  }

  /** Of a source that is there and has said nothing yet. */
  #isUnread({ source }: Origin): boolean {
    return (
      this.#directory.source(source) !== undefined &&
      !this.#copies.some((copy) => copy.source.name === source)
    )
  }

  #tell({ copy, key, dn }: Share, text: string): void {
    this.notes.push({ source: copy.source.name, key, dn, text })
  }
}

/** Servers tell members in any order: who is in it already stays where they are. */
function keptOrder(before: Alias | undefined, to: readonly Address[]): readonly Address[] {
  const wanted = new Map(to.map((address) => [addressKey(address), address]))
  const kept = (before?.to ?? []).filter((address) => wanted.delete(addressKey(address)))
  return [...kept, ...wanted.values()]
}

const isSame = (before: Alias | undefined, after: Alias): boolean =>
  before !== undefined && textOf(before) === textOf(after)

const textOf = ({ to, name, origins }: Alias): string =>
  JSON.stringify([
    to.map(addressKey),
    name,
    origins?.map(({ source, key, dn }) => [source, key, dn]),
  ])
