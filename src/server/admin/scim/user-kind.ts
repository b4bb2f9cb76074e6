import { isDeepStrictEqual } from 'node:util'
import { asciiLower } from '#base/text.ts'
import type { Filter } from '#codec/scim/filter.ts'
import { timedId } from '#base/id.ts'
import { Refused } from '#codec/scim/problem.ts'
import { USER_SCHEMA, WATARI_USER } from '#codec/scim/user-schema.ts'
import { deleted } from '#engine/people/account-change.ts'
import { removalOf } from '#engine/people/account-upkeep.ts'
import { mainAddressOf } from '#model/account.ts'
import type { Account, AccountId } from '#model/account.ts'
import { formatAddress } from '#model/address.ts'
import type { DirectoryEdit } from '#store/directory/check-edits.ts'
import type { Directory } from '#store/directory/directory.ts'
import type { AdminDeps } from '#server/admin/context.ts'
import { keepAWayIn } from '#server/admin/last-administrator.ts'
import { mainAddress } from '#server/admin/lookup.ts'
import { secretsOf } from '#server/admin/users.ts'
import type { Memberships } from './memberships.ts'
import { hashOf, wantedValue } from './resource-kind.ts'
import type { ResourceKind, Write } from './resource-kind.ts'
import { ScimError } from './scim-error.ts'
import { keepSourcePeople, keepSourceTruth } from './source-truth.ts'
import { partOf, textIn } from './told.ts'
import { shownUser } from './user-shown.ts'
import { toldUser } from './user-told.ts'

/** Accounts as users of SCIM. */
export function userKind(deps: AdminDeps, memberships: Memberships): ResourceKind<Account> {
  const newId = (): AccountId => timedId(deps.clock.nowMs()) as AccountId
  return {
    name: 'User',
    endpoint: '/Users',
    schema: USER_SCHEMA,
    idOf: ({ id }) => id,
    find: (now, id) => there(now.account(id as AccountId)),
    *all(now) {
      for (const account of now.accounts()) if (account.deletedAt === undefined) yield account
    },
    asShown: withWholeNames,
    few(now, filter) {
      const id = wantedValue(filter, 'id')
      if (id !== undefined) return list(now.account(id as AccountId))
      const login = wantedValue(filter, 'username') ?? wantedValue(filter, 'emails')
      if (login !== undefined) return list(now.byLogin(login))
      const externalId = wantedValue(filter, 'externalid')
      return externalId === undefined ? undefined : list(now.byExternalId(externalId))
    },
    show: (account, view) =>
      shownUser(account, view.wants('groups') ? memberships.of(account) : [], view),
    version(now, account) {
      const { credential: _, scram: __, ...told } = account
      return hashOf([told, now.forward(account.id) ?? null])
    },
    async prepare(resource) {
      const password = textIn(resource, 'password')
      const passwordHash = textIn(partOf(resource, WATARI_USER), 'passwordHash')
      if (password === undefined && passwordHash === undefined) return undefined
      return secretsOf(deps, {
        ...(password !== undefined && { password }),
        ...(passwordHash !== undefined && { passwordHash }),
      })
    },
    write: (write) => writeUser(deps, write, newId),
    remove(now, account, request) {
      keepSourcePeople(account)
      keepAWayIn(request, now, account.id, undefined)
      // It can be had back for a while, as after `watari user delete`.
      if (now.moment.rules.undeleteDays === 0) return removalOf(now, account.id)
      return [{ kind: 'put', row: { kind: 'account', account: deleted(account, now.moment) } }]
    },
  }
}

/** A bare userName is one of the default domain, in a question as in a body. */
function withWholeNames(now: Directory, filter: Filter): Filter {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return { ...filter, filters: filter.filters.map((each) => withWholeNames(now, each)) }
    case 'not':
      return { ...filter, filter: withWholeNames(now, filter.filter) }
    case 'compare': {
      const { path, operator, value } = filter
      const isName =
        asciiLower(path.name) === 'username' && (operator === 'eq' || operator === 'ne')
      if (!isName || typeof value !== 'string' || value.includes('@')) return filter
      return { ...filter, value: `${value}@${now.defaultDomain ?? ''}` }
    }
    default:
      return filter
  }
}

const there = (account: Account | undefined): Account | undefined =>
  account?.deletedAt === undefined ? account : undefined

const list = (account: Account | undefined): readonly Account[] => {
  const found = there(account)
  return found === undefined ? [] : [found]
}

function writeUser(
  deps: AdminDeps,
  write: Write<Account>,
  newId: () => AccountId,
): { readonly id: string; readonly edits: readonly DirectoryEdit[] } {
  const { now, before, request, secrets } = write
  const { account, forward } = toldUser(write, newId)
  if (before !== undefined) keepSourceTruth(deps, before, { after: account, secrets })
  keepUnique(now, account)
  keepAWayIn(request, now, account.id, account)
  const edits: DirectoryEdit[] = []
  if (before === undefined || !isDeepStrictEqual(sorted(before), sorted(account)))
    edits.push({ kind: 'put', row: { kind: 'account', account } })
  const forwarded = now.forward(account.id)
  if (forward !== undefined && !isDeepStrictEqual(forward, forwarded))
    edits.push({ kind: 'put', row: { kind: 'forward', forward } })
  if (forward === undefined && forwarded !== undefined)
    edits.push({ kind: 'remove', key: `forward:${account.id}` })
  return { id: account.id, edits }
}

/** Fields in one order: rows of the disk and rows that are made have them in different ones. */
const sorted = (account: Account): unknown =>
  JSON.parse(JSON.stringify(Object.entries(account).toSorted(([a], [b]) => (a < b ? -1 : 1))))

/** Who has an address, or an external id, keeps it (RFC 7644 §3.3: 409). */
function keepUnique(now: Directory, account: Account): void {
  for (const address of [mainAddressOf(account), ...account.addresses]) {
    const owner = now.byAddress(address)
    if (owner !== undefined && owner.id !== account.id)
      throw taken(`${formatAddress(address)} is an address of ${named(owner)}`)
    if (now.alias(address) !== undefined)
      throw taken(`${formatAddress(address)} is the address of a group`)
  }
  const { externalId } = account
  const namesake = externalId === undefined ? undefined : now.byExternalId(externalId)
  if (namesake !== undefined && namesake.id !== account.id)
    throw taken(`${externalId} is the externalId of ${mainAddress(namesake)}`)
  if (account.username.includes('+'))
    throw new Refused('invalidValue', `${mainAddress(account)}: a userName has no '+'`)
}

const named = (owner: Account): string =>
  owner.deletedAt === undefined
    ? mainAddress(owner)
    : `${mainAddress(owner)}, who was deleted and can be had back: watari user undelete`

const taken = (detail: string): ScimError => new ScimError(409, detail, 'uniqueness')
