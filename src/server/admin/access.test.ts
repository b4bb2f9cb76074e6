import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { adminApi } from '#test/fake/admin-api.ts'
import type { AdminApi } from '#test/fake/admin-api.ts'

let api: AdminApi

describe('relay access by the API', () => {
  before(async () => {
    api = await adminApi()
  })
  after(() => api.end())

  test('the access list takes 100,000 networks at once, and pages through them', async () => {
    const add = Array.from(
      { length: 100_000 },
      (_, i) => `10.${i >> 9}.${(i >> 1) & 255}.${(i & 1) * 128}/25`,
    )
    const written = await api.ask('POST', '/access', { add })
    assert.equal(written.body.added, 100_000, JSON.stringify(written.body).slice(0, 300))
    assert.equal(
      (await api.ask('POST', '/access', { add: ['192.0.2.1', '10.0.0.0/25'] })).body.added,
      1,
    )
    const page = await api.ask('GET', '/access?limit=3')
    assert.deepEqual(page.body.items, ['10.0.0.0/25', '10.0.0.128/25', '10.0.1.0/25'])
    const next = await api.ask('GET', `/access?limit=1&after=${encodeURIComponent(page.body.next)}`)
    assert.deepEqual(next.body.items, ['10.0.1.128/25'])
    assert.equal((await api.ask('POST', '/access', { remove: ['10.0.0.0/25'] })).body.removed, 1)
    const bad = await api.ask('POST', '/access', { add: ['10.0.0.0/8', '10.0.0.1/8'] })
    assert.match(bad.body.error.message, /row 2: .*write 10\.0\.0\.0\/8/)
    assert.equal(api.settings.settings['relay.access'].rows, 100_000)
  })

  test('the access list is searched by text, and by address for the networks that hold it', async () => {
    const add = ['192.88.99.0/24', '198.51.100.7', '2001:db8::/32', '192.88.99.64/26']
    await api.ask('POST', '/access', { add })
    const found = async (search: string): Promise<unknown> =>
      (await api.ask('GET', `/access?search=${encodeURIComponent(search)}`)).body.items
    assert.deepEqual(await found('192.88.99'), ['192.88.99.0/24', '192.88.99.64/26'])
    assert.deepEqual(await found('192.88.99.9'), ['192.88.99.0/24'])
    assert.deepEqual(await found(' 192.88.99.65 '), ['192.88.99.0/24', '192.88.99.64/26'])
    assert.deepEqual(await found('198.51.100.7'), ['198.51.100.7'])
    assert.deepEqual(await found('2001:DB8:0::1'), ['2001:db8::/32'])
    assert.deepEqual(await found('渡り'), [])
    await api.ask('POST', '/access', { remove: add })
  })
})
