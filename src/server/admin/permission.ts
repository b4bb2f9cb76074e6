import type { FastifyRequest, RouteOptions } from 'fastify'
import { may, mayTouch, roleOf } from '#model/role.ts'
import type { Permission } from '#model/role.ts'
import type { Account, AccountId } from '#model/account.ts'
import { addressKey } from '#model/address.ts'
import type { DirectoryEdit } from '#store/directory/check-edits.ts'
import type { Directory } from '#store/directory/directory.ts'
import { roleOfRequest } from './context.ts'
import type { ListRight, PostRight } from './lists/right.ts'
import { ApiError } from './errors.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What it takes to ask this; `known`: whoever has a right here; `anybody`: who is not known, too. */
    readonly permission?: Permission | 'known' | 'anybody'
    /** Of the list that the path names: asked before the body is looked at. */
    readonly list?: ListRight
    /** Of its posts, likewise. */
    readonly posts?: PostRight
  }
}

/** A hook that lets no route in which says nothing of who may ask it: that would be everybody. */
export function refuseUndeclared({ config, method, url }: RouteOptions): void {
  if (config?.permission === undefined)
    throw new Error(`${String(method)} ${url} declares no permission`)
}

/** What it takes to ask this route; one that there is not tells nobody anything. */
export const permissionOf = ({
  routeOptions,
}: FastifyRequest): Permission | 'known' | 'anybody' | undefined => routeOptions.config.permission

/** Throws where whoever asks may not do this. */
export function need(request: FastifyRequest, permission: Permission): void {
  const role = roleOfRequest(request)
  if (!may(role, permission))
    throw new ApiError(
      'forbidden',
      `the role ${role} has no right to this (${permission})`,
      'An administrator can do it, or give another role: watari user set USER --role ROLE.',
    )
}

/** Throws where the account has a role, and whoever asks may not change those who have one. */
export function needTouch(request: FastifyRequest, account: Account): void {
  if (!mayTouch(roleOfRequest(request), account)) throw untouchable(account)
}

/** Throws where one of these changes makes, changes or removes an account that has a role, before or after. */
export function needTouchAll(
  request: FastifyRequest,
  now: Directory,
  edits: readonly DirectoryEdit[],
): void {
  const role = roleOfRequest(request)
  for (const edit of edits)
    for (const account of concerned(now, edit))
      if (!mayTouch(role, account)) throw untouchable(account)
}

/** The account of an edit, as it is and as it would be, and those whose name it would be lent. */
function concerned(now: Directory, edit: DirectoryEdit): readonly Account[] {
  const found = (id: AccountId): readonly Account[] => {
    const account = now.account(id)
    return account === undefined ? [] : [account]
  }
  if (edit.kind === 'remove') {
    const [, id] = /^(?:account|forward|choices):(.*)$/s.exec(edit.key) ?? []
    return id === undefined ? [] : found(id as AccountId)
  }
  const { row } = edit
  if (row.kind === 'account')
    return [...found(row.account.id), row.account, ...lentBy(now, row.account)]
  if (row.kind === 'choices') return found(row.choices.accountId)
  return row.kind === 'forward' ? found(row.forward.accountId) : []
}

/** Whose addresses it may send under from this change on: nobody makes himself an administrator's voice. */
function lentBy(now: Directory, account: Account): readonly Account[] {
  const before = new Set(now.account(account.id)?.delegated.map(addressKey))
  return account.delegated.flatMap((address) => {
    const owner = before.has(addressKey(address)) ? undefined : now.byAddress(address)
    return owner === undefined || owner.id === account.id ? [] : [owner]
  })
}

/**
 * Throws where a change of other directories could set the password of somebody with a role: whoever
 * may not give roles could give himself one that way.
 */
export function needNoBoundRole(request: FastifyRequest, now: Directory): void {
  const role = roleOfRequest(request)
  if (may(role, 'roles.write')) return
  const bound = now.accounts().find((each) => !mayTouch(role, each) && !hasOwnPassword(each))
  if (bound !== undefined)
    throw new ApiError(
      'forbidden',
      `${bound.username} is ${roleOf(bound)}, and another directory says with which password`,
      'An administrator can do it.',
    )
}

/** Whether the password was set here: sources never replace such a one. */
const hasOwnPassword = ({ credential, isOwn, origins = [] }: Account): boolean =>
  credential !== undefined &&
  (isOwn === true || origins.length === 0) &&
  origins.every(({ hashMark }) => hashMark === undefined)

const untouchable = (account: Account): ApiError =>
  new ApiError(
    'forbidden',
    `${account.username} is or would be ${roleOf(account)}: only an administrator changes that account`,
    'Ask an administrator.',
  )
