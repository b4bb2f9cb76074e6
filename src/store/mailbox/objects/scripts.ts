import { randomId } from '#base/id.ts'
import type { AccountId } from '#model/account.ts'
import { refusedChange, scriptDigest } from '#model/script-change.ts'
import type { ScriptChange, ScriptRefusal } from '#model/script-change.ts'
import type { ScriptEntry } from '#model/script.ts'
import type { Sql } from '#store/mailbox/rows/sql.ts'
import { findAccount } from '#store/mailbox/rows/work.ts'
import type { AccountWork } from '#store/mailbox/rows/work.ts'

/** One script with its text; a list goes without, since each delivery asks. */
export interface Script {
  readonly name: string
  readonly active: boolean
  readonly text: string
}

/** An account with its scripts as a list shows them. */
export interface AccountScripts {
  readonly accountId: AccountId
  readonly scripts: readonly ScriptEntry[]
}

export function listScripts(sql: Sql, accountId: AccountId): ScriptEntry[] {
  const account = findAccount(sql, accountId, 0)
  return account === undefined ? [] : scriptsOfAid(sql, account.aid)
}

/** Of so many accounts behind one, in the order of their ids, those that have any; `next`: there are more. */
export function listScriptAccounts(
  sql: Sql,
  { after, limit }: { readonly after: string; readonly limit: number },
): { readonly accounts: readonly AccountScripts[]; readonly next?: string } {
  const page = sql.all<[AccountId, number]>(
    'SELECT id, aid FROM account WHERE id > ? ORDER BY id LIMIT ?',
    after,
    limit,
  )
  const accounts = page
    .map(([accountId, aid]) => ({ accountId, scripts: scriptsOfAid(sql, aid) }))
    .filter(({ scripts }) => scripts.length > 0)
  return { accounts, ...(page.length === limit && { next: page.at(-1)![0] }) }
}

function scriptsOfAid(sql: Sql, aid: number): ScriptEntry[] {
  return sql
    .all<[string, number, number, string | null, string | null, string | null]>(
      `SELECT name, active, length(CAST(text AS BLOB)), id, digest,
              CASE WHEN digest IS NULL THEN text END FROM script WHERE aid = ? ORDER BY name`,
      aid,
    )
    .map(([name, active, sizeBytes, id, digest, text]) => ({
      id: id ?? idOfOld(name),
      name,
      active: active === 1,
      sizeBytes,
      digest: digest ?? scriptDigest(text ?? ''),
    }))
}

/** Of one that was there before scripts had ids; it keeps it when it is renamed. */
const idOfOld = (name: string): string => scriptDigest(name).slice(0, 24)

/** The script of this name, or with undefined the active one. */
export function readScript(
  sql: Sql,
  accountId: AccountId,
  name: string | undefined,
): Script | undefined {
  const row = sql.get<[string, number, string]>(
    `SELECT s.name, s.active, s.text FROM account a JOIN script s ON s.aid = a.aid
     WHERE a.id = ?1 AND (s.name = ?2 OR (?2 IS NULL AND s.active = 1))`,
    accountId,
    name ?? null,
  )
  return row && { name: row[0], active: row[1] === 1, text: row[2] }
}

/** Undefined where it is done; else nothing was changed. */
export function changeScript(
  { sql, aid }: AccountWork,
  change: ScriptChange,
): ScriptRefusal | undefined {
  const there = sql
    .all<[string, number]>('SELECT name, active FROM script WHERE aid = ?', aid)
    .map(([name, active]) => ({ name, active: active === 1 }))
  const refused = refusedChange(there, change)
  if (refused !== undefined) return refused
  switch (change.kind) {
    case 'put':
      sql.run(
        `INSERT INTO script (aid, name, active, text, id, digest) VALUES (?, ?, 0, ?, ?, ?)
         ON CONFLICT (aid, name) DO UPDATE SET text = excluded.text, digest = excluded.digest`,
        aid,
        change.name,
        change.text,
        change.id ?? randomId(20),
        scriptDigest(change.text),
      )
      if (change.activate) activate(sql, aid, change.name)
      return undefined
    case 'activate':
      activate(sql, aid, change.name)
      return undefined
    case 'remove':
      sql.run('DELETE FROM script WHERE aid = ? AND name = ?', aid, change.name)
      return undefined
    case 'rename':
      sql.run(
        'UPDATE script SET name = ?, id = coalesce(id, ?) WHERE aid = ? AND name = ?',
        change.to,
        idOfOld(change.name),
        aid,
        change.name,
      )
      return undefined
  }
}

function activate(sql: Sql, aid: number, name: string | null): void {
  sql.run('UPDATE script SET active = (name IS ?) WHERE aid = ?', name, aid)
}
