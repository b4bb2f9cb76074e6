import type { AccountId } from '#model/account.ts'
import { openDatabase } from '#store/db/database.ts'
import { SqliteDirectoryLog } from '#store/directory/directory-log.ts'
import { rowKey } from '#store/directory/row-key.ts'
import { SETTINGS_DATABASE } from '#store/settings/generations.ts'
import { contentHash, FIRST_CONTENT } from '#store/settings/resolve.ts'

/** Accounts in the log of a control that does not run. */
export async function addAccounts(path: string, count: number): Promise<void> {
  const log = new SqliteDirectoryLog(path)
  const { seq: baseSeq } = await log.changes({ since: 0, limit: 1 })
  const edits = Array.from({ length: count }, (_, i) => {
    const id = `bench-${i}` as AccountId
    const account = {
      id,
      username: `user${i}`,
      domain: 'campus.example',
      name: `利用者 ${i}`,
      admin: false,
      disabled: false,
      credential: `$argon2id$v=19$m=19456,t=2,p=1$${'s'.repeat(22)}$${'h'.repeat(43)}`,
      credentialVersion: 1,
      addresses: [{ localpart: `user.${i}`, domain: 'campus.example' }],
      delegated: [],
    }
    return { key: `account:${id}`, row: { kind: 'account' as const, account } }
  })
  await log.write({ baseSeq, edits, by: { who: 'bench', from: 'bench' }, atMs: 0 })
  log.close()
}

/** Aliases there; where the log is to be cut, it forgets what came before them, and the first of them. The last number. */
export async function addAliases(
  path: string,
  count: number,
  kind: 'changes' | 'log cut',
): Promise<number> {
  const log = new SqliteDirectoryLog(path, kind === 'log cut' ? 1_000 : undefined)
  const { seq: baseSeq } = await log.changes({ since: 0, limit: 1 })
  const domain = 'campus.example'
  const edits = Array.from({ length: count }, (_, i) => {
    const from = { localpart: `別名${i}`, domain }
    const to = [{ localpart: `user.${i % 10_000}`, domain }]
    return {
      key: rowKey({ kind: 'alias', alias: { from, to } }),
      row: { kind: 'alias' as const, alias: { from, to } },
    }
  })
  const { seq } = await log.write({ baseSeq, edits, by: { who: 'bench', from: 'bench' }, atMs: 0 })
  log.close()
  return seq
}

/** Generations, each setting mail.sizeBytesMax to 10,000,000 and its number; all in one transaction: a sync for each would take longer than all that is measured. */
export function fillGenerations(path: string, count: number): void {
  const db = openDatabase({ path, ...SETTINGS_DATABASE })
  const put = db.query('INSERT INTO generation VALUES (?, ?, ?)')
  const { last } = db
    .query<{ last: number }>('SELECT coalesce(max(number), 0) AS last FROM generation')
    .get()!
  db.transaction(() => {
    for (let i = last + 1; i <= last + count; i++) {
      const content = { ...FIRST_CONTENT, values: { 'mail.sizeBytesMax': 10_000_000 + i } }
      const head = {
        generation: i,
        hash: contentHash(content),
        atMs: i,
        by: { who: '管理者', from: 'bench' },
        note: 'set',
        changes: [{ key: 'mail.sizeBytesMax', before: 10_000_000 + i - 1, after: 10_000_000 + i }],
      }
      put.run(i, JSON.stringify(head), JSON.stringify(content))
    }
  })
  db.close()
}
