import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DAY_MS } from '#base/time.ts'

import { deliveryOf, HANAKO, NOW_MS, planOf, readMail, scriptOf } from './delivery-bench.ts'
import type { Written } from './delivery-bench.ts'
import { planDelivery } from './plan.ts'

const BROKEN = 'require "reject";\nkeep;\nreject "いりません";'

function told(mail: Written = {}) {
  const plan = planOf(BROKEN, mail)
  const [octets] = plan.contents
  assert.ok(octets)
  return { ...readMail(octets), plan }
}

describe('a script that failed', () => {
  it('keeps the mail, and tells its owner once a day, in the same commit', () => {
    const { field, text, plan } = told()
    assert.deepEqual(plan.filed, ['INBOX'])
    const [mail, note] = plan.changes
    assert.ok(mail?.kind === 'append' && note?.kind === 'append' && 'path' in note.mailbox)
    assert.deepEqual(note.mailbox.path, ['INBOX'])
    const [memory] = plan.memories
    assert.deepEqual([note.once, memory?.untilMs], [memory?.key, NOW_MS + DAY_MS])
    assert.equal(field('to'), 'hanako@campus.example')
    assert.equal(field('auto-submitted'), 'auto-generated')
    assert.match(text, /あなたの振り分けスクリプトが3行目で止まりました/)
    assert.match(text, /reject cannot go with another action/)
    assert.match(text, /has stopped at line 3/)
  })

  it('speaks the language of its owner, where that is known', () => {
    const say = (language: string) => told({ owner: { ...HANAKO, language } })
    assert.doesNotMatch(say('ja-JP').text, /stopped/)
    assert.doesNotMatch(say('en').text, /止まりました/)
    assert.equal(say('en').field('subject'), 'A filter script has stopped short')
  })

  it('is told by each script by itself, and not where the account is not known', () => {
    const scripts = [scriptOf(BROKEN, 'before'), scriptOf(BROKEN, 'own'), scriptOf(BROKEN, 'after')]
    const plan = planDelivery(deliveryOf(), scripts)
    assert.equal(new Set(plan.memories.map(({ key }) => key)).size, 3)
    assert.equal(plan.contents.length, 3)
    assert.deepEqual(plan.filed, ['INBOX'])
    const { owner: _, ...nobody } = deliveryOf()
    assert.deepEqual(planDelivery(nobody, scripts).contents, [])
  })
})
