import type { FastifyRequest } from 'fastify'
import { isMemberOf } from '#engine/list/membership.ts'
import type { AccountId } from '#model/account.ts'
import { isOwner, mayModerate } from '#model/list.ts'
import type { MailingList } from '#model/list.ts'
import { may } from '#model/role.ts'
import type { Permission } from '#model/role.ts'
import type { Directory } from '#store/directory/directory.ts'
import { accountOfRequest, roleOfRequest } from '#server/admin/context.ts'
import { ApiError } from '#server/admin/errors.ts'
import { addressIn, lower } from '#server/admin/lookup.ts'

/** see: whoever may read its posts, too. look: owners, moderators and who may read lists. change: owners and managers of lists. manage: managers alone. */
export type ListRight = 'see' | 'look' | 'change' | 'manage'

const WHO = { see: 'member', look: 'owner or moderator', change: 'owner' } as const

/** The list, for whoever has this right in it; who has none is not told whether there is such a list. */
export function listFor(
  request: FastifyRequest,
  directory: Directory,
  text: string,
  right: ListRight,
): MailingList {
  needListRight(request, directory, { list: text, right })
  const list = anyList(directory, text)
  if (list === undefined || list.deletedAt !== undefined)
    throw new ApiError(
      'notFound',
      list === undefined
        ? `there is no list ${text}`
        : `there is no list ${text}: it was deleted at ${list.deletedAt}`,
      list === undefined
        ? 'watari list ls shows the lists.'
        : `It can be had back: watari list undelete ${text}`,
    )
  return list
}

/** Throws where whoever asks has no right in this list, be it there or not. */
export function needListRight(
  request: FastifyRequest,
  directory: Directory,
  { list: text, right }: { readonly list: string; readonly right: ListRight },
): void {
  if (hasRight(request, directory, text, right)) return
  throw new ApiError(
    'forbidden',
    right === 'manage'
      ? 'this takes the right to change all lists (lists.write)'
      : `you are no ${WHO[right]} of the list ${text}`,
    'Ask an owner of the list, or a manager of lists.',
  )
}

/** Also one that was deleted and can be had back. */
export function anyList(directory: Directory, text: string): MailingList | undefined {
  const byId = directory.list(text as MailingList['id'])
  if (byId !== undefined) return byId
  const named = directory.listByAddress(addressIn(directory, lower(text)))
  return named?.purpose === 'post' ? named.list : undefined
}

function hasRight(
  request: FastifyRequest,
  directory: Directory,
  text: string,
  right: ListRight,
): boolean {
  const role = roleOfRequest(request)
  const isReading = right === 'look' || right === 'see'
  if (may(role, isReading ? 'lists.read' : 'lists.write')) return true
  const account = accountOfRequest(request)
  const list = account === undefined ? undefined : anyList(directory, text)
  if (account === undefined || list === undefined || list.deletedAt !== undefined) return false
  if (right === 'see') return hasPart(directory, list, account, 'reader')
  if (right === 'look') return mayModerate(list, account, directory.moment.today)
  return right === 'change' && isOwner(list, account)
}

/** Who may do something with a list's posts: whose role has the permission, and */
export interface PostRight {
  readonly permission: Permission
  readonly part:
    | 'reader' // whoever the archive is for
    | 'moderator' // owners and moderators
    | 'owner'
}

/** Throws where whoever asks may not do this with the list's posts, be the list there or not. */
export function needPostRight(
  request: FastifyRequest,
  directory: Directory,
  { list: text, right }: { readonly list: string; readonly right: PostRight },
): void {
  const { permission, part } = right
  if (may(roleOfRequest(request), permission)) return
  const account = accountOfRequest(request)
  const list = account === undefined ? undefined : anyList(directory, text)
  const isThere = list !== undefined && list.deletedAt === undefined
  if (account !== undefined && isThere && hasPart(directory, list, account, part)) return
  throw new ApiError(
    'forbidden',
    `this takes a part in the list ${text} (${part}), or the right ${permission}`,
    'Ask an owner of the list.',
  )
}

function hasPart(
  directory: Directory,
  list: MailingList,
  account: AccountId,
  part: PostRight['part'],
): boolean {
  if (isOwner(list, account)) return true
  if (part === 'owner') return false
  if (mayModerate(list, account, directory.moment.today)) return true
  if (part === 'moderator') return false
  if (list.archive === 'domain' || list.archive === 'public') return true
  return list.archive === 'members' && isMember(directory, list, account)
}

function isMember(directory: Directory, list: MailingList, id: AccountId): boolean {
  const account = directory.account(id)
  return account !== undefined && isMemberOf(list.id, account, directory, directory.moment.nowMs)
}
