import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fromUtf8, toUtf8 } from '#base/octets.ts'
import type { AccountId } from '#model/account.ts'
import type { DirectoryEntry } from '#model/directory-entry.ts'
import type { DirectoryRow } from '#store/directory/directory.ts'
import { changesBetween, isSameRow } from './entry-changes.ts'
import { dnOf, entryOf, rowOf } from './row-entry.ts'

const BASE = 'ou=watari,dc=campus,dc=example'
const at = (localpart: string, domain = 'campus.example') => ({ localpart, domain })

const ACCOUNT = {
  id: '01ABC' as AccountId,
  username: 'hanako',
  domain: 'campus.example',
  name: '山田 花子',
  admin: false,
  disabled: true,
  credential: '$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA',
  scram: '65536:salt:stored:server',
  credentialVersion: 7,
  addresses: [at('h.yamada'), at('花子'), at('"two words"'), at('a..b')],
  delegated: [at('office')],
}

const ROWS: readonly DirectoryRow[] = [
  { kind: 'domain', domain: { name: 'campus.example', saltKey: 'c2VjcmV0', quota: { bytes: 5 } } },
  { kind: 'domain', domain: { name: '大学.example', convertTo: 'campus.example' } },
  { kind: 'account', account: ACCOUNT },
  {
    kind: 'account',
    account: {
      ...ACCOUNT,
      id: '02' as AccountId,
      username: '次郎',
      name: '',
      credential: '{ARGON2}$argon2id$v=19$m=1,t=1,p=1$c2FsdA$aGFzaA',
      quota: { bytes: 0, messages: 10 },
      origins: [
        { source: 'b', key: 'uid=x', dn: 'uid=x' },
        { source: 'a', key: 'uid=y', dn: 'uid=y' },
      ],
      isOwn: true,
      profile: { department: '総務部', manager: '01ABC' },
      addresses: [at('A'), at('a')], // LDAP would take the two for one
    },
  },
  { kind: 'alias', alias: { from: at('all'), to: [at('hanako'), at('外', 'else.example')] } },
  { kind: 'forward', forward: { accountId: ACCOUNT.id, to: [at('x', 'y.example')], keep: true } },
  { kind: 'route', route: { match: 'old.example', nextHop: { kind: 'mx', domain: 'mx.example' } } },
  { kind: 'route', route: { match: 'a@b.example', nextHop: { kind: 'hold' } } },
  {
    kind: 'source',
    source: {
      name: 'old',
      order: 1,
      servers: [{ host: 'ldap', port: 389, tls: 'starttls' }],
      base: 'dc=x',
      key: 'uid',
      bind: { dn: 'cn=渡り', passwordBase64: 'eA==' },
      auth: 'bind',
    },
  },
  { kind: 'alias', alias: { from: at('somu'), to: [], name: '総務部', externalId: 'G-1' } },
]

const textsOf = (entry: DirectoryEntry, type: string): string[] =>
  (entry.attributes.find((each) => each.type === type)?.values ?? []).map(toUtf8)
const restOf = (entry: DirectoryEntry): object =>
  JSON.parse(textsOf(entry, 'watariRest')[0] ?? '{}') as object

describe('a row as an entry', () => {
  test('comes back as it was, of every kind', () => {
    for (const row of ROWS) {
      const back = rowOf(entryOf(row, BASE))
      assert.ok(back.ok, JSON.stringify(back))
      assert.ok(isSameRow(back.value.row, row), JSON.stringify(back.value.row))
    }
    const order = rowOf(entryOf(ROWS[3]!, BASE))
    assert.deepEqual(order.ok && order.value.row, ROWS[3])
  })

  test('has what others know by its usual name, and no field in two places', () => {
    const entry = entryOf(ROWS[2]!, BASE)
    assert.equal(entry.dn, `watariKey=account:01ABC,ou=accounts,${BASE}`)
    assert.deepEqual(textsOf(entry, 'mail'), ['hanako@campus.example'])
    assert.deepEqual(textsOf(entry, 'cn'), ['山田 花子'])
    assert.deepEqual(textsOf(entry, 'userPassword'), [`{ARGON2}${ACCOUNT.credential}`])
    assert.deepEqual(textsOf(entry, 'watariAddress'), ['花子@campus.example'])
    assert.equal(textsOf(entry, 'mailLocalAddress').length, 3)
    assert.deepEqual(restOf(entry), {})
    assert.deepEqual(Object.keys(restOf(entryOf(ROWS[3]!, BASE))), [
      'addresses',
      'credential',
      'isOwn',
      'name',
      'origins',
      'profile',
      'quota',
    ])
  })

  test('keeps fields that came after it, and rows of new kinds whole', () => {
    const life = { reading: 'やまだ はなこ', tags: ['卒業'], expiresAtMs: 5 }
    const row = { kind: 'account', account: { ...ACCOUNT, ...life } } as DirectoryRow
    const back = rowOf(entryOf(row, BASE))
    assert.ok(back.ok && isSameRow(back.value.row, row))
    assert.deepEqual(restOf(entryOf(row, BASE)), {
      expiresAtMs: 5,
      reading: 'やまだ はなこ',
      tags: ['卒業'],
    })
  })

  test('a name is never the syntax of a distinguished name', () => {
    assert.equal(
      dnOf('alias:"a,b+c=d"@x', 'dc=x'),
      'watariKey=alias:\\"a\\,b\\+c\\=d\\"@x,ou=aliases,dc=x',
    )
  })

  test('an entry that says nothing, or something else than its key, is refused with the reason', () => {
    const set = (row: DirectoryRow, type: string, ...values: string[]) => {
      const entry = entryOf(row, BASE)
      const attributes = entry.attributes.filter((each) => each.type !== type)
      if (values.length > 0) attributes.push({ type, values: values.map(fromUtf8) })
      const read = rowOf({ ...entry, attributes })
      return read.ok ? 'taken' : read.error
    }
    const [domain, , account, , alias] = ROWS
    assert.equal(set(account!, 'uid'), 'username is missing')
    assert.equal(set(account!, 'watariRest', '[1]'), 'watariRest is no object of JSON')
    assert.equal(set(account!, 'mailLocalAddress', 'no address'), 'addresses cannot be understood')
    assert.equal(set(account!, 'userPassword', 'a', 'b'), 'credential cannot be understood')
    assert.equal(
      set(account!, 'watariCredentialVersion', '1e9'),
      'credentialVersion cannot be understood',
    )
    assert.match(set(domain!, 'watariDomainName', 'else.example'), /^watariKey is domain:campus/)
    assert.match(set(alias!, 'watariKey', 'ghost:x'), /^ghost:x is of no kind/)
    assert.equal(set(account!, 'userPassword'), 'taken')
  })

  test('only what differs is changed, and what is not ours is left', () => {
    const members = Array.from({ length: 10_000 }, (_, n) => at(`学生${n}`))
    const group = (to: typeof members): DirectoryEntry =>
      entryOf({ kind: 'alias', alias: { from: at('all'), to } }, BASE)
    const there = group(members)
    const more = { type: 'description', values: [fromUtf8('全学')] }
    const changes = changesBetween(
      { ...there, attributes: [...there.attributes, more] },
      group([...members.slice(1), at('新入')]),
    )
    assert.deepEqual(
      changes.map(({ kind, type, values }) => [kind, type, values.map(toUtf8)]),
      [
        ['delete', 'watariTo', ['学生0@campus.example']],
        ['add', 'watariTo', ['新入@campus.example']],
      ],
    )
    assert.deepEqual(changesBetween(there, group(members.toReversed())), [])
  })
})
