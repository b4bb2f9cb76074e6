import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { fromUtf8 } from '#base/octets.ts'
import { verifyPassword } from '#store/directory/password.ts'
import { adminApi } from '#test/fake/admin-api.ts'
import type { AdminApi } from '#test/fake/admin-api.ts'

let api: AdminApi

describe('the directory by the API', () => {
  before(async () => {
    api = await adminApi()
  })
  after(() => api.end())

  test('domains, users, aliases, forwards and routes are made, shown, changed and removed', async () => {
    const made = await api.ask('POST', '/domains', { name: 'Campus.Example' })
    assert.equal(made.status, 201)
    const { version, ...domain } = made.body
    assert.deepEqual(domain, { name: 'campus.example', isDefault: true, pending: [] })
    assert.match(version, /^[0-9a-f]{16}$/)
    assert.equal((await api.ask('POST', '/domains', { name: 'campus.example' })).status, 409)
    await api.ask('POST', '/domains', { name: 'lab.campus.example', convertTo: 'campus.example' })

    const hanako = await api.ask('POST', '/users', {
      address: 'hanako',
      password: ' a&b パスワード"\\ ',
      name: '山田 花子',
      addresses: ['h.yamada@campus.example'],
    })
    assert.equal(hanako.status, 201, JSON.stringify(hanako.body))
    assert.equal(hanako.body.address, 'hanako@campus.example')
    assert.equal('credential' in hanako.body, false)
    const row = api.directory.directory.byLogin('hanako')!
    assert.equal(await verifyPassword(fromUtf8(' a&b パスワード"\\ '), row.credential), true)
    await api.ask('POST', '/users', {
      address: 'taro@campus.example',
      passwordBase64: Buffer.from([0xff, 0x26]).toString('base64'),
    })
    assert.equal((await api.ask('GET', '/users/HANAKO')).body.name, '山田 花子')
    assert.equal(
      (await api.ask('GET', `/users/${encodeURIComponent('hanako@lab.campus.example')}`)).body.id,
      row.id,
    )
    assert.deepEqual(
      (await api.ask('GET', `/users?search=${encodeURIComponent('花子')}`)).body.items.map(
        (item: { username: string }) => item.username,
      ),
      ['hanako'],
    )

    const first = await api.ask('GET', '/users?limit=1')
    assert.equal(first.body.items.length, 1)
    const second = await api.ask(
      'GET',
      `/users?limit=1&after=${encodeURIComponent(first.body.next)}`,
    )
    assert.equal(second.body.items[0].username, 'taro')
    assert.equal('next' in second.body, false)

    assert.equal((await api.ask('PATCH', '/users/hanako', { disabled: true })).body.disabled, true)
    assert.equal(
      (await api.ask('PATCH', '/users/hanako', { disabled: false, name: '鈴木 花子' })).body.name,
      '鈴木 花子',
    )
    await api.ask('POST', '/users/hanako/password', { password: '新しい' })
    assert.equal(api.directory.directory.byLogin('hanako')?.credentialVersion, 2)
    for (const password of ['', 'a\nb', 'x'.repeat(1_001)])
      assert.equal(
        (await api.ask('POST', '/users/hanako/password', { password })).status,
        400,
        JSON.stringify(password),
      )

    assert.equal(
      (await api.ask('POST', '/aliases', { from: 'info', to: ['hanako', '外@other.example'] }))
        .status,
      201,
    )
    assert.equal((await api.ask('POST', '/aliases', { from: 'hanako', to: ['taro'] })).status, 409)
    const [{ version: _, ...alias }] = (await api.ask('GET', '/aliases')).body.items
    assert.deepEqual(alias, {
      from: 'info@campus.example',
      to: ['hanako@campus.example', '外@other.example'],
    })
    assert.equal(
      (await api.ask('PUT', '/users/hanako/forward', { to: ['taro'], keep: true })).body.keep,
      true,
    )
    const cycle = await api.ask('PUT', '/users/taro/forward', { to: ['hanako'], keep: false })
    assert.equal(cycle.status, 409, JSON.stringify(cycle.body))
    assert.match(cycle.body.error.message, /circle/)
    assert.equal((await api.ask('GET', '/forwards')).body.items.length, 1)

    assert.equal(
      (await api.ask('PUT', '/routes/other.example', { nextHop: 'smtp:[::1]:2525' })).body.nextHop,
      'smtp:[::1]:2525',
    )
    assert.equal((await api.ask('PUT', '/routes/other.example', { nextHop: 'pigeon' })).status, 400)
    assert.equal((await api.ask('DELETE', '/routes/other.example')).status, 200)

    assert.equal((await api.ask('DELETE', '/domains/campus.example')).status, 409)
    assert.equal((await api.ask('DELETE', '/users/hanako')).status, 200)
    assert.equal((await api.ask('DELETE', '/users/hanako')).status, 404)
    assert.equal((await api.ask('DELETE', '/aliases/info')).status, 200)
    const history = await api.ask('GET', '/directory/history?limit=2')
    assert.match(history.body.items[0].from, /^api 127\.0\.0\.1$/)
    assert.equal(history.body.items[0].who, 'admin')
    assert.equal(
      JSON.stringify((await api.ask('GET', '/directory/history')).body).includes('argon2'),
      false,
    )
  })

  test('people are found by reading, former name and tag, and facts are changed one by one', async () => {
    const facts = {
      reading: 'さとう うめ',
      formerNames: ['髙田'],
      tags: ['2027入学', '法学部'],
      externalId: 'B7',
      startsOn: '2027-04-01',
      expiresOn: '2031-03-31',
    }
    const made = await api.ask('POST', '/users', { address: 'ume', name: '佐藤 梅', ...facts })
    assert.equal(made.status, 201, JSON.stringify(made.body))
    for (const search of ['さとう', '髙田', 'B7', '2027'])
      assert.equal(
        (await api.ask('GET', `/users?search=${encodeURIComponent(search)}`)).body.items[0]?.id,
        made.body.id,
        search,
      )
    const tagged = await api.ask('GET', `/users?tag=${encodeURIComponent('法学部')}`)
    assert.deepEqual([tagged.body.items.length, tagged.body.items[0].reading], [1, 'さとう うめ'])
    const ask = { reading: null, formerNames: [], tags: ['法学部'], expiresOn: '2030-03-31' }
    const changed = (await api.ask('PATCH', '/users/ume', ask)).body
    assert.deepEqual(
      [changed.reading, changed.formerNames, changed.tags, changed.expiresOn, changed.startsOn],
      [undefined, undefined, ['法学部'], '2030-03-31', '2027-04-01'],
    )
    for (const wrong of [
      { expiresOn: '2030-02-30' },
      { startsOn: '2031-01-01' },
      { tags: ['a,b'] },
    ])
      assert.equal((await api.ask('PATCH', '/users/ume', wrong)).status, 400)
    await api.ask('DELETE', '/users/ume')
  })

  test('a write names the nodes that have not taken it', async () => {
    api.pending = [{ node: 'store-2', reason: 'no answer yet' }]
    const { body } = await api.ask('PUT', '/settings/received.max', { value: 77 })
    api.pending = []
    assert.deepEqual(body.pending, [{ node: 'store-2', reason: 'no answer yet' }])
  })

  test('of two who edit one row the second is refused, and told who was first', async () => {
    await api.ask('POST', '/users', { address: 'futari', name: '一人目', password: 'パス' })
    const rows = [
      ['PATCH', '/users/futari', { name: '二人目' }, '/users?search=futari'],
      ['PUT', '/users/futari/forward', { to: ['a@far.example'], keep: true }, '/forwards'],
      ['PUT', '/aliases/futari2', { to: ['futari'] }, '/aliases?search=futari2'],
      ['PUT', '/routes/futari.example', { nextHop: 'hold' }, '/routes?search=futari'],
      ['PUT', '/domains/futari.example', { convertTo: 'campus.example' }, '/domains?search=futari'],
    ] as const
    await api.ask('POST', '/domains', { name: 'futari.example' })
    for (const [method, path, body, list] of rows) {
      assert.equal((await api.ask(method, path, body)).status, 200, path)
      const seen = (await api.ask('GET', list)).body.items[0].version
      const ifMatch = { 'if-match': `"${seen}"` }
      const other = Object.fromEntries(
        Object.entries(body).map(([key, value]) => [
          key,
          value === '二人目'
            ? '三人目'
            : value === 'hold'
              ? 'local'
              : key === 'to'
                ? ['b@far.example']
                : key === 'convertTo'
                  ? null
                  : value,
        ]),
      )
      assert.equal((await api.ask(method, path, other, ifMatch)).status, 200, path)
      const late = await api.ask(method, path, body, ifMatch)
      assert.deepEqual([late.status, late.body.error.code], [409, 'conflict'], path)
      assert.match(late.body.error.message, /^admin changed .*futari.* meanwhile, at \d{4}-/)
      assert.equal((await api.ask(method, path, body, { 'if-match': 'W/"x"' })).status, 400)
      const now = (await api.ask('GET', list)).body.items[0]
      assert.notEqual(now.version, seen)
      if (method === 'PUT' && path !== '/domains/futari.example')
        assert.equal((await api.ask('DELETE', path, undefined, ifMatch)).status, 409, path)
      const again = await api.ask(method, path, body, { 'if-match': `"${now.version}"` })
      assert.equal(again.status, 200, path)
    }
    const { id } = (await api.ask('GET', '/users/futari')).body
    const told = (await api.ask('GET', `/directory/history?key=account:${id}`)).body.items
    assert.deepEqual(
      told.map(({ after }: { after: { account: { name: string } } }) => after.account.name),
      ['二人目', '三人目', '二人目', '一人目'],
    )
    assert.equal((await api.ask('PUT', '/domains/none.example', { convertTo: null })).status, 404)
    await api.ask('DELETE', '/aliases/futari2')
    await api.ask('DELETE', '/routes/futari.example')
    await api.ask('DELETE', '/users/futari')
    assert.equal((await api.ask('DELETE', '/domains/futari.example')).status, 200)
  })
})
