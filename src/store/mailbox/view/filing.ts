import type { AccountId } from '#model/account.ts'
import { DEFAULT_MAILBOXES } from '#model/mailbox.ts'
import type { MailboxPath, SpecialUse } from '#model/mailbox.ts'
import type { AccountFiling } from '#store/mailbox/mailbox-store.ts'
import type { Sql } from '#store/mailbox/rows/sql.ts'
import { mailboxIdOf } from '#store/mailbox/rows/work.ts'

/** What deliveries ask, of an account: no counters, since a mail may be for 10,000 accounts. */
export function readFiling(sql: Sql, accountId: AccountId): AccountFiling {
  const account = sql.get<[number, string]>('SELECT aid, tag FROM account WHERE id = ?', accountId)
  // Its commit will make these.
  if (account === undefined)
    return {
      mailboxes: DEFAULT_MAILBOXES.map(({ path }) => path),
      uses: DEFAULT_MAILBOXES.flatMap(({ use, path }) =>
        use === undefined ? [] : [{ use, path }],
      ),
    }
  const [aid, tag] = account
  const [script] =
    sql.get<[string]>('SELECT text FROM script WHERE aid = ? AND active = 1', aid) ?? []
  const mailboxes = mailboxesOf(sql, aid)
  return {
    mailboxes: mailboxes.map(({ path }) => path),
    uses: mailboxes.flatMap(({ use, path }) => (use === null ? [] : [{ use, path }])),
    ...(script !== undefined && { script }),
    ...(script?.includes('mailboxid') === true && {
      ids: mailboxes.map(({ mid }) => mailboxIdOf(tag, mid)),
    }),
  }
}

interface Found {
  readonly mid: number
  readonly path: MailboxPath
  readonly use: SpecialUse | null
}

function mailboxesOf(sql: Sql, aid: number): Found[] {
  const rows = sql.all<[number, number, string, SpecialUse | null]>(
    'SELECT mid, parent, name, use FROM mailbox WHERE aid = ?',
    aid,
  )
  const byMid = new Map(rows.map((row) => [row[0], row]))
  return rows.map(([mid, parent, name, use]) => {
    const path = [name]
    for (let above = byMid.get(parent); above !== undefined; above = byMid.get(above[1]))
      path.unshift(above[2])
    return { mid, path, use }
  })
}
