import type { AccountId } from '#model/account.ts'
import type { Sql } from './sql.ts'
import { findAccount } from './work.ts'
import type { AccountWork } from './work.ts'

/** One Sieve script of an account; at most one is active (RFC 5804 §1.4). */
interface Script {
  readonly name: string
  readonly active: boolean
  readonly text: string
}

export function listScripts(sql: Sql, accountId: AccountId): Script[] {
  const account = findAccount(sql, accountId, 0)
  if (account === undefined) return []
  return sql
    .all<[string, number, string]>(
      'SELECT name, active, text FROM script WHERE aid = ? ORDER BY name',
      account.aid,
    )
    .map(([name, active, text]) => ({ name, active: active === 1, text }))
}

/** Writes, or with `text` null deletes; an active one takes the place of the one before. */
export function putScript(
  work: AccountWork,
  put: { readonly name: string; readonly text: string | null; readonly active: boolean },
): void {
  const { sql, aid } = work
  if (put.text === null) {
    sql.run('DELETE FROM script WHERE aid = ? AND name = ?', aid, put.name)
    return
  }
  if (put.active) sql.run('UPDATE script SET active = 0 WHERE aid = ?', aid)
  sql.run(
    `INSERT INTO script (aid, name, active, text) VALUES (?, ?, ?, ?)
     ON CONFLICT (aid, name) DO UPDATE SET active = excluded.active, text = excluded.text`,
    aid,
    put.name,
    put.active ? 1 : 0,
    put.text,
  )
}
