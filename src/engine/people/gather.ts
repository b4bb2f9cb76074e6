import type { Account, AccountId } from '#model/account.ts'
import { addressKey } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { Person } from '#model/person.ts'
import type { DirectorySource, Origin } from '#model/source.ts'
import type { Directory } from '#store/directory/directory.ts'
import type { SourceCopy } from './source-copy.ts'

/** What a source said last, by the key of each person. */
export interface SourceReading {
  readonly source: DirectorySource
  readonly people: ReadonlyMap<string, SourcePerson>
}

export interface SourcePerson {
  readonly dn: string
  readonly person: Person
  /** Which change of the source it is from (entryCSN). */
  readonly csn?: string | undefined
}

/** One source's share in an account. */
export interface Share extends SourcePerson {
  readonly source: DirectorySource
  readonly key: string
}

/** An account as its sources make it, or why it cannot be. */
export interface Gathered {
  /** Undefined: somebody who is new. The account itself is looked at when it is its turn: there are many. */
  readonly id: AccountId | undefined
  /** First source first; empty: no source has it any more. */
  readonly shares: readonly Share[]
}

/**
 * Who is who in several sources at once: the same key in the same source is the same person under any
 * name; who has the same main address in several, or here, is one person of all of them, and overlaps are
 * no error. A name that is used again within one source is somebody else's, and gets nobody's mailbox.
 * Accounts of a source that has not been read since the start are left as they are.
 */
export function gather(
  directory: Directory,
  readings: readonly SourceReading[],
): readonly Gathered[] {
  const shares = readings
    .toSorted((a, b) => a.source.order - b.source.order)
    .values()
    .flatMap(({ source, people }) =>
      people.entries().map(([key, person]): Share => ({ source, key, ...person })),
    )
  return gathered(directory, readings, { shares, accounts: directory.accounts() })
}

/** The same of nobody but those whom these entries of sources concern: every other account stays. */
export function gatherSome(
  directory: Directory,
  copies: readonly SourceCopy[],
  touched: Iterable<readonly [source: string, key: string]>,
): readonly Gathered[] {
  const keys = new Map(copies.map(({ source }) => [source.name, new Set<string>()]))
  const accounts = new Map<AccountId, Account>()
  const todo = [...touched]
  const concerns = (account: Account | undefined): void => {
    if (account === undefined || accounts.has(account.id)) return
    accounts.set(account.id, account)
    for (const { source, key } of account.origins ?? []) todo.push([source, key])
    namesakes(account) // the name may become free
  }
  const namesakes = (person: Pick<Person, 'username' | 'domain'>): void => {
    for (const copy of copies)
      for (const key of namesakesIn(directory, copy, person)) todo.push([copy.source.name, key])
  }
  for (const [name, key] of todo) {
    const known = keys.get(name)
    if (known?.has(key) === true) continue
    known?.add(key)
    concerns(directory.byOrigin(name, key))
    const person = copies.find(({ source }) => source.name === name)?.people.get(key)?.person
    if (person === undefined) continue
    const main = personAddress(directory, person)
    if (main !== undefined) concerns(directory.byAddress(main))
    namesakes(person)
  }
  const shares = copies
    .toSorted((a, b) => a.source.order - b.source.order)
    .flatMap((copy) => inOrder(directory, copy, keys.get(copy.source.name)!))
  return gathered(directory, copies, { shares, accounts: accounts.values() })
}

/** Keys of whoever has the same main address there, in the order in which they came. */
function namesakesIn(
  directory: Directory,
  copy: SourceCopy,
  person: Pick<Person, 'username' | 'domain'>,
): readonly string[] {
  const { username } = person
  const domain = person.domain ?? directory.defaultDomain
  const bare = domain === directory.defaultDomain ? copy.named(username) : []
  return domain === undefined ? bare : [...bare, ...copy.named(`${username}@${domain}`)]
}

function inOrder(directory: Directory, copy: SourceCopy, keys: ReadonlySet<string>): Share[] {
  const { source, people } = copy
  const shares = new Map<string, Share>()
  for (const key of keys) {
    const found = people.get(key)
    if (found === undefined) continue
    for (const each of namesakesIn(directory, copy, found.person))
      if (keys.has(each) && !shares.has(each))
        shares.set(each, { source, key: each, ...people.get(each)! })
  }
  return [...shares.values()]
}

function gathered(
  directory: Directory,
  readings: readonly SourceReading[],
  about: { readonly shares: Iterable<Share>; readonly accounts: Iterable<Account> },
): readonly Gathered[] {
  const names = new Set(readings.map(({ source }) => source.name))
  const isKnown = (account: Account): boolean =>
    account.origins?.every(({ source }) => names.has(source)) ?? true
  const all = new Map<string, { id: AccountId | undefined; shares: Share[]; isLeft: boolean }>()
  for (const share of about.shares) {
    const { source, key, dn, person } = share
    const main = personAddress(directory, person)
    const named = main === undefined ? undefined : directory.byAddress(main)
    const before =
      directory.byOrigin(source.name, key) ??
      (named !== undefined && isOther(named, share) ? undefined : named)
    const name = before?.id ?? (main === undefined ? dn : addressKey(main))
    const found = all.get(name)
    if (found === undefined)
      all.set(name, {
        id: before?.id,
        shares: [share],
        isLeft: before !== undefined && !isKnown(before),
      })
    else if (found.shares.some((each) => each.source === source))
      all.set(`${source.name} ${key}`, { id: undefined, shares: [share], isLeft: false })
    else found.shares.push(share)
  }
  const known = [...all.values()].filter(({ isLeft }) => !isLeft)
  const gone: Gathered[] = []
  for (const before of about.accounts)
    if (
      before.origins !== undefined &&
      before.isGone !== true &&
      isKnown(before) &&
      !all.has(before.id)
    )
      gone.push({ id: before.id, shares: [] })
  return [...gone, ...known]
}

/** Whether the account is that of another entry of the same source, which is known by the same attribute. */
const isOther = ({ origins = [] }: Account, { source, key }: Share): boolean =>
  origins.some(
    (origin) => origin.source === source.name && attributeOf(origin) === attributeOf({ key }),
  )

/** Keys say which attribute they are of: a source may be set to be known by another one. */
const attributeOf = ({ key }: Pick<Origin, 'key'>): string => key.slice(0, key.indexOf('='))

export const personAddress = (
  directory: Directory,
  { username, domain }: Person,
): Address | undefined => {
  const of = domain ?? directory.defaultDomain
  return of === undefined ? undefined : { localpart: username, domain: of }
}
