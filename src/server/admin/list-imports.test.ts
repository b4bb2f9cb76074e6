import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { adminApi } from '#test/fake/admin-api.ts'
import type { AdminApi } from '#test/fake/admin-api.ts'

let api: AdminApi

describe('lists of another system by the API', () => {
  before(async () => {
    api = await adminApi()
    await api.ask('POST', '/domains', { name: 'campus.example' })
    for (const address of ['hanako', 'taro'])
      await api.ask('POST', '/users', { address, password: '渡り' })
  })
  after(() => api.end())

  const seminar = {
    address: 'ゼミ@campus.example',
    name: '経済学ゼミ',
    owners: ['hanako@campus.example'],
    members: [{ address: 'taro@campus.example' }, { address: 'guest@elsewhere.example' }],
    nextNumber: 42,
  }
  const ask = (body: object) => api.ask('POST', '/lists/import', body)

  test('are looked at first, then taken whole with who did it, and taken once', async () => {
    const look = await ask({ lists: [seminar], dryRun: true })
    assert.equal(look.status, 200, JSON.stringify(look.body))
    const told = {
      address: 'ゼミ@campus.example',
      outcome: 'added',
      members: { account: 1, list: 0, group: 0, address: 1 },
      stayed: ['guest@elsewhere.example'],
      notes: [],
    }
    assert.deepEqual(look.body.rows, [told])
    const history = async () => (await api.ask('GET', '/directory/history?limit=10')).body.items
    const before = await history()
    assert.deepEqual((await ask({ lists: [seminar] })).body.rows, [told])
    const after = await history()
    assert.equal(after.length, Math.min(10, before.length + 3))
    const made = after.find((row: { key: string }) => row.key.startsWith('list:'))
    assert.equal(made.after.list.numberFrom, 42)
    assert.ok(made.who)
    assert.equal((await ask({ lists: [seminar] })).body.rows[0].outcome, 'same')
  })

  test('have an owner though theirs has no account here, where one is named', async () => {
    const lists = [{ address: 'ownerless', owners: ['x@elsewhere.example'] }]
    const odd = await ask({ lists, domain: 'campus.example', owner: 'nobody' })
    assert.equal(odd.status, 404)
    const done = await ask({ lists, domain: 'campus.example', owner: 'taro' })
    assert.deepEqual(done.body.rows[0].notes, [
      'x@elsewhere.example has no account here, and is no owner',
    ])
    assert.equal((await ask({ lists: [] })).status, 400)
  })
})
