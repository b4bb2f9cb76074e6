import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, it } from 'node:test'
import { fromUtf8 } from '#base/octets.ts'
import { DAY_MS, FakeClock } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import { KINDS } from './kinds.ts'

const dir = mkdtempSync(join(tmpdir(), 'watari-daily-'))
after(() => rmSync(dir, { recursive: true, force: true }))

it('a storage child deletes what was expunged two weeks ago, by itself, and looks once a day', async () => {
  const clock = new FakeClock()
  const opened = await KINDS.mailbox({
    dir,
    clock,
    options: { reserveBytes: 0 },
    notify: () => undefined,
  })
  const { mailboxes } = opened.services
  const accountId = 'hanako' as AccountId
  const mailboxId = (await mailboxes.mailboxes({ accountId })).mailboxes[0]!.id
  const octets = [fromUtf8('大きな手紙'.repeat(30_000))]
  const commit = (change: object) =>
    mailboxes.commit({
      contents: [{ octets }],
      commits: [{ accountId, changes: [change as never] }],
    })
  const append = { kind: 'append', mailbox: { id: mailboxId }, content: 0, flags: 0, keywords: [] }
  for (let i = 0; i < 2; i++) await commit({ ...append, internalDateMs: 0 })
  await commit({ kind: 'expunge', mailboxId, uids: [1], deletedOnly: false })
  const files = async (): Promise<number> => {
    // Behind the purge that may run.
    await mailboxes.purge({ beforeMs: 0 })
    // Its end sets the next day's timer.
    await new Promise(setImmediate)
    return readdirSync(join(dir, 'large')).length
  }
  const daily: number[] = []
  for (let day = 0; day < 16; day++) {
    clock.advance(DAY_MS)
    daily.push(await files())
  }
  assert.deepEqual(daily, [...Array<number>(14).fill(2), 1, 1])
  await opened.close()
})
