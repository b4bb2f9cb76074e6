import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { parseScriptName } from './script.ts'

describe('the name of a script (RFC 5804 §1.6)', () => {
  it('is any Unicode, in its normalised form', () => {
    for (const name of ['a', '振り分け', '会議/来週', ' ', '.', '😀'.repeat(128)])
      assert.deepEqual(parseScriptName(name), { ok: true, value: name })
    assert.deepEqual(parseScriptName('か\u3099'), { ok: true, value: 'が' })
  })

  it('is not empty, not longer than 128 characters, and has no control in it', () => {
    for (const name of [
      '',
      '長'.repeat(129),
      'a\0',
      'a\n',
      'a\u007f',
      '\u0085',
      '\u2028',
      '\ud800',
    ])
      assert.equal(parseScriptName(name).ok, false, JSON.stringify(name))
  })
})
