import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { adminApi, tokenOf } from '#test/fake/admin-api.ts'
import type { AdminApi } from '#test/fake/admin-api.ts'

let api: AdminApi
before(async () => {
  api = await adminApi()
  await api.ask('POST', '/domains', { name: 'campus.example' })
  await api.ask('POST', '/users', { address: 'hanako', password: '渡り' })
})
after(() => api.end())

const PATH = '/users/hanako/choices'
const filter = {
  name: '会議',
  match: 'all',
  conditions: [{ field: 'subject', is: 'contains', value: '会議' }],
  folder: '会議',
}

describe("choices of a user by an administrator's hand", () => {
  test('are those of everybody at first, and change part by part with a record of it', async () => {
    const first = (await api.ask('GET', PATH)).body
    assert.equal(first.revision, 0)
    assert.deepEqual(first.junk, { spam: 'folder', suspected: 'folder' })
    const junk = { spam: 'junk', suspected: 'inbox' }
    const done = await api.ask('PATCH', PATH, { junk, filters: [filter], revision: 0 })
    assert.equal(done.status, 200, JSON.stringify(done.body))
    assert.deepEqual([done.body.junk, done.body.filters, done.body.revision], [junk, [filter], 1])
    const next = await api.ask('PATCH', PATH, { junk: null })
    assert.deepEqual([next.body.junk.spam, next.body.filters.length], ['folder', 1])
    const { id } = (await api.ask('GET', '/users/hanako')).body
    const { items } = (await api.ask('GET', `/directory/history?key=choices:${id}`)).body
    assert.deepEqual([items[0].who, items[0].before.choices.junk], ['admin', junk])
  })

  test('are refused with a reason, and where somebody was there first', async () => {
    const stale = await api.ask('PATCH', PATH, { junk: null, revision: 0 })
    assert.deepEqual([stale.status, stale.body.error.code], [409, 'conflict'])
    const odd = await api.ask('PATCH', PATH, { filters: [{ ...filter, conditions: [] }] })
    assert.equal(odd.status, 400)
    assert.match(odd.body.error.message, /no condition/)
    const sender = await api.ask('PATCH', PATH, { blocked: ['a b'] })
    assert.match(sender.body.error.message, /neither an address nor a domain/)
    assert.equal((await api.ask('GET', '/users/nobody/choices')).status, 404)
  })

  test('of who has a role are an administrator’s alone to change', async () => {
    await api.ask('PATCH', '/users/hanako', { role: 'auditor' })
    const authorization = `Bearer ${tokenOf('directory-manager')}`
    const refused = await api.ask('PATCH', PATH, { junk: null }, { authorization })
    assert.equal(refused.status, 403)
    assert.equal((await api.ask('GET', PATH, undefined, { authorization })).status, 200)
  })

  test('are gone with the account for good', async () => {
    assert.equal((await api.ask('DELETE', '/users/hanako?forGood=true')).status, 200)
    assert.equal([...api.directory.directory.accounts()].length, 0)
  })
})
