import { isLimited, NO_QUOTA } from '#model/quota.ts'
import type { Quota, Usage } from '#model/quota.ts'
import { LOGGED_IN } from '#server/imap/command.ts'
import type { ImapCommand } from '#server/imap/command.ts'
import { done, no } from '#server/imap/completion.ts'
import { badName, pathOf, shownName } from '#server/imap/mailboxes.ts'
import type { ImapSession } from '#server/imap/session.ts'

/** All mailboxes of an account share one quota root, and it has no name. */
const ROOT = ''

/** RFC 9208 §4.1.1. */
export const getQuota: ImapCommand<'GETQUOTA'> = {
  name: 'GETQUOTA',
  states: LOGGED_IN,
  async run(session, { root }) {
    const quota = quotaOf(session)
    if (root !== ROOT || !isLimited(quota)) return no('NONEXISTENT', 'No such quota root')
    session.out.line(quotaLine(quota, await usage(session)))
    return done('Done')
  },
}

/** RFC 9208 §4.1.2: any name, also of what is not there yet; no root where nothing is limited. */
export const getQuotaRoot: ImapCommand<'GETQUOTAROOT'> = {
  name: 'GETQUOTAROOT',
  states: LOGGED_IN,
  async run(session, { mailbox }) {
    const path = pathOf(session, mailbox)
    if (path === undefined) return badName()
    const quota = quotaOf(session)
    const isThere = isLimited(quota)
    session.out.line(`* QUOTAROOT ${shownName(session, path)}${isThere ? ' ""' : ''}`)
    if (isThere) session.out.line(quotaLine(quota, await usage(session)))
    return done('Done')
  },
}

const quotaOf = (session: ImapSession): Quota =>
  session.room.quotaOf?.(session.accountId) ?? NO_QUOTA

const usage = (session: ImapSession): Promise<Usage> =>
  session.room.store.usage({ accountId: session.accountId })

const UNIT = 1024

/** RFC 9208 §5.1: storage counts in units of 1,024 octets; what is begun of one is used, and none beyond the limit is there. */
const quotaLine = (quota: Quota, used: Usage): string => {
  const resources = [
    ...(quota.bytes === 0
      ? []
      : [`STORAGE ${Math.ceil(used.bytes / UNIT)} ${Math.floor(quota.bytes / UNIT)}`]),
    ...(quota.messages === 0 ? [] : [`MESSAGE ${used.messages} ${quota.messages}`]),
  ]
  return `* QUOTA "" (${resources.join(' ')})`
}
