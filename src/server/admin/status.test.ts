import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { adminApi } from '#test/fake/admin-api.ts'
import type { AdminApi } from '#test/fake/admin-api.ts'

let api: AdminApi

describe('status and overview by the API', () => {
  before(async () => {
    api = await adminApi()
  })
  after(() => api.end())

  test('the overview counts the last hour', async () => {
    const { status, body } = await api.ask('GET', '/overview')
    assert.deepEqual([status, body.counts, body.partial], [200, [], false])
    assert.equal(Date.parse(body.at) - Date.parse(body.since), 3_600_000)
  })

  test('status counts, and shows gaps of events', async () => {
    const { body } = await api.ask('GET', '/status')
    assert.equal(body.nodes[0].node, 'gateway-1')
    assert.deepEqual(body.queue, { messages: 1, ready: 1, claimed: 0, held: 0, unreachable: [] })
    assert.deepEqual(body.eventGaps, [
      { node: 'gateway-1', from: 1, to: 2, found: new Date(1).toISOString() },
    ])
  })
})
