import { GROUP, WATARI_GROUP } from '#codec/scim/group-schema.ts'
import type { Json, JsonObject } from '#codec/scim/json.ts'
import { mainAddressOf } from '#model/account.ts'
import type { Alias } from '#model/account.ts'
import { addressKey, formatAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { Directory } from '#store/directory/directory.ts'
import type { View } from './resource-kind.ts'

/** The address of a group never changes, so that it is known by that. */
export const groupId = ({ from }: Pick<Alias, 'from'>): string => addressKey(from)

export const groupName = ({ from, name }: Pick<Alias, 'from' | 'name'>): string =>
  name ?? formatAddress(from)

/** By which of its addresses a group leads to each of its members. */
export type Ways = ReadonlyMap<string, readonly Address[]>

export const userKey = (id: string): string => `User ${id}`
export const groupKey = (id: string): string => `Group ${id}`
export const outsideKey = (address: Address): string => `outside ${addressKey(address)}`

/** An alias as SCIM shows it, as a group (RFC 7643 §4.2), and the ways to those who are shown as members. */
export function shownGroup(
  group: Alias,
  { now, base, wants }: View,
): { readonly shown: JsonObject; readonly ways: Ways } {
  const id = groupId(group)
  const { members, outside, ways } = wants('members') ? membersOf(now, group, base) : NOBODY
  const shown = {
    schemas: [GROUP, WATARI_GROUP],
    id,
    ...(group.externalId !== undefined && { externalId: group.externalId }),
    displayName: groupName(group),
    ...(members.length > 0 && { members }),
    [WATARI_GROUP]: {
      address: formatAddress(group.from),
      ...(outside.length > 0 && { outsideMembers: outside }),
    },
    meta: { resourceType: 'Group', location: `${base}/Groups/${encodeURIComponent(id)}` },
  }
  return { shown, ways }
}

interface Members {
  readonly members: readonly Json[]
  readonly outside: readonly string[]
  readonly ways: Ways
}

const NOBODY: Members = { members: [], outside: [], ways: new Map() }

/** Each account and group once, however many of its addresses the group leads to. */
function membersOf(now: Directory, { to }: Alias, base: string): Members {
  const members: Json[] = []
  const outside: string[] = []
  const ways = new Map<string, Address[]>()
  for (const address of to) {
    const { key, member } = memberAt(now, address, base)
    const others = ways.get(key)
    others?.push(address)
    if (others !== undefined) continue
    ways.set(key, [address])
    if (member === undefined) outside.push(formatAddress(address))
    else members.push(member)
  }
  return { members, outside, ways }
}

function memberAt(
  now: Directory,
  address: Address,
  base: string,
): { readonly key: string; readonly member?: Json } {
  const group = now.alias(address)
  if (group !== undefined) {
    const value = groupId(group)
    const $ref = `${base}/Groups/${encodeURIComponent(value)}`
    return {
      key: groupKey(value),
      member: { value, $ref, type: 'Group', display: groupName(group) },
    }
  }
  const account = now.byAddress(address)
  if (account === undefined || account.deletedAt !== undefined) return { key: outsideKey(address) }
  const { id: value, name } = account
  const display = name ?? formatAddress(mainAddressOf(account))
  return {
    key: userKey(value),
    member: { value, $ref: `${base}/Users/${value}`, type: 'User', display },
  }
}
