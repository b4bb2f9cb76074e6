import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { adminApi, TOKEN } from '#test/fake/admin-api.ts'
import type { AdminApi } from '#test/fake/admin-api.ts'

let api: AdminApi

describe('the admin API', () => {
  before(async () => {
    api = await adminApi()
  })
  after(() => api.end())

  test('needs a token, and says so', async () => {
    for (const authorization of ['', 'Bearer wrong', 'Basic abc']) {
      const { status, body } = await api.ask('GET', '/status', undefined, { authorization })
      assert.equal(status, 401)
      assert.equal(body.error.code, 'unauthorised')
      assert.match(body.error.remedy, /Bearer TOKEN/)
    }
  })

  test('describes itself in OpenAPI, paths relative to /api/v1, without a token', async () => {
    const response = await fetch(`${api.base}/openapi.json`)
    const described = (await response.json()) as {
      openapi: string
      paths: Record<string, Record<string, { responses: Record<string, unknown> }>>
    }
    assert.equal(described.openapi, '3.1.0')
    for (const path of [
      '/domains',
      '/users/{user}',
      '/queue/{queueId}/{act}',
      '/settings/{key}',
      '/trace',
      '/users/{user}/scripts/{name}',
      '/users/{user}/active-script',
    ])
      assert.ok(described.paths[path], path)
    assert.ok(described.paths['/users']?.['post']?.responses['201'])
  })

  test('an unknown path and a bad body have the shape of every error', async () => {
    const unknown = await api.ask('GET', '/nothing/渡り')
    assert.equal(unknown.status, 404)
    assert.ok(unknown.body.error.remedy)
    const noUrl = await api.ask('GET', '/aliases/%ZZ')
    assert.deepEqual([noUrl.status, noUrl.body.error.code], [400, 'invalid'])
    const bad = await api.ask('POST', '/domains', { name: 5 })
    assert.equal(bad.status, 400)
    assert.match(bad.body.error.message, /name/)
    const broken = await fetch(`${api.base}/domains`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      body: '{',
    })
    assert.equal(broken.status, 400)
    assert.ok(((await broken.json()) as { error: { code: string } }).error.code)
  })

  test('a page goes on where the last row has gone meanwhile; a cursor that is none is refused', async () => {
    await api.ask('POST', '/access', {
      add: ['198.51.100.0/24', '203.0.113.0/24', '2001:db8::/32'],
    })
    const next = async (after: string) =>
      (await api.ask('GET', `/access?limit=1&after=${encodeURIComponent(after)}`)).body.items
    assert.deepEqual(await next('198.51.100.0/24'), ['203.0.113.0/24'])
    assert.deepEqual(await next('198.51.100.0/25'), ['203.0.113.0/24'])
    assert.deepEqual(await next('198.51.100.7'), ['203.0.113.0/24'])
    assert.deepEqual(await next('2001:db9::'), [])
    const remove = { remove: ['198.51.100.0/24', '203.0.113.0/24', '2001:db8::/32'] }
    assert.equal((await api.ask('POST', '/access', remove)).body.removed, 3)
    for (const path of ['/access', '/settings/history', '/directory/history', '/queue']) {
      const { status, body } = await api.ask('GET', `${path}?after=%E7%84%A1`)
      assert.deepEqual([status, body.error.code], [400, 'invalid'], path)
      assert.match(body.error.message, /無 is no place in this list/)
    }
  })
})
