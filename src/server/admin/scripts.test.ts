import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { Fault } from '#base/outcome.ts'
import { adminApi } from '#test/fake/admin-api.ts'
import type { AdminApi } from '#test/fake/admin-api.ts'

let api: AdminApi

describe("users' scripts by the API", () => {
  before(async () => {
    api = await adminApi()
  })
  after(() => api.end())

  test("users' scripts are listed, read, stored, activated; refusals say why", async () => {
    await api.ask('POST', '/domains', { name: 'campus.example' })
    await api.ask('POST', '/users', { address: 'sieve@campus.example', password: 'パスワード' })
    const path = '/users/sieve@campus.example'
    const name = encodeURIComponent('振り分け/一')
    assert.deepEqual((await api.ask('GET', `${path}/scripts`)).body, {
      items: [{ name: '振り分け', active: true, sizeBytes: 5 }],
    })
    assert.deepEqual((await api.ask('GET', `${path}/scripts/${name}`)).body, {
      name: '振り分け/一',
      active: true,
      sizeBytes: 5,
      script: 'keep;',
    })
    const stored = await api.ask('PUT', `${path}/scripts/${name}`, { script: 'keep;' })
    assert.deepEqual(stored.body, { name: '振り分け/一', active: false, sizeBytes: 5 })
    assert.match(api.acts.at(-1) ?? '', /^admin by api /)
    const wrong = await api.ask('PUT', `${path}/scripts/${name}`, { script: 'oops' })
    assert.deepEqual([wrong.status, wrong.body.error.message], [400, 'line 1: no'])
    assert.match(wrong.body.error.remedy, /Nothing was stored/)
    assert.deepEqual((await api.ask('PUT', `${path}/active-script`, { name: null })).body, {
      name: null,
    })
    const active = await api.ask('DELETE', `${path}/scripts/${name}`)
    assert.deepEqual([active.status, active.body.error.code], [409, 'conflict'])
    const imported = await api.ask('POST', `${path}/scripts/import`, {
      scripts: [{ name: '前の', text: 'keep;', active: true }],
      separator: '/',
      dryRun: true,
    })
    assert.equal(imported.status, 200)
    assert.deepEqual(imported.body.naming, { separator: '/', prefix: '' })
    assert.deepEqual(
      [imported.body.scripts[0].name, imported.body.scripts[0].outcome],
      ['前の', 'stored'],
    )
    const renamed = await api.ask('PUT', `${path}/scripts/${name}/name`, { name: '改名' })
    assert.deepEqual([renamed.status, renamed.body], [200, { name: '改名' }])
    const taken = await api.ask('PUT', `${path}/scripts/${name}/name`, { name: '振り分け' })
    assert.deepEqual([taken.status, taken.body.error.code], [409, 'conflict'])
    assert.equal((await api.ask('GET', '/users/nobody/scripts')).status, 404)
    for (const [fault, status] of [
      [new Fault('unreachable', 'no connection'), 503],
      [new Fault('timeout', 'no answer'), 503],
      [new Fault('stalled', 'no answer'), 503],
      [new Fault('full', 'no room'), 507],
    ] as const) {
      api.storeFault = fault
      const away = await api.ask('GET', `${path}/scripts`)
      assert.equal(away.status, status)
      assert.match(away.body.error.message, /^store-1 cannot do it now: /)
    }
    api.storeFault = undefined
    await api.ask('DELETE', path)
  })
})
