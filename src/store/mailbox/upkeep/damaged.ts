import type { AccountId } from '#model/account.ts'
import type { EmailId, MailboxPath, Uid } from '#model/mailbox.ts'
import { mailboxByMid, pathOf } from '#store/mailbox/rows/row.ts'
import type { Sql } from '#store/mailbox/rows/sql.ts'
import { emailIdOf } from '#store/mailbox/rows/work.ts'

/** A message whose octets cannot be read, at one place where people see it. */
export interface DamagedMessage {
  readonly accountId: AccountId
  readonly emailId: EmailId
  readonly path: MailboxPath
  readonly uid: Uid
  /** It was expunged, and could have come back. */
  readonly isExpunged: boolean
  readonly foundAtMs: number
}

type Key = readonly [aid: number, eid: number]

/** What `damaged` shows at once. */
const LISTED_MAX = 1_000

/** Those of them that nobody knew of. */
export function noteDamage(sql: Sql, keys: readonly Key[], nowMs: number): readonly Key[] {
  return keys.filter(([aid, eid]) => {
    const isNew = sql.run('INSERT OR IGNORE INTO damaged VALUES (?1, ?2, ?3, ?3)', aid, eid, nowMs)
    if (isNew === 0)
      sql.run('UPDATE damaged SET seen_at = ? WHERE aid = ? AND eid = ?', nowMs, aid, eid)
    return isNew === 1
  })
}

/** At the end of a round: what it found whole, and what is not there any more. */
export const forgetDamage = (sql: Sql, roundBeganAtMs: number): number =>
  sql.run(
    `DELETE FROM damaged WHERE seen_at < ? OR NOT EXISTS (
       SELECT 1 FROM email e WHERE e.aid = damaged.aid AND e.eid = damaged.eid)`,
    roundBeganAtMs,
  )

/** All that is known, the first that was found first. */
export const listDamaged = (sql: Sql): readonly DamagedMessage[] =>
  damagedMessages(
    sql,
    sql.all<[number, number]>(
      `SELECT aid, eid FROM damaged ORDER BY found_at, aid, eid LIMIT ${LISTED_MAX}`,
    ),
  )

/** Where each stands: a line a mailbox. */
export const damagedMessages = (sql: Sql, keys: readonly Key[]): readonly DamagedMessage[] =>
  keys.flatMap(([aid, eid]) => {
    const account = sql.get<[AccountId, string, number]>(
      `SELECT a.id, a.tag, d.found_at FROM account a JOIN damaged d ON d.aid = a.aid
       WHERE a.aid = ? AND d.eid = ?`,
      aid,
      eid,
    )
    if (account === undefined) return []
    const [accountId, tag, foundAtMs] = account
    return sql
      .all<[number, Uid, number]>(
        `SELECT mid, uid, 0 FROM message WHERE aid = ?1 AND eid = ?2
         UNION ALL SELECT mid, uid, 1 FROM gone WHERE aid = ?1 AND eid = ?2`,
        aid,
        eid,
      )
      .map(([mid, uid, isGone]) => {
        const mailbox = mailboxByMid({ sql, aid }, mid)
        const path = mailbox === undefined ? [] : pathOf({ sql, aid }, mailbox)
        const emailId = emailIdOf(tag, eid)
        return { accountId, emailId, path, uid, isExpunged: isGone === 1, foundAtMs }
      })
  })
