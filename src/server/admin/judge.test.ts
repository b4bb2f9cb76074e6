import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { fromUtf8 } from '#base/octets.ts'
import { adminApi } from '#test/fake/admin-api.ts'
import type { AdminApi } from '#test/fake/admin-api.ts'

let api: AdminApi

describe('judging by the API', () => {
  before(async () => {
    api = await adminApi()
  })
  after(() => api.end())

  test('a message that is uploaded comes back as a verdict with its evidence', async () => {
    const message = fromUtf8('Subject: 渡り\r\n\r\n本文\r\n')
    const { body } = await api.ask('POST', '/scan', message)
    assert.equal(body.virus.name, 'EICAR')
    assert.equal(body.hits[0].detail, `${message.byteLength} octets`)
    assert.deepEqual((await api.ask('POST', '/spam/score', message)).body, {
      score: 12.5,
      class: 'spam',
    })
    assert.equal((await api.ask('POST', '/sieve/check', { script: 'keep;' })).status, 503)
    assert.equal(api.log.lines.filter(({ event }) => event === 'admin.failed').length, 0)
  })
})
