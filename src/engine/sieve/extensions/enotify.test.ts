import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { doneBy, holds, wrongIn } from '#test/fake/sieve-mail.ts'
import { parseMailto } from '#engine/sieve/mailto.ts'

const TO = '"mailto:hanako@campus.example"'

describe('notify', () => {
  it('takes options of the form NAME=VALUE only (RFC 5435 §3.5)', () => {
    assert.equal(wrongIn(`notify :options ["a=", "b.c-d_e=会 議"] ${TO};`), undefined)
    for (const option of ['', 'a', '=a', '_a=b', 'a=b\n'])
      assert.match(wrongIn(`notify :options "${option}" ${TO};`)!, /^2: .*no option/s)
    assert.match(wrongIn(`set "a" "b"; notify :options "\${a}" ${TO};`)!, /^run 2: .*no option/)
  })

  it('is not sent from an address that is none', () => {
    for (const from of ['', 'hanako#campus.example'])
      assert.ok(wrongIn(`notify :from "${from}" ${TO};`))
  })

  it('knows nothing of methods that there are not (RFC 5435 §5)', () => {
    assert.ok(holds(`notify_method_capability :count "eq" ${TO} "online" "1"`))
    for (const asked of [`${TO} "colour"`, '"tel:1" "online"'])
      assert.ok(!holds(`notify_method_capability :count "eq" ${asked} "0"`), asked)
    // RFC 8580 §6.1: the scheme alone will do.
    assert.ok(holds('notify_method_capability "mailto:" "FCC" "yes"'))
    assert.ok(!holds('notify_method_capability "xmpp:" "fcc" ["yes", "no"]'))
  })
})

describe('a mailto URI', () => {
  const addressesOf = (uri: string) => {
    const read = parseMailto(uri)
    return read.ok ? read.value.recipients.map(({ localpart }) => localpart) : read.error
  }

  it('parts addresses by commas, escaped or not, and has each once (RFC 6068 §2)', () => {
    assert.deepEqual(addressesOf('mailto:a@x.example,b@x.example'), ['a', 'b'])
    assert.deepEqual(addressesOf('mailto:a@x.example%2cb@x.example?cc=A@x.example&to=c@x.example'), ['a', 'b', 'c']) // prettier-ignore
    assert.deepEqual(addressesOf('MAILTO:%E5%B1%B1%E7%94%B0%20%3Ca@x.example%3E'), ['a'])
    assert.deepEqual(addressesOf('mailto:%22a,b%22@x.example'), ['"a,b"'])
    assert.deepEqual(addressesOf('mailto:?to=花子@x.example'), ['花子'])
  })

  it('has no signs that must be escaped, and fields with names', () => {
    for (const rest of ['?a<=b', '?subject=x>y', '?subject=x y', '?a:=b', ';?a=b', '?subject=%zz'])
      assert.equal(typeof addressesOf(`mailto:a@x.example${rest}`), 'string', rest)
    for (const rest of ['?', '?subject', '?a-b=c;d:e/f?g&x=y'])
      assert.deepEqual(addressesOf(`mailto:a@x.example${rest}`), ['a'], rest)
  })

  it('of the same mailboxes twice is one notification only where it is the same', () => {
    assert.equal(doneBy(`notify ${TO}; notify ${TO};`).actions.length, 1)
  })
})
