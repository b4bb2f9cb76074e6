import type { AccountId } from '#model/account.ts'
import { DEFAULT_MAILBOXES } from '#model/mailbox.ts'
import type { MailboxPath } from '#model/mailbox.ts'
import type { AccountFiling } from '#store/mailbox/mailbox-store.ts'
import type { Sql } from '#store/mailbox/rows/sql.ts'

/** What deliveries ask, of an account: no counters, since a mail may be for 10,000 accounts. */
export function readFiling(sql: Sql, accountId: AccountId): AccountFiling {
  const account = sql.get<[number]>('SELECT aid FROM account WHERE id = ?', accountId)
  // Its commit will make these.
  if (account === undefined) return { mailboxes: DEFAULT_MAILBOXES.map(({ path }) => path) }
  const [aid] = account
  const script = sql.get<[string]>('SELECT text FROM script WHERE aid = ? AND active = 1', aid)
  return {
    mailboxes: pathsOf(sql, aid),
    ...(script !== undefined && { script: script[0] }),
  }
}

function pathsOf(sql: Sql, aid: number): MailboxPath[] {
  const rows = sql.all<[number, number, string]>(
    'SELECT mid, parent, name FROM mailbox WHERE aid = ?',
    aid,
  )
  const byMid = new Map(rows.map((row) => [row[0], row]))
  return rows.map(([, parent, name]) => {
    const path = [name]
    for (let above = byMid.get(parent); above !== undefined; above = byMid.get(above[1]))
      path.unshift(above[2])
    return path
  })
}
