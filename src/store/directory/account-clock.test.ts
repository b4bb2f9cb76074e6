import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DAY_MS, FakeClock, HOUR_MS } from '#base/time.ts'
import { LIFE_RULES } from '#model/account-life.ts'
import { AccountClock } from './account-clock.ts'

const setUp = () => {
  const clock = new FakeClock(Date.parse('2027-03-31T03:00:00Z'))
  const jumps: number[] = []
  let graceDays = 3
  const lives = new AccountClock({
    clock,
    rules: () => ({ ...LIFE_RULES, zone: 'UTC', graceDays }),
    onJump: (byMs) => jumps.push(byMs),
  })
  return { clock, jumps, lives, grace: (days: number) => (graceDays = days) }
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
})
