import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { HOUR_MS } from '#base/time.ts'
import { compileSieve } from '#engine/sieve/compile.ts'

import { addr, NOW_MS, planOf, readMail } from './delivery-bench.ts'
import type { Written } from './delivery-bench.ts'
import { NOTIFICATIONS_PER_HOUR_MAX } from './notification.ts'

const notify = (args: string) => `require ["enotify", "fcc", "mailbox"]; notify ${args};`

function told(args: string, mail: Written = {}) {
  const plan = planOf(notify(args), mail)
  const [entry] = plan.outbox
  assert.ok(entry?.content instanceof Uint8Array, plan.unsent.join())
  return { ...readMail(entry.content), entry, plan }
}

const faults = (args: string): string => {
  const compiled = compileSieve(notify(args))
  return compiled.ok ? '' : compiled.error.map(({ message }) => message).join()
}

describe('a notification by mail', () => {
  it('tells of the mail, as what it is, and leaves the mail where it is (RFC 5436)', () => {
    const { entry, field, text, plan } = told('"mailto:携帯@m.example"')
    assert.deepEqual(entry.recipients, [addr('携帯@m.example')])
    assert.deepEqual([entry.kind, entry.reversePath, entry.smtpUtf8], ['notify', null, true])
    assert.equal(field('auto-submitted'), 'auto-notified; owner-email="hanako@campus.example"')
    assert.equal(field('subject'), '会議')
    assert.equal(field('from'), '山田 花子 <hanako@campus.example>')
    assert.equal(field('importance'), 'normal')
    assert.match(text, /^From: 太郎 <taro@b\.example>\r\nSubject: 会議\r\n$/)
    assert.deepEqual(plan.filed, ['INBOX'])
  })

  it('says what script and URI say: message before subject, body before our own (RFC 5436 §2.7)', () => {
    const uri = 'mailto:a@b.example?subject=%E4%BC%9A&body=%E6%9C%AC%0D%0A%E6%96%87&to=c@b.example'
    const both = told(`:message "至急" :importance "1" :from "h.yamada@campus.example" "${uri}"`)
    assert.equal(both.field('subject'), '至急')
    assert.equal(both.field('importance'), 'high')
    assert.equal(both.field('from'), '山田 花子 <h.yamada@campus.example>')
    assert.equal(both.text, '本\r\n文')
    assert.deepEqual(both.entry.recipients, [addr('a@b.example'), addr('c@b.example')])
    assert.equal(told(`"${uri}"`).field('subject'), '会')
    const encoded = told(`:from "=?utf-8?b?6Iqx5a2Q?= <h.yamada@campus.example>" "${uri}"`)
    assert.equal(encoded.field('from'), '花子 <h.yamada@campus.example>')
    assert.equal(
      told(':from "boss@campus.example" "mailto:a@b.example"').field('from'),
      '山田 花子 <hanako@campus.example>',
    )
  })

  it('names those whom everybody is to know, in To and Cc (RFC 5436 §2.7)', () => {
    const uri = 'mailto:a@b.example?to=c@b.example&cc=d@b.example,a@b.example&bcc=e@b.example'
    const { entry, field } = told(`"${uri}"`)
    assert.deepEqual([field('to'), field('cc')], ['a@b.example, c@b.example', 'd@b.example'])
    assert.deepEqual(
      entry.recipients,
      ['a', 'c', 'd', 'e'].map((name) => addr(`${name}@b.example`)),
    )
  })

  it('takes nothing of a URI that would make it another’s mail, and no line of its own', () => {
    const fields = ['from', 'sender', 'bcc', 'auto-submitted', 'received', 'reply-to', 'x-a']
    const query = fields.map(
      (name) => `${name}=${name === 'bcc' ? 'd@b.example' : 'x%0D%0AY:%201'}`,
    )
    const { names, entry, field } = told(
      `"mailto:a@b.example?${query.join('&')}&subject=x%0D%0ABcc:%20e@b.example"`,
    )
    for (const name of ['Sender', 'Bcc', 'Received', 'Reply-To', 'X-A', 'Y'])
      assert.ok(!names.includes(name), name)
    assert.equal(field('subject'), 'x Bcc: e@b.example')
    assert.deepEqual(entry.recipients, [addr('a@b.example'), addr('d@b.example')])
  })

  it('is refused when it is saved where its method is none of ours', () => {
    assert.match(faults('"xmpp:a@b.example"'), /not a mailto/)
    assert.match(faults('"mailto:"'), /nobody/)
    assert.match(faults('"mailto:a"'), /not an address/)
    assert.match(faults('"mailto:a@b.example?subject=%ZZ"'), /broken escape/)
    assert.match(faults('"mailto:a@b.example?subject=%ff"'), /broken escape/)
    const many = Array.from({ length: 6 }, (_, i) => `a${i}@b.example`).join(',')
    assert.match(faults(`"mailto:${many}"`), /more than 5/)
    assert.match(faults(':importance "4" "mailto:a@b.example"'), /importance/)
    assert.equal(faults(':options ["a=b"] "mailto:a@b.example"'), '')
  })

  it('is not made of what a machine has sent, nor of its own trace', () => {
    const auto = 'From: a@b.example\nAuto-Submitted: auto-notified\n'
    const plan = planOf(notify('"mailto:a@b.example"'), { header: auto })
    assert.deepEqual(plan.outbox, [])
    assert.match(plan.unsent.join(), /machine/)
    const { id } = told('"mailto:a@b.example"').entry
    assert.deepEqual(planOf(notify('"mailto:a@b.example"'), { deliveryId: id }).outbox, [])
  })

  it('comes no more than so often in an hour', () => {
    const hour = Math.floor(NOW_MS / HOUR_MS)
    const all = Array.from({ length: NOTIFICATIONS_PER_HOUR_MAX }, (_, i) => `notify:${hour}:${i}`)
    const { entry, plan } = told('"mailto:a@b.example"', { known: all.slice(1) })
    assert.deepEqual([entry.once, plan.memories[0]?.key], [all[0], all[0]])
    assert.match(planOf(notify('"mailto:a@b.example"'), { known: all }).unsent.join(), /hour/)
    const later = { known: all, nowMs: NOW_MS + HOUR_MS }
    assert.equal(planOf(notify('"mailto:a@b.example"'), later).outbox.length, 1)
    const two = `${notify('"mailto:a@b.example"')} notify "mailto:b@b.example"; notify "mailto:a@b.example";`
    const places = planOf(two).outbox.map(({ once }) => once)
    assert.equal(new Set(places).size, 2)
    assert.equal(places.length, 2)
    assert.equal(planOf(two, { known: all.slice(1) }).outbox.length, 1)
  })

  it('leaves a copy where the script says (RFC 8580)', () => {
    const { plan, entry } = told(':fcc "Sent" "mailto:a@b.example"')
    const [, change] = plan.changes
    assert.ok(change?.kind === 'append' && 'path' in change.mailbox)
    assert.deepEqual(change.mailbox.path, ['Sent'])
    assert.equal(plan.contents[change.content - 1], entry.content)
  })

  it('answers what methods there are, and whether somebody reads (RFC 5435 §4, §5)', () => {
    const holds = (test: string) =>
      planOf(`require ["enotify", "fileinto"]; if ${test} { fileinto "Sent"; }`).filed[0] === 'Sent'
    assert.ok(holds('valid_notify_method ["mailto:a@b.example", "MAILTO:c@b.example?subject=x"]'))
    assert.ok(!holds('valid_notify_method ["mailto:a@b.example", "tel:+81"]'))
    assert.ok(holds('notify_method_capability "mailto:a@b.example" "Online" "maybe"'))
    assert.ok(!holds('notify_method_capability "mailto:a@b.example" "online" "yes"'))
    assert.ok(!holds('notify_method_capability "tel:+81" "online" "maybe"'))
  })
})
