import type { AccountId } from '#model/account.ts'
import type { JournalProof } from '#store/journal/replay.ts'
import type { Sql } from '#store/mailbox/rows/sql.ts'
import { EPOCH_UNIT } from '#store/mailbox/rows/work.ts'

/** More than can have been given within the second that a power loss may take of the journal. */
const SKIPPED = 2 ** 20

/**
 * Makes sure that no number is given twice after a rebuild: MODSEQs go on in a new epoch. Where the end
 * of the journal may be missing, UIDs and ids go on above whatever can have been given, and all clients
 * hear of all messages anew.
 */
export function skipNumbers(sql: Sql, proves: JournalProof['proves'], nowMs: number): void {
  sql.run('UPDATE account SET epoch = max(epoch, modseq / ?1) + 1', EPOCH_UNIT)
  sql.run('UPDATE account SET modseq = epoch * ?1', EPOCH_UNIT)
  if (proves === 'whole') return
  sql.run(
    `UPDATE account SET modseq = modseq + 1, next_mid = next_mid + ?1, next_eid = next_eid + ?1,
     uidvalidity = max(uidvalidity, ?2) + ?1`,
    SKIPPED,
    Math.floor(nowMs / 1_000),
  )
  // RFC 7162 §3.2.5.2: whoever comes with an older MODSEQ is told all that is not there any more.
  sql.run(
    `UPDATE mailbox SET uidnext = uidnext + ?, modseq = a.modseq, purged_modseq = a.modseq
     FROM account a WHERE a.aid = mailbox.aid`,
    SKIPPED,
  )
  sql.run('UPDATE message SET modseq = a.modseq FROM account a WHERE a.aid = message.aid')
}

/** The last account that the journal tells of. */
export const lastAccount = (sql: Sql): number =>
  sql.get<[number]>('SELECT coalesce(max(aid), 0) FROM account')?.[0] ?? 0

/** Gives all mailboxes of accounts above that one another UIDVALIDITY; how many of each account. */
export function changeUidValidity(
  sql: Sql,
  above: number,
  nowMs: number,
): ReadonlyMap<string, number> {
  sql.run(
    'UPDATE account SET uidvalidity = max(uidvalidity, ?2) + ?3 WHERE aid > ?1',
    above,
    Math.floor(nowMs / 1_000),
    SKIPPED,
  )
  sql.run(
    `UPDATE mailbox SET uidvalidity = a.uidvalidity + mailbox.mid
     FROM account a WHERE a.aid = mailbox.aid AND a.aid > ?`,
    above,
  )
  sql.run('UPDATE account SET uidvalidity = uidvalidity + next_mid WHERE aid > ?', above)
  return new Map(
    sql.all<[AccountId, number]>(
      `SELECT a.id, count(*) FROM account a JOIN mailbox m ON m.aid = a.aid WHERE a.aid > ?
       GROUP BY a.aid`,
      above,
    ),
  )
}
