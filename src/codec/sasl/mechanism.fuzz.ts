import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fromLatin1 } from '#base/octets.ts'
import { saslMechanism, startSasl } from './mechanism.ts'
import type { SaslMechanism, SaslStep } from './mechanism.ts'

/** One machine's run is another's. */
const SEED = 20_261_127

const base64 = (octets: Uint8Array): Uint8Array =>
  fromLatin1(Buffer.from(octets).toString('base64'))
const line = fc.oneof(
  fc.uint8Array({ maxLength: 60 }),
  fc.uint8Array({ maxLength: 60 }).map(base64),
  fc.constantFrom('=', '*', '', '====', 'AGE=', 'AA==', 'AGhhbmFrbwDmuKE=').map(fromLatin1),
)
const mechanism = fc.constantFrom<SaslMechanism>('PLAIN', 'LOGIN')

test('any lines end in credentials or an error, after two questions at most', () => {
  fc.assert(
    fc.property(
      mechanism,
      fc.option(line, { nil: undefined }),
      fc.array(line),
      (name, first, lines) => {
        let step: SaslStep = startSasl(name, first)
        let questions = 0
        for (const each of lines) {
          if (step.kind !== 'challenge') break
          questions++
          step = step.next(each)
        }
        assert.ok(questions <= 2)
        if (step.kind === 'error') assert.match(step.text, /^[ -~]+$/)
        if (step.kind === 'credentials') assert.ok(step.login !== '' && !step.login.includes('\0'))
      },
    ),
    { numRuns: 3_000, seed: SEED },
  )
})

test('a login and a password of any octets come out as they went in', () => {
  const login = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
  const password = fc.uint8Array({ maxLength: 100 })
  fc.assert(
    fc.property(login, password, (user, octets) => {
      const name = user.replaceAll('\0', '0')
      const secret = octets.map((octet) => octet || 1)
      const message = Buffer.concat([Buffer.from(`\0${name}\0`, 'utf8'), secret])
      const plain = startSasl('PLAIN', base64(message))
      const asked = startSasl('LOGIN', base64(Buffer.from(name, 'utf8')))
      assert.ok(asked.kind === 'challenge')
      for (const step of [plain, asked.next(base64(secret))]) {
        assert.ok(step.kind === 'credentials')
        assert.equal(step.login, name)
        assert.deepEqual(Buffer.from(step.password), Buffer.from(secret))
      }
    }),
    { numRuns: 1_000, seed: SEED },
  )
})

test('any name is one of our mechanisms or none', () => {
  fc.assert(
    fc.property(fc.string(), (name) => {
      assert.ok(['PLAIN', 'LOGIN', undefined].includes(saslMechanism(name)))
    }),
    { seed: SEED },
  )
})
