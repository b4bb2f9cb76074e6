import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { AccountId } from '#model/account.ts'
import type { AppPasswordUse } from '#model/app-password.ts'
import { SqliteAppPasswordUses } from './app-password-uses.ts'

test('the latest use of each is kept, whichever comes first, and forgotten after two years', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'watari-uses-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const uses = new SqliteAppPasswordUses(join(dir, 'uses.db'))
  t.after(() => uses.close())
  const accountId = '花子' as AccountId
  const use = (id: string, at: string): AppPasswordUse => ({
    accountId,
    id,
    at,
    ip: '2001:db8::1',
    protocol: 'pop3',
  })
  const known = async () =>
    (await uses.usesOf({ accountId })).items.map(({ id, at }) => `${id} ${at.slice(0, 10)}`)
  const [old, later] = ['2026-01-01T00:00:00.000Z', '2026-11-28T00:00:00.000Z']
  await uses.noteUses({ uses: [use('phone', later), use('desk', old)] })
  await uses.noteUses({ uses: [use('phone', old)] })
  assert.deepEqual(await known(), ['desk 2026-01-01', 'phone 2026-11-28'])
  await uses.noteUses({ uses: [use('new', '2028-02-01T00:00:00.000Z')] })
  assert.deepEqual(await known(), ['new 2028-02-01', 'phone 2026-11-28'])
  assert.deepEqual(await uses.usesOf({ accountId: 'taro' as AccountId }), { items: [] })
  await uses.noteUses({ uses: [] })
})
