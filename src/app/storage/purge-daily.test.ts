import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { fromUtf8 } from '#base/octets.ts'
import { DAY_MS, FakeClock, HOUR_MS } from '#base/time.ts'
import { Fault } from '#base/outcome.ts'
import type { AccountId } from '#model/account.ts'
import type { DirectoryRow } from '#store/directory/directory.ts'
import { rowKey } from '#store/directory/row-key.ts'
import { KINDS } from './kinds.ts'
import { purgeDaily } from './purge-daily.ts'

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
    // Behind the purge that this day's timer has begun, which first reads the settings.
    for (let turn = 0; turn < 10; turn++) await opened.services.copy.load()
    await new Promise(setImmediate)
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

describe('the daily purge', () => {
  const rows = (count: number): DirectoryRow[] =>
    Array.from(
      { length: count },
      (_, n) => ({ kind: 'account', account: { id: `id-${n}` } }) as unknown as DirectoryRow,
    )
  /** What it asks of a store beside a directory, from a start of a clock until so much later. */
  async function asked(directory: readonly DirectoryRow[], hours: number, fails = false) {
    const clock = new FakeClock(0)
    const calls: { readonly atHours: number; readonly call: string }[] = []
    const note = (call: string): void => {
      calls.push({ atHours: clock.nowMs() / HOUR_MS, call })
    }
    const daily = purgeDaily(
      {
        keepAccounts: async ({ accountIds }) => {
          note(`keep ${accountIds.length}`)
          return { removed: 0 }
        },
        purge: async ({ beforeMs }) => {
          note(`purge ${beforeMs / HOUR_MS}`)
          if (fails) throw new Fault('full', '空きがない')
          return { rows: 0 }
        },
      },
      {
        load: async ({ after, limit }) => {
          const page = directory.slice(after, after + limit)
          const json = fromUtf8(JSON.stringify(page.map((row) => ({ key: rowKey(row), row }))))
          return { seq: 1, json, ...(page.length === limit && { next: after + limit }) }
        },
      },
      clock,
      async () => 14 * DAY_MS,
    )
    for (let hour = 0; hour < hours; hour++) {
      clock.advance(HOUR_MS)
      await new Promise(setImmediate)
    }
    daily.close()
    clock.advance(2 * DAY_MS)
    await new Promise(setImmediate)
    return calls
  }

  it('keeps all accounts of the directory, and goes back two weeks, an hour after the start and each day', async () => {
    assert.deepEqual(await asked(rows(2_500), 49), [
      { atHours: 1, call: 'keep 2500' },
      { atHours: 1, call: `purge ${1 - 14 * 24}` },
      { atHours: 25, call: 'keep 2500' },
      { atHours: 25, call: `purge ${25 - 14 * 24}` },
      { atHours: 49, call: 'keep 2500' },
      { atHours: 49, call: `purge ${49 - 14 * 24}` },
    ])
  })

  it('removes nobody while there is no directory, and goes on after a fault', async () => {
    const domain = { kind: 'domain', domain: { name: 'campus.example' } } as const
    assert.deepEqual(
      (await asked([domain], 26, true)).map(({ call }) => call),
      [`purge ${1 - 14 * 24}`, `purge ${25 - 14 * 24}`],
    )
  })
})
