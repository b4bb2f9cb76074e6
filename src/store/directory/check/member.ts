import type { AccountId } from '#model/account.ts'
import { formatAddress, parseAddress } from '#model/address.ts'
import { memberKey } from '#model/list-member.ts'
import type { ListMember, MemberRef } from '#model/list-member.ts'
import { MEMBER_DELIVERIES } from '#model/list-words.ts'
import type { Directory } from '#store/directory/directory.ts'
import { refuse } from '#store/directory/refusal.ts'
import type { DirectoryRefusal } from '#store/directory/refusal.ts'
import { isLine } from './line.ts'
import { checkFilter } from './member-filter.ts'

const LINE_LENGTH_MAX = 256
const TERMS_MAX = 1_000

/** Undefined where the member may be written into this directory as it stands. */
export function checkMember(
  directory: Directory,
  member: ListMember,
): DirectoryRefusal | undefined {
  if (directory.list(member.list) === undefined)
    return refuse('notFound', `there is no list ${member.list}`, 'watari list ls shows the lists.')
  if (member.as !== 'member' && member.as !== 'excluded')
    return refuse(
      'invalid',
      `${member.as as string} is no way to be in a list`,
      'Give member, or excluded.',
    )
  if (!MEMBER_DELIVERIES.includes(member.delivery))
    return refuse(
      'invalid',
      `${member.delivery} is no way to get posts`,
      `Give one of: ${MEMBER_DELIVERIES.join(', ')}.`,
    )
  const { terms } = member
  if (terms.length === 0 || terms.length > TERMS_MAX || !inOrder(terms))
    return refuse(
      'invalid',
      `a member has 1 to ${TERMS_MAX} terms, one after another`,
      'Let a term end after it has begun.',
    )
  // What it names may have gone since: it is told as unresolved then.
  if (directory.member(member.list, memberKey(member)) !== undefined) return undefined
  return checkRef(directory, member.who, member.list)
}

function inOrder(terms: ListMember['terms']): boolean {
  let afterMs = -Infinity
  for (const [index, { from, until }] of terms.entries()) {
    const fromMs = Date.parse(from)
    const untilMs = until === undefined ? Infinity : Date.parse(until)
    if (!(fromMs >= afterMs && untilMs >= fromMs)) return false
    if (until === undefined && index < terms.length - 1) return false
    afterMs = untilMs
  }
  return true
}

function checkRef(
  directory: Directory,
  who: MemberRef,
  list: AccountId,
): DirectoryRefusal | undefined {
  switch (who.kind) {
    case 'account':
      return isThere(directory, who.id) ? undefined : noAccount(who.id)
    case 'list':
      if (who.id === list)
        return refuse('conflict', 'a list cannot be in itself', 'Name another list.')
      return directory.list(who.id)?.deletedAt === undefined && directory.list(who.id) !== undefined
        ? undefined
        : refuse('notFound', `there is no list ${who.id}`, 'watari list ls shows the lists.')
    case 'group':
      return directory.alias(who.address) === undefined
        ? refuse(
            'notFound',
            `${formatAddress(who.address)} is no group`,
            'watari alias ls shows the groups.',
          )
        : undefined
    case 'filter':
      return checkFilter(directory, who)
    case 'address': {
      const text = formatAddress(who.address)
      if (!parseAddress(text).ok)
        return refuse('invalid', `${text} is no address`, 'Give user@example.org.')
      return who.name === undefined || isLine(who.name, LINE_LENGTH_MAX)
        ? undefined
        : refuse('invalid', 'a name is one line', 'Shorten it.')
    }
    default:
      return refuse('invalid', 'it is of a kind that this program does not know', 'Update it.')
  }
}

export const isThere = (directory: Directory, id: AccountId): boolean => {
  const account = directory.account(id)
  return account !== undefined && account.deletedAt === undefined
}

export const noAccount = (id: AccountId): DirectoryRefusal =>
  refuse('notFound', `there is no account ${id}`, 'watari user ls shows the accounts.')
