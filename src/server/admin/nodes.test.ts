import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import type { KeyPin } from '#base/pin.ts'
import { parseToken } from '#contract/node/join.ts'
import { adminApi } from '#test/fake/admin-api.ts'
import type { AdminApi } from '#test/fake/admin-api.ts'

let api: AdminApi

describe('nodes by the API', () => {
  before(async () => {
    api = await adminApi()
  })
  after(() => api.end())

  test('hands out one-time tokens, drains and removes nodes, and names those that are unknown', async () => {
    const made = await api.ask('POST', '/nodes/tokens', { name: 'store-1', role: 'store' })
    assert.equal(made.status, 201)
    const token = parseToken(made.body.token)
    assert.deepEqual([token?.name, token?.role, token?.pin], ['store-1', 'store', 'ab'.repeat(32)])
    await api.registry.join({
      secretSha256: createHash('sha256').update(token!.secret).digest('hex'),
      pin: 'cd'.repeat(32) as KeyPin,
      address: '192.0.2.1',
      port: 6443,
      nowMs: api.clock.nowMs(),
    })
    assert.equal((await api.ask('PUT', '/nodes/store-1/draining', { draining: true })).status, 200)
    const { body } = await api.ask('GET', '/nodes')
    assert.deepEqual(
      body.items.map((row: { node: string; draining?: boolean }) => [row.node, row.draining]),
      [
        ['gateway-1', undefined],
        ['store-1', true],
      ],
    )
    const again = await api.ask('POST', '/nodes/tokens', { name: 'store-1', role: 'store' })
    assert.deepEqual([again.status, again.body.error.code], [409, 'conflict'])
    assert.equal((await api.ask('DELETE', '/nodes/store-1')).status, 200)
    assert.deepEqual(api.forgotten, ['store-1'])
    assert.equal((await api.ask('DELETE', '/nodes/store-1')).status, 404)
    for (const name of ['Ünode', '', 'a b', 'x'.repeat(41)])
      assert.equal((await api.ask('POST', '/nodes/tokens', { name, role: 'store' })).status, 400)
    assert.equal(
      (await api.ask('POST', '/nodes/tokens', { name: 'n', role: 'control' })).status,
      400,
    )
  })
})
