import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fromUtf8, toLatin1, toUtf8 } from '#base/octets.ts'
import {
  boundOctets,
  parseClientFinal,
  parseClientFirst,
  renderServerFinal,
  renderServerFirst,
  scramMechanism,
} from './scram.ts'

const piece = fc.constantFrom(
  'n',
  'y',
  'p=tls-exporter',
  ',',
  ',,',
  'a=',
  'n=',
  'r=',
  'm=',
  'c=',
  'p=',
  '=',
  '=2C',
  '=3D',
  '花子',
  'biws',
  'AAAA',
  'x',
  '\0',
  '\ud800',
)
const message = fc.oneof(
  fc.array(piece, { maxLength: 14 }).map((parts) => fromUtf8(parts.join(''))),
  fc.uint8Array({ maxLength: 60 }),
)

test('any octets are a message or none, and what is read stands in them', () => {
  fc.assert(
    fc.property(message, (octets) => {
      const first = parseClientFirst(octets)
      if (first !== undefined) {
        assert.equal(first.gs2Header + first.bare, toUtf8(octets))
        assert.ok(first.login !== '' && !first.login.includes('\0'))
      }
      const final = parseClientFinal(octets)
      if (final !== undefined) assert.ok(toUtf8(octets).startsWith(`${final.withoutProof},p=`))
      scramMechanism(toLatin1(octets))
    }),
    { numRuns: 5_000 },
  )
})

const name = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
  .filter((text) => !text.includes('\0') && text.isWellFormed())
const nonce = fc.string({
  unit: fc
    .integer({ min: 0x21, max: 0x7e })
    .map((c) => (c === 0x2c ? '!' : String.fromCharCode(c))),
  minLength: 1,
  maxLength: 40,
})
const escaped = (text: string): string => text.replaceAll('=', '=3D').replaceAll(',', '=2C')

test('what a client writes is read as it was meant', () => {
  const header = fc.constantFrom('n', 'y', 'p=tls-exporter', 'p=tls-server-end-point')
  fc.assert(
    fc.property(header, fc.option(name), name, nonce, (flag, authzid, login, client) => {
      const gs2 = `${flag},${authzid === null ? '' : `a=${escaped(authzid)}`},`
      const first = parseClientFirst(fromUtf8(`${gs2}n=${escaped(login)},r=${client}`))
      assert.equal(first?.login, login)
      assert.equal(first.authzid, authzid ?? undefined)
      assert.equal(first.gs2Header, gs2)
      assert.equal(first.nonce, client)
      assert.deepEqual(first.binding, flag.startsWith('p=') ? { type: flag.slice(2) } : flag)
    }),
  )
  const octets = fc.uint8Array({ minLength: 1, maxLength: 40 })
  fc.assert(
    fc.property(octets, nonce, octets, (channel, server, proof) => {
      const bound = boundOctets('p=x,,', channel)
      const said = `c=${Buffer.from(bound).toString('base64')},r=${server}`
      const whole = fromUtf8(`${said},p=${Buffer.from(proof).toString('base64')}`)
      const final = parseClientFinal(whole)
      assert.deepEqual(Buffer.from(final!.bound), Buffer.from(bound))
      assert.deepEqual(Buffer.from(final!.proof), Buffer.from(proof))
      assert.equal(final!.nonce, server)
      assert.equal(final!.withoutProof, said)
    }),
  )
})

test('what the server says has the form of RFC 5802 §7', () => {
  const salt = fromUtf8('塩')
  assert.equal(renderServerFirst({ nonce: 'ab', salt, iterations: 4096 }), 'r=ab,s=5aGp,i=4096')
  assert.equal(renderServerFinal(salt), 'v=5aGp')
  for (const bad of ['n,,m=x,n=a,r=b', 'n,,n==41,r=b', 'n,,n=,r=b', 'z,,n=a,r=b', 'n,n=a,r=b'])
    assert.equal(parseClientFirst(fromUtf8(bad)), undefined, bad)
  assert.equal(scramMechanism('scram-sha-256-plus'), 'SCRAM-SHA-256-PLUS')
  assert.equal(scramMechanism('SCRAM-SHA-1'), undefined)
})
