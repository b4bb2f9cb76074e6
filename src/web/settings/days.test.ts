import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { dayOf, dayText, startOf } from './days.ts'

describe('days of an absence', () => {
  it('begin and end by the calendar of who looks at them', () => {
    const first = startOf('2026-12-29')!
    const end = startOf('2027-01-03', 1)!
    assert.match(first, /^2026-12-2[89]T\d\d:\d\d:00Z$/)
    assert.equal(Date.parse(end) - Date.parse(startOf('2027-01-03')!), 86_400_000)
    assert.equal(dayOf(first), '2026-12-29')
    assert.equal(dayOf(end, 1), '2027-01-03')
    assert.equal(dayText('ja', first), '2026年12月29日(火)')
    assert.equal(dayText('en', end, 1), 'Sun, 3 Jan 2027')
  })

  it('are none where none was given', () => {
    assert.equal(startOf(''), undefined)
    assert.equal(startOf('12/29'), undefined)
    assert.equal(dayOf(undefined), '')
  })
})
