import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fromLatin1, toLatin1 } from '#base/octets.ts'
import { saslMechanism, startSasl } from './mechanism.ts'
import type { SaslStep } from './mechanism.ts'

const base64 = (octets: Uint8Array | string): Uint8Array =>
  fromLatin1(Buffer.from(octets as string).toString('base64'))

function answer(step: SaslStep, response: Uint8Array): SaslStep {
  assert.equal(step.kind, 'challenge')
  return (step as SaslStep & { kind: 'challenge' }).next(response)
}

test('PLAIN hands login and password over, with an initial response or without (RFC 4616 §2)', () => {
  const message = base64('\0hanako\0pass & <word> 花子')
  for (const step of [startSasl('PLAIN', message), answer(startSasl('PLAIN'), message)]) {
    assert.equal(step.kind, 'credentials')
    if (step.kind !== 'credentials') return
    assert.equal(step.login, 'hanako')
    assert.equal(step.authzid, undefined)
    assert.equal(Buffer.from(step.password).toString(), 'pass & <word> 花子')
  }
})

test('PLAIN tells whom to act as only where that is somebody else', () => {
  const same = startSasl('PLAIN', base64('taro\0taro\0x'))
  assert.equal(same.kind === 'credentials' && same.authzid, undefined)
  const other = startSasl('PLAIN', base64('admin\0taro\0x'))
  assert.equal(other.kind === 'credentials' && other.authzid, 'admin')
})

test('LOGIN asks for both in turn, or takes the name as initial response', () => {
  const asked = startSasl('LOGIN')
  assert.equal(asked.kind === 'challenge' && toLatin1(asked.octets), 'VXNlcm5hbWU6')
  const second = answer(asked, base64('hanako@campus.example'))
  assert.equal(second.kind === 'challenge' && toLatin1(second.octets), 'UGFzc3dvcmQ6')
  for (const end of [
    answer(second, base64('ひみつ')),
    answer(startSasl('LOGIN', base64('hanako@campus.example')), base64('ひみつ')),
  ]) {
    assert.equal(end.kind, 'credentials')
    if (end.kind !== 'credentials') return
    assert.equal(end.login, 'hanako@campus.example')
    assert.equal(Buffer.from(end.password).toString(), 'ひみつ')
  }
})

test('passwords are opaque octets', () => {
  const octet = fc.integer({ min: 1, max: 255 })
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 1_000 }), octet, (raw, fill) => {
      const password = raw.map((value) => (value === 0 ? fill : value))
      const plain = startSasl('PLAIN', base64(Buffer.concat([Buffer.from('\0太郎\0'), password])))
      const login = answer(startSasl('LOGIN', base64('太郎')), base64(password))
      for (const step of [plain, login]) {
        assert.equal(step.kind, 'credentials')
        if (step.kind === 'credentials')
          assert.deepEqual(Buffer.from(step.password), Buffer.from(password))
      }
    }),
  )
})

test('bad base64, a cancel and malformed messages are errors', () => {
  for (const bad of ['!', 'AGE', 'AGEAYg', 'AGE AYg==', 'AGEAYg==\r', 'AGEAY===', 'あ'])
    assert.equal(startSasl('PLAIN', fromLatin1(bad)).kind, 'error', bad)
  assert.equal(answer(startSasl('PLAIN'), fromLatin1('*')).kind, 'error')
  assert.equal(answer(startSasl('LOGIN'), fromLatin1('*')).kind, 'error')
  assert.equal(startSasl('PLAIN', fromLatin1('=')).kind, 'error')
  for (const bad of ['a', '\0a', '\0\0p', '\0a\0b\0c']) {
    assert.equal(startSasl('PLAIN', base64(bad)).kind, 'error', JSON.stringify(bad))
  }
  assert.equal(startSasl('PLAIN', base64(Buffer.from([0, 0xff, 0, 0x61]))).kind, 'error')
  assert.equal(startSasl('LOGIN', base64('')).kind, 'error')
})

test('any octets give a step', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.constantFrom('PLAIN' as const, 'LOGIN' as const), (b, m) => {
      assert.ok(['challenge', 'credentials', 'error'].includes(startSasl(m, b).kind))
      assert.ok(['challenge', 'credentials', 'error'].includes(startSasl(m, base64(b)).kind))
    }),
  )
})

test('mechanisms are named in any case', () => {
  assert.equal(saslMechanism('plain'), 'PLAIN')
  assert.equal(saslMechanism('Login'), 'LOGIN')
  assert.equal(saslMechanism('XOAUTH2'), undefined)
})
