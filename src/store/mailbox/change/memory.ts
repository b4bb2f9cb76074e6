import { Fault } from '#base/outcome.ts'
import type { AccountId } from '#model/account.ts'
import { MEMORIES_MAX, MEMORY_KEY_MAX } from '#store/mailbox/commit.ts'
import type { Memory } from '#store/mailbox/commit.ts'
import { ROWS_AT_ONCE } from '#store/mailbox/rows/sql.ts'
import { Refusal } from '#store/mailbox/rows/refusal.ts'
import type { Sql } from '#store/mailbox/rows/sql.ts'
import type { AccountWork } from '#store/mailbox/rows/work.ts'

/** Keeps the memories in the commit's own transaction; the keys of those that stood before. */
export function remember(work: AccountWork, memories: readonly Memory[]): ReadonlySet<string> {
  const { sql, aid, nowMs } = work
  const stood = new Set<string>()
  // A key that stands twice in one commit is one memory: its second does not make its first old.
  const byKey = new Map(memories.map((memory) => [memory.key, memory]))
  for (const { key, untilMs, isProlonged, isFirst } of byKey.values()) {
    if (key === '' || key.length > MEMORY_KEY_MAX)
      throw new Fault('invalid', `a memory's key has 1 to ${MEMORY_KEY_MAX} characters`)
    const stands =
      sql.get('SELECT 1 FROM memory WHERE aid = ? AND key = ? AND until > ?', aid, key, nowMs) !==
      undefined
    if (stands && isFirst === true)
      throw new Refusal('conflict', 'Another copy of it was filed at the same moment')
    if (stands) stood.add(key)
    if (stands && isProlonged !== true) continue
    sql.run(
      `INSERT INTO memory (aid, key, until) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET until = excluded.until`,
      aid,
      key,
      untilMs,
    )
  }
  return stood
}

export function rememberedOf(
  sql: Sql,
  { accountId, keys }: { readonly accountId: AccountId; readonly keys: readonly string[] },
  nowMs: number,
): string[] {
  if (keys.length > MEMORIES_MAX) throw new Fault('limit', `more than ${MEMORIES_MAX} keys`)
  return sql
    .all<[string]>(
      `SELECT m.key FROM account a JOIN memory m ON m.aid = a.aid
       WHERE a.id = ? AND m.key IN (SELECT value FROM json_each(?)) AND m.until > ?`,
      accountId,
      JSON.stringify(keys),
      nowMs,
    )
    .map(([key]) => key)
}

/** Forgets those whose time is over; true where there may be more. */
export const forgetMemories = (sql: Sql, nowMs: number): boolean =>
  sql.run(
    `DELETE FROM memory WHERE (aid, key) IN
       (SELECT aid, key FROM memory WHERE until <= ? LIMIT ${ROWS_AT_ONCE})`,
    nowMs,
  ) === ROWS_AT_ONCE
