import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { factsAfter, factsFault, isDay, isTag, withoutFacts } from './person-facts.ts'

describe('facts of people', () => {
  it('a change takes in what it names, takes away what is null or empty, and leaves the rest', () => {
    const before = {
      reading: 'やまだ はなこ',
      tags: ['2027入学', '法学部'],
      expiresOn: '2031-03-31',
    }
    assert.deepEqual(factsAfter(before), before)
    assert.deepEqual(
      factsAfter(before, {
        reading: null,
        tags: [' ２０２８入学', '2028入学', ''],
        externalId: 'B1',
      }),
      { tags: ['2028入学'], externalId: 'B1', expiresOn: '2031-03-31' },
    )
    assert.deepEqual(factsAfter(before, { tags: [], reading: '', expiresOn: '２０３２-03-31' }), {
      expiresOn: '2032-03-31',
    })
    assert.deepEqual(withoutFacts({ ...before, id: 'a-1', formerNames: ['鈴木'] }), { id: 'a-1' })
  })

  it('days that the calendar lacks, endless tags, control characters and lives that end first are told', () => {
    assert.equal(factsFault({}), undefined)
    assert.equal(factsFault({ startsOn: '2028-02-29', expiresOn: '2028-02-29' }), undefined)
    for (const day of ['2027-02-29', '2027-2-1', '2027-13-01', 'tomorrow', '２０２７-01-01'])
      assert.equal(isDay(day), false, day)
    for (const tag of ['', ' a', 'a,b', 'a;b', '一、二', 'x'.repeat(65), 'a\nb'])
      assert.equal(isTag(tag), false, tag)
    for (const [facts, told] of [
      [{ startsOn: '2027-04-02', expiresOn: '2027-04-01' }, /before it starts/],
      [{ expiresOn: '2027-02-30' }, /no day/],
      [{ tags: ['法学部', 'a,b'] }, /'a,b' is no tag/],
      [{ tags: Array.from({ length: 51 }, (_, at) => `t${at}`) }, /more than 50/],
      [{ formerNames: Array.from({ length: 21 }, (_, at) => `n${at}`) }, /more than 20/],
      [{ reading: 'や\u0000' }, /one line/],
      [{ externalId: 'x'.repeat(257) }, /at most 256/],
    ] as const)
      assert.match(factsFault(facts) ?? '', told)
  })
})
