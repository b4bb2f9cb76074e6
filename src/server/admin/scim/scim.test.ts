import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { adminApi, TOKEN, tokenOf } from '#test/fake/admin-api.ts'
import type { AdminApi } from '#test/fake/admin-api.ts'
import { patchOf, ScimClient } from '#test/fake/scim-client.ts'

let api: AdminApi
let scim: ScimClient

describe('the door of SCIM', () => {
  before(async () => {
    api = await adminApi()
    scim = new ScimClient({ base: api.base.replace('/api/v1', '/scim/v2'), token: TOKEN })
    await api.ask('POST', '/domains', { name: 'campus.example' })
  })
  after(() => api.end())

  test('lets nobody in without a token, and says so in its own form', async () => {
    const stranger = new ScimClient({
      base: api.base.replace('/api/v1', '/scim/v2'),
      token: 'wrong',
    })
    for (const path of ['/Users', '/ServiceProviderConfig', '/nothing', '/Me']) {
      const answer = await stranger.ask('GET', path)
      assert.equal(answer.status, 401, path)
      assert.deepEqual(answer.body.schemas, ['urn:ietf:params:scim:api:messages:2.0:Error'])
      assert.match(String(answer.headers['www-authenticate']), /^Bearer/)
    }
  })

  test('tells what it can do, which resources there are, and what they are made of (RFC 7644 §4)', async () => {
    const config = await scim.took(200, 'GET', '/ServiceProviderConfig')
    assert.deepEqual(
      ['patch', 'bulk', 'filter', 'changePassword', 'sort', 'etag'].map(
        (each) => config[each].supported,
      ),
      [true, true, true, true, true, true],
    )
    assert.equal(config.authenticationSchemes[0].type, 'oauthbearertoken')
    const types = await scim.took(200, 'GET', '/ResourceTypes')
    assert.deepEqual(
      types.Resources.map(({ endpoint }: { endpoint: string }) => endpoint),
      ['/Users', '/Groups'],
    )
    assert.equal((await scim.took(200, 'GET', '/ResourceTypes/Group')).id, 'Group')
    const { Resources: all } = await scim.took(200, 'GET', '/Schemas')
    assert.equal(all.length, 5)
    for (const { id, meta } of all) {
      const one = await scim.took(200, 'GET', `/Schemas/${id}`)
      assert.equal(one.meta.location, meta.location)
    }
    const user = all.find(({ name }: { name: string }) => name === 'User')
    const password = user.attributes.find(({ name }: { name: string }) => name === 'password')
    assert.deepEqual(password, {
      name: 'password',
      type: 'string',
      multiValued: false,
      description: password.description,
      required: false,
      caseExact: true,
      mutability: 'writeOnly',
      returned: 'never',
      uniqueness: 'none',
    })
    await scim.took(404, 'GET', '/Schemas/urn:none')
    await scim.took(403, 'GET', '/Schemas?filter=id%20pr')
    await scim.took(501, 'GET', '/Me')
    await scim.took(404, 'GET', '/Printers')
    await scim.took(404, 'PATCH', '/Users', {})
  })

  test('takes both types of content with their charset, and no other (RFC 7644 §3.1)', async () => {
    const ask = (type: string, userName: string) =>
      scim.ask('POST', '/Users', { userName }, { 'content-type': type })
    assert.equal((await ask('application/scim+json; charset=utf-8', 'one')).status, 201)
    assert.equal((await ask('Application/JSON;charset=UTF-8', 'two')).status, 201)
    const refused = await ask('text/xml', 'three')
    assert.deepEqual([refused.status, refused.body.status], [415, '415'])
  })

  test('finds users and groups in one search (RFC 7644 §3.4.3)', async () => {
    await scim.took(201, 'POST', '/Users', { userName: 'hanako', displayName: '総務 花子' })
    await scim.took(201, 'POST', '/Groups', { displayName: 'soumu' })
    const found = await scim.took(200, 'POST', '/.search', {
      filter: 'displayName sw "総務" or displayName eq "soumu"',
      attributes: ['displayName'],
    })
    assert.deepEqual(
      found.Resources.map(({ displayName }: { displayName: string }) => displayName),
      ['総務 花子', 'soumu'],
    )
  })

  test('lets each role do what it may by the API, and none touch who has a role', async () => {
    const { id } = await scim.took(201, 'POST', '/Users', { userName: 'reader' })
    await api.ask('POST', '/users', { address: 'boss', role: 'administrator' })
    const [boss] = (
      await scim.took(200, 'GET', `/Users?filter=${encodeURIComponent('userName eq "boss"')}`)
    ).Resources
    assert.deepEqual(boss.roles, [{ value: 'administrator' }])
    const group = { displayName: 'new' }
    for (const [role, read, write] of [
      ['user', 403, 403],
      ['auditor', 200, 403],
      ['help-desk', 200, 403],
      ['directory-manager', 200, 201],
    ] as const) {
      const client = new ScimClient({
        base: api.base.replace('/api/v1', '/scim/v2'),
        token: tokenOf(role),
      })
      assert.equal((await client.ask('GET', `/Users/${id}`)).status, read, role)
      assert.equal((await client.ask('POST', '/.search', {})).status, read, role)
      assert.equal((await client.ask('POST', '/Groups', group)).status, write, role)
      const off = patchOf({ op: 'replace', path: 'active', value: false })
      const touched = await client.ask('PATCH', `/Users/${boss.id}`, off)
      assert.equal(touched.status, 403, `${role}: ${JSON.stringify(touched.body)}`)
      const bulk = { Operations: [{ method: 'DELETE', path: `/Users/${boss.id}` }] }
      const { status, body } = await client.ask('POST', '/Bulk', bulk)
      assert.equal(status === 403 || body.Operations[0].status === '403', true, role)
    }
  })

  test('tells which nodes have not taken a write yet', async () => {
    api.pending = [{ node: 'store-2', reason: 'no answer yet' }]
    const made = await scim.ask('POST', '/Users', { userName: 'late' })
    api.pending = []
    assert.equal(made.headers['watari-pending'], 'store-2')
  })
})
