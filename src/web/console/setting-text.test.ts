import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { textOfValue, valueOfText } from './setting-text.ts'

describe('the text of a setting', () => {
  test('is written with the largest unit that fits exactly', () => {
    for (const [type, value, text] of [
      ['duration', 432_000_000, '5d'],
      ['duration', 90_000, '90s'],
      ['duration', 250, '250ms'],
      ['duration', 0, '0ms'],
      ['size', 52_428_800, '50MiB'],
      ['size', 1_000, '1000'],
      ['durations', [300_000, 3_600_000], '5m, 1h'],
      ['servers', ['192.0.2.1:53'], '192.0.2.1:53'],
      ['boolean', true, 'true'],
      ['integer', 7, '7'],
    ] as const)
      assert.equal(textOfValue(type, typeof value === 'object' ? [...value] : value), text)
  })

  test('is sent as the API takes it', () => {
    assert.deepEqual(valueOfText('durations', ' 5m, 1h '), ['5m', '1h'])
    assert.deepEqual(valueOfText('servers', ''), [])
    assert.equal(valueOfText('integer', ' 7 '), 7)
    assert.equal(valueOfText('integer', '七'), '七')
    assert.equal(valueOfText('size', '50MiB'), '50MiB')
  })
})
