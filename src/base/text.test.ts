import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asciiLower, asciiUpper, equalAsciiIgnoreCase } from './text.ts'

test('case of A to Z alone is changed, whatever stands beside it', () => {
  for (const [text, lower, upper] of [
    ['', '', ''],
    ['Content-Type', 'content-type', 'CONTENT-TYPE'],
    ['İSTANBUL ÄÖ 渡り Ｗ', 'İstanbul ÄÖ 渡り Ｗ', 'İSTANBUL ÄÖ 渡り Ｗ'],
    ['straße \u212a', 'straße \u212a', 'STRAßE \u212a'],
  ] as const) {
    assert.equal(asciiLower(text), lower)
    assert.equal(asciiUpper(text), upper)
  }
  assert.ok(equalAsciiIgnoreCase('Received', 'rECEIVED'))
  assert.ok(!equalAsciiIgnoreCase('K', '\u212a')) // KELVIN SIGN
})
