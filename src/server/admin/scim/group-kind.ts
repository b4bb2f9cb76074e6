import { isDeepStrictEqual } from 'node:util'
import { GROUP_SCHEMA, WATARI_GROUP } from '#codec/scim/group-schema.ts'
import { isObject, listOf } from '#codec/scim/json.ts'
import type { Json, JsonObject } from '#codec/scim/json.ts'
import { Refused } from '#codec/scim/problem.ts'
import { mainAddressOf } from '#model/account.ts'
import type { AccountId, Alias } from '#model/account.ts'
import { addressKey, formatAddress, parseAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { Directory } from '#store/directory/directory.ts'
import { lower, mainAddress } from '#server/admin/lookup.ts'
import { groupId, groupKey, outsideKey, shownGroup, userKey } from './group-shown.ts'
import type { Ways } from './group-shown.ts'
import { hashOf, wantedValue } from './resource-kind.ts'
import type { ResourceKind, Write } from './resource-kind.ts'
import { ScimError } from './scim-error.ts'
import { keepSourceGroup } from './source-truth.ts'
import { addressTold, ownAddressTold, partOf, textIn, textsIn } from './told.ts'

/** Aliases as groups of SCIM: an address that leads to its members. */
export function groupKind(): ResourceKind<Alias> {
  /** Of what was shown before a change: a group of thousands is looked through once. */
  const waysOf = new WeakMap<JsonObject, Ways>()
  return {
    name: 'Group',
    endpoint: '/Groups',
    schema: GROUP_SCHEMA,
    idOf: groupId,
    find: groupOf,
    all: (now) => now.aliases(),
    few(now, filter) {
      const id = wantedValue(filter, 'id')
      if (id === undefined) return undefined
      const group = groupOf(now, id)
      return group === undefined ? [] : [group]
    },
    show(group, view) {
      const { shown, ways } = shownGroup(group, view)
      waysOf.set(shown, ways)
      return shown
    },
    version: (_, group) => hashOf(group),
    write(write) {
      const ways = write.shown && waysOf.get(write.shown)
      const group = toldGroup(write, ways ?? new Map())
      if (write.before !== undefined) keepSourceGroup(write.before)
      const isSame = write.before !== undefined && isDeepStrictEqual(group, write.before)
      const edits = isSame ? [] : [{ kind: 'put', row: { kind: 'alias', alias: group } } as const]
      return { id: groupId(group), edits }
    },
    remove(_, group) {
      keepSourceGroup(group)
      return [{ kind: 'remove', key: `alias:${groupId(group)}` }]
    },
  }
}

function groupOf(now: Directory, id: string): Alias | undefined {
  const address = parseAddress(id)
  return address.ok ? now.alias(address.value) : undefined
}

function toldGroup({ now, before, told }: Write<Alias>, ways: Ways): Alias {
  const name = textIn(told, 'displayName')
  if (name === undefined) throw new Refused('invalidValue', 'a group has a displayName')
  const externalId = textIn(told, 'externalId')
  return {
    from: before === undefined ? newAddress(now, name, told) : keptAddress(now, before, told),
    to: targetsTold(now, { before, told, ways }),
    name,
    ...(externalId !== undefined && { externalId }),
  }
}

/** Its members know it by that, and so do the mail programs of the world. */
function keptAddress(now: Directory, { from }: Alias, told: JsonObject): Address {
  const text = textIn(partOf(told, WATARI_GROUP), 'address')
  if (text === undefined) return from
  const address = addressTold(now, lower(text), 'address')
  if (addressKey(address) === addressKey(from)) return from
  throw new Refused('mutability', `the address of a group stays: it is ${formatAddress(from)}`)
}

function newAddress(now: Directory, name: string, told: JsonObject): Address {
  const text = textIn(partOf(told, WATARI_GROUP), 'address') ?? addressOfName(name)
  const address = ownAddressTold(now, lower(text), 'address')
  const owner = now.byAddress(address)
  if (owner !== undefined || now.alias(address) !== undefined)
    throw new ScimError(
      409,
      `${formatAddress(address)} is ${owner === undefined ? 'another group' : `an address of ${mainAddress(owner)}`}`,
      'uniqueness',
    )
  return address
}

/** `Domain Users` is domain-users; what is not of ASCII would be an address that few can write to. */
function addressOfName(name: string): string {
  if (name.includes('@')) return name
  const localpart = name
    .trim()
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, '-')
    .replaceAll(/^[-.]+|[-.]+$/g, '')
  if (localpart !== '' && !/[^\u0020-\u007e]/.test(name)) return localpart
  throw new Refused(
    'invalidValue',
    `no address can be made of the displayName ${name}: give ${WATARI_GROUP}:address`,
  )
}

/** Who was a member stays one by the address that the group leads to already. */
function targetsTold(
  now: Directory,
  {
    before,
    told,
    ways,
  }: Pick<Write<Alias>, 'before' | 'told'> & {
    readonly ways: Ways
  },
): readonly Address[] {
  const to = new Map<string, Address>()
  const take = (addresses: readonly Address[]): void => {
    for (const address of addresses) to.set(addressKey(address), address)
  }
  for (const member of listOf(told['members'])) take(waysTo(now, member, ways))
  for (const text of textsIn(partOf(told, WATARI_GROUP), 'outsideMembers')) {
    const address = addressTold(now, text, 'outsideMembers')
    take(ways.get(outsideKey(address)) ?? [address])
  }
  // In the order that it has, where the same addresses are in it.
  const isSame =
    before?.to.length === to.size && before.to.every((each) => to.has(addressKey(each)))
  return isSame ? before.to : [...to.values()]
}

function waysTo(now: Directory, member: Json, ways: Ways): readonly Address[] {
  const id = isObject(member) ? textIn(member, 'value') : undefined
  if (id === undefined)
    throw new Refused('invalidValue', 'a member has a value: the id of a User or Group')
  const known = ways.get(userKey(id)) ?? ways.get(groupKey(id))
  if (known !== undefined) return known
  const account = now.account(id as AccountId)
  if (account !== undefined && account.deletedAt === undefined) return [mainAddressOf(account)]
  const group = groupOf(now, id)
  if (group !== undefined) return ways.get(groupKey(groupId(group))) ?? [group.from]
  throw new Refused(
    'invalidValue',
    `members: there is no User and no Group ${id}; outside addresses are ${WATARI_GROUP}:outsideMembers`,
  )
}
