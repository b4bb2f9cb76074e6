import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fromUtf8 } from '#base/octets.ts'
import { someFilter, someType } from '#test/fake/ldap-filters.ts'
import {
  BOOLEAN,
  ENUMERATED,
  boolean,
  contextOf,
  element,
  integer,
  octetString,
  sequence,
} from './ber.ts'
import { dnKeyOf, formatRdn, parseDn } from './dn.ts'
import { encodeFilter, parseFilter } from './filter.ts'
import type { Filter } from './filter.ts'
import type { LdapRequest, LdapResponse } from './message.ts'
import { nextPage, pageAsked, pagedControl } from './paged.ts'
import { readRequest } from './read-request.ts'
import { encodeRequest } from './request.ts'
import { readResponse } from './response.ts'
import { encodeResponse } from './write-response.ts'

const octets = fc.uint8Array({ maxLength: 40 })
const text = fc.string({ unit: 'grapheme', maxLength: 20 })
const filter = someFilter({ value: octets })

const attribute = fc.record({ type: someType, values: fc.array(octets, { maxLength: 3 }) })
const request: fc.Arbitrary<LdapRequest> = fc.oneof(
  fc.record({
    op: fc.constant('bind' as const),
    dn: text,
    by: fc.oneof(
      fc.record({ kind: fc.constant('simple' as const), password: octets }),
      fc.record(
        { kind: fc.constant('sasl' as const), mechanism: text, credentials: octets },
        { requiredKeys: ['kind', 'mechanism'] },
      ),
    ),
  }),
  fc.constant({ op: 'unbind' as const }),
  fc.record({
    op: fc.constant('search' as const),
    base: text,
    scope: fc.constantFrom('base' as const, 'one' as const, 'subtree' as const),
    sizeLimit: fc.nat(),
    timeLimitSeconds: fc.nat(),
    typesOnly: fc.boolean(),
    filter,
    attributes: fc.array(text, { maxLength: 4 }),
  }),
  fc.record({
    op: fc.constant('modify' as const),
    dn: text,
    changes: fc.array(
      fc.record({
        kind: fc.constantFrom('add' as const, 'delete' as const, 'replace' as const),
        type: someType,
        values: fc.array(octets, { maxLength: 3 }),
      }),
      { maxLength: 3 },
    ),
  }),
  fc.record({ op: fc.constant('add' as const), dn: text, attributes: fc.array(attribute) }),
  fc.record({ op: fc.constant('delete' as const), dn: text }),
  fc.record(
    {
      op: fc.constant('rename' as const),
      dn: text,
      rdn: text,
      deleteOldRdn: fc.boolean(),
      superior: text,
    },
    { requiredKeys: ['op', 'dn', 'rdn', 'deleteOldRdn'] },
  ),
  fc.record({ op: fc.constant('compare' as const), dn: text, type: someType, value: octets }),
  fc.record({ op: fc.constant('abandon' as const), id: fc.nat() }),
  fc.record(
    { op: fc.constant('extended' as const), oid: someType, value: octets },
    { requiredKeys: ['op', 'oid'] },
  ),
)

test('a request is read as it was written, and each cut of it is an error (RFC 4511 §4)', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 2 ** 31 - 1 }),
      request,
      fc.nat(),
      octets,
      (id, asked, cut, cookie) => {
        const whole = encodeRequest(id, asked, [pagedControl(7, cookie)])
        const read = readRequest(whole)
        assert.ok(read.ok, read.ok ? '' : read.error)
        assert.deepEqual(
          plain({ ...read.value, controls: [] }),
          plain({ id, request: asked, controls: [] }),
        )
        const page = pageAsked(read.value.controls)
        assert.deepEqual(plain(page), plain({ ok: true, value: { size: 7, cookie } }))
        assert.equal(readRequest(whole.subarray(0, cut % whole.length)).ok, false)
      },
    ),
    { numRuns: 500 },
  )
})

test('whatever comes from a client is a request or an error, never more', () => {
  const started = octets.map((rest) => Uint8Array.of(0x30, rest.length, ...rest))
  const changed = fc.tuple(request, fc.nat(), fc.nat({ max: 255 })).map(([asked, at, octet]) => {
    const whole = Uint8Array.from(encodeRequest(1, asked))
    whole[at % whole.length] = octet
    return whole
  })
  fc.assert(
    fc.property(fc.oneof(octets, started, changed), (raw) => {
      readRequest(raw)
      pageAsked([{ oid: '1.2.840.113556.1.4.319', value: raw }])
    }),
    { numRuns: 3_000 },
  )
})

test('a filter too deep or of too many parts is an error; number 0 is the server’s', () => {
  const asked = (filter: Filter): LdapRequest => ({
    op: 'search',
    base: '',
    scope: 'base',
    filter,
    attributes: [],
  })
  const present: Filter = { kind: 'present', type: 'cn' }
  const nested = (depth: number): Filter =>
    depth === 0 ? present : { kind: 'not', filter: nested(depth - 1) }
  const wide = (count: number): Filter => ({
    kind: 'or',
    filters: Array.from({ length: count }, () => present),
  })
  const isRead = (filter: Filter): boolean => readRequest(encodeRequest(1, asked(filter))).ok
  assert.deepEqual([isRead(nested(49)), isRead(nested(50))], [true, false])
  assert.deepEqual([isRead(wide(199)), isRead(wide(200))], [true, false])
  assert.equal(readRequest(encodeRequest(0, { op: 'unbind' })).ok, false)
  const old = element(0x60, integer(2), octetString(''), octetString('', 0x80))
  assert.equal(readRequest(sequence(integer(1), old)).ok, false)
  assert.ok(readRequest(sequence(integer(1), element(0x42))).ok)
  const noScope = element(0x63, octetString(''), integer(7, ENUMERATED))
  assert.equal(readRequest(sequence(integer(1), noScope)).ok, false)
  assert.equal(boolean(true)[0], BOOLEAN)
  assert.equal(contextOf(0), 0xa0)
})

test('an answer that was written is read as the same one', () => {
  const result = fc.record({
    code: fc.nat({ max: 80 }),
    matchedDn: text,
    message: text,
    referrals: fc.array(text, { maxLength: 2 }),
  })
  const response: fc.Arbitrary<LdapResponse> = fc.oneof(
    fc.record({
      op: fc.constant('entry' as const),
      entry: fc.record({ dn: text, attributes: fc.array(attribute, { maxLength: 3 }) }),
    }),
    fc.record({ op: fc.constant('reference' as const), uris: fc.array(text) }),
    fc.record(
      { op: fc.constant('intermediate' as const), oid: text, value: octets },
      { requiredKeys: ['op'] },
    ),
    fc.record(
      { op: fc.constant('result' as const), result, saslCredentials: octets },
      { requiredKeys: ['op', 'result'] },
    ),
  )
  fc.assert(
    fc.property(fc.nat(), response, octets, (id, answer, cookie) => {
      const controls = [pagedControl(3, cookie)]
      const read = readResponse(encodeResponse(id, answer, { op: 'bind', controls }))
      assert.ok(read.ok, read.ok ? '' : read.error)
      assert.deepEqual(plain([read.value.id, read.value.response]), plain([id, answer]))
      const next = nextPage(read.value.controls)
      assert.deepEqual(plain(next.ok && (next.value ?? [])), plain(cookie))
    }),
  )
  const value = fromUtf8('dn:uid=花子')
  const told = { op: 'result', result: NONE, oid: '1.2.3', value } as const
  const read = readResponse(encodeResponse(1, told, { op: 'extended' }))
  assert.deepEqual(plain(read.ok && read.value.response), plain(told))
})

const NONE = { code: 0, matchedDn: '', message: '', referrals: [] }

test('a name is read as it was written, whatever stands in its values (RFC 4514 §2.4)', () => {
  const value = fc.oneof(
    text,
    fc.constantFrom(' a ', '#1', 'a,b+c;d', '"q"', '\\', '山田, 太郎', 'a\0b'),
  )
  const part = fc.record({ type: fc.constantFrom('uid', 'cn', '2.5.4.3'), value })
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), (parts) => {
      const dn = parts.map(formatRdn).join(',')
      assert.deepEqual(plain(parseDn(dn)), plain(parts.map((each) => [each])), dn)
    }),
    { numRuns: 1_000 },
  )
  const key = (dn: string): string | undefined => {
    const parts = parseDn(dn)
    return parts && dnKeyOf(parts)
  }
  const plainKey = key('uid=hanako,ou=people,dc=campus,dc=example')
  for (const same of [
    'UID = Hanako , OU=People,dc=Campus;dc=example',
    'uid="hanako",ou=people,dc=campus,dc=example',
    'uid=\\68anako,ou=people,dc=campus,dc=example',
  ])
    assert.equal(key(same), plainKey, same)
  assert.equal(key('b=2+a=1'), key('A=1+B=2'))
  assert.deepEqual(parseDn('cn=\\E5\\B1\\B1\\E7\\94\\B0'), [[{ type: 'cn', value: '山田' }]])
  assert.deepEqual(parseDn('  '), [])
  for (const none of [
    'hanako',
    'uid',
    '=x',
    'uid=a,',
    'uid="a',
    'uid="a"b',
    'uid=\\',
    'uid=\\ff',
    'uid=a"b',
  ])
    assert.equal(parseDn(none), undefined, none)
})

test('any text is a name or none', () => {
  const pieces = fc.array(
    fc.constantFrom('uid', '=', ',', '+', ';', '\\', '"', '2c', 'FF', ' ', '山', '#', '<', '\0'),
    { maxLength: 40 },
  )
  fc.assert(
    fc.property(pieces, (parts) => {
      const read = parseDn(parts.join(''))
      if (read !== undefined) dnKeyOf(read)
    }),
    { numRuns: 2_000 },
  )
  assert.equal(parseDn('a='.padEnd(10_000, ' ')), undefined)
})

test('a filter of the text form goes over the wire and comes back', () => {
  const thunderbird =
    '(|(mail=*山*)(cn=*山*)(givenName=*山*)(sn=*山*)(&(objectClass=person)(!(uid=x))))'
  const parsed = parseFilter(thunderbird)
  assert.ok(parsed.ok)
  const asked: LdapRequest = {
    op: 'search',
    base: '',
    scope: 'subtree',
    filter: parsed.value,
    attributes: [],
  }
  const read = readRequest(encodeRequest(1, asked))
  assert.ok(read.ok && read.value.request.op === 'search')
  assert.deepEqual(
    plain(encodeFilter(read.value.request.filter)),
    plain(encodeFilter(parsed.value)),
  )
})

/** Octets of any kind as plain arrays, so that they compare by what they hold. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return [...value]
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value as Record<string, unknown>).map(([name, one]) => [name, plain(one)]),
  )
}
