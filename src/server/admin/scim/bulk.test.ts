import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { adminApi, TOKEN } from '#test/fake/admin-api.ts'
import type { AdminApi } from '#test/fake/admin-api.ts'
import { patchOf, ScimClient } from '#test/fake/scim-client.ts'

let api: AdminApi
let scim: ScimClient

const bulk = (Operations: readonly object[], more: object = {}) =>
  scim.ask('POST', '/Bulk', {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:BulkRequest'],
    Operations,
    ...more,
  })
const statuses = ({ body }: { readonly body: { readonly Operations: { status: string }[] } }) =>
  body.Operations.map(({ status }) => status)

describe('many operations of SCIM at once (RFC 7644 §3.7)', () => {
  before(async () => {
    api = await adminApi()
    scim = new ScimClient({ base: api.base.replace('/api/v1', '/scim/v2'), token: TOKEN })
    await api.ask('POST', '/domains', { name: 'campus.example' })
  })
  after(() => api.end())

  test('name one another by bulkId, in any order', async () => {
    const done = await bulk([
      {
        method: 'POST',
        path: '/Groups',
        bulkId: 'g',
        data: { displayName: 'staff', members: [{ value: 'bulkId:u' }, { value: 'bulkId:v' }] },
      },
      {
        method: 'post',
        path: '/Users',
        bulkId: 'u',
        data: { userName: 'hanako', displayName: '花子' },
      },
      { method: 'POST', path: '/Users', bulkId: 'v', data: { userName: 'taro' } },
      {
        method: 'PATCH',
        path: '/Groups/bulkId:g',
        data: patchOf({ op: 'add', path: 'displayName', value: '職員' }),
      },
    ])
    assert.equal(done.status, 200)
    assert.deepEqual(statuses(done), ['201', '201', '201', '204'], JSON.stringify(done.body))
    const [group, user] = done.body.Operations
    assert.deepEqual([group.method, group.bulkId, user.bulkId], ['POST', 'g', 'u'])
    assert.match(group.location, /\/Groups\/staff%40campus\.example$/)
    assert.match(user.version, /^W\/"/)
    const shown = await scim.took(200, 'GET', '/Groups/staff%40campus.example')
    assert.deepEqual([shown.displayName, shown.members.length], ['職員', 2])
  })

  test('fail one by one, in a circle too, and stop after so many failures', async () => {
    const user = (userName: string, bulkId = userName, more: object = {}) => ({
      method: 'POST',
      path: '/Users',
      bulkId,
      data: { userName, ...more },
    })
    const group = (name: string, other: string) => ({
      method: 'POST',
      path: '/Groups',
      bulkId: name,
      data: { displayName: name, members: [{ value: `bulkId:${other}` }] },
    })
    const done = await bulk([
      user('hanako'),
      group('a', 'b'),
      group('b', 'a'),
      user('jiro'),
      { method: 'PUT', path: '/Users/nobody', data: { userName: 'x' } },
      { method: 'DELETE', path: '/Users' },
      { method: 'GET', path: '/Users/x' },
      { method: 'POST', path: '/Printers', bulkId: 'p', data: {} },
      { method: 'POST', path: '/Users', data: { userName: 'saburo' } },
      { method: 'DELETE', path: '/Users/%ZZ' },
    ])
    assert.deepEqual(
      statuses(done),
      ['409', '409', '409', '201', '404', '400', '400', '404', '400', '400'],
      JSON.stringify(done.body),
    )
    const [taken, circle] = done.body.Operations
    assert.equal(taken.response.scimType, 'uniqueness')
    assert.match(circle.response.detail, /bulkId/)
    const stopped = await bulk([user('hanako'), user('hanako', 'again'), user('shiro')], {
      failOnErrors: 2,
    })
    assert.deepEqual(statuses(stopped), ['409', '409'])
    const { version } = (await scim.took(200, 'GET', '/Groups/staff%40campus.example')).meta
    const versions = await bulk([
      { method: 'DELETE', path: '/Groups/staff%40campus.example', version: 'W/"0000000000000000"' },
      { method: 'DELETE', path: '/Groups/staff%40campus.example', version },
    ])
    assert.deepEqual(statuses(versions), ['412', '204'])
  })

  test('are a thousand at most', async () => {
    const many = Array.from({ length: 1_001 }, () => ({ method: 'DELETE', path: '/Users/x' }))
    assert.equal((await bulk(many)).status, 413)
    assert.equal((await scim.took(400, 'POST', '/Bulk', {})).scimType, 'invalidSyntax')
    assert.equal(
      (await scim.took(400, 'POST', '/Bulk', { Operations: [5] })).scimType,
      'invalidSyntax',
    )
  })
})
