import type { MembershipEnd } from '#contract/node/membership.ts'
import { addressKey, formatAddress, parseAddress } from '#model/address.ts'
import type { AccountId } from '#model/account.ts'
import type { Address } from '#model/address.ts'
import type { MailingList } from '#model/list.ts'

import { tellOfList } from './list-commit.ts'
import { isMark } from './list-key.ts'
import { accountOfAddress } from './list-parts.ts'
import type { ListParts } from './list-parts.ts'
import { ListStore } from './list-store.ts'

/** What the link in one member's copy of a post is about. */
export interface LeaveLink {
  readonly list: MailingList
  readonly member: Address
}

/** Of links by which members leave (`leave-way.ts`): what one leads to, and what it does. */
export interface LeaveLinks {
  /** Undefined where it is none that we made. Throws a Fault where that cannot be told now. */
  find(list: string, token: string): Promise<LeaveLink | undefined>
  /** Throws a Fault where control is away. */
  follow(link: LeaveLink): Promise<MembershipEnd>
}

export const leaveLinks = (parts: ListParts): LeaveLinks => ({
  async find(id, token) {
    const list = parts.directory.list(id as AccountId)
    const match = /^([0-9a-f]{20})-([A-Za-z0-9_-]{4,1000})$/.exec(token)
    if (list === undefined || list.deletedAt !== undefined || match === null) return undefined
    const member = parseAddress(Buffer.from(match[2]!, 'base64url').toString('utf8'))
    if (!member.ok) return undefined
    const { key } = await new ListStore(parts.mailboxes, list.id).key()
    const said = ['unsubscribe', addressKey(member.value)] as const
    return isMark(match[1]!, key, ...said) ? { list, member: member.value } : undefined
  },
  async follow({ list, member }) {
    const account = accountOfAddress(parts.directory, member)
    const end = await parts.membership({
      list: list.id,
      who: account === undefined ? { address: formatAddress(member) } : { account },
      act: 'leave',
    })
    tellOfList(parts, list, 'list.asked', {
      author: formatAddress(member),
      purpose: 'link',
      end,
    })
    return end
  },
})
