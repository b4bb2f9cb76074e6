import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { fakeCertificate } from '#test/fake/identity.ts'
import { adminApi } from '#test/fake/admin-api.ts'
import type { AdminApi } from '#test/fake/admin-api.ts'

let api: AdminApi
const URL = 'ldaps://ldap.campus.example'
const PATH = '/directory/sources/campus'

describe('sources by the API', () => {
  before(async () => {
    api = await adminApi()
    await api.ask('POST', '/domains', { name: 'campus.example' })
  })
  after(() => api.end())

  test('keep the key of a certificate to themselves, for the servers that it was meant for', async () => {
    const { certificate, key } = await fakeCertificate('読者')
    const set = { urls: [URL], base: 'dc=campus', bindCertificate: certificate }
    const refused = await api.ask('PUT', PATH, set)
    assert.deepEqual(
      [refused.status, refused.body.error.message],
      [400, 'a certificate and its key belong together'],
    )
    const other = await fakeCertificate('別の人')
    const mixed = await api.ask('PUT', PATH, { ...set, bindKey: other.key })
    assert.match(mixed.body.error.message, /cannot be used/)
    const plain = await api.ask('PUT', PATH, {
      ...set,
      urls: ['ldap://ldap.campus.example'],
      plain: true,
      bindKey: key,
    })
    assert.match(plain.body.error.message, /by TLS alone/)

    const made = await api.ask('PUT', PATH, { ...set, bindKey: key })
    assert.equal(made.status, 200, JSON.stringify(made.body))
    assert.equal(made.body.bindCertificate, certificate)
    const again = await api.ask('PUT', PATH, { ...set, order: 7 })
    assert.equal(again.body.order, 7)
    assert.deepEqual(api.directory.directory.source('campus')?.identity, { certificate, key })
    const elsewhere = await api.ask('PUT', PATH, { ...set, urls: ['ldaps://evil.example'] })
    assert.match(elsewhere.body.error.message, /belong together/)
    const shown = [await api.ask('GET', PATH), await api.ask('GET', '/directory/history')]
    assert.equal(JSON.stringify(shown).includes(JSON.stringify(key).slice(1, -1)), false)
  })

  test('have groups that are changed where they lie, and go with them or become ours', async () => {
    const set = { urls: [URL], base: 'dc=campus' }
    const groups = async (value?: boolean): Promise<boolean | undefined> =>
      (await api.ask('PUT', PATH, { ...set, ...(value !== undefined && { groups: value }) })).body
        .groups
    assert.deepEqual([await groups(), await groups(true), await groups()], [undefined, true, true])
    const from = { localpart: '営業', domain: 'campus.example' }
    const origins = [{ source: 'campus', key: 'entryuuid=1', dn: 'cn=営業,dc=campus' }]
    const alias = {
      from,
      to: [{ localpart: 'x', domain: 'else.example' }],
      name: '営業部',
      origins,
    }
    await api.directory.write([{ kind: 'put', row: { kind: 'alias', alias } }], {
      who: 'test',
      from: 'test',
    })
    const path = `/aliases/${encodeURIComponent('営業@campus.example')}`
    const [shown] = (await api.ask('GET', '/aliases')).body.items
    assert.deepEqual([shown.name, shown.sources], ['営業部', ['campus']])
    for (const [method, body] of [['PUT', { to: ['y@else.example'] }], ['DELETE']] as const) {
      const answer = await api.ask(method, path, body)
      assert.equal(answer.status, 409)
      assert.match(answer.body.error.message, /is the group cn=営業,dc=campus of campus/)
    }
    await api.ask('DELETE', `${PATH}?keepPeople=true`)
    assert.deepEqual(api.directory.directory.alias(from)?.origins, undefined)
    assert.equal((await api.ask('DELETE', path)).status, 200)
  })
})
