import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fromUtf8 } from '#base/octets.ts'

import { trySieve } from './sieve-bench.ts'

const tried = (test: string, from = 'taro@campus.example', more: { isAnyText?: true } = {}) =>
  trySieve({
    script: `require ["body", "envelope", "environment"]; if ${test} { discard; }`,
    message: fromUtf8('Subject: 会議\n\n本文\r\n終\n'),
    envelope: { from, to: '<hanako@campus.example>', ...more },
  }).actions.map(({ kind }) => kind)

describe('a script that is tried on a file', () => {
  it('sees lines that end as in a delivery', () => {
    assert.deepEqual(tried('body :raw text:\n本文\n終\n.\n'), ['discard'])
    assert.deepEqual(tried('allof (size :over 31, size :under 33)'), ['discard'])
  })

  it('has paths with and without brackets', () => {
    assert.deepEqual(tried('envelope "to" "hanako@campus.example"'), ['discard'])
    assert.deepEqual(tried('envelope "from" ""', '<>'), ['discard'])
    assert.deepEqual(tried('envelope "from" "a@x.example"', '<@b.example,@c.example:a@x.example>'), ['discard']) // prettier-ignore
  })

  it('has paths that are no addresses where its asker wants that', () => {
    const any = { isAnyText: true } as const
    assert.deepEqual(tried('true', 'MAILER-DAEMON'), [])
    assert.deepEqual(tried('envelope "from" "mailer-daemon"', 'MAILER-DAEMON', any), ['discard'])
    for (const path of ['taro@', '@', '<<taro@x.example>', 'taro@x.example>', '<@.a:b@c.example>'])
      assert.deepEqual(tried('envelope :contains "from" ""', path, any), ['keep'], path)
    const odd = 'envelope :comparator "i;octet" :domain "from" "-A_.Example"'
    assert.deepEqual(tried(odd, '<Taro@-A_.Example>', any), ['discard'])
  })

  it('is told of the place where it runs as in a delivery', () => {
    assert.deepEqual(tried('environment "phase" "during"'), ['discard'])
    assert.deepEqual(tried('environment :matches "version" "?*"'), ['discard'])
  })
})
