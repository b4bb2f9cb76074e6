import { DAY_MS } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import { DELETED } from '#model/mailbox.ts'
import { isLimited, isOver, shareOf } from '#model/quota.ts'
import type { Quota, QuotaRule, Usage } from '#model/quota.ts'
import { openAccount } from './account.ts'
import { Refusal } from '#store/mailbox/rows/refusal.ts'
import type { Sql } from '#store/mailbox/rows/sql.ts'
import type { AccountWork } from '#store/mailbox/rows/work.ts'

/** near: the warned share was passed; refused: mail was refused. */
export type QuotaNotice = 'near' | 'refused'

/** The warning comes again only after use has fallen so far below its share. */
const REARM_PERCENT = 10
/** How often an owner is told that mail is refused. */
const REFUSED_EVERY_MS = DAY_MS

export const usedBy = (work: AccountWork): Usage => ({
  bytes: work.usedBytes,
  messages: work.usedMessages,
})

/**
 * Asks the rule after a commit's changes, before they are saved. Only growth is refused: what makes
 * room, moves, or replaces something by what is no larger goes on, however full the account is.
 * Returns what its owner is to be told. Throws Refusal `quota`.
 */
export function askQuota(
  work: AccountWork,
  before: Usage,
  rule: QuotaRule & {
    /** The commit has mail in it that the account had not. */
    readonly brings: boolean
  },
): QuotaNotice | undefined {
  const now = usedBy(work)
  const grown = {
    bytes: Math.max(0, now.bytes - before.bytes),
    messages: Math.max(0, now.messages - before.messages),
  }
  if (rule.brings && passes(before, grown, rule)) throw new Refusal('quota', OVER)
  return notice(work, rule, [before, now])
}

/** Asks it of what is still to come. Throws Refusal `quota`. */
export function requireRoom(work: AccountWork, rule: QuotaRule, coming: Usage): void {
  if (passes(usedBy(work), coming, rule)) throw new Refusal('quota', OVER)
}

const OVER = 'The mailbox is full'

/** A limit counts only for what has grown: an account over its octets may still lose messages for others. */
const passes = (before: Usage, grown: Usage, quota: Quota): boolean =>
  isOver(before, grown, {
    bytes: grown.bytes > 0 ? quota.bytes : 0,
    messages: grown.messages > 0 ? quota.messages : 0,
  })

type Columns = [warned: number, notice: QuotaNotice | null]

/** In the transaction that passes the share, so that of two deliveries one only warns. */
function notice(
  work: AccountWork,
  rule: QuotaRule,
  shares: readonly Usage[],
): QuotaNotice | undefined {
  const [warned, due] = work.sql.get<Columns>(
    'SELECT quota_warned, quota_notice FROM account WHERE aid = ?',
    work.aid,
  ) ?? [0, null]
  if (!isLimited(rule)) return due ?? undefined
  const [earlier, now] = shares.map((used) => shareOf(used, rule) * 100)
  const fell = Math.min(earlier!, now!) < rule.warnPercent - REARM_PERCENT
  const wasWarned = warned === 1 && !fell
  const isNear = now! >= rule.warnPercent
  const tells = isNear && !wasWarned ? (due ?? 'near') : due
  const isWarned = isNear || wasWarned ? 1 : 0
  if (isWarned !== warned || tells !== due)
    work.sql.run(
      'UPDATE account SET quota_warned = ?, quota_notice = ? WHERE aid = ?',
      isWarned,
      tells,
      work.aid,
    )
  return tells ?? undefined
}

/** Notes that a delivery was refused; what its owner is to be told, once a day. */
export function noteRefused(
  sql: Sql,
  accountId: AccountId,
  nowMs: number,
): QuotaNotice | undefined {
  const { aid } = openAccount(sql, accountId, nowMs)
  // Either way: a clock that was ahead once must not keep anybody from being told.
  sql.run(
    `UPDATE account SET quota_refused_at = ?1, quota_notice = 'refused'
     WHERE aid = ?2 AND abs(?1 - quota_refused_at) >= ${REFUSED_EVERY_MS}`,
    nowMs,
    aid,
  )
  const [due] = sql.get<[QuotaNotice | null]>(
    'SELECT quota_notice FROM account WHERE aid = ?',
    aid,
  ) ?? [null]
  return due ?? undefined
}

/** Takes the notice off the list of what is to be said; false where it is not on it. */
export const takeNotice = (work: AccountWork, due: QuotaNotice): boolean =>
  work.sql.run(
    'UPDATE account SET quota_notice = NULL WHERE aid = ? AND quota_notice = ?',
    work.aid,
    due,
  ) === 1

/** What the account holds; what was expunged is not counted, though it can come back. */
export function readUsage(
  sql: Sql,
  ask: { readonly accountId: AccountId; readonly deliveryId?: string },
): Usage & { readonly isDelivered?: boolean } {
  const [aid, bytes, messages] = sql.get<[number, number, number]>(
    'SELECT aid, used_bytes, used_messages FROM account WHERE id = ?',
    ask.accountId,
  ) ?? [0, 0, 0]
  if (ask.deliveryId === undefined) return { bytes, messages }
  const found = sql.get('SELECT 1 FROM dup WHERE aid = ? AND delivery_id = ?', aid, ask.deliveryId)
  return { bytes, messages, isDelivered: found !== undefined }
}

/** Octets of what is \Deleted in a mailbox (RFC 9208 §4.1.3). */
export const deletedBytes = (sql: Sql, aid: number, mid: number): number =>
  sql.get<[number]>(
    `SELECT total(size) FROM message WHERE aid = ? AND mid = ? AND flags & ${DELETED} <> 0`,
    aid,
    mid,
  )?.[0] ?? 0
