import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { addr } from '#test/fake/directory.ts'
import {
  addressKey,
  domainKey,
  equalAddress,
  formatAddress,
  hasAddressKey,
  matchKey,
  needsSmtpUtf8,
  withoutDetail,
} from './address.ts'

test('quotes that need not be there make no other address (RFC 5321 §4.1.2)', () => {
  for (const [written, meant] of [
    ['"hanako"@campus.example', 'hanako@campus.example'],
    ['"h\\a\\nako"@campus.example', 'hanako@campus.example'],
    ['"HANAKO"@Campus.Example', 'hanako@campus.example'],
    ['"花子"@campus.example', '花子@campus.example'],
    ['"a..b"@docomo.example', 'a..b@docomo.example'],
    ['".a."@ezweb.example', '.a.@ezweb.example'],
  ] as const) {
    assert.ok(equalAddress(addr(written), addr(meant)), written)
    assert.equal(formatAddress(addr(written)).startsWith('"'), true, 'it is sent on as it came')
  }
  for (const [one, other] of [
    ['"hana ko"@campus.example', 'hanako@campus.example'],
    ['"hanako@x"@campus.example', 'hanako@campus.example'],
    ['"\\"hanako\\""@campus.example', 'hanako@campus.example'],
    ['""@campus.example', 'hanako@campus.example'],
  ] as const)
    assert.notEqual(addressKey(addr(one)), addressKey(addr(other)))
})

test('an address has its key and no other, and a key is its own, in letters of any kind', () => {
  const sign = fc.constantFrom(...Array.from('aAé"\\+.-がか\u3099ﾊ花髙e\u0301xn'))
  const part = fc.string({ unit: sign, minLength: 1, maxLength: 6 })
  const label = fc.constantFrom('campus', 'Campus', 'xn--pssq3s', 'XN--PSSQ3S', '大阪', 'か\u3099')
  const address = fc.record({ localpart: part, domain: label })
  fc.assert(
    fc.property(address, address, (one, other) => {
      const key = addressKey(one)
      assert.ok(hasAddressKey(one, key))
      assert.equal(hasAddressKey(other, key), addressKey(other) === key)
      assert.equal(key, key.normalize('NFC'))
      const at = key.lastIndexOf('@')
      const again = { localpart: key.slice(0, at), domain: key.slice(at + 1) }
      assert.equal(addressKey(again), key)
    }),
    { numRuns: 2_000 },
  )
})

test('plain addresses compare as those that are looked at letter by letter', () => {
  const atoms = fc.string({
    unit: fc.constantFrom(...Array.from("AZaz09!#$%&'*+-/=?^_`{|}~.xnXN")),
    minLength: 1,
    maxLength: 20,
  })
  fc.assert(
    fc.property(atoms, (localpart) => {
      const domain = 'Lab-1.Campus.Example'
      // Quotes go the long way.
      const key = addressKey({ localpart: `"${localpart}"`, domain })
      assert.equal(addressKey({ localpart, domain }), key)
      assert.equal(key, key.toLowerCase())
    }),
    { seed: 20_261_127 },
  )
})

test('a domain in A-labels is the one in letters, and is sent on as it came (RFC 5890 §2.3.2.1)', () => {
  const written = addr('Hanako@XN--pssu33l.example')
  assert.equal(addressKey(written), 'hanako@大阪.example')
  assert.ok(equalAddress(written, addr('hanako@大阪.example')))
  assert.equal(formatAddress(written), 'Hanako@xn--pssu33l.example')
  assert.equal(needsSmtpUtf8(written), false)
  assert.equal(matchKey('XN--pssu33l.example'), '大阪.example')
  assert.equal(matchKey('花@xn--pssu33l.example'), '花@大阪.example')
  // What is no A-label stands for itself.
  for (const odd of ['xn--.example', 'xn--a_b.example', 'xn--99999999.example'])
    assert.equal(domainKey(odd), odd)
})

test('a detail is cut inside quotes too, and what stays quoted stays whole (RFC 5233 §4)', () => {
  const cut = (text: string): string => formatAddress(withoutDetail(addr(text)))
  assert.equal(cut('hanako+買い物@campus.example'), 'hanako@campus.example')
  assert.equal(cut('"hanako+list"@campus.example'), 'hanako@campus.example')
  assert.equal(cut('"hana ko+list"@campus.example'), '"hana ko+list"@campus.example')
  assert.equal(cut('+list@campus.example'), '+list@campus.example')
  assert.equal(cut('"hanako"@campus.example'), '"hanako"@campus.example')
})
