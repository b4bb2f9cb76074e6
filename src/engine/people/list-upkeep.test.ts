import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { DAY_MS, FakeClock } from '#base/time.ts'
import { LIFE_RULES } from '#model/account-life.ts'
import type { LifeRules } from '#model/account-life.ts'
import type { ListMember, MemberTerm } from '#model/list-member.ts'
import type { MailingList } from '#model/list.ts'
import { findCycle } from '#engine/route/check.ts'
import { AccountClock } from '#store/directory/account-clock.ts'
import { SqliteDirectoryLog } from '#store/directory/directory-log.ts'
import { DirectoryMaster } from '#store/directory/directory-master.ts'
import type { DirectoryRow } from '#store/directory/directory.ts'
import { addr, fakeAccount, fakeList, fakeMember } from '#test/fake/directory.ts'
import { upkeepOfLists } from './list-upkeep.ts'

const by = { who: 'admin', from: 'test' }
const LIST = 'ゼミ@campus.example'
const NOW = Date.parse('2027-03-01T00:00:00Z')
const PEOPLE = ['hanako', 'taro', 'jiro', '花子']

describe('what time does to mailing lists', () => {
  let dir: string
  let clock: FakeClock
  let directory: DirectoryMaster
  let log: SqliteDirectoryLog
  let rules: LifeRules

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'watari-lists-'))
    clock = new FakeClock(NOW)
    log = new SqliteDirectoryLog(join(dir, 'directory.db'))
    rules = { ...LIFE_RULES, zone: 'UTC', listHistoryDays: 100 }
    const lives = new AccountClock({ clock, rules: () => rules })
    directory = new DirectoryMaster({ log, clock, lives, checks: [findCycle] })
    await put(
      { kind: 'domain', domain: { name: 'campus.example' } },
      ...PEOPLE.map(
        (name) => ({ kind: 'account', account: fakeAccount(`${name}@campus.example`) }) as const,
      ),
      { kind: 'list', list: fakeList(LIST) },
    )
  })
  afterEach(async () => {
    log.close()
    await rm(dir, { recursive: true, force: true })
  })

  async function put(...rows: readonly DirectoryRow[]): Promise<void> {
    for (let at = 0; at < rows.length; at += 1_000) {
      const edits = rows.slice(at, at + 1_000).map((row) => ({ kind: 'put', row }) as const)
      const written = await directory.write(edits, by)
      assert.ok(written.ok, JSON.stringify(written))
    }
  }
  const member = (name: string, ...terms: readonly MemberTerm[]): DirectoryRow => ({
    kind: 'member',
    member: {
      ...fakeMember(LIST, { kind: 'account', id: fakeAccount(`${name}@campus.example`).id }),
      terms,
    },
  })
  const list = (): MailingList | undefined => directory.directory.list(fakeList(LIST).id)
  const rows = (): readonly ListMember[] => directory.directory.members(fakeList(LIST).id).toArray()
  const known = (): readonly string[] =>
    rows()
      .map(({ who, terms }) =>
        [
          who.kind === 'account' ? who.id : '',
          ...terms.map(({ until = '' }) => until.slice(0, 10)),
        ].join(' '),
      )
      .toSorted()

  const years = (from: number, until?: string): MemberTerm => ({
    from: `${from}-04-01T00:00:00.000Z`,
    ...(until !== undefined && { until: `${until}T00:00:00.000Z` }),
  })

  it('who left longer ago than list.historyDays is forgotten, and the list says from when on it knows', async () => {
    await put(
      member('hanako', years(2024)),
      member('taro', years(2024, '2026-11-20')),
      member('jiro', years(2023, '2024-03-31'), years(2025)),
      member('花子', years(2024, '2026-11-22')),
    )
    assert.deepEqual(await upkeepOfLists(directory, by), { deleted: 0, forgotten: 2 })
    assert.deepEqual(known(), [
      'id-hanako@campus.example ',
      'id-jiro@campus.example ',
      'id-花子@campus.example 2026-11-22',
    ])
    assert.equal(list()?.historyFrom, '2026-11-21T00:00:00.000Z')
    // The next day forgets one more; a day on which nobody is forgotten changes nothing.
    clock.advance(2 * DAY_MS)
    assert.deepEqual(await upkeepOfLists(directory, by), { deleted: 0, forgotten: 1 })
    const { seq } = directory.directory
    clock.advance(DAY_MS)
    assert.deepEqual(await upkeepOfLists(directory, by), { deleted: 0, forgotten: 0 })
    assert.equal(directory.directory.seq, seq)
    assert.equal(list()?.historyFrom, '2026-11-23T00:00:00.000Z')
  })

  it('is known for good where nobody has said for how long', async () => {
    rules = { ...rules, listHistoryDays: 0 }
    await put(member('taro', years(2004, '2006-03-31')))
    assert.deepEqual(await upkeepOfLists(directory, by), { deleted: 0, forgotten: 0 })
    assert.deepEqual(known(), ['id-taro@campus.example 2006-03-31'])
    assert.equal(list()?.historyFrom, undefined)
  })

  it('a deleted one can be had back for as long as an account, then it goes with all its members', async () => {
    const many = Array.from({ length: 1_200 }, (_, n): DirectoryRow => ({
      kind: 'member',
      member: fakeMember(LIST, { kind: 'address', address: addr(`m${n}@else.example`) }),
    }))
    await put(...many, {
      kind: 'list',
      list: { ...fakeList(LIST), deletedAt: new Date(NOW).toISOString() },
    })
    clock.advance(29 * DAY_MS)
    assert.deepEqual(await upkeepOfLists(directory, by), { deleted: 0, forgotten: 0 })
    assert.equal(rows().length, 1_200)
    clock.advance(DAY_MS)
    assert.deepEqual(await upkeepOfLists(directory, by), { deleted: 1, forgotten: 0 })
    assert.equal(list(), undefined)
    assert.deepEqual(rows(), [])
  })
})
