import assert from 'node:assert/strict'
import { test } from 'node:test'
import { baseSubject } from './base-subject.ts'

test('a base subject lacks what replying, forwarding and lists add (RFC 5256 §2.1)', () => {
  for (const [subject, text, isReply] of [
    ['会議の件', '会議ノ件', false],
    ['Re: 会議の件', '会議ノ件', true],
    ['RE:Re:  FW: 会議の件', '会議ノ件', true],
    ['Re[2]: 会議の件', '会議ノ件', true],
    ['re [list] : 会議の件', '会議ノ件', true],
    ['[list 12] 会議の件', '会議ノ件', false],
    ['[list] Re: [other] 会議の件 (fwd)', '会議ノ件', true],
    ['[Fwd: 会議の件]', '会議ノ件', true],
    ['[fwd: Re: [Fwd: 会議の件]]', '会議ノ件', true],
    ['会議の件 (fwd) (fwd)', '会議ノ件', true],
    ['[only a blob]', '[only a blob]', false],
    ['Ｒｅ： 会議の件', '会議ノ件', true],
    ['Reply needed', 'reply needed', false],
    ['', '', false],
    ['Re:', '', true],
  ] as const)
    assert.deepEqual(baseSubject(subject), { text, isReply }, subject)
})

test('long runs of artefacts take linear time', () => {
  for (const piece of ['re:', '[a]', '[', '(fwd)', '[fwd:', ' '])
    assert.equal(typeof baseSubject(piece.repeat(100_000)).text, 'string')
})
