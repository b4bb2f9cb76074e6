import { z } from 'zod'
import type { Outcome } from '#base/outcome.ts'
import {
  damagedMessages,
  expireAsk,
  expirePart,
  expungedPage,
  expungedQuery,
  mailbox,
  mailboxes,
  mailboxRetention,
  recounted,
  undeleted,
} from '#contract/admin/mailboxes.ts'
import type { MailboxBody } from '#contract/admin/mailboxes.ts'
import type { KeepingRefusal, KeptMailbox } from '#engine/retention/keeping.ts'
import type { AccountId } from '#model/account.ts'
import type { EmailId, MailboxPath } from '#model/mailbox.ts'
import { isoTime } from './context.ts'
import type { AdminDeps, AdminServer, RemoteKeeping } from './context.ts'
import { ApiError } from './errors.ts'
import { accountOf, mainAddress } from './lookup.ts'
import { needTouch } from './permission.ts'
import { effectiveQuota } from './quota.ts'
import { askStore, authorText } from './store-ask.ts'

const owner = z.object({ user: z.string() })
const named = owner.extend({ mailbox: z.string().max(6_000) })

/** Users' mailboxes: what they keep, for how long, and what comes back. */
export function mailboxRoutes(app: AdminServer, deps: AdminDeps): void {
  const ask = <T>(work: (keeping: RemoteKeeping) => Promise<T>): Promise<T> => {
    const { node, keeping } = deps.keeping()
    return askStore(node, () => work(keeping))
  }
  const of = (user: string) => {
    const account = accountOf(deps.directory.directory, user)
    return { account, accountId: account.id, address: mainAddress(account) }
  }

  const userOf = (accountId: AccountId): string => {
    const account = deps.directory.directory.account(accountId)
    return account === undefined ? accountId : mainAddress(account)
  }

  app.get(
    '/mailboxes/damaged',
    { config: { permission: 'mailboxes.read' }, schema: { response: { 200: damagedMessages } } },
    async () => {
      const found = await ask((keeping) => keeping.damaged())
      const items = found.map(({ accountId, path, uid, emailId, isExpunged, foundAtMs }) => ({
        user: userOf(accountId),
        mailbox: path.join('/'),
        uid,
        emailId,
        expunged: isExpunged,
        foundAt: isoTime(foundAtMs),
      }))
      return { items }
    },
  )

  app.get(
    '/users/:user/mailboxes',
    {
      config: { permission: 'mailboxes.read' },
      schema: { params: owner, response: { 200: mailboxes } },
    },
    async ({ params }) => {
      const { account, accountId } = of(params.user)
      const items = (await ask((keeping) => keeping.list({ accountId }))).map(bodyOf)
      const used = { bytes: 0, messages: 0 }
      for (const { sizeBytes, messages } of items) {
        used.bytes += sizeBytes
        used.messages += messages
      }
      return { items, used, quota: effectiveQuota(deps, account) }
    },
  )

  app.put(
    '/users/:user/mailboxes/:mailbox/retention',
    {
      config: { permission: 'mailboxes.write' },
      schema: { params: named, body: mailboxRetention, response: { 200: mailbox } },
    },
    async (request) => {
      const { accountId, address } = of(request.params.user)
      const { retention } = request.body
      const retain = {
        accountId,
        path: pathOf(request.params.mailbox),
        retention,
        by: authorText(request),
      }
      return bodyOf(taken(await ask((keeping) => keeping.retain(retain)), address))
    },
  )

  app.post(
    '/users/:user/recount',
    {
      config: { permission: 'mailboxes.write' },
      schema: { params: owner, response: { 200: recounted } },
    },
    async (request) => {
      const { accountId, address } = of(request.params.user)
      const { sums, mailboxes: wrong } = await ask((keeping) =>
        keeping.recount({ accountId, by: authorText(request) }),
      )
      const [used] = await ask((keeping) => keeping.usages({ accountIds: [accountId] }))
      return {
        user: address,
        used: used ?? { bytes: 0, messages: 0 },
        wrong: sums,
        mailboxes: wrong.map(({ path, ...counts }) => ({ mailbox: path.join('/'), ...counts })),
      }
    },
  )

  app.post(
    '/mailboxes/expire',
    {
      config: { permission: 'mailboxes.write' },
      schema: { body: expireAsk, response: { 200: expirePart } },
    },
    async (request) => {
      const { asOf, dryRun, after } = request.body
      const expire = {
        dryRun,
        ...(asOf !== undefined && { asOfMs: Date.parse(asOf) }),
        ...(after !== undefined && { after }),
        by: authorText(request),
      }
      const { expired, looked, next } = await ask((keeping) => keeping.expire(expire))
      const items = expired.map(({ accountId, path, messages }) => {
        return { user: userOf(accountId), mailbox: path.join('/'), messages }
      })
      return { items, looked, ...(next !== undefined && { next }) }
    },
  )

  app.get(
    '/users/:user/expunged',
    {
      config: { permission: 'content.read' },
      schema: { params: owner, querystring: expungedQuery, response: { 200: expungedPage } },
    },
    async ({ params, query }) => {
      const { accountId } = of(params.user)
      const { emails, next } = await ask((keeping) => keeping.gone(sinceOf(accountId, query)))
      const items = emails.map(({ path, goneAtMs, ...email }) => ({
        ...email,
        mailbox: path.join('/'),
        expungedAt: isoTime(goneAtMs),
      }))
      return { items, ...(next !== undefined && { next }) }
    },
  )

  app.post(
    '/users/:user/undelete',
    {
      config: { permission: 'mailboxes.restore' },
      schema: { params: owner, body: expungedQuery, response: { 200: undeleted } },
    },
    async (request) => {
      const { account, accountId, address } = of(request.params.user)
      needTouch(request, account)
      const undelete = { ...sinceOf(accountId, request.body), by: authorText(request) }
      return taken(await ask((keeping) => keeping.undelete(undelete)), address)
    },
  )
}

const pathOf = (name: string): MailboxPath => name.split('/')

const sinceOf = (
  accountId: Parameters<RemoteKeeping['gone']>[0]['accountId'],
  ask: z.infer<typeof expungedQuery>,
): Parameters<RemoteKeeping['gone']>[0] => ({
  accountId,
  sinceMs: ask.since === undefined ? 0 : Date.parse(ask.since),
  ...(ask.mailbox !== undefined && { path: pathOf(ask.mailbox) }),
  ...(ask.after !== undefined && { after: ask.after as EmailId }),
})

const bodyOf = ({ path, use, retainDays, ...row }: KeptMailbox): MailboxBody => ({
  ...row,
  name: path.join('/'),
  role: use ?? null,
  retainDays: retainDays ?? null,
})

function taken<T>(outcome: Outcome<T, KeepingRefusal>, user: string): T {
  if (outcome.ok) return outcome.value
  const { code, message } = outcome.error
  throw new ApiError(code, message, `watari mailbox ls ${user} shows the mailboxes.`)
}
