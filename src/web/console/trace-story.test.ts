import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { TraceBody } from '#contract/admin/mail.ts'
import { answerOf, storyOf } from './trace-story.ts'

type Event = TraceBody['events'][number]

const event = (seconds: number, name: string, fields: Event['fields']): Event => ({
  node: 'gateway',
  seq: seconds,
  at: new Date(1_800_000_000_000 + seconds * 1_000).toISOString(),
  name,
  deliveryId: 'D1',
  fields,
})
const accepted = event(0, 'receive.accepted', {
  from: 'a@x.example',
  recipients: '花子@campus.example',
  messageId: '<1@x>',
  rules: 'GTUBE,NO_DATE',
  scores: '1000,0.5',
})
const story = (...events: readonly Event[]) => storyOf({ deliveryId: 'D1', events: [...events] })

describe('the story of a trace', () => {
  test('a mailbox is the answer, whatever the queue says afterwards', () => {
    const told = story(
      accepted,
      event(1, 'store.filed', { recipient: '花子@campus.example', mailboxes: 'INBOX' }),
      event(2, 'queue.delivered', {
        recipient: '花子@campus.example',
        peer: 'store',
        status: '250',
      }),
    )
    assert.deepEqual(answerOf(told), {
      key: 'answer.filed',
      values: {
        recipient: '花子@campus.example',
        at: told.outcomes[0]!.at,
        after: 1_000,
        place: 'INBOX',
        status: '',
      },
    })
    assert.deepEqual(told.evidence, [
      { rule: 'GTUBE', score: 1_000 },
      { rule: 'NO_DATE', score: 0.5 },
    ])
  })

  test('the last attempt counts: put off, then handed on', () => {
    const off = event(1, 'queue.deferred', { recipient: '花子@campus.example', status: '451 後で' })
    assert.equal(answerOf(story(accepted, off)).key, 'answer.waiting')
    const on = event(9, 'queue.delivered', { recipient: '花子@campus.example', peer: 'mx.example' })
    assert.deepEqual(answerOf(story(accepted, off, on)).values['after'], 9_000)
    assert.equal(answerOf(story(accepted, off, on)).key, 'answer.sent')
  })

  test('a refusal, a held message, one on its way, and one of which nothing is known', () => {
    const refused = event(0, 'receive.refused', { from: 'a@x', status: '550 5.7.1 no' })
    assert.deepEqual(answerOf(story(refused)).values, { at: refused.at, status: '550 5.7.1 no' })
    const held = { ...accepted, fields: { ...accepted.fields, held: true } }
    assert.equal(answerOf(story(held)).key, 'answer.held')
    assert.equal(answerOf(story(accepted)).key, 'answer.onItsWay')
    assert.equal(answerOf(story(event(0, 'queue.dsn', {}))).key, 'answer.unknown')
  })

  test('several recipients are counted by what became of them', () => {
    const many = event(0, 'receive.accepted', { from: 'a@x', recipients: 'a@y,b@y,c@y' })
    const done = (recipient: string) => event(1, 'store.filed', { recipient, mailboxes: 'INBOX' })
    const no = event(2, 'queue.failed', { recipient: 'c@y', status: '550' })
    assert.equal(answerOf(story(many, done('a@y'), done('b@y'), done('c@y'))).key, 'answer.allDone')
    assert.equal(answerOf(story(many, done('a@y'))).key, 'answer.someDone')
    const { key, values } = answerOf(story(many, done('a@y'), no))
    assert.deepEqual(
      [key, values['done'], values['failed'], values['waiting']],
      ['answer.mixed', 1, 1, 1],
    )
  })
})
