import type { AccountId } from '#model/account.ts'
import { recountSeen } from '#store/mailbox/rows/seen.ts'
import type { Sql } from '#store/mailbox/rows/sql.ts'

/** An account whose sums were not those of its messages, and are now. */
export interface Recounted {
  readonly accountId: AccountId
  /** By how much they were too high. */
  readonly bytes: number
  readonly messages: number
}

/** Messages that one step counts at most beside its first mailbox: what a delivery that comes meanwhile waits for. */
const COUNTED_AT_ONCE = 20_000

interface RecountCursor {
  readonly aid: number
  readonly mid: number
}
export const RECOUNT_START: RecountCursor = { aid: 0, mid: 0 }

/**
 * Compares the counts of some mailboxes with their rows, then those of the account with its
 * mailboxes: all limits and all lists of mailboxes believe them. `next` is absent at the end.
 */
export function recountStep(
  sql: Sql,
  from: RecountCursor,
): { readonly recounted?: Recounted; readonly next?: RecountCursor } {
  const [aid, accountId] = sql.get<[number, AccountId]>(
    'SELECT aid, id FROM account WHERE aid >= ? ORDER BY aid LIMIT 1',
    from.aid,
  ) ?? [undefined, undefined]
  if (aid === undefined) return {}
  let counted = 0
  let mid = aid === from.aid ? from.mid : 0
  for (;;) {
    const row = sql.get<[number, number]>(
      'SELECT mid, messages FROM mailbox WHERE aid = ? AND mid > ? ORDER BY mid LIMIT 1',
      aid,
      mid,
    )
    if (row === undefined) break
    if (counted > 0 && counted + row[1] > COUNTED_AT_ONCE) return { next: { aid, mid } }
    ;[mid] = row
    counted += row[1] + 1
    recountMailbox(sql, aid, mid)
    recountSeen({ sql, aid, mid })
  }
  const recounted = recountAccount(sql, aid)
  return {
    ...(recounted && { recounted: { accountId, ...recounted } }),
    next: { aid: aid + 1, mid: 0 },
  }
}

/** A row is written only where it was wrong. */
const recountMailbox = (sql: Sql, aid: number, mid: number): number =>
  sql.run(
    `UPDATE mailbox SET messages = c.messages, unseen = c.unseen, deleted = c.deleted, bytes = c.bytes
     FROM (SELECT count(*) AS messages, coalesce(sum(flags & 1 = 0), 0) AS unseen,
       coalesce(sum(flags & 8 <> 0), 0) AS deleted, coalesce(sum(size), 0) AS bytes
       FROM message WHERE aid = ?1 AND mid = ?2) c
     WHERE aid = ?1 AND mid = ?2 AND (mailbox.messages, mailbox.unseen, mailbox.deleted, mailbox.bytes)
       IS NOT (c.messages, c.unseen, c.deleted, c.bytes)`,
    aid,
    mid,
  )

function recountAccount(sql: Sql, aid: number): Omit<Recounted, 'accountId'> | undefined {
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
