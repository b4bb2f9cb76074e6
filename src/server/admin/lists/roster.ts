import { z } from 'zod'
import { windowQuery } from '#contract/admin/common.ts'
import { members, membersQuery, recipients } from '#contract/admin/lists.ts'
import { resolveMembers } from '#engine/list/resolve.ts'
import type { ListRecipient } from '#engine/list/resolve.ts'
import { formatAddress } from '#model/address.ts'
import { memberKey } from '#model/list-member.ts'
import type { ListMember } from '#model/list-member.ts'
import { isBeforeHistory } from '#model/list-words.ts'
import type { MailingList } from '#model/list.ts'
import type { Directory } from '#store/directory/directory.ts'
import type { AdminDeps, AdminServer } from '#server/admin/context.ts'
import { inTurns, ordered, pageOf } from '#server/admin/lookup.ts'
import { whenIn } from './days.ts'
import { KeptOrders } from './kept-orders.ts'
import { listFor } from './right.ts'
import { memberBody, whoBody } from './shown.ts'
import { wordsFind } from './words.ts'

const named = z.object({ list: z.string() })

/** Who is in a list, and who gets its posts: page by page, or a window anywhere in either. */
export function rosterRoutes(app: AdminServer, deps: AdminDeps): void {
  const { directory } = deps.directory
  const orders = new KeptOrders(deps.clock)

  app.get(
    '/lists/:list/members',
    {
      config: { permission: 'known', list: 'look' },
      schema: { params: named, querystring: membersQuery, response: { 200: members } },
    },
    async (request) => {
      const { search, on, as, from, limit, after } = request.query
      const { id, historyFrom } = listFor(request, directory, request.params.list, 'look')
      const known = isBeforeHistory(on, historyFrom) ? { knownFrom: historyFrom } : {}
      const isIn = whenIn(on, directory.moment)
      const isFound = wordsFind(search)
      const listing = {
        keyOf: (row: ListMember) => sortKey(directory, row),
        bodyOf: (row: ListMember) => memberBody(directory, row),
        holds: (row: ListMember) =>
          (as === undefined || row.as === as) && isIn(row.terms) && isFound(directory, row),
      }
      if (from === undefined)
        return { ...(await pageOf(directory.members(id), listing, { limit, after })), ...known }
      const name = JSON.stringify(['members', id, search, on, as])
      const keys = await orders.of(name, directory.seq, async () =>
        (await ordered(directory.members(id), listing)).map(memberKey),
      )
      const rows = keys.slice(from, from + limit).flatMap((key) => directory.member(id, key) ?? [])
      return { total: keys.length, items: await inTurns(rows, listing.bodyOf), ...known }
    },
  )

  app.get(
    '/lists/:list/recipients',
    {
      config: { permission: 'known', list: 'look' },
      schema: { params: named, querystring: windowQuery, response: { 200: recipients } },
    },
    async (request) => {
      const { from, limit, after } = request.query
      const { id } = listFor(request, directory, request.params.list, 'look')
      const name = JSON.stringify(['recipients', id])
      const [resolved] = await orders.of(name, directory.seq, async () => {
        const { recipients: all, unresolved } = await resolveMembers(
          id,
          directory,
          deps.clock.nowMs(),
        )
        return [{ unresolved, all: await ordered(all, { keyOf: addressText }) }]
      })
      const { all, unresolved } = resolved!
      const bodyOf = (row: ListRecipient) => recipientBody(directory, row)
      const shown =
        from === undefined
          ? await pageOf(all, { keyOf: addressText, bodyOf }, { limit, after })
          : { items: await inTurns(all.slice(from, from + limit), bodyOf) }
      return {
        total: all.length,
        ...shown,
        unresolved: unresolved.slice(0, limit).map(({ member, why, accountId }) => ({
          list: nameOf(directory, member.list),
          member: memberBody(directory, member),
          why,
          ...(accountId !== undefined && { id: accountId }),
        })),
      }
    },
  )
}

const addressText = ({ address }: ListRecipient): string => formatAddress(address)

function recipientBody(now: Directory, { address, accountId, delivery, through }: ListRecipient) {
  const name = accountId === undefined ? undefined : now.account(accountId)?.name
  return {
    address: formatAddress(address),
    ...(accountId !== undefined && { id: accountId }),
    ...(name !== undefined && { name }),
    delivery,
    through: [...through],
  }
}

const nameOf = (now: Directory, id: MailingList['id']): string => {
  const address = now.list(id)?.address
  return address === undefined ? id : formatAddress(address)
}

/** By address, then by what it is: no two rows have the same place. */
const sortKey = (now: Directory, row: ListMember): string => {
  const who = whoBody(now, row.who)
  return `${'address' in who ? who.address : ''}\n${memberKey(row)}`
}
