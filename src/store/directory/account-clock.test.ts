import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DAY_MS, FakeClock, HOUR_MS } from '#base/time.ts'
import { LIFE_RULES } from '#model/account-life.ts'
import { AccountClock } from './account-clock.ts'
import type { ClockDiffers } from './account-clock.ts'

const setUp = (aheadMs = 0) => {
  const clock = new FakeClock(Date.parse('2027-03-31T03:00:00Z'))
  clock.jump(aheadMs)
  const told: (ClockDiffers | 'agrees')[] = []
  const jumps: number[] = []
  let graceDays = 3
  const lives = new AccountClock({
    clock,
    rules: () => ({ ...LIFE_RULES, zone: 'UTC', graceDays }),
    onJump: (byMs) => jumps.push(byMs),
    onControl: (differs) => told.push(differs),
  })
  return { clock, jumps, told, lives, grace: (days: number) => (graceDays = days) }
}

describe('the time by which accounts begin and end', () => {
  it('goes on with the calendar, and follows the settings at once', () => {
    const { clock, jumps, lives, grace } = setUp()
    assert.deepEqual([lives.moment.today, lives.moment.graceFrom], ['2027-03-31', '2027-03-28'])
    clock.advance(20 * HOUR_MS)
    assert.equal(lives.moment.today, '2027-03-31')
    clock.advance(HOUR_MS)
    assert.equal(lives.moment.today, '2027-04-01')
    grace(0)
    assert.equal(lives.moment.graceFrom, '2027-04-01')
    clock.advance(40 * DAY_MS)
    assert.equal(lives.moment.today, '2027-05-11')
    assert.deepEqual(jumps, [])
  })

  it('a jump by years ends nobody for a day, and is told; when it is set right nothing has been', () => {
    for (const years of [10, -10]) {
      const { clock, jumps, lives } = setUp()
      assert.equal(lives.moment.today, '2027-03-31')
      clock.jump(years * 365 * DAY_MS)
      assert.equal(lives.moment.today, '2027-03-31')
      clock.advance(23 * HOUR_MS)
      assert.equal(lives.moment.today, '2027-04-01')
      clock.jump(-years * 365 * DAY_MS)
      assert.equal(lives.moment.today, '2027-04-01')
      clock.advance(2 * DAY_MS)
      assert.equal(lives.moment.today, '2027-04-03')
      assert.deepEqual(
        jumps.map((byMs) => byMs / DAY_MS),
        [years * 365, -years * 365],
      )
    }
  })

  it('a clock that stays where it jumped to is believed after a day; a small step at once', () => {
    const { clock, lives } = setUp()
    assert.equal(lives.moment.today, '2027-03-31')
    clock.jump(10 * DAY_MS)
    for (let hour = 0; hour < 24; hour++) {
      clock.advance(HOUR_MS)
      assert.ok(lives.moment.today < '2027-04-02', lives.moment.today)
    }
    clock.advance(HOUR_MS)
    assert.equal(lives.moment.today, '2027-04-11')
    clock.jump(23 * HOUR_MS)
    assert.equal(lives.moment.today, '2027-04-12')
  })

  const NOW = Date.parse('2027-03-31T03:00:00Z')
  const YEAR_MS = 365 * DAY_MS
  /** A node that starts now, with a clock so far ahead; it knew the time so long ago. */
  const start = ({ aheadMs, offMs }: { readonly aheadMs: number; readonly offMs?: number }) => {
    const parts = setUp(aheadMs)
    if (offMs !== undefined) parts.lives.remember(NOW - offMs)
    const hear = (controlAheadMs = 0): string => {
      parts.lives.told(parts.clock.monotonicMs() + controlAheadMs)
      return parts.lives.moment.today
    }
    return { ...parts, hear }
  }

  it('a node that starts with a clock years off goes on from the day that it knew, then by control’s', () => {
    for (const aheadMs of [10 * YEAR_MS, -10 * YEAR_MS]) {
      const { lives, clock, jumps, told, hear } = start({ aheadMs, offMs: 2 * DAY_MS })
      assert.equal(lives.moment.today, '2027-03-29')
      assert.equal(jumps.length, 1)
      assert.equal(hear(), '2027-03-31')
      assert.deepEqual(told, [{ aheadMs, today: '2027-03-31' }])
      for (let day = 0; day < 5; day++) {
        clock.advance(DAY_MS)
        hear()
      }
      assert.equal(lives.moment.today, '2027-04-05')
      assert.equal(lives.knownMs, NOW + 5 * DAY_MS)
      clock.jump(-aheadMs)
      assert.equal(hear(), '2027-04-05')
      assert.equal(told.at(-1), 'agrees')
      clock.advance(2 * DAY_MS)
      assert.equal(lives.moment.today, '2027-04-07')
    }
  })

  it('one that never knew the time goes by control’s, and remembers none that only its own clock has told', () => {
    const { lives, hear } = start({ aheadMs: -10 * YEAR_MS })
    assert.equal(lives.knownMs, undefined)
    assert.equal(hear(), '2027-03-31')
    assert.equal(lives.knownMs, NOW)
  })

  it('one that was off for weeks, or whose control is wrong, goes by its own', () => {
    const off = start({ aheadMs: 0, offMs: 60 * DAY_MS })
    assert.equal(off.lives.moment.today, '2027-03-31')
    assert.deepEqual(off.jumps, [])
    assert.equal(off.hear(YEAR_MS), '2027-03-31')
    off.clock.advance(3 * DAY_MS)
    assert.equal(off.hear(YEAR_MS), '2027-04-03')
    assert.equal(off.told.length, 1)
  })

  it('where both are wrong it is the day that was known, until they are one', () => {
    const { lives, clock, hear } = start({ aheadMs: -10 * YEAR_MS, offMs: DAY_MS })
    assert.equal(hear(10 * YEAR_MS), '2027-03-30')
    clock.advance(3 * DAY_MS)
    assert.equal(hear(10 * YEAR_MS), '2027-04-02')
    clock.jump(10 * YEAR_MS)
    assert.equal(hear(), '2027-04-03')
    assert.equal(lives.moment.today, '2027-04-03')
  })

  it('a clock that jumps while control’s stays is not believed after a day either', () => {
    const { clock, lives, told, hear } = start({ aheadMs: 0, offMs: 0 })
    assert.equal(hear(), '2027-03-31')
    clock.jump(YEAR_MS)
    for (let day = 0; day < 3; day++) {
      assert.ok(hear() < '2027-04-04')
      clock.advance(DAY_MS)
    }
    assert.equal(hear(), '2027-04-03')
    assert.equal(told.length, 1)
    // That of a whole machine takes control's with it: a day as before.
    const both = start({ aheadMs: 0, offMs: 0 })
    both.hear()
    both.clock.jump(YEAR_MS)
    assert.equal(both.hear(YEAR_MS), '2027-03-31')
    both.clock.advance(DAY_MS)
    assert.equal(both.hear(YEAR_MS), '2028-03-31')
    assert.equal(lives.knownMs, clock.monotonicMs())
  })

  /** Control, which nobody tells the time, with a clock so far ahead; it noted the time so long ago. */
  const control = (aheadMs: number, offMs: number) => {
    const clock = new FakeClock(NOW)
    clock.jump(aheadMs)
    const rules = () => ({ ...LIFE_RULES, zone: 'UTC' })
    const lives = new AccountClock({ clock, rules, isControls: true })
    lives.remember(NOW - offMs)
    return { clock, lives }
  }

  it('control’s own that starts years off is not believed, however long, until somebody does or it is set right', () => {
    for (const aheadMs of [10 * YEAR_MS, -10 * YEAR_MS, -2 * DAY_MS, 11 * DAY_MS]) {
      const { clock, lives } = control(aheadMs, 0)
      assert.deepEqual(lives.doubt, { aheadMs, today: '2027-03-31' })
      clock.advance(30 * DAY_MS)
      assert.equal(lives.moment.today, '2027-04-30')
      assert.equal(lives.calendarMs, NOW + 30 * DAY_MS)
      clock.jump(-aheadMs)
      assert.equal(lives.moment.today, '2027-04-30')
      assert.equal(lives.doubt, undefined)
      const accepted = control(aheadMs, 0)
      accepted.lives.accept()
      assert.equal(accepted.lives.doubt, undefined)
      assert.equal(accepted.lives.calendarMs, NOW + aheadMs)
    }
  })

  it('control’s own is believed after days of standstill, and doubted when it jumps far while it runs', () => {
    const { clock, lives } = control(0, 9 * DAY_MS)
    assert.equal(lives.doubt, undefined)
    assert.equal(lives.moment.today, '2027-03-31')
    clock.jump(3 * DAY_MS)
    assert.equal(lives.moment.today, '2027-03-31')
    assert.equal(lives.doubt, undefined)
    clock.advance(DAY_MS)
    assert.equal(lives.moment.today, '2027-04-04')
    clock.jump(YEAR_MS)
    clock.advance(3 * DAY_MS)
    assert.deepEqual(lives.doubt, { aheadMs: YEAR_MS, today: '2027-04-07' })
  })

  it('a node on the same machine goes by control’s calendar as long as that is in doubt', () => {
    const aheadMs = 2 * YEAR_MS
    const { clock, lives } = control(aheadMs, DAY_MS)
    const node = start({ aheadMs, offMs: DAY_MS }).lives
    for (let day = 0; day < 5; day++) node.told(lives.calendarMs)
    assert.equal(node.moment.today, '2027-03-30')
    clock.advance(0)
    lives.accept()
    node.told(lives.calendarMs)
    assert.equal(node.moment.today, '2029-03-30')
  })
})
