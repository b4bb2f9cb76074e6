import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { adminApi } from '#test/fake/admin-api.ts'
import type { AdminApi } from '#test/fake/admin-api.ts'

let api: AdminApi

describe('traces by the API', () => {
  before(async () => {
    api = await adminApi()
  })
  after(() => api.end())

  test('a trace starts from a delivery id, a Message-ID or an address', async () => {
    for (const q of ['D1', '<m@x>', 'm@x', 'TARO@campus.example'])
      assert.equal(
        (await api.ask('GET', `/trace?q=${encodeURIComponent(q)}`)).body.items[0]?.deliveryId,
        'D1',
        q,
      )
    assert.deepEqual((await api.ask('GET', '/trace?q=none')).body, { items: [] })
    assert.equal((await api.ask('GET', '/trace')).status, 400)
  })
})
