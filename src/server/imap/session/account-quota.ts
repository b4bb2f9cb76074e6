import type { AccountId } from '#model/account.ts'
import { isLimited, shareOf } from '#model/quota.ts'
import type { ImapSession } from './session.ts'

/**
 * Says once a session that one's own account is nearly full: a warning, and no refusal (RFC 9208 §4.3.1,
 * an untagged NO where a soft quota is passed). It may come only while a mailbox is selected or mail is
 * being added; it comes again only after there was room in between.
 */
export async function warnOfQuota(session: ImapSession, owner: AccountId): Promise<void> {
  const { accountId, room } = session
  const quota = room.quotaOf?.(accountId)
  if (owner !== accountId || quota === undefined || !isLimited(quota)) return
  const percent = Math.floor(shareOf(await room.store.usage({ accountId }), quota) * 100)
  const isNear = percent >= quota.warnPercent
  if (isNear && !session.isQuotaTold)
    session.out.line(`* NO [OVERQUOTA] The mailbox is ${percent} % full; please make room`)
  session.isQuotaTold = isNear
}
