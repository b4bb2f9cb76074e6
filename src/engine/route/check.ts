import { mainAddressOf } from '#model/account.ts'
import type { Account, AccountId, Forward, LocalDomain } from '#model/account.ts'
import { NO_MOMENT } from '#model/account-life.ts'
import { addressKey, domainKey, formatAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { Directory, DirectoryChange, DirectoryRow } from '#store/directory/directory.ts'
import { CONVERSION_DEPTH_MAX, walk } from './convert.ts'
import type { Addressing } from './convert.ts'

/** A change as it is about to be saved. */
export type ProposedChange = Pick<DirectoryChange, 'key' | 'row'>

/**
 * Why this change must not be saved: one line with the whole cycle, `a@x → b@y → a@x`, or with the
 * chain that would be too long. Undefined: it may. A cycle that the change makes goes through the
 * changed row, so only addresses of that row are followed.
 */
export function findCycle(directory: Directory, change: ProposedChange): string | undefined {
  const changed = withChange(directory, change)
  for (const start of startsOf(directory, change)) {
    const walked = walk(start, changed)
    if (walked.ok) continue
    const { kind, path } = walked.error
    if (kind === 'loop') return `mail would go round in a circle: ${spelt(cycleOf(path))}`
    return `more than ${CONVERSION_DEPTH_MAX} conversions in a chain: ${spelt(path)}`
  }
  return undefined
}

const spelt = (path: readonly Address[]): string => path.map(formatAddress).join(' → ')

/** The path from the first place of its last address on: what leads into the cycle is left out. */
function cycleOf(path: readonly Address[]): readonly Address[] {
  const last = path.at(-1)
  if (last === undefined) return path
  const key = addressKey(last)
  return path.slice(path.findIndex((address) => addressKey(address) === key))
}

const addressesOf = (account: Account | undefined): readonly Address[] =>
  account === undefined ? [] : [mainAddressOf(account), ...account.addresses]

function startsOf(directory: Directory, change: ProposedChange): Iterable<Address> {
  const before = rowOf(directory, change.key)
  const starts: Address[] = []
  for (const row of [change.row, before]) {
    if (row === null || row === undefined) continue
    if (row.kind === 'domain' && leadsAnew(directory, row.domain)) return everyStart(directory)
    if (row.kind === 'alias') starts.push(row.alias.from)
    else if (row.kind === 'account') starts.push(...addressesOf(row.account))
    else if (row.kind === 'forward')
      starts.push(...addressesOf(directory.account(row.forward.accountId)))
  }
  // Most changes leave the addresses of a row as they are: none is followed twice.
  return new Map(starts.map((start) => [addressKey(start), start])).values()
}

/** Else it leads mail nowhere that it did not go before. */
const leadsAnew = (directory: Directory, { name, convertTo }: LocalDomain): boolean =>
  convertTo !== undefined && directory.domain(name)?.convertTo !== convertTo

/** A domain's conversion may close a cycle of any rows. */
function* everyStart(directory: Directory): Iterable<Address> {
  for (const domain of directory.domains()) yield { localpart: 'postmaster', domain: domain.name }
  for (const alias of directory.aliases()) yield alias.from
  for (const forward of directory.forwards())
    yield* addressesOf(directory.account(forward.accountId))
}

/** The row as it stands, found by its name: the directory may hold hundreds of thousands. */
function rowOf(directory: Directory, key: string): DirectoryRow | undefined {
  const name = key.slice(key.indexOf(':') + 1)
  if (key.startsWith('alias:')) {
    const at = name.lastIndexOf('@')
    const alias = directory.alias({ localpart: name.slice(0, at), domain: name.slice(at + 1) })
    return alias && { kind: 'alias', alias }
  }
  if (!key.startsWith('account:')) return undefined // a forward or domain that goes uncovers nothing
  const account = directory.account(name as AccountId)
  return account && { kind: 'account', account }
}

const ofRow = (row: DirectoryRow | null): Forward | undefined =>
  row?.kind === 'forward' ? row.forward : undefined

/** The look-ups of conversion as they will be once the change is saved. */
function withChange(directory: Directory, change: ProposedChange): Addressing {
  const { key, row } = change
  return {
    alias(address) {
      if (`alias:${addressKey(address)}` !== key) return directory.alias(address)
      return row?.kind === 'alias' ? row.alias : undefined
    },
    byAddress(address) {
      const wanted = addressKey(address)
      if (row?.kind === 'account' && addressesOf(row.account).some((a) => addressKey(a) === wanted))
        return row.account
      const found = directory.byAddress(address)
      return found !== undefined && `account:${found.id}` === key ? undefined : found
    },
    account(id) {
      if (`account:${id}` !== key) return directory.account(id)
      return row?.kind === 'account' ? row.account : undefined
    },
    domain(name) {
      if (`domain:${domainKey(name)}` !== key) return directory.domain(name)
      return row?.kind === 'domain' ? row.domain : undefined
    },
    forward(id) {
      const found = `forward:${id}` === key ? ofRow(row) : directory.forward(id)
      const account = this.account(id)
      if (account?.afterLeaving === undefined) return found
      // One day its mail will go that way.
      const to = [...(found?.to ?? []), ...account.afterLeaving.to]
      return { accountId: id, to, keep: true }
    },
    byFormerAddress(address) {
      const found = directory.byFormerAddress(address)
      const account = found && this.account(found.account.id)
      return found && account && { ...found, account }
    },
    // Who is in it is found at delivery, where circles end by themselves.
    listByAddress: (address) => directory.listByAddress(address),
    moment: NO_MOMENT,
    route: (match) => directory.route(match),
  }
}
