import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { choicesFault, parseSender } from './choices-fault.ts'
import { CONDITIONS_MAX, FILTERS_MAX, SENDERS_MAX, VACATION_TEXT_MAX } from './choice-limits.ts'
import { noChoices, withParts } from './choices.ts'
import type { Choices, MailFilter, Sender, Vacation } from './choices.ts'
import type { AccountId } from './account.ts'

const filter: MailFilter = {
  name: '会議',
  match: 'all',
  conditions: [{ field: 'subject', is: 'contains', value: '会議' }],
  folder: '会議/今日',
}
const away: Vacation = { isOn: true, text: '不在です。\n', days: 7, to: 'everybody' }
const many = (count: number): readonly Sender[] =>
  Array.from({ length: count }, (_, i) => `${i}@a.example` as Sender)

describe('what somebody has chosen', () => {
  it('is right where it says what can be done', () => {
    assert.equal(choicesFault({}), undefined)
    assert.equal(
      choicesFault({
        junk: { spam: 'junk', suspected: 'inbox' },
        vacation: { ...away, from: '2026-12-28T15:00:00Z', until: '2027-01-03T15:00:00Z' },
        blocked: many(SENDERS_MAX),
        welcome: ['友.example' as Sender],
        filters: [filter],
      }),
      undefined,
    )
  })

  it('is refused with a reason where it is too much, or cannot be', () => {
    const odd = (more: Partial<MailFilter>): Partial<Choices> => ({
      filters: [{ ...filter, ...more }],
    })
    const cases: readonly (readonly [Partial<Choices>, RegExp])[] = [
      [{ junk: { spam: 'x' as never, suspected: 'junk' } }, /junk goes to one of/],
      [{ blocked: many(SENDERS_MAX + 1) }, /more than 1000 senders/],
      [{ blocked: ['A@x.example' as Sender] }, /neither an address nor a domain/],
      [{ blocked: many(2), welcome: many(1) }, /both blocked and welcome/],
      [{ vacation: { ...away, text: 'あ'.repeat(VACATION_TEXT_MAX + 1) } }, /at most 10000/],
      [{ vacation: { ...away, text: 'a\u0000' } }, /control characters/],
      [{ vacation: { ...away, subject: '不在\r\nBcc: x@y.example' } }, /subject is one line/],
      [{ vacation: { ...away, days: 0 } }, /1 to 30 days/],
      [{ vacation: { ...away, from: '2026-02-30T00:00:00Z' } }, /no time/],
      [
        { vacation: { ...away, from: '2027-01-01T00:00:00Z', until: '2026-01-01T00:00:00Z' } },
        /ends before it begins/,
      ],
      [{ filters: Array.from({ length: FILTERS_MAX + 1 }, () => filter) }, /more than 100 filters/],
      [odd({ name: 'a\nfileinto "x";' }), /one line/],
      [odd({ conditions: [] }), /no condition/],
      [
        odd({
          conditions: Array.from({ length: CONDITIONS_MAX + 1 }, () => filter.conditions[0]!),
        }),
        /more than 20 conditions/,
      ],
      [odd({ conditions: [{ ...filter.conditions[0]!, value: 'a\rb' }] }), /one line/],
      [odd({ folder: '会議//今日' }), /no name of a mailbox/],
      [odd({ folder: 'Other Users/taro' }), /mailboxes of others/],
      [odd({ folder: 'か\u3099' }), /not normalised/],
      [odd({ folder: 'あ'.repeat(100) }), /no name of a mailbox/],
      [{ filters: [{ name: '無', match: 'all', conditions: filter.conditions }] }, /does nothing/],
      [
        { filters: [{ name: '無', match: 'all', conditions: filter.conditions, copy: true }] },
        /copy/,
      ],
    ]
    for (const [choices, reason] of cases) assert.match(choicesFault(choices) ?? 'nothing', reason)
  })

  it('changes part by part, and forgets what is as for everybody', () => {
    const none = noChoices('花子' as AccountId)
    const first = withParts(none, { filters: [filter], vacation: away })
    assert.deepEqual(first, { accountId: '花子', revision: 1, filters: [filter], vacation: away })
    assert.deepEqual(withParts(first, { vacation: null, filters: [] }), {
      accountId: '花子',
      revision: 2,
    })
  })
})

describe('a sender', () => {
  it('is an address or a domain, in one form however it was typed', () => {
    assert.equal(parseSender(' Taro＠B.example '), 'taro@b.example')
    assert.equal(parseSender('@Ads.Example'), 'ads.example')
    assert.equal(parseSender('友.example'), '友.example')
    for (const odd of ['', '@', 'a b', 'x@', '*', '"', 'a@b@c', '[192.0.2.1]'])
      assert.equal(parseSender(odd), undefined, odd)
  })
})
