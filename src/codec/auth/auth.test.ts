import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import type { AuthResult, Verdict } from '#model/verdict.ts'
import { parseResults, renderResults } from './results.ts'
import { HANDED_BYTES_MAX, parseHanded, renderHanded, renderVerdict } from './verdict.ts'

const RESULTS: readonly AuthResult[] = [
  { method: 'spf', result: 'pass', properties: [['smtp.mailfrom', 'hanako@campus.example']] },
  { method: 'dkim', result: 'none', properties: [] },
  { method: 'dmarc', result: 'fail', properties: [['header.from', 'a b;"c\\']] },
]

const VERDICT: Verdict = {
  class: 'suspected',
  score: 5.25,
  hits: [{ name: 'LURE_JA', score: 0.8, detail: '当選' }],
  virus: { kind: 'clean' },
  auth: RESULTS,
  caseId: 'C7F3',
  degraded: ['dns'],
}

test('Authentication-Results reads back as it was written (RFC 8601 §2.2)', () => {
  const text = renderResults('mx.campus.example', RESULTS)
  assert.deepEqual(parseResults(text), { authservId: 'mx.campus.example', results: RESULTS })
  assert.equal(renderResults('mx.campus.example', []), 'mx.campus.example;\r\n\tnone')
})

test('no value of a sender breaks out of the field', () => {
  const text = renderResults('mx', [
    { method: 'spf', result: 'fail', properties: [['smtp.helo', 'a\r\nBcc: x\u2028渡り']] },
  ])
  assert.equal(text, 'mx;\r\n\tspf=fail smtp.helo="a Bcc: x ??"')
})

test('forged forms of our identifier are recognised', () => {
  for (const text of [
    'mx.campus.example; spf=pass',
    '(a (b;) c) mx.campus.example 1 ; none',
    '"mx.campus.example"; none',
    ' mx.campus.example',
  ])
    assert.equal(parseResults(text)?.authservId, 'mx.campus.example', text)
  assert.equal(parseResults(''), undefined)
  assert.deepEqual(parseResults('x; spf (c) = (渡) pass smtp.mailfrom = "a b"; foo=bar')?.results, [
    { method: 'spf', result: 'pass', properties: [['smtp.mailfrom', 'a b']] },
  ])
})

test('the verdict field names class, score, case and rules in ASCII', () => {
  assert.equal(
    renderVerdict({ ...VERDICT, caseId: 'C\r\n7渡' }),
    'suspected;\r\n\tscore=5.3;\r\n\tcase=C_7_;\r\n\tvirus=clean;\r\n\tdegraded=dns;\r\n\trules=LURE_JA:0.8',
  )
})

test('a handed verdict reads back, without its details', () => {
  const text = renderHanded({ deliveryId: '01HX', verdict: VERDICT })
  assert.deepEqual(parseHanded(text), {
    deliveryId: '01HX',
    verdict: {
      ...VERDICT,
      hits: [{ name: 'LURE_JA', score: 0.8 }],
      auth: RESULTS.map((result) => ({ ...result, properties: [] })),
    },
  })
  assert.deepEqual(parseHanded(renderHanded({ deliveryId: 'x' })), { deliveryId: 'x' })
})

test('a handed verdict always fits into MAIL', () => {
  const hits = Array.from({ length: 190 }, (_, i) => ({ name: '長'.repeat(60), score: i }))
  const text = renderHanded({ deliveryId: 'x', verdict: { ...VERDICT, hits } })
  assert.ok(text.length <= HANDED_BYTES_MAX)
  assert.equal(parseHanded(text)?.verdict?.class, 'suspected')
})

test('any text is a handed verdict or none, and any field value parses', () => {
  const json = fc
    .oneof(fc.jsonValue(), fc.record({ deliveryId: fc.string(), verdict: fc.jsonValue() }))
    .map((value) => Buffer.from(JSON.stringify(value)).toString('base64url'))
  fc.assert(
    fc.property(fc.oneof(fc.string(), json), (text) => {
      const handed = parseHanded(text)
      assert.ok(handed === undefined || typeof handed.deliveryId === 'string')
      parseResults(text)
    }),
    { seed: 20_261_126 },
  )
})
