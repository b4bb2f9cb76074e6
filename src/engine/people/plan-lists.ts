import { convert } from '#engine/route/convert.ts'
import type { AccountId } from '#model/account.ts'
import { addressKey, formatAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { ForeignList, ForeignMember } from '#model/foreign-list.ts'
import { memberKey } from '#model/list-member.ts'
import type { ListMember, MemberRef } from '#model/list-member.ts'
import { LIST_RULES } from '#model/list.ts'
import type { ListModerator, MailingList } from '#model/list.ts'
import { checkRow } from '#store/directory/check-edits.ts'
import type { DirectoryEdit } from '#store/directory/check-edits.ts'
import type { Directory, DirectoryRow } from '#store/directory/directory.ts'
import { rowKey } from '#store/directory/row-key.ts'
import { addressIn } from './claims.ts'
import type { TrialDirectory } from './plan.ts'

/** What becomes of one list of another system. */
export interface PlannedList {
  readonly address: string
  readonly outcome: 'added' | 'changed' | 'same' | 'refused'
  /** Members by what they are here, of those whom it names. */
  readonly members: { readonly [K in 'account' | 'list' | 'group' | 'address']: number }
  /** Members who stay addresses: nobody here has them. */
  readonly stayed: readonly string[]
  /** What of it is not taken, and why; of what is refused: that. */
  readonly notes: readonly string[]
}

export interface ListImportRules {
  readonly newId: () => AccountId
  /** ISO 8601 and UTC: members are so from then on. */
  readonly now: string
  readonly addedBy?: string
  /** The domain of lists whose files tell none. */
  readonly domain?: string
  /** Owns what has no owner with an account here. */
  readonly owner?: AccountId
}

/**
 * What it takes to have these lists: their members are persons where an address leads to one account, lists
 * and groups where it is one. A list that is there keeps its rules and its members, and gets those that it
 * lacks. Each row is tried behind those before it; what cannot be had is told, and the rest is taken.
 */
export function planLists(
  directory: TrialDirectory,
  lists: readonly ForeignList[],
  rules: ListImportRules,
): { readonly edits: readonly DirectoryEdit[]; readonly rows: readonly PlannedList[] } {
  const trial = directory.trial()
  const edits: DirectoryEdit[] = []
  const put = (row: DirectoryRow): string | undefined => {
    const refusal = checkRow(directory, row)
    if (refusal !== undefined) return refusal.message
    trial.put(rowKey(row), row)
    edits.push({ kind: 'put', row })
    return undefined
  }
  try {
    const planner = new Planner(directory, put, rules)
    // All lists before their members, which may be lists of the same import.
    const made = lists.map((foreign) => planner.list(foreign))
    return { edits, rows: made.map((each) => planner.members(each)) }
  } finally {
    trial.end()
  }
}

interface MadeList {
  readonly foreign: ForeignList
  readonly address: string
  readonly isNew: boolean
  /** Absent: refused. */
  readonly list?: MailingList
  readonly notes: string[]
}

class Planner {
  readonly #directory: Directory
  readonly #put: (row: DirectoryRow) => string | undefined
  readonly #rules: ListImportRules

  constructor(
    directory: Directory,
    put: (row: DirectoryRow) => string | undefined,
    rules: ListImportRules,
  ) {
    this.#directory = directory
    this.#put = put
    this.#rules = rules
  }

  list(foreign: ForeignList): MadeList {
    const notes = [...foreign.left]
    const { domain } = this.#rules
    const whole =
      foreign.address.includes('@') || domain === undefined
        ? foreign.address
        : `${foreign.address}@${domain}`
    const address = addressIn(this.#directory, whole.toLowerCase())
    if (typeof address === 'string')
      return { foreign, address: foreign.address, isNew: false, notes: [address] }
    const text = formatAddress(address)
    if (!whole.includes('@'))
      notes.push(`its files do not tell its domain, and ${address.domain} is the first of ours`)
    const named = this.#directory.listByAddress(address)
    if (named?.purpose === 'post' && named.list.deletedAt === undefined)
      return { foreign, address: text, isNew: false, list: named.list, notes }
    const list = this.#newList(foreign, address, notes)
    const refusal = this.#put({ kind: 'list', list })
    return refusal === undefined
      ? { foreign, address: text, isNew: true, list, notes }
      : { foreign, address: text, isNew: false, notes: [refusal] }
  }

  #newList(foreign: ForeignList, address: Address, notes: string[]): MailingList {
    const owners = this.#persons(foreign.owners, 'owner', notes)
    const { owner } = this.#rules
    if (owners.length === 0) {
      if (owner === undefined) notes.push('it has no owner with an account here')
      else owners.push(owner)
    }
    const moderators = this.#persons(foreign.moderators, 'moderator', notes)
      .filter((id) => !owners.includes(id))
      .map((account): ListModerator => ({ account }))
    const { members, left, owners: _, moderators: __, nextNumber, address: ___, ...known } = foreign
    if (members.some(({ isModerated }) => isModerated))
      notes.push(
        'some members are moderated there by themselves; here a list is, or nobody: ' +
          members
            .filter(({ isModerated }) => isModerated)
            .slice(0, 10)
            .map((member) => member.address)
            .join(', '),
      )
    void left
    return {
      ...LIST_RULES,
      ...known,
      id: this.#rules.newId(),
      address,
      addresses: [],
      owners,
      moderators,
      ...(nextNumber !== undefined && { numberFrom: nextNumber }),
    }
  }

  #persons(addresses: readonly string[], as: string, notes: string[]): AccountId[] {
    const found = new Set<AccountId>()
    for (const text of addresses) {
      const who = this.#whoIs({ address: text, delivery: 'each' })
      if (who?.kind === 'account') found.add(who.id)
      else notes.push(`${text} has no account here, and is no ${as}`)
    }
    return [...found]
  }

  members({ foreign, address, isNew, list, notes }: MadeList): PlannedList {
    const members = { account: 0, list: 0, group: 0, address: 0 }
    const stayed: string[] = []
    if (list === undefined) return { address, outcome: 'refused', members, stayed, notes }
    let added = 0
    const seen = new Set<string>()
    for (const member of foreign.members) {
      const who = this.#whoIs(member)
      if (who === undefined) {
        notes.push(`${member.address} is no address`)
        continue
      }
      const row = this.#row(list, who, member)
      const key = memberKey(row)
      // Two addresses of one person are one member.
      if (seen.has(key)) continue
      seen.add(key)
      const kind = who.kind as keyof typeof members
      if (this.#directory.member(list.id, key) === undefined) {
        const refusal = this.#put({ kind: 'member', member: row })
        if (refusal !== undefined) {
          notes.push(`${member.address}: ${refusal}`)
          continue
        }
        added++
      }
      members[kind]++
      if (who.kind === 'address') stayed.push(this.#stayedAs(who.address))
    }
    const outcome = isNew ? 'added' : added > 0 ? 'changed' : 'same'
    return { address, outcome, members, stayed, notes }
  }

  #row(list: MailingList, who: MemberRef, { delivery }: ForeignMember): ListMember {
    const { now, addedBy } = this.#rules
    return {
      list: list.id,
      who,
      as: 'member',
      delivery,
      terms: [{ from: now }],
      ...(addedBy !== undefined && { addedBy }),
    }
  }

  /** Who is meant by an address: whoever gets its mail alone, or what it is. Undefined where it is none. */
  #whoIs({ address: text, name }: ForeignMember): MemberRef | undefined {
    const address = addressIn(this.#directory, text)
    if (typeof address === 'string') return undefined
    const named = this.#directory.listByAddress(address)
    if (named?.purpose === 'post') return { kind: 'list', id: named.list.id }
    const alias = this.#directory.alias(address)
    const converted = convert(address, this.#directory)
    const targets = converted.ok ? converted.value.targets : []
    const [only] = targets
    if (targets.length === 1 && only?.accountId !== undefined)
      return { kind: 'account', id: only.accountId }
    if (alias !== undefined) return { kind: 'group', address: alias.from }
    // Whose mail goes on elsewhere is a person all the same.
    const owner = this.#directory.byAddress(address)
    if (owner !== undefined) return { kind: 'account', id: owner.id }
    return { kind: 'address', address, ...(name !== undefined && { name: name.trim() }) }
  }

  #stayedAs(address: Address): string {
    const isOurs = this.#directory.domain(address.domain) !== undefined
    return isOurs
      ? `${formatAddress(address)} (of our domain, and nobody has it)`
      : addressKey(address)
  }
}
