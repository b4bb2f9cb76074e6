import { z } from 'zod'
import { acl, aclRights } from '#contract/admin/acl.ts'
import type { KeepingRefusal } from '#engine/retention/keeping.ts'
import { ANYONE, NO_RIGHTS, parseRights } from '#model/acl.ts'
import type { AclEntry, Grantee, Rights } from '#model/acl.ts'
import type { AccountId } from '#model/account.ts'
import type { Outcome } from '#base/outcome.ts'
import type { AdminDeps, AdminServer, RemoteKeeping } from './context.ts'
import { ApiError } from './errors.ts'
import { accountOf, mainAddress } from './lookup.ts'
import { askStore, authorText } from './store-ask.ts'

const named = z.object({ user: z.string(), mailbox: z.string().max(6_000) })
const granted = named.extend({ who: z.string().max(1_000) })

/** Who else may do what in users' mailboxes (RFC 4314). */
export function aclRoutes(app: AdminServer, deps: AdminDeps): void {
  const { directory } = deps.directory
  const ask = <T>(work: (keeping: RemoteKeeping) => Promise<T>): Promise<T> => {
    const { node, keeping } = deps.keeping()
    return askStore(node, () => work(keeping))
  }
  const placeOf = ({ user, mailbox }: z.infer<typeof named>) => {
    const account = accountOf(directory, user)
    return { account, place: { accountId: account.id, path: mailbox.split('/') } }
  }
  /** Somebody of the directory, or everybody; an entry of an account that is no more goes by its id. */
  const granteeOf = (text: string): Grantee => {
    const name = text.startsWith('-') ? text.slice(1) : text
    const id = name === ANYONE ? ANYONE : accountOf(directory, name).id
    return name === text ? id : `-${id}`
  }
  const shownWho = (who: Grantee): string => {
    const id = who.startsWith('-') ? who.slice(1) : who
    const account = directory.account(id as AccountId)
    return account === undefined ? who : who.replace(id, mainAddress(account))
  }
  const bodyOf = (
    outcome: Outcome<readonly AclEntry[], KeepingRefusal>,
    user: string,
  ): z.infer<typeof acl> => {
    if (!outcome.ok) {
      const { code, message } = outcome.error
      throw new ApiError(code, message, `watari mailbox ls ${user} shows the mailboxes.`)
    }
    return { items: outcome.value.map(({ who, rights }) => ({ who: shownWho(who), rights })) }
  }
  const grant = async (
    request: Parameters<typeof authorText>[0] & { readonly params: z.infer<typeof granted> },
    who: Grantee,
    rights: Rights,
  ): Promise<z.infer<typeof acl>> => {
    const { account, place } = placeOf(request.params)
    if (who === account.id)
      throw new ApiError(
        'invalid',
        `${mainAddress(account)} owns the mailbox and may do everything`,
        'Give somebody else.',
      )
    const entry = { ...place, who, rights, by: authorText(request) }
    return bodyOf(await ask((keeping) => keeping.grant(entry)), mainAddress(account))
  }

  app.get(
    '/users/:user/mailboxes/:mailbox/acl',
    { config: { permission: 'mailboxes.read' }, schema: { params: named, response: { 200: acl } } },
    async ({ params }) => {
      const { account, place } = placeOf(params)
      return bodyOf(await ask((keeping) => keeping.acl(place)), mainAddress(account))
    },
  )

  app.put(
    '/users/:user/mailboxes/:mailbox/acl/:who',
    {
      config: { permission: 'mailboxes.write' },
      schema: { params: granted, body: aclRights, response: { 200: acl } },
    },
    (request) => {
      const rights = parseRights(request.body.rights)
      if (rights === undefined || rights === NO_RIGHTS)
        throw new ApiError(
          'invalid',
          `${request.body.rights} are no rights`,
          'Give letters of lrswipkxtea, such as lrs to read or lrswite to work with mail.',
        )
      return grant(request, granteeOf(request.params.who), rights)
    },
  )

  app.delete(
    '/users/:user/mailboxes/:mailbox/acl/:who',
    {
      config: { permission: 'mailboxes.write' },
      schema: { params: granted, response: { 200: acl } },
    },
    async (request) => {
      const { account, place } = placeOf(request.params)
      const { who } = request.params
      const known = bodyOf(await ask((keeping) => keeping.acl(place)), mainAddress(account))
      // What stands there as it is shown, be its account there or not.
      const isShown = known.items.some((entry) => entry.who === who)
      const isGone = isShown && directory.byLogin(who.replace(/^-/, '')) === undefined
      return grant(request, isGone ? (who as Grantee) : granteeOf(who), NO_RIGHTS)
    },
  )
}
