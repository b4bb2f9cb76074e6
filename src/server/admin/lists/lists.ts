import { z } from 'zod'
import type { FastifyRequest } from 'fastify'
import { timedId } from '#base/id.ts'
import { ok } from '#base/outcome.ts'
import { page, pageQuery } from '#contract/admin/common.ts'
import { directoryChange } from '#contract/admin/directory.ts'
import {
  list as listShape,
  listChange,
  listDone,
  listsQuery,
  newList,
  undoBody,
  writtenList,
} from '#contract/admin/lists.ts'
import type { ListBody } from '#contract/admin/lists.ts'
import { newList as emptyList } from '#engine/list/edits.ts'
import type { AccountId } from '#model/account.ts'
import { formatAddress } from '#model/address.ts'
import type { ListModerator, MailingList } from '#model/list.ts'
import type { Directory } from '#store/directory/directory.ts'
import { rowKey } from '#store/directory/row-key.ts'
import { isoTime } from '#server/admin/context.ts'
import type { AdminDeps, AdminServer } from '#server/admin/context.ts'
import { seenOf, staleError } from '#server/admin/directory-writes.ts'
import { ApiError } from '#server/admin/errors.ts'
import { accountOf, addressIn, holding, lower, numberAfter, pageOf } from '#server/admin/lookup.ts'
import { need } from '#server/admin/permission.ts'
import { anyList, listFor } from './right.ts'
import { listBody, versionOf } from './shown.ts'
import { writeInSteps } from '#server/admin/steps.ts'
import { undoWrites } from './writes.ts'

const named = z.object({ list: z.string() })

/** Mailing lists: what they are called, who answers for them, and their rules. */
export function listRoutes(app: AdminServer, deps: AdminDeps): void {
  const { directory } = deps.directory

  app.get(
    '/lists',
    {
      config: { permission: 'lists.read' },
      schema: { querystring: listsQuery, response: { 200: page(listShape) } },
    },
    async ({ query }) => {
      const found = holding(
        query.search,
        ({ address, addresses, name, description }: MailingList) => [
          ...[address, ...addresses].map(formatAddress),
          name ?? '',
          description ?? '',
        ],
      )
      const isDeleted = query.deleted === 'true'
      const { items, ...rest } = await pageOf(
        directory.lists(),
        {
          keyOf: ({ address }) => formatAddress(address),
          bodyOf: (list) => list,
          holds: (list) => (list.deletedAt !== undefined) === isDeleted && found(list),
        },
        query,
      )
      const bodies: ListBody[] = []
      for (const list of items) bodies.push(await listBody(directory, list))
      return { items: bodies, ...rest }
    },
  )

  app.post(
    '/lists',
    {
      config: { permission: 'lists.write' },
      schema: { body: newList, response: { 201: writtenList } },
    },
    async (request, reply) => {
      const { address, ...rules } = request.body
      const made = emptyList(
        timedId(deps.clock.nowMs()) as AccountId,
        addressIn(directory, lower(address)),
      )
      const { undo, pending } = await write(deps, request, made.id, (now) =>
        changed(now, made, rules),
      )
      return reply.code(201).send(await written(deps, made.id, { undo, pending }))
    },
  )

  app.get(
    '/lists/:list',
    {
      config: { permission: 'known', list: 'see' },
      schema: { params: named, response: { 200: listShape } },
    },
    async (request) => listBody(directory, listFor(request, directory, request.params.list, 'see')),
  )

  app.patch(
    '/lists/:list',
    {
      config: { permission: 'known', list: 'change' },
      schema: { params: named, body: listChange, response: { 200: writtenList } },
    },
    async (request) => {
      const { address, addresses } = request.body
      const isMove = address !== undefined || addresses !== undefined
      const { id } = listFor(request, directory, request.params.list, isMove ? 'manage' : 'change')
      const done = await write(deps, request, id, (now) => {
        const list = now.list(id)
        return list && changed(now, list, request.body)
      })
      return written(deps, id, done)
    },
  )

  app.delete(
    '/lists/:list',
    {
      config: { permission: 'lists.write' },
      schema: {
        params: named,
        querystring: z.object({
          forGood: z.literal('true').optional().describe('it cannot be had back'),
        }),
        response: { 200: listDone },
      },
    },
    async (request) => {
      const { rules } = directory.moment
      if (request.query.forGood === 'true' || rules.undeleteDays === 0) {
        const list =
          anyList(directory, request.params.list) ??
          listFor(request, directory, request.params.list, 'manage')
        return { pending: await removeForGood(deps, request, list.id) }
      }
      const { id } = listFor(request, directory, request.params.list, 'manage')
      return write(deps, request, id, (now) => {
        const list = now.list(id)
        return list && { ...list, deletedAt: isoTime(deps.clock.nowMs()) }
      })
    },
  )

  app.post(
    '/lists/:list/restore',
    {
      config: { permission: 'lists.write' },
      schema: { params: named, response: { 200: writtenList } },
    },
    async (request) => {
      const found = anyList(directory, request.params.list)
      if (found?.deletedAt === undefined)
        throw new ApiError(
          found === undefined ? 'notFound' : 'conflict',
          found === undefined
            ? `there is no list ${request.params.list}`
            : `${request.params.list} is not deleted`,
          'watari list ls --deleted shows which are.',
        )
      const done = await write(deps, request, found.id, (now) => {
        const { deletedAt: _, ...list } = now.list(found.id) ?? found
        return list
      })
      return written(deps, found.id, done)
    },
  )

  app.get(
    '/lists/:list/history',
    {
      config: { permission: 'known', list: 'look' },
      schema: {
        params: named,
        querystring: pageQuery.extend({
          of: z.enum(['list', 'members']).default('members'),
        }),
        response: { 200: page(directoryChange) },
      },
    },
    async (request) => {
      const { limit, after, of } = request.query
      const { id } = listFor(request, directory, request.params.list, 'look')
      const before = numberAfter(after)
      const { items } = await deps.directoryLog.history({
        limit,
        ...(of === 'list' ? { key: `list:${id}` } : { prefix: `member:${id}:` }),
        ...(before !== undefined && { before }),
      })
      return {
        items: items.map(({ atMs, by, before: old, ...rest }) => ({
          ...rest,
          at: isoTime(atMs),
          who: by.who,
          from: by.from,
          before: old,
        })),
        ...(items.length === limit && { next: String(items.at(-1)!.seq) }),
      }
    },
  )

  app.post(
    '/lists/:list/undo',
    {
      config: { permission: 'known', list: 'change' },
      schema: { params: named, body: undoBody, response: { 200: listDone } },
    },
    async (request) => {
      const list = anyList(directory, request.params.list)
      // A deletion is taken back by who may delete.
      if (list?.deletedAt !== undefined) need(request, 'lists.write')
      else listFor(request, directory, request.params.list, 'change')
      return undoWrites(deps, request, list!.id, request.body.undo)
    },
  )
}

/** A list's own row; with If-Match only onto the one that the editor has seen. */
async function write(
  deps: AdminDeps,
  request: FastifyRequest,
  id: AccountId,
  make: (now: Directory) => MailingList | undefined,
): Promise<{ undo?: string; pending: { node: string; reason: string }[] }> {
  const seen = seenOf(request)
  const before = deps.directory.directory.list(id)
  if (seen !== undefined && before !== undefined && versionOf(before) !== seen)
    throw await staleError(deps, { key: `list:${id}`, name: formatAddress(before.address) })
  return writeInSteps(deps, request, [id], (now) => {
    const list = make(now)
    if (list === undefined) return ok([])
    return ok([{ kind: 'put', row: { kind: 'list', list } }])
  })
}

async function written(
  deps: AdminDeps,
  id: AccountId,
  done: { undo?: string | undefined; pending: { node: string; reason: string }[] },
): Promise<ListBody & { undo?: string; pending: { node: string; reason: string }[] }> {
  const { directory } = deps.directory
  const { undo, pending } = done
  return {
    ...(await listBody(directory, directory.list(id)!)),
    ...(undo !== undefined && { undo }),
    pending,
  }
}

/** Members first, in steps; its mailboxes go as those of an account do. */
async function removeForGood(deps: AdminDeps, request: FastifyRequest, id: AccountId) {
  const { directory } = deps.directory
  const keys = directory
    .members(id)
    .map((row) => rowKey({ kind: 'member', member: row }))
    .toArray()
  await writeInSteps(deps, request, keys, (_, some) =>
    ok(some.map((key) => ({ kind: 'remove', key }))),
  )
  const { pending } = await writeInSteps(deps, request, [`list:${id}`], (_, some) =>
    ok(some.map((key) => ({ kind: 'remove', key }))),
  )
  return pending
}

type ListWish = Partial<z.infer<typeof listChange>>

/** The list as it is wished; null takes something away. */
function changed(now: Directory, list: MailingList, wish: ListWish): MailingList {
  const { owners, moderators, senders, address, addresses, closed, ...rules } = wish
  const after: Record<string, unknown> = { ...list }
  for (const [name, value] of Object.entries(rules)) {
    if (value === null) delete after[name]
    else if (value !== undefined)
      after[name] = typeof value === 'string' ? value.normalize('NFC').trim() : value
  }
  if (closed === true) after['isClosed'] = true
  if (closed === false) delete after['isClosed']
  return {
    ...(after as unknown as MailingList),
    ...(owners !== undefined && { owners: owners.map((name) => ofPerson(now, list, name)) }),
    ...(moderators !== undefined && {
      moderators: moderators.map(({ user, until }): ListModerator => ({
        account: ofPerson(now, list, user),
        ...(until !== undefined && { until }),
      })),
    }),
    ...(senders !== undefined && { senders: senders.map((name) => ofPerson(now, list, name)) }),
    ...(address !== undefined && { address: addressIn(now, lower(address)) }),
    ...(addresses !== undefined && {
      addresses: addresses.map((text) => addressIn(now, lower(text))),
    }),
  }
}

/** Who has gone since is named by the id that the list has. */
function ofPerson(
  now: Directory,
  { owners, moderators, senders = [] }: MailingList,
  name: string,
): AccountId {
  const all = [...owners, ...moderators.map(({ account }) => account), ...senders]
  const known = all.find((id) => id === name)
  return known ?? accountOf(now, name).id
}
