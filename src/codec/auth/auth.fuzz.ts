import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { AuthResult } from '#model/verdict.ts'
import { parseResults, renderResults } from './results.ts'
import { parseHanded } from './verdict.ts'

/** One machine's run is another's. */
const SEED = 20_261_127

const WORDS = [
  'mx.campus.example', ';', ' ', '=', 'spf=pass', 'dkim = fail', 'dmarc=none', 'dkim/1=pass', '(', ')', '((渡り)', '\\', '"', '\r\n\t',
  'smtp.mailfrom=', 'a@b.example', 'header.d=', '1', '\0', 'policy.x="a;b"',
] // prettier-ignore
const likeFields = fc
  .array(fc.constantFrom(...WORDS), { maxLength: 30 })
  .map((words) => words.join(''))

test('any text is an Authentication-Results field or none (RFC 8601 §2.2)', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), likeFields), (text) => {
      parseResults(text)
    }),
    { numRuns: 3_000, seed: SEED },
  )
  for (const text of [
    '('.repeat(200_000),
    '"'.repeat(200_001),
    'a='.repeat(100_000),
    '\\'.repeat(100_000),
  ])
    parseResults(text)
})

test('what is rendered reads as it was, whatever a sender put into it', () => {
  const result = fc.record({
    method: fc.constantFrom<AuthResult['method']>('spf', 'dkim', 'dmarc'),
    result: fc.constantFrom<AuthResult['result']>('pass', 'fail', 'none', 'temperror'),
    properties: fc.array(
      fc.tuple(
        fc.constantFrom('smtp.mailfrom', 'header.d'),
        fc.string({ unit: 'binary', maxLength: 40 }),
      ),
      { maxLength: 3 },
    ),
  })
  fc.assert(
    fc.property(fc.array(result, { maxLength: 4 }), (results) => {
      const text = renderResults('mx.campus.example', results)
      assert.match(text, /^[\t\r\n -~]*$/)
      assert.ok(!/\r(?!\n)|(?<!\r)\n|\n(?![\t ])/.test(text), 'no field of a sender begins here')
      const parsed = parseResults(text.replaceAll('\r\n', ''))
      assert.equal(parsed?.authservId, 'mx.campus.example')
      assert.deepEqual(
        parsed.results.map((each) => [each.method, each.result]),
        results.map((each) => [each.method, each.result]),
      )
    }),
    { numRuns: 1_000, seed: SEED },
  )
})

test('any parameter is what a gateway hands on, checked whole, or none', () => {
  const json = fc.json().map((text) => Buffer.from(text).toString('base64url'))
  const like = fc
    .record({
      deliveryId: fc.oneof(fc.string(), fc.constant('d-1')),
      verdict: fc.option(
        fc.dictionary(
          fc.constantFrom('class', 'score', 'hits', 'virus', 'auth', 'caseId', 'degraded'),
          fc.jsonValue(),
        ),
      ),
    })
    .map((value) => Buffer.from(JSON.stringify(value)).toString('base64url'))
  fc.assert(
    fc.property(fc.oneof(fc.string(), json, like), (text) => {
      const handed = parseHanded(text)
      if (handed !== undefined) assert.match(handed.deliveryId, /^[A-Za-z0-9-]{1,200}$/)
    }),
    { numRuns: 3_000, seed: SEED },
  )
})
