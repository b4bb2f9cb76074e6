import type { FastifyRequest } from 'fastify'
import { openLists, ownListAct, ownListDelivery, ownListDone } from '#contract/admin/lists.ts'
import type { MembershipActBody, MembershipEnd } from '#contract/node/membership.ts'
import { isMemberOf } from '#engine/list/membership.ts'
import { changeOwnMembership, mayJoin } from '#engine/list/own-membership.ts'
import type { Account } from '#model/account.ts'
import { formatAddress } from '#model/address.ts'
import type { MailingList } from '#model/list.ts'
import { authorOf } from '#server/admin/context.ts'
import type { AdminDeps, AdminServer } from '#server/admin/context.ts'
import { ApiError } from '#server/admin/errors.ts'
import { askStore } from '#server/admin/store-ask.ts'
import { anyList } from './right.ts'
import { selfOf } from './self.ts'

/** What whoever is logged in does with the own place in lists. */
export function ownListRoutes(app: AdminServer, deps: AdminDeps): void {
  const { directory } = deps.directory

  app.get(
    '/me/lists/open',
    { config: { permission: 'known' }, schema: { response: { 200: openLists } } },
    async (request) => {
      const account = selfOf(deps, request)
      const nowMs = deps.clock.nowMs()
      const items = directory
        .lists()
        .filter(
          (list) =>
            list.deletedAt === undefined &&
            mayJoin(list, true) !== 'no' &&
            !isMemberOf(list.id, account, directory, nowMs),
        )
        .map((list) => ({
          id: list.id,
          address: formatAddress(list.address),
          ...(list.name !== undefined && { name: list.name }),
          ...(list.description !== undefined && { description: list.description }),
          byApproval: mayJoin(list, true) === 'approval',
        }))
        .toArray()
      return { items: items.toSorted((a, b) => (a.address < b.address ? -1 : 1)) }
    },
  )

  const act = async (
    request: FastifyRequest,
    text: string,
    what: MembershipActBody['act'],
  ): Promise<{ end: 'done' | 'same' | 'asked'; pending: { node: string; reason: string }[] }> => {
    const account = selfOf(deps, request)
    const list = ownList(directory, account, text, deps.clock.nowMs())
    const asked = { list: list.id, who: { account: account.id }, act: what }
    const { from } = authorOf(request)
    const end = await changeOwnMembership(deps.directory, asked, {
      from,
      atMs: deps.clock.nowMs(),
    })
    if (end === 'approval') return { end: await askOwners(list, account), pending: [] }
    if (end !== 'done' && end !== 'same') throw refusalOf(end, formatAddress(list.address))
    return { end, pending: [...(await deps.hub.settled())] }
  }

  const askOwners = async (list: MailingList, account: Account): Promise<'asked'> => {
    const { node, posts } = deps.posts()
    const asked = await askStore(node, () =>
      posts.admission({ list: list.id, account: account.id }),
    )
    if (asked.ok && asked.value === 'asked') return 'asked'
    throw new ApiError(
      'slowed',
      'its owners have been asked several times today',
      'Wait for their answer, or write to them.',
    )
  }

  app.post(
    '/me/lists/join',
    {
      config: { permission: 'known' },
      schema: { body: ownListAct, response: { 200: ownListDone } },
    },
    (request) => act(request, request.body.list, 'join'),
  )

  app.post(
    '/me/lists/leave',
    {
      config: { permission: 'known' },
      schema: { body: ownListAct, response: { 200: ownListDone } },
    },
    (request) => act(request, request.body.list, 'leave'),
  )

  app.post(
    '/me/lists/delivery',
    {
      config: { permission: 'known' },
      schema: { body: ownListDelivery, response: { 200: ownListDone } },
    },
    (request) => act(request, request.body.list, request.body.delivery),
  )
}

/** One that they are in, or may join; of others nobody is told whether there are such lists. */
function ownList(
  directory: AdminDeps['directory']['directory'],
  account: Account,
  text: string,
  nowMs: number,
): MailingList {
  const list = anyList(directory, text)
  const isKnown =
    list !== undefined &&
    list.deletedAt === undefined &&
    (list.subscription !== 'closed' ||
      isMemberOf(list.id, account, directory, nowMs) ||
      isKeptOut(directory, list, account))
  if (isKnown) return list
  throw new ApiError(
    'notFound',
    `you are in no list ${text}, and there is none by this name to join`,
    'GET /me/lists/open shows the lists that you can join.',
  )
}

/** Who has left what a group has them in comes back to it. */
const isKeptOut = (
  directory: AdminDeps['directory']['directory'],
  list: MailingList,
  { id }: Account,
): boolean => directory.member(list.id, `-account:${id}`) !== undefined

function refusalOf(
  end: Exclude<MembershipEnd, 'done' | 'same' | 'approval'>,
  list: string,
): ApiError {
  const ask = 'Ask an owner of the list.'
  switch (end) {
    case 'closed':
      return new ApiError('forbidden', `owners decide who is in ${list}`, ask)
    case 'excluded':
      return new ApiError('forbidden', `an owner keeps you out of ${list}`, ask)
    case 'notMember':
      return new ApiError(
        'conflict',
        `you are not in ${list}`,
        'GET /me/lists shows where you are.',
      )
    case 'group':
      return new ApiError('conflict', `you are in ${list} by a group or another list`, ask)
    case 'notFound':
      return new ApiError('notFound', `there is no list ${list}`, ask)
    case 'refused':
      return new ApiError('conflict', `${list} does not take the change`, ask)
  }
}
