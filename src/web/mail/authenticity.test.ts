import assert from 'node:assert/strict'
import { test } from 'node:test'

import { readAuthenticity, readVerdict } from './authenticity.ts'
import { plain } from './nouns.ts'

const ask = (fields: readonly string[], isJudged = true) =>
  readAuthenticity(fields, { isJudged, fromDomain: 'news.shop.example' }).word

test('a sender is proved, forged or unknown by the topmost results alone', () => {
  const pass = 'mx.campus.example; spf=pass smtp.mailfrom=x; dmarc=pass header.from=shop.example'
  assert.equal(ask([pass]), 'proved')
  assert.equal(ask(['mx.campus.example; dkim=fail; dmarc=fail header.from=a', pass]), 'forged')
  assert.equal(ask(['mx; dkim=pass header.d=shop.example; dmarc=none']), 'partly')
  assert.equal(ask(['mx; spf=pass smtp.mailfrom=bounce@shop.example']), 'partly')
  assert.equal(ask(['mx; spf=pass smtp.mailfrom=a@evilshop.example']), 'unknown')
  assert.equal(ask(['mx; dkim=pass header.d=example.org']), 'unknown')
  assert.equal(ask([pass], false), 'unknown', 'nobody of us looked at it')
  assert.equal(ask([]), 'unknown')
})

test('the verdict is read with its rules; what is none is none', () => {
  const field =
    'suspected; score=5.5; case=1M8D; virus=clean; degraded=dns,sender; rules=GTUBE:5, A:B:-0.5'
  assert.deepEqual(readVerdict(field), {
    class: 'suspected',
    score: '5.5',
    caseId: '1M8D',
    virus: 'clean',
    degraded: ['dns', 'sender'],
    rules: [
      { name: 'GTUBE', score: 5 },
      { name: 'A:B', score: -0.5 },
    ],
  })
  for (const none of [null, '', '良い; score=1']) assert.equal(readVerdict(none), undefined)
})

test('a name cannot turn its own end round', () => {
  assert.equal(plain('請求書\u202egpj.exe\r\nBcc: x'), '請求書gpj.exe Bcc: x')
})
