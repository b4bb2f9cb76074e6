import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { memoryLog } from '#base/log.ts'
import { DAY_MS, FakeClock, HOUR_MS } from '#base/time.ts'
import { LIFE_RULES } from '#model/account-life.ts'
import { AccountClock } from '#store/directory/account-clock.ts'
import { SqliteUpkeepNotes } from '#store/directory/upkeep-notes.ts'
import { Calendar } from './calendar.ts'

const NOW = Date.parse('2027-03-31T03:00:00Z')
const YEAR_MS = 365 * DAY_MS

describe('what day it is for accounts, over starts of control', () => {
  let dir: string
  let notes: SqliteUpkeepNotes
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'watari-calendar-'))
    notes = new SqliteUpkeepNotes(join(dir, 'upkeep.db'))
  })
  afterEach(async () => {
    notes.close()
    await rm(dir, { recursive: true, force: true })
  })

  const start = async (nowMs: number) => {
    const clock = new FakeClock(nowMs)
    const log = memoryLog()
    const rules = () => ({ ...LIFE_RULES, zone: 'UTC' })
    const lives = new AccountClock({ clock, rules, isControls: true })
    const calendar = new Calendar({ lives, notes, clock, log })
    await calendar.recall()
    await calendar.begin()
    const told = (): string[] => log.lines.map(({ event }) => event)
    return { clock, calendar, told, today: () => lives.moment.today }
  }

  it('a first start believes its clock, and so do those that follow on it', async () => {
    for (const days of [0, 3, 12]) {
      const { calendar, told, today } = await start(NOW + days * DAY_MS)
      assert.equal(calendar.doubt, undefined)
      assert.equal(today(), new Date(NOW + days * DAY_MS).toISOString().slice(0, 10))
      assert.deepEqual(told(), [])
      calendar.close()
    }
  })

  it('a clock that is years off stays in doubt over starts, is told, and the calendar goes on', async () => {
    const first = await start(NOW)
    first.clock.advance(HOUR_MS)
    first.calendar.close()
    for (let day = 0; day < 3; day++) {
      const { calendar, clock, told, today } = await start(NOW + 2 * YEAR_MS + day * DAY_MS)
      assert.equal(today(), `2027-0${day === 0 ? '3-31' : `4-0${day}`}`)
      assert.deepEqual(told(), ['directory.clockDoubted'])
      // A day passes, and is noted on its way.
      for (let hour = 0; hour < 24; hour++) {
        clock.advance(HOUR_MS)
        await new Promise(setImmediate)
      }
      calendar.close()
    }
    // Set right, with half a day of standstill: nothing has been.
    const right = await start(NOW + 3.5 * DAY_MS)
    assert.equal(right.calendar.doubt, undefined)
    assert.equal(right.today(), '2027-04-03')
    right.calendar.close()
  })

  it('one that somebody believes counts from then on, after a start as well', async () => {
    const first = await start(NOW)
    first.calendar.close()
    const off = await start(NOW + YEAR_MS)
    await off.calendar.accept('admin')
    assert.equal(off.today(), '2028-03-30')
    assert.deepEqual(off.told(), ['directory.clockDoubted', 'directory.clockAccepted'])
    off.calendar.close()
    const again = await start(NOW + YEAR_MS)
    assert.equal(again.calendar.doubt, undefined)
    again.calendar.close()
  })
})
