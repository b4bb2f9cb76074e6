import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { memoryLog } from '#base/log.ts'
import { ok } from '#base/outcome.ts'
import { DAY_MS, FakeClock, HOUR_MS, MINUTE_MS } from '#base/time.ts'
import type { Account } from '#model/account.ts'
import { LIFE_RULES } from '#model/account-life.ts'
import type { DatedPlan } from '#model/plan.ts'
import { findCycle } from '#engine/route/check.ts'
import { AccountClock } from '#store/directory/account-clock.ts'
import { SqliteDirectoryLog } from '#store/directory/directory-log.ts'
import { DirectoryMaster } from '#store/directory/directory-master.ts'
import { SqliteUpkeepNotes } from '#store/directory/upkeep-notes.ts'
import { addr, fakeAccount } from '#test/fake/directory.ts'
import { deleted, renamed, undeleted } from './account-change.ts'
import { AccountUpkeep } from './account-upkeep.ts'

const by = { who: 'admin', from: 'test' }

describe('what time does to accounts', () => {
  let dir: string
  let clock: FakeClock
  let directory: DirectoryMaster
  let log: SqliteDirectoryLog
  let notes: SqliteUpkeepNotes
  let upkeep: AccountUpkeep
  const lines = memoryLog()

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'watari-upkeep-'))
    clock = new FakeClock(Date.parse('2027-03-01T00:00:00Z'))
    log = new SqliteDirectoryLog(join(dir, 'directory.db'))
    notes = new SqliteUpkeepNotes(join(dir, 'upkeep.db'))
    const rules = { ...LIFE_RULES, zone: 'UTC', formerAddressDays: 10, addressReservedMonths: 1 }
    const lives = new AccountClock({ clock, rules: () => rules })
    directory = new DirectoryMaster({ log, clock, lives, checks: [findCycle] })
    upkeep = new AccountUpkeep({ directory, notes, clock, log: lines })
    await put(...['hanako', 'taro', 'jiro'].map((name) => fakeAccount(`${name}@campus.example`)))
  })
  afterEach(async () => {
    await upkeep.close()
    log.close()
    notes.close()
    await rm(dir, { recursive: true, force: true })
  })

  async function put(...accounts: readonly Account[]): Promise<void> {
    const domain = {
      kind: 'put',
      row: { kind: 'domain', domain: { name: 'campus.example' } },
    } as const
    const written = await directory.write(
      [
        domain,
        ...accounts.map((account) => ({ kind: 'put', row: { kind: 'account', account } }) as const),
      ],
      by,
    )
    assert.ok(written.ok, JSON.stringify(written))
  }
  const of = (name: string): Account => directory.directory.byLogin(name)!
  const names = (): string[] =>
    [...directory.directory.accounts()].map(({ username }) => username).toSorted()
  /** Lets days go by as they do, with a run each. */
  async function days(count: number): Promise<void> {
    for (let day = 0; day < count; day++) {
      clock.advance(DAY_MS)
      await upkeep.run()
    }
  }

  it('who is deleted can be had back until the day; then it goes for good, with its forward', async () => {
    await directory.write(
      [
        {
          kind: 'put',
          row: {
            kind: 'forward',
            forward: { accountId: of('taro').id, to: [addr('t@else.example')], keep: false },
          },
        },
      ],
      by,
    )
    const { moment } = directory.directory
    await put(deleted(of('taro'), moment), deleted(of('jiro'), moment))
    await days(29)
    await put(undeleted(of('jiro')))
    assert.deepEqual(names(), ['hanako', 'jiro', 'taro'])
    await days(1)
    assert.deepEqual(names(), ['hanako', 'jiro'])
    assert.equal([...directory.directory.forwards()].length, 0)
    const { items } = await log.history({ limit: 1 })
    assert.deepEqual(items[0]?.by, { who: 'watari', from: 'account life' })
  })

  it('a clock in doubt deletes nobody and makes no plan; an administrator’s word counts for both', async () => {
    let doubt: { aheadMs: number; today: string } | undefined = { aheadMs: -1, today: '2027-03-01' }
    const accepted: string[] = []
    const calendar = {
      get doubt() {
        return doubt
      },
      accept: async (who: string) => {
        accepted.push(who)
        doubt = undefined
      },
    }
    await upkeep.close()
    upkeep = new AccountUpkeep({ directory, notes, clock, log: lines, calendar })
    assert.equal((await upkeep.run()).held, true)
    assert.equal((await upkeep.state()).isHeld, true)
    assert.equal((await upkeep.run({ accept: true, by })).held, false)
    assert.deepEqual(accepted, ['admin'])
    assert.equal((await upkeep.state()).isHeld, false)
  })

  it('a jump of the clock deletes nobody and makes no plan until somebody says that it is right', async () => {
    await put(deleted(of('taro'), directory.directory.moment))
    await directory.write([{ kind: 'put', row: { kind: 'plan', plan: plan('2027-05-01') } }], by)
    await days(1)
    for (const years of [1, 10]) {
      clock.advance(years * 365 * DAY_MS) // the process begins anew, on a machine whose clock is ahead
      const held = await upkeep.run()
      assert.deepEqual([held.held, held.deleted, held.plans.length], [true, 0, 0])
      assert.deepEqual(names(), ['hanako', 'jiro', 'taro'])
      assert.equal((await upkeep.state()).isHeld, true)
    }
    const done = await upkeep.run({ accept: true, by })
    assert.deepEqual([done.held, done.deleted, done.plans.length], [false, 1, 1])
    assert.deepEqual(names(), ['hanako', 'jiro'])
    assert.equal((await upkeep.run()).held, false)
  })

  const plan = (on: string, more: Partial<DatedPlan> = {}): DatedPlan => ({
    id: 'p1',
    title: '2027年度 進級',
    on,
    where: { tags: ['1年'] },
    change: { addTags: ['2年'], removeTags: ['1年'], expiresOn: '2031-03-31' },
    by: 'admin',
    byRole: 'directory-manager',
    ...more,
  })

  it('a plan is made on its day, once, by who planned it; what it cannot change is counted', async () => {
    await put(
      { ...of('hanako'), tags: ['1年', '法学部'] },
      { ...of('taro'), tags: ['1年'], startsOn: '2032-01-01' },
      { ...of('jiro'), tags: ['2年'] },
      { ...fakeAccount('kanri@campus.example'), admin: true, tags: ['1年'] },
    )
    await directory.write([{ kind: 'put', row: { kind: 'plan', plan: plan('2027-04-01') } }], by)
    await days(30)
    assert.deepEqual(of('hanako').tags, ['1年', '法学部'])
    await days(1)
    assert.deepEqual(of('hanako').tags, ['法学部', '2年'])
    assert.equal(of('hanako').expiresOn, '2031-03-31')
    assert.deepEqual(of('taro').tags, ['1年'], 'it would end before it begins')
    assert.deepEqual(of('jiro').tags, ['2年'])
    const { done } = directory.directory.plan('p1')!
    // A directory manager planned it: he changes no administrator.
    assert.deepEqual([done?.changed, done?.same, done?.refused], [1, 0, 2])
    assert.deepEqual(of('kanri').tags, ['1年'])
    const { items } = await log.history({ key: `account:${of('hanako').id}`, limit: 1 })
    assert.deepEqual(items[0]?.by, { who: 'admin', from: 'plan p1' })
    await directory.update(
      () =>
        ok([{ kind: 'put', row: { kind: 'account', account: { ...of('jiro'), tags: ['1年'] } } }]),
      by,
    )
    await days(1)
    assert.deepEqual(of('jiro').tags, ['1年'], 'a plan is made once')
  })

  it('a former address takes mail, then only stays reserved, then is free', async () => {
    await put(renamed(of('hanako'), addr('yamada@campus.example'), directory.directory.moment))
    assert.equal(of('hanako').username, 'yamada')
    const wants = async (): Promise<string | undefined> => {
      const written = await directory.write(
        [
          {
            kind: 'put',
            row: {
              kind: 'account',
              account: { ...of('taro'), addresses: [addr('hanako@campus.example')] },
            },
          },
        ],
        by,
      )
      return written.ok ? undefined : written.error.message
    }
    assert.match((await wants()) ?? '', /was an address of yamada@campus.example, and is kept/)
    await days(11)
    assert.equal(directory.directory.byLogin('hanako'), undefined)
    assert.match((await wants()) ?? '', /until 2027-04-01/)
    await days(20)
    assert.equal(of('yamada').formerAddresses, undefined)
    assert.equal(await wants(), undefined)
  })

  it('runs by itself soon after the start and each hour', async () => {
    await put(deleted(of('taro'), directory.directory.moment))
    await notes.noteUpkeep({ ranAtMs: clock.nowMs() + 29 * DAY_MS })
    clock.advance(30 * DAY_MS - 30 * MINUTE_MS)
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
    assert.deepEqual(names(), ['hanako', 'jiro', 'taro'])
    clock.advance(HOUR_MS)
    for (let turn = 0; turn < 200 && names().length > 2; turn++) await new Promise(setImmediate)
    assert.deepEqual(names(), ['hanako', 'jiro'])
  })

  it('a name that is taken back is no former one; of its own further ones it leaves the list', () => {
    const { moment } = directory.directory
    const account = { ...of('hanako'), addresses: [addr('yamada@campus.example')] }
    const away = renamed(account, addr('yamada@campus.example'), moment)
    assert.deepEqual(away.addresses, [])
    const back = renamed(away, addr('hanako@campus.example'), moment)
    assert.deepEqual(
      back.formerAddresses?.map(({ address }) => address.localpart),
      ['yamada'],
    )
    assert.equal(renamed(account, addr('HANAKO@campus.example'), moment), account)
  })
})
