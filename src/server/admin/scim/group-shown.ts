import { GROUP, WATARI_GROUP } from '#codec/scim/group-schema.ts'
import type { Json, JsonObject } from '#codec/scim/json.ts'
import { mainAddressOf } from '#model/account.ts'
import type { Account, Alias } from '#model/account.ts'
import { addressKey, formatAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { Directory } from '#store/directory/directory.ts'
import type { View } from './resource-kind.ts'

/** The address of a group never changes, so that it is known by that. */
export const groupId = ({ from }: Pick<Alias, 'from'>): string => addressKey(from)

export const groupName = ({ from, name }: Pick<Alias, 'from' | 'name'>): string =>
  name ?? formatAddress(from)

/** What an address of a group's is. */
export type Member =
  | { readonly kind: 'User'; readonly id: string; readonly account: Account }
  | { readonly kind: 'Group'; readonly id: string; readonly group: Alias }
  | { readonly kind: 'outside'; readonly id: string; readonly address: Address }

export function memberAt(now: Directory, address: Address): Member {
  const group = now.alias(address)
  if (group !== undefined) return { kind: 'Group', id: groupId(group), group }
  const account = now.byAddress(address)
  if (account !== undefined && account.deletedAt === undefined)
    return { kind: 'User', id: account.id, account }
  return { kind: 'outside', id: addressKey(address), address }
}

/** An alias as SCIM shows it, as a group (RFC 7643 §4.2). */
export function shownGroup(group: Alias, { now, base, wants }: View): JsonObject {
  const id = groupId(group)
  const { members, outside } = wants('members') ? membersOf(now, group, base) : NOBODY
  return {
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
}

const NOBODY = { members: [], outside: [] }

/** Each account and group once, however many of its addresses the group leads to. */
function membersOf(
  now: Directory,
  { to }: Alias,
  base: string,
): { readonly members: readonly Json[]; readonly outside: readonly string[] } {
  const members = new Map<string, Json>()
  const outside: string[] = []
  for (const address of to) {
    const member = memberAt(now, address)
    const { kind, id } = member
    if (member.kind === 'outside') outside.push(formatAddress(address))
    else if (!members.has(`${kind} ${id}`))
      members.set(`${kind} ${id}`, {
        value: id,
        $ref: `${base}/${kind}s/${encodeURIComponent(id)}`,
        type: member.kind,
        display: member.kind === 'User' ? displayOf(member.account) : groupName(member.group),
      })
  }
  return { members: [...members.values()], outside }
}

const displayOf = (account: Account): string =>
  account.name ?? formatAddress(mainAddressOf(account))
