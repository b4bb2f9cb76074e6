import { FOREIGN_ROOTS } from '#model/mailbox.ts'
import { astring } from '#codec/imap/render.ts'
import type { AccountId } from '#model/account.ts'
import { isLimited, NO_RULE } from '#model/quota.ts'
import type { QuotaRule } from '#model/quota.ts'
import { LOGGED_IN } from '#server/imap/session/command.ts'
import type { ImapCommand } from '#server/imap/session/command.ts'
import { done, no } from '#server/imap/session/completion.ts'
import {
  badName,
  findMailbox,
  lacking,
  ownerOf,
  pathOf,
  shownName,
} from '#server/imap/mailbox/mailboxes.ts'
import { may } from '#server/imap/view/rights.ts'
import type { ImapSession } from '#server/imap/session/session.ts'

/** All mailboxes of an account share one quota root; one's own has no name. */
const ROOT = ''

/** RFC 9208 §4.1.1. */
export const getQuota: ImapCommand<'GETQUOTA'> = {
  name: 'GETQUOTA',
  states: LOGGED_IN,
  async run(session, { root }) {
    const accountId = await ownerOfRoot(session, root)
    const quota = accountId === undefined ? NO_RULE : quotaOf(session, accountId)
    if (accountId === undefined || !hasRoot(quota)) return no('NONEXISTENT', 'No such quota root')
    session.out.line(await quotaLine(session, { accountId, root: shownRoot(root), quota }))
    return done('Done')
  },
}

/**
 * RFC 9208 §4.1.2: any name, also of what is not there yet; no root where nothing is limited. In a mailbox
 * of somebody's it is their room that counts, and who may read it is told.
 */
export const getQuotaRoot: ImapCommand<'GETQUOTAROOT'> = {
  name: 'GETQUOTAROOT',
  states: LOGGED_IN,
  async run(session, { mailbox }) {
    const path = pathOf(session, mailbox)
    if (path === undefined) return badName()
    let { accountId } = session
    if (FOREIGN_ROOTS.includes(path[0]!)) {
      const found = await findMailbox(session, mailbox)
      if ('refused' in found) return found.refused
      const refused = lacking(found.row, 'r')
      if (refused !== undefined) return refused
      ;({ accountId } = found)
    }
    const quota = quotaOf(session, accountId)
    const isThere = hasRoot(quota)
    const root = accountId === session.accountId ? '""' : shownName(session, path.slice(0, 2))
    session.out.line(`* QUOTAROOT ${shownName(session, path)}${isThere ? ` ${root}` : ''}`)
    if (isThere) session.out.line(await quotaLine(session, { accountId, root, quota }))
    return done('Done')
  },
}

const shownRoot = (root: string): string => (root === ROOT ? '""' : astring(root))

/** Whose root it is: of somebody else's it is told to who may read any of their mailboxes. */
async function ownerOfRoot(session: ImapSession, root: string): Promise<AccountId | undefined> {
  const { accountId: by, room } = session
  if (root === ROOT) return by
  const path = pathOf(session, root)
  const owned = path?.length === 2 ? ownerOf(session, [...path, 'INBOX']) : undefined
  if (owned === undefined || owned.accountId === by) return undefined
  const { mailboxes } = await room.store.mailboxes({ accountId: owned.accountId, by })
  return mailboxes.some((row) => may(row, 'r')) ? owned.accountId : undefined
}

const quotaOf = ({ room }: ImapSession, accountId: AccountId): QuotaRule =>
  room.quotaOf?.(accountId) ?? NO_RULE

const hasRoot = (quota: QuotaRule): boolean => isLimited(quota) || (quota.mailboxes ?? 0) > 0

const UNIT = 1024

/** RFC 9208 §5.1: storage counts in units of 1,024 octets; what is begun of one is used, and none beyond the limit is there. */
async function quotaLine(
  session: ImapSession,
  of: { readonly accountId: AccountId; readonly root: string; readonly quota: QuotaRule },
): Promise<string> {
  const { accountId, root, quota } = of
  const { store } = session.room
  const used = await store.usage({ accountId })
  const { mailboxes: most = 0 } = quota
  const count = most === 0 ? 0 : (await store.mailboxes({ accountId })).mailboxes.length
  const resources = [
    ...(quota.bytes === 0
      ? []
      : [`STORAGE ${Math.ceil(used.bytes / UNIT)} ${Math.floor(quota.bytes / UNIT)}`]),
    ...(quota.messages === 0 ? [] : [`MESSAGE ${used.messages} ${quota.messages}`]),
    ...(most === 0 ? [] : [`MAILBOX ${count} ${most}`]),
  ]
  return `* QUOTA ${root} (${resources.join(' ')})`
}
