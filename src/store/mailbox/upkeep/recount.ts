import type { AccountId } from '#model/account.ts'
import type { MailboxId } from '#model/mailbox.ts'
import { recountSeen } from '#store/mailbox/rows/seen.ts'
import type { Sql } from '#store/mailbox/rows/sql.ts'
import { mailboxIdOf } from '#store/mailbox/rows/work.ts'

/** A mailbox whose counts were not those of its messages, and are now: by how much each was too high. */
export interface RecountedMailbox {
  readonly mailboxId: MailboxId
  readonly messages: number
  readonly unseen: number
  readonly deleted: number
  readonly bytes: number
}

/** An account whose sums or mailboxes were counted wrong, and are right now. */
export interface Recounted {
  readonly accountId: AccountId
  /** By how much its sums were too high. */
  readonly bytes: number
  readonly messages: number
  readonly mailboxes: readonly RecountedMailbox[]
}

/** Messages that one step counts at most beside its first mailbox: what a delivery that comes meanwhile waits for. */
const COUNTED_AT_ONCE = 20_000

export interface RecountCursor {
  readonly aid: number
  readonly mid: number
}
const START: RecountCursor = { aid: 0, mid: 0 }

/** Where a recount begins: at the first account, or at the one that is asked for. */
export function recountFrom(sql: Sql, accountId: AccountId | undefined): RecountCursor | undefined {
  if (accountId === undefined) return START
  const found = sql.get<[number]>('SELECT aid FROM account WHERE id = ?', accountId)
  return found && { aid: found[0], mid: 0 }
}

/**
 * Compares the counts of some mailboxes with their rows, then those of the account with its
 * mailboxes: all limits and all lists of mailboxes believe them. `next` is absent at the end.
 */
export function recountStep(
  sql: Sql,
  from: RecountCursor,
): { readonly recounted?: Recounted; readonly next?: RecountCursor } {
  const account = sql.get<[number, AccountId, string]>(
    'SELECT aid, id, tag FROM account WHERE aid >= ? ORDER BY aid LIMIT 1',
    from.aid,
  )
  if (account === undefined) return {}
  const [aid, accountId, tag] = account
  const mailboxes: RecountedMailbox[] = []
  let counted = 0
  let mid = aid === from.aid ? from.mid : 0
  for (;;) {
    const row = sql.get<[number, number]>(
      'SELECT mid, messages FROM mailbox WHERE aid = ? AND mid > ? ORDER BY mid LIMIT 1',
      aid,
      mid,
    )
    if (row === undefined) break
    if (counted > 0 && counted + row[1] > COUNTED_AT_ONCE)
      return {
        ...(mailboxes.length > 0 && { recounted: { accountId, bytes: 0, messages: 0, mailboxes } }),
        next: { aid, mid },
      }
    ;[mid] = row
    counted += row[1] + 1
    const wrong = recountMailbox(sql, aid, mid)
    if (wrong !== undefined) mailboxes.push({ mailboxId: mailboxIdOf(tag, mid), ...wrong })
    recountSeen({ sql, aid, mid })
  }
  const sums = recountAccount(sql, aid)
  const isWrong = sums !== undefined || mailboxes.length > 0
  return {
    ...(isWrong && { recounted: { accountId, bytes: 0, messages: 0, ...sums, mailboxes } }),
    next: { aid: aid + 1, mid: 0 },
  }
}

/** A row is written only where it was wrong; by how much it was. */
function recountMailbox(
  sql: Sql,
  aid: number,
  mid: number,
): Omit<RecountedMailbox, 'mailboxId'> | undefined {
  const [messages, unseen, deleted, bytes] = sql.get<[number, number, number, number]>(
    `SELECT m.messages - c.messages, m.unseen - c.unseen, m.deleted - c.deleted, m.bytes - c.bytes
     FROM mailbox m, (SELECT count(*) AS messages, coalesce(sum(flags & 1 = 0), 0) AS unseen,
       coalesce(sum(flags & 8 <> 0), 0) AS deleted, coalesce(sum(size), 0) AS bytes
       FROM message WHERE aid = ?1 AND mid = ?2) c
     WHERE m.aid = ?1 AND m.mid = ?2`,
    aid,
    mid,
  ) ?? [0, 0, 0, 0]
  if (messages === 0 && unseen === 0 && deleted === 0 && bytes === 0) return undefined
  sql.run(
    `UPDATE mailbox SET messages = messages - ?, unseen = unseen - ?, deleted = deleted - ?,
     bytes = bytes - ? WHERE aid = ? AND mid = ?`,
    messages,
    unseen,
    deleted,
    bytes,
    aid,
    mid,
  )
  return { messages, unseen, deleted, bytes }
}

function recountAccount(sql: Sql, aid: number): Pick<Recounted, 'bytes' | 'messages'> | undefined {
  const [bytes, messages] = sql.get<[number, number]>(
    `SELECT used_bytes - (SELECT coalesce(sum(bytes), 0) FROM mailbox WHERE aid = ?1),
       used_messages - (SELECT coalesce(sum(messages), 0) FROM mailbox WHERE aid = ?1)
     FROM account WHERE aid = ?1`,
    aid,
  ) ?? [0, 0]
  if (bytes === 0 && messages === 0) return undefined
  sql.run(
    'UPDATE account SET used_bytes = used_bytes - ?, used_messages = used_messages - ? WHERE aid = ?',
    bytes,
    messages,
    aid,
  )
  return { bytes, messages }
}
