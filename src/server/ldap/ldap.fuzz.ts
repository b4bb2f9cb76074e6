import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import { concatOctets, fromUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import type { Filter } from '#codec/ldap/filter.ts'
import { foldedTogether } from '#engine/people/folded-texts.ts'
import { encodeRequest } from '#codec/ldap/request.ts'
import { addr, fakeAccount } from '#test/fake/directory.ts'
import { find, LdapBook, simpleBind } from '#test/fake/ldap-book.ts'
import { hashPassword } from '#store/directory/password.ts'
import { holder, matcher, wordsIn } from './match.ts'
import type { BookEntry } from './attributes.ts'

const NAMES = ['山田 太郎', 'Taro Yamada', 'ﾀﾛｳ', 'ＡＢＣ社', '髙橋、花子', 'ß-Straße', 'é 1']

let book: LdapBook

before(async () => {
  const credential = await hashPassword(fromUtf8('password'))
  book = new LdapBook([
    { kind: 'domain', domain: { name: 'campus.example' } },
    { kind: 'account', account: { ...fakeAccount('hanako@campus.example'), credential } },
    {
      kind: 'alias',
      alias: { from: addr('all@campus.example'), to: [addr('hanako@campus.example')] },
    },
  ])
  await book.start()
})
after(() => book.stop())

test('whatever octets come, in whichever pieces, the connection ends or goes on, and nothing fails', async () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 30 }),
    fc.constantFrom<Octets>(
      encodeRequest(1, { op: 'bind', dn: '', by: { kind: 'simple', password: fromUtf8('') } }),
      encodeRequest(2, { op: 'extended', oid: '1.3.6.1.4.1.4203.1.11.3' }),
      encodeRequest(3, {
        op: 'search',
        base: '',
        scope: 'base',
        filter: { kind: 'present', type: 'objectClass' },
        attributes: [],
      }),
      encodeRequest(4, { op: 'abandon', id: 3 }),
      encodeRequest(5, { op: 'delete', dn: 'x' }),
    ),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 6 }), async (pieces) => {
      const socket = connect({ host: '127.0.0.1', port: book.port })
      socket.on('error', () => undefined)
      for (const each of pieces) socket.write(each)
      socket.end()
      const answer = concatOctets(await socket.toArray())
      assert.ok(answer.length === 0 || answer[0] === 0x30)
    }),
    { numRuns: 100 },
  )
  assert.deepEqual(
    book.log.lines.filter(({ event }) => event === 'ldap.failed'),
    [],
  )
})

test('any filter and any base are answered once, by whoever is logged in', async () => {
  const connection = await book.connect('implicit')
  assert.equal(await simpleBind(connection, 'hanako', 'password'), 0)
  const text = fc.string({ unit: 'grapheme', maxLength: 8 })
  const base = fc.oneof(
    text,
    fc.constantFrom('', 'dc=campus,dc=example', 'OU=people,dc=campus,dc=example'),
  )
  await fc.assert(
    fc.asyncProperty(
      filters,
      base,
      fc.constantFrom('base' as const, 'one' as const, 'subtree' as const),
      fc.array(fc.oneof(text, fc.constantFrom('*', '+', '1.1', 'mail', 'cn;lang-ja')), {
        maxLength: 3,
      }),
      async (filter, at, scope, attributes) => {
        const { code } = await find(connection, filter, { base: at, scope, attributes })
        assert.ok([0, 32, 34].includes(code), `${code}`)
      },
    ),
    { numRuns: 200 },
  )
})

const value = fc.oneof(
  fc.uint8Array({ maxLength: 6 }),
  fc
    .constantFrom('山', '太', 'taro', 'YAMADA', 'たろう', 'abc', ' ', '高橋', 'ss', 'person')
    .map(fromUtf8),
)
const type = fc.constantFrom(
  'cn',
  'sn',
  'mail',
  'uid',
  'objectClass',
  'anr',
  'nothing',
  'cn;lang-ja',
  'member',
)
const leaf: fc.Arbitrary<Filter> = fc.oneof(
  fc.record({
    kind: fc.constantFrom(
      'equal' as const,
      'approximate' as const,
      'atLeast' as const,
      'atMost' as const,
    ),
    type,
    value,
  }),
  fc.record({ kind: fc.constant('present' as const), type }),
  fc.record(
    {
      kind: fc.constant('substrings' as const),
      type,
      initial: value,
      any: fc.array(value, { maxLength: 2 }),
      final: value,
    },
    { requiredKeys: ['kind', 'type', 'initial', 'any'] },
  ),
  fc.record({ kind: fc.constant('extensible' as const), type, value, ofDn: fc.boolean() }),
)
const filters = fc.letrec<{ whole: Filter }>((tie) => ({
  whole: fc.oneof(
    { depthSize: 'small' },
    leaf,
    fc.record({
      kind: fc.constantFrom('and' as const, 'or' as const),
      filters: fc.array(tie('whole'), { maxLength: 3 }),
    }),
    fc.record({ kind: fc.constant('not' as const), filter: tie('whole') }),
  ),
})).whole

test('what a filter is true of is never passed over by the look at folded texts', () => {
  const entries = NAMES.flatMap((name) => {
    const mail = `${name.length}@campus.example`
    const of = (attribute: string, one: string) => ({ type: attribute, options: [], values: [one] })
    const entry: BookEntry = {
      dn: mail,
      attributes: [
        of('objectClass', 'person'),
        of('cn', name),
        of('sn', name.split(/\s/)[0]!),
        of('uid', String(name.length)),
        of('mail', mail),
      ],
    }
    return [{ entry, text: foldedTogether([[name, '', mail]])[0]! }]
  })
  fc.assert(
    fc.property(filters, (filter) => {
      const isMatch = matcher(filter)
      const holds = holder(filter)
      const words = wordsIn(filter)
      for (const { entry, text } of entries)
        if (isMatch(entry))
          assert.ok(
            holds(text) && words.every((word) => text.includes(word)),
            JSON.stringify(filter),
          )
    }),
    { numRuns: 3_000 },
  )
})
