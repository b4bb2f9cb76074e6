import { counted } from '#base/text.ts'
import { inSlices } from '#base/turns.ts'
import type { Steps } from '#base/turns.ts'
import type { ListBody, MemberBody } from '#contract/admin/lists.ts'
import { mainAddressOf } from '#model/account.ts'
import type { AccountId } from '#model/account.ts'
import { formatAddress } from '#model/address.ts'
import { isInAt, memberKey } from '#model/list-member.ts'
import type { ListMember } from '#model/list-member.ts'
import type { MailingList } from '#model/list.ts'
import type { Directory } from '#store/directory/directory.ts'
import { versioned } from '#server/admin/directory-writes.ts'

/** A list as the API shows it. */
export async function listBody(now: Directory, list: MailingList): Promise<ListBody> {
  const { address, addresses, owners, moderators, senders = [], isClosed, ...rest } = list
  const members = await inSlices(membersOfNow(now, list))
  const body = {
    ...rest,
    address: formatAddress(address),
    addresses: addresses.map(formatAddress),
    owners: owners.map((id) => personBody(now, id)),
    moderators: moderators.map(({ account, until }) => ({
      ...personBody(now, account),
      ...(until !== undefined && { until }),
    })),
    senders: senders.map((id) => personBody(now, id)),
    closed: isClosed === true,
  }
  // Members come and go without a change of the list.
  return { ...body, members, version: versionOf(list) }
}

function* membersOfNow(now: Directory, { id }: MailingList): Steps<number> {
  const { nowMs } = now.moment
  let count = 0
  for (const { as, terms } of now.members(id)) {
    if (as === 'member' && isInAt(terms, nowMs)) count++
    yield
  }
  return count
}

export const versionOf = (list: MailingList): string => versioned(list).version

export function personBody(now: Directory, id: AccountId) {
  const account = now.account(id)
  return {
    id,
    ...(account !== undefined && { address: formatAddress(mainAddressOf(account)) }),
    ...(account?.name !== undefined && { name: account.name }),
  }
}

/** A member as the API shows it: by the name and address of now. */
export function memberBody(now: Directory, row: ListMember): MemberBody {
  const { who, as, delivery, terms, addedBy, resolved, trouble } = row
  const { from, until } = terms.at(-1)!
  return {
    member: memberKey(row),
    kind: who.kind,
    ...whoBody(now, who),
    ...(resolved !== undefined && {
      asOf: resolved.asOf,
      name: counted(resolved.accounts.length, 'account'),
      people: resolved.accounts.length,
    }),
    ...(trouble !== undefined && { trouble }),
    as,
    delivery,
    from,
    ...(until !== undefined && { until }),
    ...(addedBy !== undefined && { addedBy }),
  }
}

/** Whom a member names. */
export function whoBody(now: Directory, who: ListMember['who']) {
  switch (who.kind) {
    case 'account':
      return personBody(now, who.id)
    case 'list': {
      const list = now.list(who.id)
      return {
        id: who.id,
        ...(list !== undefined && { address: formatAddress(list.address) }),
        ...(list?.name !== undefined && { name: list.name }),
      }
    }
    case 'group': {
      const name = now.alias(who.address)?.name
      return { address: formatAddress(who.address), ...(name !== undefined && { name }) }
    }
    case 'address':
      return {
        address: formatAddress(who.address),
        ...(who.name !== undefined && { name: who.name }),
      }
    case 'filter': {
      const { kind: _, ...filter } = who
      return filter
    }
  }
}
