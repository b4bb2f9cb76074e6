import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { addr, fakeAccount } from '#test/fake/directory.ts'
import type { Account } from './account.ts'
import { dayAt, daysAfter, daysBetween, forwardAfter, isZone } from './account-life.ts'
import { LIFE_RULES, lifeOf, mayLogIn, momentAt, NO_MOMENT, takesMail } from './account-life.ts'

const account = (more: Partial<Account>): Account => ({
  ...fakeAccount('hanako@campus.example'),
  ...more,
})
const RULES = { ...LIFE_RULES, zone: 'Asia/Tokyo' }
/** Noon in Japan. */
const at = (day: string, rules = RULES) => momentAt(Date.parse(`${day}T12:00:00+09:00`), rules)

describe('the life of an account', () => {
  it('not begun, active, in grace, left; each day is whole in the zone of the settings', () => {
    const student = account({ startsOn: '2027-04-01', expiresOn: '2031-03-31' })
    for (const [day, state, enters, takes] of [
      ['2027-03-31', 'notBegun', false, true],
      ['2027-04-01', 'active', true, true],
      ['2031-03-31', 'active', true, true],
      ['2031-04-01', 'grace', true, true],
      ['2031-04-14', 'grace', true, true],
      ['2031-04-15', 'left', false, false],
    ] as const)
      assert.deepEqual(
        [lifeOf(student, at(day)), mayLogIn(student, at(day)), takesMail(student, at(day))],
        [state, enters, takes],
        day,
      )
    const lastSecond = Date.parse('2031-04-14T23:59:59+09:00')
    assert.equal(lifeOf(student, momentAt(lastSecond, RULES)), 'grace')
    assert.equal(lifeOf(student, momentAt(lastSecond + 1_000, RULES)), 'left')
    const inUtc = momentAt(lastSecond + 1_000, { ...RULES, zone: 'UTC' })
    assert.equal(lifeOf(student, inUtc), 'grace')
    const strict = at('2027-03-31', { ...RULES, mailBeforeStart: false })
    assert.equal(takesMail(student, strict), false)
    assert.equal(lifeOf(account({}), at('2999-01-01')), 'active')
  })

  it('suspended takes mail until it has left; deleted takes none', () => {
    const suspended = account({ disabled: true, expiresOn: '2031-03-31' })
    assert.equal(lifeOf(suspended, at('2030-01-01')), 'suspended')
    assert.equal(takesMail(suspended, at('2030-01-01')), true)
    assert.equal(takesMail(suspended, at('2031-05-01')), false)
    const deleted = account({ deletedAt: '2027-01-01T00:00:00.000Z', disabled: true })
    assert.equal(lifeOf(deleted, at('2027-01-02')), 'deleted')
    assert.equal(takesMail(deleted, NO_MOMENT), false)
    assert.equal(mayLogIn(deleted, at('2027-01-02')), false)
  })

  it('mail is sent on after leaving until a day, and not of who is deleted', () => {
    const afterLeaving = { to: [addr('h@else.example')], until: '2031-09-30' }
    const left = account({ expiresOn: '2031-03-31', afterLeaving })
    assert.deepEqual(forwardAfter(left, at('2031-09-30')), afterLeaving.to)
    assert.equal(forwardAfter(left, at('2031-10-01')), undefined)
    assert.equal(forwardAfter({ ...left, deletedAt: 'x' }, at('2031-09-30')), undefined)
  })

  it('days of calendars: leap days, zones that exist and that do not', () => {
    assert.equal(daysAfter('2028-02-28', 2), '2028-03-01')
    assert.equal(daysAfter('2027-01-01', -1), '2026-12-31')
    assert.equal(daysBetween('2027-03-01', '2027-04-01'), 31)
    assert.equal(dayAt(Date.parse('2027-03-13T20:00:00Z'), 'Asia/Tokyo'), '2027-03-14')
    assert.equal(dayAt(Date.parse('2027-03-14T06:59:00Z'), 'America/New_York'), '2027-03-14')
    assert.deepEqual(['Asia/Tokyo', '', 'UTC', 'Asia/Tokio', '東京'].map(isZone), [
      true,
      true,
      true,
      false,
      false,
    ])
  })
})
