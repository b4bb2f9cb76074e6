import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { saslPrep } from './saslprep.ts'

test('the examples of RFC 4013 §3', () => {
  assert.equal(saslPrep('I\u00adX'), 'IX')
  assert.equal(saslPrep('user'), 'user')
  assert.equal(saslPrep('USER'), 'USER')
  assert.equal(saslPrep('\u00aa'), 'a')
  assert.equal(saslPrep('\u2168'), 'IX')
  assert.equal(saslPrep('\u0007'), undefined)
  assert.equal(saslPrep('\u0627\u0031'), undefined)
})

test('what people type in Japanese is one form', () => {
  assert.equal(saslPrep('渡り鳥　１２'), '渡り鳥 12')
  assert.equal(saslPrep('ﾊﾟｽﾜｰﾄﾞ'), 'パスワード')
  assert.equal(saslPrep('か\u3099ぎ'), 'がぎ')
  assert.equal(saslPrep('髙﨑①'), '髙﨑1')
})

test('what no client can prepare is refused', () => {
  for (const text of ['', '\u00ad', '\u007f', 'a\u0001', '🐦', '\ue000', '\ufffd', '\u0378'])
    assert.equal(saslPrep(text), undefined, JSON.stringify(text))
  assert.equal(saslPrep('\u0627a\u0627'), undefined, 'both directions')
  assert.equal(saslPrep('\u0627\u0628'), '\u0627\u0628')
})

test('any text is prepared once and for all', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 30 }), (text) => {
      const once = saslPrep(text)
      if (once !== undefined) assert.equal(saslPrep(once), once)
    }),
    { numRuns: 2_000 },
  )
})
