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
import type { PurgeRun } from '#store/mailbox/upkeep/purge-run.ts'
import { KINDS } from './kinds.ts'
import { purgeDaily, runOf } from './purge-daily.ts'
import type { PurgeTold } from './purge-daily.ts'

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

/** Times in days, as the daily purge notes and tells them. */
interface Bench {
  readonly clock: FakeClock
  readonly calls: string[]
  readonly told: string[]
  run: PurgeRun | undefined
  directory: readonly DirectoryRow[]
  removed: readonly string[]
  kept: { keptMs: number; isTold: boolean }
  fails: boolean
  /** Each day has one look; the clock may jump instead. */
  day(count?: number): Promise<void>
  close(): void
}

const START = 20_000
const rows = (count: number): DirectoryRow[] =>
  Array.from(
    { length: count },
    (_, n) => ({ kind: 'account', account: { id: `id-${n}` } }) as unknown as DirectoryRow,
  )

/** A store beside a directory that writes down what is asked of it. */
function benchOf(given: Partial<Bench> & { readonly ranAtMs?: number } = {}): Bench {
  const clock = new FakeClock((START + 1) * DAY_MS - HOUR_MS)
  let nextMs = HOUR_MS
  const calls: string[] = []
  const told: string[] = []
  const inDays = (ms: number): number => ms / DAY_MS - START
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
  }
  const daily = purgeDaily({
    mailboxes: {
      keepAccounts: async ({ accountIds, removedIds }) => {
        calls.push(`keep ${accountIds.length} not ${removedIds.join()}`)
        return { removed: removedIds.length, unknown: bench.directory.length === 1 ? 3 : 0 }
      },
      purge: async ({ beforeMs }) => {
        calls.push(`purge ${inDays(beforeMs)}`)
        if (bench.fails) throw new Fault('full', '空きがない')
        return { rows: 0 }
      },
      lastExpiry: async () => (given.ranAtMs === undefined ? {} : { ranAtMs: given.ranAtMs }),
      lastPurge: async () => (bench.run === undefined ? {} : { run: bench.run }),
      notePurge: async (run) => void (bench.run = run),
    },
    replica: {
      load: async ({ after, limit }) => {
        const page = bench.directory.slice(after, after + limit)
        const json = fromUtf8(JSON.stringify(page.map((row) => ({ key: rowKey(row), row }))))
        return { seq: 1, json, ...(page.length === limit && { next: after + limit }) }
      },
      removed: async () => ({ accountIds: bench.removed as AccountId[] }),
    },
    clock,
    keptMs: async () => bench.kept,
    tell: ({ name, fields }) => told.push(`${name} ${JSON.stringify(fields)}`),
  })
  const bench: Bench = {
    clock,
    calls,
    told,
    run: undefined,
    directory: rows(2),
    removed: [],
    kept: { keptMs: 14 * DAY_MS, isTold: true },
    fails: false,
    async day(count = 1) {
      for (let n = 0; n < count; n++) {
        clock.advance(nextMs)
        nextMs = DAY_MS
        await settle()
      }
    },
    close: () => daily.close(),
    ...given,
  }
  return bench
}

const purges = ({ calls }: Bench): number[] =>
  calls.filter((call) => call.startsWith('purge')).map((call) => Number(call.slice(6)))

describe('the daily purge', () => {
  it('names all accounts of the directory and those it has removed, and goes back two weeks, each day', async () => {
    const bench = benchOf({ directory: rows(2_500), removed: ['花子'] })
    await bench.day(2)
    bench.close()
    await bench.day(2)
    assert.deepEqual(
      bench.calls.filter((call) => call.startsWith('keep')),
      Array<string>(2).fill('keep 2500 not 花子'),
    )
    assert.deepEqual(purges(bench), [-13, -12])
    assert.deepEqual(bench.told, [])
  })

  it('tells of accounts that no directory knows, and goes on after a fault', async () => {
    const domain = { kind: 'domain', domain: { name: 'campus.example' } } as const
    const bench = benchOf({ directory: [domain], fails: true })
    await bench.day(2)
    bench.close()
    assert.deepEqual(purges(bench), [-13, -12])
    assert.equal(bench.run, undefined, 'a run that failed is none')
    assert.deepEqual(bench.told, Array<string>(2).fill('store.accountsUnknown {"accounts":3}'))
  })

  it('does nothing after a jump of the clock, tells it each day, and goes on when the clock is right again', async () => {
    const bench = benchOf()
    await bench.day()
    bench.calls.length = 0
    bench.clock.jump(365 * DAY_MS)
    await bench.day(3)
    assert.deepEqual(bench.calls, [])
    assert.equal(bench.told.length, 3)
    assert.match(bench.told[0]!, /^store\.purgeHeld \{"lastRun":"2024-10-05T00:00:00\.000Z"\}$/)
    bench.clock.jump(-365 * DAY_MS)
    await bench.day()
    // Two days for the one look, not five: the rest follows.
    assert.deepEqual(purges(bench), [1 + 2 - 14])
    bench.close()
  })

  it('knows a jump before its own first run by the last expiry', async () => {
    const bench = benchOf({ ranAtMs: (START - 30) * DAY_MS })
    await bench.day()
    bench.close()
    assert.deepEqual([bench.calls, bench.told.length], [[], 1])
  })

  it('follows a clock that is ahead by less two days a look, and not faster by many looks', async () => {
    const bench = benchOf()
    await bench.day()
    bench.clock.jump(8 * DAY_MS)
    await bench.day(4)
    assert.deepEqual(
      purges(bench),
      [1, 3, 5, 7, 9].map((day) => day - 14),
    )
    assert.deepEqual(bench.told, [])
    bench.close()
    const last = { ranAtMs: 100 * DAY_MS, asOfMs: 90 * DAY_MS, keptMs: 0 }
    const soon = runOf({ nowMs: 100 * DAY_MS + HOUR_MS, keptMs: 0 }, last)
    assert.equal(soon.asOfMs, 90 * DAY_MS + 2 * HOUR_MS)
  })

  it('makes no jump of a clock that was some days behind, and begins anew where it was months ahead', async () => {
    const bench = benchOf()
    await bench.day(2)
    bench.clock.jump(-9 * DAY_MS)
    await bench.day()
    assert.equal(bench.run!.ranAtMs, (START + 2) * DAY_MS)
    bench.clock.jump(9 * DAY_MS)
    await bench.day()
    assert.deepEqual(
      purges(bench),
      [1, 2, 3 - 9, 4].map((day) => day - 14),
    )
    bench.clock.jump(-90 * DAY_MS)
    await bench.day()
    assert.equal(bench.run!.asOfMs, (START + 5 - 90) * DAY_MS)
    bench.close()
  })

  it('keeps mail as long as before while the settings are lost, and obeys those that are told', async () => {
    const bench = benchOf({ kept: { keptMs: 365 * DAY_MS, isTold: true } })
    await bench.day()
    bench.kept = { keptMs: 14 * DAY_MS, isTold: false }
    await bench.day()
    bench.kept = { keptMs: 14 * DAY_MS, isTold: true }
    await bench.day()
    bench.close()
    assert.deepEqual(purges(bench), [1 - 365, 2 - 365, 3 - 14])
  })
})

it('a storage child deletes an account that was told to be removed, and none that is missing in an old copy', async () => {
  const clock = new FakeClock(START * DAY_MS)
  const told: string[] = []
  const opened = await KINDS.mailbox({
    dir: mkdtempSync(join(dir, 'accounts-')),
    clock,
    options: { reserveBytes: 0 },
    notify: (topic, payload) => topic === 'purge' && told.push((payload as PurgeTold).name),
  })
  const { mailboxes, replica } = opened.services
  const ids = ['花子', '太郎', '次郎'] as AccountId[]
  const row = (id: AccountId) => ({ kind: 'account', account: { id } }) as unknown as DirectoryRow
  const put = (id: AccountId, seq: number) => ({ seq, key: rowKey(row(id)), row: row(id) })
  await replica.apply({ changes: ids.map((id, n) => put(id, n + 1)) })
  for (const accountId of ids) await mailboxes.mailboxes({ accountId })
  const day = async (): Promise<number> => {
    clock.advance(DAY_MS)
    // Behind the purge that this day's timer has begun.
    for (let turn = 0; turn < 200; turn++) await opened.services.copy.load()
    return (await mailboxes.status()).accounts
  }
  assert.equal(await day(), 3)
  // 太郎 is removed by the log; 次郎 is missing in a copy of another time.
  await replica.apply({ changes: [{ seq: 4, key: rowKey(row(ids[1]!)), row: null }] })
  await replica.gather({ first: true, rows: [{ key: rowKey(row(ids[0]!)), row: row(ids[0]!) }] })
  await replica.replace({ seq: 9 })
  const accounts: number[] = []
  for (let n = 0; n < 40; n++) accounts.push(await day())
  assert.deepEqual(accounts, [...Array<number>(15).fill(3), ...Array<number>(25).fill(2)])
  assert.equal((await mailboxes.mailboxes({ accountId: ids[2]! })).mailboxes.length, 8)
  assert.deepEqual([...new Set(told)], ['store.accountsUnknown'])
  await opened.close()
})
