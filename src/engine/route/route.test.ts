import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Account } from '#model/account.ts'
import { LIFE_RULES, momentAt } from '#model/account-life.ts'
import { formatAddress } from '#model/address.ts'
import type { NextHop } from '#model/route.ts'
import type { DirectoryRow } from '#store/directory/directory.ts'
import { addr, fakeAccount, fakeDirectory, fakeList } from '#test/fake/directory.ts'
import { MemoryDirectory } from '#store/directory/memory-directory.ts'
import { rowKey } from '#store/directory/row-key.ts'
import { findCycle } from './check.ts'
import { CONVERSION_DEPTH_MAX, convert } from './convert.ts'
import { nextHop } from './next-hop.ts'

const domain = (name: string, convertTo?: string): DirectoryRow => ({
  kind: 'domain',
  domain: convertTo === undefined ? { name } : { name, convertTo },
})
const account = (text: string, further: readonly string[] = []): DirectoryRow => ({
  kind: 'account',
  account: fakeAccount(text, further),
})
const alias = (from: string, ...to: string[]): DirectoryRow => ({
  kind: 'alias',
  alias: { from: addr(from), to: to.map(addr) },
})
const forward = (of: string, keep: boolean, ...to: string[]): DirectoryRow => ({
  kind: 'forward',
  forward: { accountId: fakeAccount(of).id, to: to.map(addr), keep },
})
const route = (match: string, nextHop: NextHop): DirectoryRow => ({
  kind: 'route',
  route: { match, nextHop },
})

const campus = [
  domain('campus.example'),
  domain('lab.campus.example', 'campus.example'),
  account('hanako@campus.example', ['h.suzuki@campus.example']),
  account('taro@campus.example'),
  account('花子@campus.example'),
]

function targets(text: string, rows: readonly DirectoryRow[]): string[] | string {
  const converted = convert(addr(text), fakeDirectory(rows))
  return converted.ok
    ? converted.value.targets.map((target) => `${target.class} ${formatAddress(target.address)}`)
    : converted.error
}

test('an address of a converted sub-domain becomes that of the main domain', () => {
  assert.deepEqual(targets('hanako@lab.campus.example', campus), ['local hanako@campus.example'])
  assert.deepEqual(targets('花子@lab.campus.example', campus), ['local 花子@campus.example'])
  assert.deepEqual(targets('nobody@lab.campus.example', campus), ['unknown nobody@campus.example'])
})

test('detail is kept in the address and cut for the look-up (RFC 5233 §4)', () => {
  assert.deepEqual(targets('Hanako+渡り@lab.campus.example', campus), [
    'local Hanako+渡り@campus.example',
  ])
  assert.deepEqual(targets('x+y@else.example', campus), ['remote x+y@else.example'])
})

test('an alias leads to many, each destination once', () => {
  const rows = [
    ...campus,
    alias('staff@campus.example', 'hanako@campus.example', 'all@campus.example', 'x@else.example'),
    alias('all@campus.example', 'h.suzuki@campus.example', 'taro@lab.campus.example'),
  ]
  assert.deepEqual(targets('staff+list@campus.example', rows), [
    'local hanako@campus.example',
    'local taro@campus.example',
    'remote x@else.example',
  ])
})

test('an exact alias or account of a converted sub-domain goes before the conversion', () => {
  const rows = [
    ...campus,
    alias('info@lab.campus.example', 'taro@campus.example'),
    account('lab@lab.campus.example'),
  ]
  assert.deepEqual(targets('info@lab.campus.example', rows), ['local taro@campus.example'])
  assert.deepEqual(targets('lab@lab.campus.example', rows), ['local lab@lab.campus.example'])
})

test('a forward keeps a copy or not', () => {
  const to = 'hanako@else.example'
  assert.deepEqual(
    targets('hanako@lab.campus.example', [...campus, forward('hanako@campus.example', true, to)]),
    ['local hanako@campus.example', `remote ${to}`],
  )
  assert.deepEqual(
    targets('h.suzuki@campus.example', [...campus, forward('hanako@campus.example', false, to)]),
    [`remote ${to}`],
  )
})

test('a group without members has nobody who could read its mail', () => {
  const group = { from: addr('somu@campus.example'), to: [], name: '総務部' }
  const rows = [...campus, { kind: 'alias', alias: group } as const]
  assert.deepEqual(targets('somu@campus.example', rows), ['unknown somu@campus.example'])
  assert.deepEqual(
    targets('all@campus.example', [
      ...rows,
      alias('all@campus.example', 'somu@campus.example', 'taro@campus.example'),
    ]),
    ['unknown somu@campus.example', 'local taro@campus.example'],
  )
})

test('an address of ours that another server keeps is relayed, not unknown', () => {
  const old: NextHop = { kind: 'smtp', host: 'old.example', port: 25 }
  assert.deepEqual(targets('who@campus.example', [...campus, route('campus.example', old)]), [
    'relay who@campus.example',
  ])
  assert.deepEqual(targets('who@campus.example', [...campus, route('who@campus.example', old)]), [
    'relay who@campus.example',
  ])
})

test('who has left is unknown, or sent on for a while; a former address leads on while it is kept', () => {
  const life = (more: Partial<Account>): DirectoryRow => ({
    kind: 'account',
    account: { ...fakeAccount('jiro@campus.example'), ...more },
  })
  const at = (row: DirectoryRow, day: string, to = 'jiro@campus.example'): string[] | string => {
    const moment = momentAt(Date.parse(`${day}T00:00:00Z`), {
      ...LIFE_RULES,
      zone: 'UTC',
      mailBeforeStart: false,
    })
    const converted = convert(addr(to), new MemoryDirectory([...campus, row], 6, { moment }))
    return converted.ok
      ? converted.value.targets.map(({ class: of, address }) => `${of} ${formatAddress(address)}`)
      : converted.error
  }
  const row = life({
    startsOn: '2027-04-01',
    expiresOn: '2031-03-31',
    afterLeaving: {
      to: [addr('j@else.example'), addr('taro@campus.example')],
      until: '2031-09-30',
    },
    formerAddresses: [
      {
        address: addr('saburo@campus.example'),
        keptUntil: '2028-01-01T00:00:00.000Z',
        reservedUntil: '2030-01-01T00:00:00.000Z',
      },
    ],
  })
  assert.deepEqual(at(row, '2027-03-31'), ['unknown jiro@campus.example'])
  assert.deepEqual(at(row, '2031-04-10'), ['local jiro@campus.example'])
  assert.deepEqual(at(row, '2031-04-15'), ['remote j@else.example', 'local taro@campus.example'])
  assert.deepEqual(at(row, '2031-10-01'), ['unknown jiro@campus.example'])
  const old = 'Saburo+渡り@lab.campus.example'
  assert.deepEqual(at(row, '2027-12-31', old), ['local Saburo+渡り@campus.example'])
  assert.deepEqual(at(row, '2028-01-01', old), ['unknown Saburo+渡り@campus.example'])
  assert.deepEqual(at(life({ deletedAt: '2027-01-01T00:00:00.000Z' }), '2027-01-02'), [
    'unknown jiro@campus.example',
  ])
  const round = { ...row, account: { ...(row as { account: Account }).account } }
  const loop = findCycle(
    fakeDirectory([...campus, alias('info@campus.example', 'jiro@campus.example')]),
    {
      key: 'account:id-jiro@campus.example',
      row: {
        kind: 'account',
        account: {
          ...round.account,
          afterLeaving: { to: [addr('info@campus.example')], until: '2031-09-30' },
        },
      },
    },
  )
  assert.match(loop ?? '', /round in a circle: (?:jiro|info)@/)
})

test('a cycle and a chain without end are outcomes', () => {
  assert.equal(
    targets('a@campus.example', [...campus, alias('a@campus.example', 'a+x@campus.example')]),
    'loop',
  )
  const rows = [domain('a.example', 'b.example'), domain('b.example', 'a.example')]
  assert.equal(targets('x@a.example', rows), 'loop')
  const chain = Array.from({ length: CONVERSION_DEPTH_MAX + 1 }, (_, i) =>
    alias(`n${i}@campus.example`, `n${i + 1}@campus.example`),
  )
  assert.equal(targets('n0@campus.example', [...campus, ...chain]), 'tooDeep')
  assert.deepEqual(targets('n1@campus.example', [...campus, ...chain]), [
    `unknown n${CONVERSION_DEPTH_MAX + 1}@campus.example`,
  ])
})

test('converting a result again leads to the same targets, whatever the rows', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'あ')
  const any = fc
    .tuple(name, fc.constantFrom('', '+x'), fc.constantFrom('campus', 'lab.campus', 'else'))
    .map(([local, detail, host]) => `${local}${detail}@${host}.example`)
  const rows = fc.array(
    fc.oneof(
      fc.tuple(any, fc.array(any, { maxLength: 3 })).map(([from, to]) => alias(from, ...to)),
      name.map((local) => account(`${local}@campus.example`)),
      fc
        .tuple(name, fc.boolean(), fc.array(any, { maxLength: 2 }))
        .map(([local, keep, to]) => forward(`${local}@campus.example`, keep, ...to)),
    ),
    { maxLength: 10 },
  )
  fc.assert(
    fc.property(rows, any, (some, start) => {
      const directory = fakeDirectory([...campus, ...some])
      const once = convert(addr(start), directory)
      if (!once.ok) return
      const key = (texts: Iterable<string>) => [...new Set(texts)].toSorted().join(' ')
      const twice = once.value.targets.flatMap((target) => {
        const again = convert(target.address, directory)
        assert.ok(again.ok)
        return again.value.targets.map((t) => t.accountId ?? formatAddress(t.address))
      })
      assert.equal(
        key(twice),
        key(once.value.targets.map((t) => t.accountId ?? formatAddress(t.address))),
      )
    }),
    { numRuns: 500 },
  )
})

test('next hop: exact address, account, domain, local, literal, exchangers', () => {
  const lmtp: NextHop = { kind: 'lmtp', host: '127.0.0.1', port: 2424 }
  const old: NextHop = { kind: 'smtp', host: 'old.example', port: 25 }
  const directory = fakeDirectory([
    ...campus,
    route('hanako@campus.example', lmtp),
    route('partner.example', old),
    route('kept.example', { kind: 'hold' }),
  ])
  const hop = (text: string): NextHop => nextHop(addr(text), directory)
  assert.deepEqual(hop('Hanako+x@campus.example'), lmtp)
  assert.deepEqual(hop('h.suzuki@campus.example'), lmtp)
  assert.deepEqual(hop('taro@campus.example'), { kind: 'local' })
  assert.deepEqual(hop('who@partner.example'), old)
  assert.deepEqual(hop('who@kept.example'), { kind: 'hold' })
  assert.deepEqual(hop('x@[192.0.2.7]'), { kind: 'smtp', host: '192.0.2.7', port: 25 })
  assert.deepEqual(hop('x@[IPv6:2001:db8::1]'), { kind: 'smtp', host: '2001:db8::1', port: 25 })
  assert.deepEqual(hop('x@else.example'), { kind: 'mx', domain: 'else.example' })
})

test('a change that closes a cycle is refused with the cycle spelt out', () => {
  const rows = [
    ...campus,
    alias('staff@campus.example', 'taro@campus.example', 'hanako@campus.example'),
    alias('in@campus.example', 'staff@campus.example'),
  ]
  const directory = fakeDirectory(rows)
  const taro = fakeAccount('taro@campus.example')
  assert.equal(
    findCycle(directory, {
      key: `forward:${taro.id}`,
      row: {
        kind: 'forward',
        forward: { accountId: taro.id, to: [addr('in@campus.example')], keep: true },
      },
    }),
    'mail would go round in a circle: taro@campus.example → in@campus.example → staff@campus.example → taro@campus.example',
  )
  assert.equal(
    findCycle(directory, {
      key: 'domain:campus.example',
      row: domain('campus.example', 'lab.campus.example'),
    })?.startsWith('mail would go round in a circle: '),
    true,
  )
  assert.equal(
    findCycle(directory, {
      key: 'alias:new@campus.example',
      row: alias('new@campus.example', 'in@campus.example'),
    }),
    undefined,
  )
})

test('taking a row away may uncover a cycle too', () => {
  const directory = fakeDirectory([
    ...campus,
    alias('a@campus.example', 'a@lab.campus.example'),
    alias('a@lab.campus.example', 'taro@campus.example'),
  ])
  assert.match(
    findCycle(directory, { key: 'alias:a@lab.campus.example', row: null }) ?? '',
    /a@lab\.campus\.example → a@campus\.example → a@lab\.campus\.example/,
  )
  assert.equal(findCycle(directory, { key: 'alias:a@campus.example', row: null }), undefined)
})

test('a change is looked at by its own name: no list of a large directory is read for it', () => {
  const directory = fakeDirectory([...campus, alias('会議@campus.example', 'taro@campus.example')])
  const unread = (): never => assert.fail('read a whole list')
  const large = new Proxy(directory, {
    get: (target, name) =>
      ['accounts', 'aliases', 'forwards'].includes(String(name))
        ? unread
        : (Reflect.get(target, name, target) as { bind(to: object): unknown }).bind(target),
  })
  const change = (row: DirectoryRow | null, key: string) => findCycle(large, { key, row })
  const meeting = 'alias:会議@campus.example'
  assert.equal(change(alias('会議@campus.example', 'hanako@campus.example'), meeting), undefined)
  assert.match(change(alias('会議@campus.example', '会議@campus.example'), meeting) ?? '', /circle/)
  assert.equal(change(null, meeting), undefined)
  const { id } = fakeAccount('taro@campus.example')
  assert.equal(change(account('taro@campus.example'), `account:${id}`), undefined)
  assert.equal(change(null, `account:${id}`), undefined) // A domain that leads nowhere anew closes no cycle, and may be saved among hundreds.
  for (const row of [domain('新しい.example'), ...campus.filter(({ kind }) => kind === 'domain')])
    assert.equal(change(row, rowKey(row)), undefined)
})

test('a list is where a conversion ends: it is local, and is not expanded on the way', () => {
  const list = (more: object = {}): DirectoryRow => ({
    kind: 'list',
    list: { ...fakeList('ゼミ@campus.example'), ...more },
  })
  const rows = [
    ...campus,
    list(),
    alias('all@campus.example', 'ゼミ@campus.example', 'taro@campus.example'),
  ]
  assert.deepEqual(targets('ゼミ@lab.campus.example', rows), ['list ゼミ@campus.example'])
  assert.deepEqual(targets('all@campus.example', rows), [
    'list ゼミ@campus.example',
    'local taro@campus.example',
  ])
  const bounces = convert(addr('ゼミ-Bounces+4f2a@campus.example'), fakeDirectory(rows))
  assert.ok(bounces.ok)
  const [found] = bounces.value.targets
  assert.deepEqual(
    [found?.list?.purpose, found?.address.localpart],
    ['bounces', 'ゼミ-Bounces+4f2a'],
  )
  assert.deepEqual(nextHop(addr('ゼミ-Bounces+4f2a@campus.example'), fakeDirectory(rows)), {
    kind: 'local',
  })
  const deleted = [...campus, list({ deletedAt: '2026-11-01T00:00:00Z' })]
  assert.deepEqual(targets('ゼミ@campus.example', deleted), ['unknown ゼミ@campus.example'])
})

test('however many addresses of a list somebody writes to, it gets one post', () => {
  const rows: DirectoryRow[] = [
    ...campus,
    {
      kind: 'list',
      list: { ...fakeList('ゼミ@campus.example'), addresses: [addr('seminar@campus.example')] },
    },
    alias('all@campus.example', 'ゼミ@campus.example', 'Seminar@campus.example'),
  ]
  assert.deepEqual(targets('all@campus.example', rows), ['list ゼミ@campus.example'])
})
