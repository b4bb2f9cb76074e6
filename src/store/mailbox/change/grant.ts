import { NO_RIGHTS, withRights, withoutRights } from '#model/acl.ts'
import type { Rights } from '#model/acl.ts'
import type { MailboxChange } from '#store/mailbox/commit.ts'
import { aclOf } from '#store/mailbox/rows/rights.ts'
import { Refusal } from '#store/mailbox/rows/refusal.ts'
import type { Mailbox } from '#store/mailbox/rows/row.ts'
import type { AccountWork } from '#store/mailbox/rows/work.ts'

/** Entries of one mailbox. */
const ACL_ENTRIES_MAX = 1_000
const WHO_BYTES_MAX = 255

/** Gives rights, or takes them away; an entry without any goes. Throws Refusal `limit`. */
export function grant(
  work: AccountWork,
  { mid }: Mailbox,
  change: Extract<MailboxChange, { kind: 'grant' }>,
): { readonly before: Rights; readonly after: Rights } {
  const { sql, aid } = work
  const { who, mode, rights } = change
  work.touchedRights.add(who)
  const [old] = sql.get<[Rights]>(
    'SELECT rights FROM acl WHERE aid = ? AND mid = ? AND who = ?',
    aid,
    mid,
    who,
  ) ?? [NO_RIGHTS]
  const next = {
    add: withRights(old, rights),
    remove: withoutRights(old, rights),
    replace: rights,
  }[mode]
  if (next === NO_RIGHTS) {
    sql.run('DELETE FROM acl WHERE aid = ? AND mid = ? AND who = ?', aid, mid, who)
    return { before: old, after: next }
  }
  const [entries] = sql.get<[number]>(
    'SELECT count(*) FROM acl WHERE aid = ? AND mid = ? AND who <> ?',
    aid,
    mid,
    who,
  ) ?? [0]
  if (entries >= ACL_ENTRIES_MAX || Buffer.byteLength(who) > WHO_BYTES_MAX)
    throw new Refusal('limit', `A mailbox has at most ${ACL_ENTRIES_MAX} entries in its ACL`)
  sql.run('INSERT OR REPLACE INTO acl VALUES (?, ?, ?, ?)', aid, mid, who, next)
  return { before: old, after: next }
}

/** A new mailbox begins with the ACL of the one above it (RFC 4314 §4, CREATE). */
export function inheritAcl(work: AccountWork, mid: number, parent: number): void {
  const { sql, aid } = work
  sql.run(
    `INSERT OR IGNORE INTO acl SELECT aid, ?, who, rights FROM acl WHERE aid = ? AND mid = ?`,
    mid,
    aid,
    parent,
  )
  for (const { who } of aclOf(work, mid)) work.touchedRights.add(who)
}

/** The mailbox is no more. */
export function forgetAcl(work: AccountWork, mid: number): void {
  const { sql, aid } = work
  for (const { who } of aclOf(work, mid)) work.touchedRights.add(who)
  for (const table of ['acl', 'seen', 'reader'] as const)
    sql.run(`DELETE FROM ${table} WHERE aid = ? AND mid = ?`, aid, mid)
}
