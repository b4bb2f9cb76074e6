import { randomId } from '#base/id.ts'
import type { AccountId } from '#model/account.ts'
import { DEFAULT_MAILBOXES } from '#model/mailbox.ts'
import { createMailbox } from './tree.ts'
import type { Sql } from '#store/mailbox/rows/sql.ts'
import { EPOCH_UNIT, findAccount, saveAccount } from '#store/mailbox/rows/work.ts'
import type { AccountWork } from '#store/mailbox/rows/work.ts'

const EPOCH_FIRST = 1

/** The account's row; made with its default mailboxes at first use. */
export function openAccount(sql: Sql, accountId: AccountId, nowMs: number): AccountWork {
  const found = findAccount(sql, accountId, nowMs)
  if (found !== undefined) return found
  sql.run(
    `INSERT INTO account (id, tag, epoch, modseq, uidvalidity, next_mid, next_eid, made_at)
     VALUES (?, ?, ?, ?, 0, 1, 1, ?)`,
    accountId,
    randomId(8),
    EPOCH_FIRST,
    EPOCH_FIRST * EPOCH_UNIT,
    nowMs,
  )
  const work = findAccount(sql, accountId, nowMs)!
  for (const { path, use, retainDays } of DEFAULT_MAILBOXES) {
    const row = createMailbox(work, path, use)
    if (retainDays !== undefined)
      sql.run(
        'UPDATE mailbox SET retain_days = ? WHERE aid = ? AND mid = ?',
        retainDays,
        work.aid,
        row.mid,
      )
    sql.run('INSERT INTO subscription VALUES (?, ?)', work.aid, JSON.stringify(path))
  }
  saveAccount(work)
  return work
}
