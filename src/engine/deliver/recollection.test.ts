import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DAY_MS, SECOND_MS } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'

import { NOW_MS, planOf } from './delivery-bench.ts'
import type { Written } from './delivery-bench.ts'
import { Recollection } from './recollection.ts'

const twice = (args: string) =>
  `require ["duplicate", "fileinto", "mailbox"]; if duplicate ${args} { fileinto :create "二度"; }`

/** The keys that a mail leaves, and where it is filed while these are known. */
function filed(args: string, mail: Written = {}) {
  const plan = planOf(twice(args), mail)
  return { at: plan.filed.join(), keys: plan.memories.map(({ key }) => key), plan }
}

describe('duplicate (RFC 7352)', () => {
  const header = (id: string, more = '') => `Message-ID: ${id}\nSubject: 会議\n${more}\n`

  it('tells what came before by its message id, header, or what the script says', () => {
    const first = filed('')
    assert.equal(first.at, 'INBOX')
    assert.equal(filed('', { known: first.keys }).at, '二度')
    const another = { header: header('<2@b>'), known: first.keys }
    assert.equal(filed('', another).at, 'INBOX')
    const bySubject = filed(':header "Subject"').keys
    assert.equal(filed(':header "Subject"', { ...another, known: bySubject }).at, '二度')
    const byText = filed(':uniqueid "会議"').keys
    assert.equal(filed(':uniqueid "会議"', { ...another, known: byText }).at, '二度')
    assert.equal(filed(':uniqueid "会議"', { known: bySubject }).at, 'INBOX')
    assert.equal(filed(':handle "別"', { known: first.keys }).at, 'INBOX')
  })

  it('is no duplicate, and is not remembered, without an identifier', () => {
    for (const mail of [{ header: 'Subject: x\n' }, { header: header('') }])
      assert.deepEqual(filed('', mail).keys, [])
    assert.deepEqual(filed(':header "X-無い"').keys, [])
  })

  it('is remembered for so long, again where :last stands; not by a script that failed', () => {
    const [memory] = filed('').plan.memories
    assert.deepEqual(
      [memory?.untilMs, memory?.isProlonged, memory?.isFirst],
      [NOW_MS + 7 * DAY_MS, false, true],
    )
    assert.equal(filed('', { known: filed('').keys }).plan.memories[0]?.isFirst, false)
    const last = filed(':last :seconds 90').plan.memories[0]
    assert.deepEqual([last?.untilMs, last?.isProlonged], [NOW_MS + 90 * SECOND_MS, true])
    const long = filed(':seconds 400000000').plan.memories[0]
    assert.equal(long?.untilMs, NOW_MS + 90 * DAY_MS)
    const failing = `${twice('')} keep; reject "x";`.replace('[', '["reject", ')
    const plan = planOf(failing)
    assert.equal(plan.trouble.length, 1)
    assert.ok(!plan.memories.some(({ key }) => key.startsWith('duplicate:')))
  })

  it('ends a script that would have too much remembered', () => {
    const many = Array.from({ length: 21 }, (_, i) => `if duplicate :uniqueid "${i}" { stop; }`)
    assert.match(planOf(`require "duplicate"; ${many.join('\n')}`).trouble[0]!.message, /too much/)
  })
})

describe('what a delivery recalls', () => {
  const hanako = 'hanako' as AccountId
  const asked: string[][] = []
  const recollection = () =>
    new Recollection(
      {
        remembered: async ({ keys }) => {
          asked.push([...keys])
          return { keys: keys.filter((key) => key.startsWith('知')) }
        },
      },
      hanako,
    )

  it('is asked for as it is needed, each key once, and the plan is made anew', async () => {
    asked.length = 0
    const one = recollection()
    let plans = 0
    const found = await one.run(() => {
      plans++
      const first = one.remembered(['知1', '無'])
      return [...first, ...(first.length === 1 ? one.remembered(['知1', '知2']) : [])]
    })
    assert.deepEqual(found, ['知1', '知1', '知2'])
    assert.deepEqual(asked, [['知1', '無'], ['知2']])
    assert.equal(plans, 3)
  })

  it('throws on what the plan or the store throws', async () => {
    const one = recollection()
    await assert.rejects(
      one.run(() => assert.fail('わざと')),
      /わざと/,
    )
  })

  it('ends where a script asks ever more', async () => {
    asked.length = 0
    const one = recollection()
    let n = 0
    const found = await one.run(() => (n < 90 ? one.remembered([`知${n++}`]) : ['end']))
    assert.ok(asked.length <= 50)
    assert.deepEqual(found, ['end'])
  })
})
