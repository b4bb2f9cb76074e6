import assert from 'node:assert/strict'
import { test } from 'node:test'

import { answerSubject, answerTo, readPeople } from './answering.ts'
import type { Message } from './nouns.ts'
import { personText } from './nouns.ts'

const SUZUKI = { name: '鈴木 一郎', email: 'suzuki@kenkyu.example' }
const HANAKO = { name: '渡辺 花子', email: 'Hanako@campus.example' }
const TARO = { name: null, email: 'taro@campus.example' }

const message = {
  id: 'E1',
  from: [SUZUKI],
  replyTo: null,
  to: [HANAKO, TARO],
  cc: [SUZUKI],
  subject: 'RE: Re[2]: 会議',
  messageId: ['b@x.example'],
  inReplyTo: ['a@x.example'],
  references: null,
  sentAt: '2026-11-25T10:00:00+09:00',
  receivedAt: '2026-11-25T01:00:00Z',
} as unknown as Message

const answer = (change: Partial<Message>, toAll: boolean) =>
  answerTo({ ...message, ...change }, '本文\n\n> 前の文\n', {
    toAll,
    own: ['hanako@campus.example'],
    language: 'ja',
    said: ({ name }) => `${name} さん:`,
  })

test('an answer goes to the sender, quotes what was said, and keeps the thread', () => {
  const letter = answer({}, false)
  assert.equal(letter.to, '鈴木 一郎 <suzuki@kenkyu.example>')
  assert.equal(letter.cc, '')
  assert.equal(letter.subject, 'Re: 会議')
  assert.equal(letter.text, '\n\n鈴木 一郎 <suzuki@kenkyu.example> さん:\n> 本文\n>\n>> 前の文')
  assert.deepEqual(letter.answers?.references, ['a@x.example', 'b@x.example'])
})

test('an answer to all reaches everybody once, and nobody of oneself', () => {
  assert.equal(answer({}, true).cc, 'taro@campus.example')
  assert.equal(answer({ replyTo: [TARO] }, true).to, 'taro@campus.example')
  assert.equal(answer({ replyTo: [TARO] }, true).cc, '鈴木 一郎 <suzuki@kenkyu.example>')
  assert.equal(answer({ from: [HANAKO], to: [SUZUKI] }, false).to, personText(SUZUKI))
})

test('a subject gets Re: once', () => {
  for (const given of ['会議', 'Re: 会議', 'RE:re : 会議', 'Re：会議'])
    assert.equal(answerSubject(given), 'Re: 会議')
  assert.equal(answerSubject('Reise'), 'Re: Reise')
})

test('people are read as they are typed, in Japanese too', () => {
  const { people, strange } = readPeople(
    '鈴木 一郎 <suzuki@kenkyu.example>、"渡辺, 花子" <hanako@campus.example>; taro＠campus.example， a..b@docomo.example, だれか',
  )
  assert.deepEqual(people, [
    { name: '鈴木 一郎', email: 'suzuki@kenkyu.example' },
    { name: '渡辺, 花子', email: 'hanako@campus.example' },
    { name: null, email: 'taro@campus.example' },
    { name: null, email: 'a..b@docomo.example' },
  ])
  assert.deepEqual(strange, ['だれか'])
  const odd = { name: 'A "B", 渡辺', email: 'a@b.example' }
  assert.deepEqual(readPeople(personText(odd)).people, [odd])
  assert.deepEqual(readPeople(' , ').people, [])
})
