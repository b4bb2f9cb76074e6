import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { adminApi } from '#test/fake/admin-api.ts'
import type { AdminApi } from '#test/fake/admin-api.ts'

let api: AdminApi

describe('settings by the API', () => {
  before(async () => {
    api = await adminApi()
  })
  after(() => api.end())

  test('two administrators edit one setting: the second is told, with 409', async () => {
    const seen = await api.ask('GET', '/settings/spam.spamScore')
    const etag = seen.headers.get('etag')!
    assert.equal(
      (await api.ask('PUT', '/settings/spam.spamScore', { value: 11 }, { 'if-match': etag }))
        .status,
      200,
    )
    const late = await api.ask(
      'PUT',
      '/settings/spam.spamScore',
      { value: 12 },
      { 'if-match': etag },
    )
    assert.equal(late.status, 409)
    assert.match(late.body.error.message, /changed meanwhile: admin made generation/)
    assert.equal((await api.ask('GET', '/settings/spam.spamScore')).body.value, 11)
    assert.equal(
      (await api.ask('PUT', '/settings/spam.spamScore', { value: 1 }, { 'if-match': 'x' })).status,
      400,
    )
  })

  test('settings are shown, staged, compared, applied and rolled back', async () => {
    const before = api.settings.latest.generation
    assert.ok(
      (await api.ask('GET', '/settings')).body.items.some(
        (item: { key: string }) => item.key === 'dns.servers',
      ),
    )
    assert.equal((await api.ask('GET', '/settings/draft')).status, 404)
    const staged = await api.ask('PATCH', '/settings/draft', {
      values: { 'queue.lifetimeMs': '2d', 'dns.servers': '127.0.0.1:5300' },
    })
    assert.equal(staged.body.changes.length, 2)
    assert.equal((await api.ask('GET', '/settings/diff')).body.items.length, 2)
    assert.equal(api.settings.latest.generation, before)
    const applied = await api.ask('POST', '/settings/apply')
    assert.equal(applied.body.generation, before + 1, JSON.stringify(applied.body))
    assert.equal((await api.ask('GET', '/settings/queue.lifetimeMs')).body.value, 172_800_000)
    const back = await api.ask('POST', '/settings/rollback', { generation: before })
    assert.equal(back.body.note, `rollback to ${before}`)
    assert.equal((await api.ask('GET', '/settings/queue.lifetimeMs')).body.isDefault, true)
    const history = await api.ask('GET', '/settings/history?limit=1')
    assert.equal(history.body.items[0].generation, before + 2)
    assert.equal(history.body.next, String(before + 2))
    assert.deepEqual(
      (await api.ask('GET', `/settings/history/${before + 1}`)).body.values['dns.servers'],
      ['127.0.0.1:5300'],
    )
    assert.equal((await api.ask('GET', '/settings/no.such')).status, 404)
    const refused = await api.ask('PUT', '/settings/policy.spam', { value: '捨てる' })
    assert.match(refused.body.error.message, /policy\.spam: 捨てる is no action/)
  })
})
