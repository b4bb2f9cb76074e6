import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { holds } from './filter-match.ts'
import type { Filter, TriedMail } from './filter-match.ts'

const mail: TriedMail = {
  subject: '会議 Agenda',
  from: [{ name: '太郎', email: 'Taro@b.example' }],
  to: [{ name: null, email: 'hanako@campus.example' }],
  cc: [],
  list: 'みんな <minna.lists.example>',
}
const filter = (conditions: Filter['conditions'], match: Filter['match'] = 'all'): Filter => ({
  name: '試',
  match,
  conditions,
})

describe('a filter tried on a mail that is there', () => {
  it('holds where its script would', () => {
    const cases: readonly (readonly [Filter['conditions'][number], boolean])[] = [
      [{ field: 'subject', is: 'contains', value: 'agenda' }, true],
      [{ field: 'subject', is: 'equals', value: '会議' }, false],
      [{ field: 'from', is: 'equals', value: 'taro@B.example' }, true],
      [{ field: 'from', is: 'equals', value: '太郎' }, false],
      [{ field: 'from', is: 'contains', value: '太郎' }, true],
      [{ field: 'recipient', is: 'contains', value: '@campus' }, true],
      [{ field: 'cc', is: 'contains', value: 'hanako' }, false],
      [{ field: 'list', is: 'equals', value: 'minna.lists.example' }, true],
      [{ field: 'list', is: 'equals', value: 'inna.lists.example' }, false],
      [{ field: 'subject', is: 'contains', value: '懇親', not: true }, true],
    ]
    for (const [condition, wanted] of cases)
      assert.equal(holds(filter([condition]), mail), wanted, JSON.stringify(condition))
  })

  it('holds by all of its conditions, or by any', () => {
    const two: Filter['conditions'] = [
      { field: 'subject', is: 'contains', value: '会議' },
      { field: 'from', is: 'contains', value: 'nobody' },
    ]
    assert.equal(holds(filter(two), mail), false)
    assert.equal(holds(filter(two, 'any'), mail), true)
  })
})
