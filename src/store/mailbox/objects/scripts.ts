import { createHash } from 'node:crypto'
import { randomId } from '#base/id.ts'
import type { AccountId } from '#model/account.ts'
import { SCRIPTS_PER_ACCOUNT_MAX } from '#model/script.ts'
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

/** A change to an account's scripts (RFC 5804 §2.6, §2.8, §2.10, §2.11). */
export type ScriptChange =
  /** In the place of one of the same name, which stays active if it was. */
  | {
      readonly kind: 'put'
      readonly name: string
      readonly text: string
      readonly activate: boolean
      /** Refused where an active one would be replaced. */
      readonly inactiveOnly?: boolean
      /** Refused where there is one of the name. */
      readonly newOnly?: boolean
    }
  /** Null: none is active any more. */
  | { readonly kind: 'activate'; readonly name: string | null }
  | { readonly kind: 'remove'; readonly name: string }
  /** An active one stays active (RFC 5804 §2.11). */
  | { readonly kind: 'rename'; readonly name: string; readonly to: string }

/** notFound: no such script; limit: SCRIPTS_PER_ACCOUNT_MAX; active: one that filters cannot be removed; exists: another has that name. */
export type ScriptRefusal = 'notFound' | 'limit' | 'active' | 'exists'

export function listScripts(sql: Sql, accountId: AccountId): ScriptEntry[] {
  const account = findAccount(sql, accountId, 0)
  if (account === undefined) return []
  return sql
    .all<[string, number, number, string | null, string | null, string | null]>(
      `SELECT name, active, length(CAST(text AS BLOB)), id, digest,
              CASE WHEN digest IS NULL THEN text END FROM script WHERE aid = ? ORDER BY name`,
      account.aid,
    )
    .map(([name, active, sizeBytes, id, digest, text]) => ({
      id: id ?? idOfOld(name),
      name,
      active: active === 1,
      sizeBytes,
      digest: digest ?? scriptDigest(text ?? ''),
    }))
}

const scriptDigest = (text: string): string =>
  createHash('sha256').update(text).digest('hex').slice(0, 40)

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
  const activeOf = (name: string): number | undefined =>
    sql.get<[number]>('SELECT active FROM script WHERE aid = ? AND name = ?', aid, name)?.[0]
  const isActive = change.name === null ? undefined : activeOf(change.name)
  switch (change.kind) {
    case 'put': {
      const [count] = sql.get<[number]>('SELECT count(*) FROM script WHERE aid = ?', aid)!
      if (isActive === 1 && change.inactiveOnly === true) return 'active'
      if (isActive !== undefined && change.newOnly === true) return 'exists'
      if (isActive === undefined && count >= SCRIPTS_PER_ACCOUNT_MAX) return 'limit'
      sql.run(
        `INSERT INTO script (aid, name, active, text, id, digest) VALUES (?, ?, 0, ?, ?, ?)
         ON CONFLICT (aid, name) DO UPDATE SET text = excluded.text, digest = excluded.digest`,
        aid,
        change.name,
        change.text,
        randomId(20),
        scriptDigest(change.text),
      )
      if (change.activate) activate(sql, aid, change.name)
      return undefined
    }
    case 'activate':
      if (change.name !== null && isActive === undefined) return 'notFound'
      activate(sql, aid, change.name)
      return undefined
    case 'remove':
      if (isActive === undefined) return 'notFound'
      if (isActive === 1) return 'active'
      sql.run('DELETE FROM script WHERE aid = ? AND name = ?', aid, change.name)
      return undefined
    case 'rename':
      if (isActive === undefined) return 'notFound'
      if (activeOf(change.to) !== undefined) return 'exists'
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
