import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { adminApi } from '#test/fake/admin-api.ts'
import type { AdminApi } from '#test/fake/admin-api.ts'

const PASSWORD = 'パスワード&1'

let api: AdminApi

describe('the last administrator', () => {
  before(async () => {
    api = await adminApi()
    await api.ask('POST', '/domains', { name: 'campus.example' })
    const account = (address: string, more: object) =>
      api.ask('POST', '/users', { address, admin: true, ...more })
    assert.equal((await account('admin', { password: PASSWORD })).status, 201)
    assert.equal((await account('hanako', { password: PASSWORD })).status, 201)
    // Administrators by name, whom the console does not let in.
    assert.equal((await account('no-password', {})).status, 201)
    assert.equal((await account('disabled', { password: PASSWORD })).status, 201)
    await api.ask('PATCH', '/users/disabled', { disabled: true })
  })
  after(() => api.end())

  test('cannot shut the console behind himself in a browser, whichever way', async () => {
    const browser = await api.login('admin', PASSWORD)
    const gone = await api.ask('PATCH', '/users/hanako', { admin: false }, browser)
    assert.equal(gone.status, 200)
    for (const [method, body] of [
      ['PATCH', { disabled: true }],
      ['PATCH', { admin: false }],
      ['PATCH', { admin: false, name: '管理者' }],
      ['DELETE', undefined],
    ] as const) {
      const refused = await api.ask(method, '/users/admin', body, browser)
      assert.deepEqual(
        [refused.status, refused.body.error.code],
        [409, 'lastAdministrator'],
        JSON.stringify(body),
      )
      assert.match(refused.body.error.message, /^admin is the last administrator/)
      assert.match(refused.body.error.remedy, /Make another account an administrator first/)
    }
    // All else may be changed, and others too.
    const named = await api.ask('PATCH', '/users/admin', { name: '管理者', admin: true }, browser)
    assert.equal(named.body.name, '管理者')
    assert.equal((await api.ask('DELETE', '/users/no-password', undefined, browser)).status, 200)
    assert.equal((await api.ask('PATCH', '/users/hanako', { admin: true }, browser)).status, 200)
    assert.equal((await api.ask('PATCH', '/users/admin', { disabled: true }, browser)).status, 200)
    assert.equal((await api.ask('GET', '/users', undefined, browser)).status, 401)
  })

  test('stays where two administrators remove one another at once', async () => {
    await api.ask('PATCH', '/users/admin', { disabled: false })
    const [first, second] = await Promise.all([
      api.login('admin', PASSWORD),
      api.login('hanako', PASSWORD),
    ])
    const both = await Promise.all([
      api.ask('DELETE', '/users/hanako', undefined, first),
      api.ask('PATCH', '/users/admin', { admin: false }, second),
    ])
    // Whoever was second is refused, or was no administrator any more when he asked.
    const statuses = both.map(({ status }) => status).toSorted((a, b) => a - b)
    assert.ok(statuses[0] === 200 && [401, 409].includes(statuses[1]!), String(statuses))
    const left = api.directory.directory
      .accounts()
      .filter(({ admin, disabled, deletedAt }) => admin && !disabled && deletedAt === undefined)
      .toArray()
    assert.equal(left.length, 1)
  })

  test('may be removed by a token, whose holder still gets in', async () => {
    for (const user of ['admin', 'hanako'])
      await api.ask('DELETE', `/users/${user}?forGood=true`, undefined, {})
    const { items } = (await api.ask('GET', '/users')).body as {
      items: { address: string }[]
    }
    assert.deepEqual(
      items.map(({ address }) => address),
      ['disabled@campus.example'],
    )
    const again = { address: 'admin', password: PASSWORD, admin: true }
    assert.equal((await api.ask('POST', '/users', again)).status, 201)
    await api.login('admin', PASSWORD)
  })
})
