import { DAY_MS } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import type { EmailId, MailboxId } from '#model/mailbox.ts'
import type { AccountCommit, ChangeResult } from '#store/mailbox/commit.ts'
import { mailboxByMid } from '#store/mailbox/rows/row.ts'
import { ROWS_AT_ONCE } from '#store/mailbox/rows/sql.ts'
import type { Sql } from '#store/mailbox/rows/sql.ts'
import { eidOf, emailIdOf, midOf } from '#store/mailbox/rows/work.ts'
import type { AccountWork } from '#store/mailbox/rows/work.ts'

/** What people say by where they put a mail: reported is taken for junk, denied is none. */
export type JunkWord = 'reported' | 'denied'

/** What somebody has said of an email, until it is handed on (IMAPSieve's cause, RFC 6785 §3.4). */
export interface JunkReport {
  readonly accountId: AccountId
  readonly emailId: EmailId
  readonly word: JunkWord
  readonly atMs: number
}

/** The same word of the same email is said once in so long. */
const SAID_MS = 30 * DAY_MS

/** Notes in the commit's own transaction what its appends, copies and moves into \Junk and out of it say. */
export function noteJunk(
  work: AccountWork,
  commit: AccountCommit,
  results: readonly ChangeResult[],
): void {
  // What arrives, and what we ourselves write, nobody has said anything about.
  if (commit.deliveryId !== undefined || commit.notice !== undefined) return
  for (const [index, change] of commit.changes.entries()) {
    const result = results[index]
    if (change.kind === 'append' && result?.kind === 'append') {
      if (change.assigned !== undefined) continue // an import
      const eid = eidOf(work.tag, result.emailId)
      if (eid !== undefined && placeOf(work, result.mailboxId) === 'junk')
        say(work, 'reported', [eid])
    } else if (change.kind === 'copy' || change.kind === 'move') {
      if (result?.kind !== change.kind || result.targets.length === 0) continue
      const isOwn = change.fromAccount === undefined || change.fromAccount === work.accountId
      const from = isOwn ? placeOf(work, change.from) : 'other'
      const to = placeOf(work, result.mailboxId)
      // What is thrown away out of \Junk is junk no less.
      if ((from === 'junk') === (to === 'junk') || (from === 'junk' && to === 'trash')) continue
      const word = to === 'junk' ? 'reported' : 'denied'
      say(work, word, emailsOf(work, midOf(work.tag, result.mailboxId)!, result.targets))
    }
  }
}

/** Where a mailbox lies: below one of these roles counts like it. */
function placeOf(work: AccountWork, id: MailboxId): 'junk' | 'trash' | 'other' {
  for (let mid = midOf(work.tag, id); mid !== undefined && mid !== 0;) {
    const row = mailboxByMid(work, mid)
    if (row?.use === 'junk' || row?.use === 'trash') return row.use
    mid = row?.parent
  }
  return 'other'
}

const emailsOf = ({ sql, aid }: AccountWork, mid: number, uids: Uint32Array): number[] =>
  sql
    .all<[number]>(
      `SELECT DISTINCT m.eid FROM json_each(?) u CROSS JOIN message m
       WHERE m.aid = ? AND m.mid = ? AND m.uid = u.value`,
      JSON.stringify(Array.from(uids)),
      aid,
      mid,
    )
    .map(([eid]) => eid)

function say(work: AccountWork, word: JunkWord, eids: readonly number[]): void {
  const { sql, aid, nowMs } = work
  const changed = sql.run(
    `INSERT INTO junk_report (aid, eid, word, at, waits)
     SELECT ?1, value, ?2, ?3, 1 FROM json_each(?4) WHERE true
     ON CONFLICT DO UPDATE SET word = excluded.word, at = excluded.at, waits = 1
     WHERE word <> excluded.word OR at < ?5`,
    aid,
    word,
    nowMs,
    JSON.stringify(eids),
    nowMs - SAID_MS,
  )
  if (changed > 0) work.hasReports = true
}

/** Those that wait, the first that was said first. */
export const waitingReports = (sql: Sql, limit: number): JunkReport[] =>
  sql
    .all<[AccountId, string, number, JunkWord, number]>(
      `SELECT a.id, a.tag, r.eid, r.word, r.at FROM junk_report r JOIN account a ON a.aid = r.aid
       WHERE r.waits = 1 ORDER BY r.at LIMIT ?`,
      limit,
    )
    .map(([accountId, tag, eid, word, atMs]) => ({
      accountId,
      emailId: emailIdOf(tag, eid),
      word,
      atMs,
    }))

/** They are handed on; what was said anew meanwhile waits on. */
export function reportsDone(sql: Sql, done: readonly JunkReport[]): void {
  for (const { accountId, emailId, word, atMs } of done) {
    const account = sql.get<[number, string]>(
      'SELECT aid, tag FROM account WHERE id = ?',
      accountId,
    )
    const eid = account && eidOf(account[1], emailId)
    if (account === undefined || eid === undefined) continue
    sql.run(
      'UPDATE junk_report SET waits = 0 WHERE aid = ? AND eid = ? AND word = ? AND at = ?',
      account[0],
      eid,
      word,
      atMs,
    )
  }
}

/** Forgets what was said long ago; true where there may be more. */
export const forgetReports = (sql: Sql, nowMs: number): boolean =>
  sql.run(
    `DELETE FROM junk_report WHERE (aid, eid) IN
       (SELECT aid, eid FROM junk_report WHERE at < ? AND waits = 0 LIMIT ${ROWS_AT_ONCE})`,
    nowMs - SAID_MS,
  ) === ROWS_AT_ONCE
