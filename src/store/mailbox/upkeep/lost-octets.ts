import type { AccountId } from '#model/account.ts'
import { filesOfVolume } from '#store/blob/scan-segment.ts'
import type { Sql } from '#store/mailbox/rows/sql.ts'
import { noteDamage } from './damaged.ts'

/** Notes all messages whose octets lie in a file that is gone: they stay, and say so when they are read. By account. */
export function noteLost(
  { sql, dir, nowMs }: { readonly sql: Sql; readonly dir: string; readonly nowMs: number },
  onFile: () => void,
): ReadonlyMap<string, number> {
  const { segments, large } = filesOfVolume(dir)
  const isThere = { segment: new Set(segments), large: new Set(large) }
  const lost = new Map<string, number>()
  for (const [kind, file] of sql.all<[number, number]>('SELECT DISTINCT kind, file FROM email')) {
    onFile()
    if ((kind === 1 ? isThere.large : isThere.segment).has(file)) continue
    const keys = sql.all<[number, number]>(
      'SELECT aid, eid FROM email WHERE kind = ? AND file = ?',
      kind,
      file,
    )
    noteDamage(sql, keys, nowMs)
    for (const [aid, eid] of keys) {
      const [id, messages] = sql.get<[AccountId, number]>(
        `SELECT id, (SELECT count(*) FROM message WHERE aid = ?1 AND eid = ?2)
         FROM account WHERE aid = ?1`,
        aid,
        eid,
      ) ?? ['', 0]
      lost.set(id, (lost.get(id) ?? 0) + messages)
    }
  }
  return lost
}
