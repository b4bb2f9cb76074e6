import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { GROUP, WATARI_GROUP } from '#codec/scim/group-schema.ts'
import { formatAddress } from '#model/address.ts'
import { adminApi, TOKEN } from '#test/fake/admin-api.ts'
import type { AdminApi } from '#test/fake/admin-api.ts'
import { patchOf, ScimClient } from '#test/fake/scim-client.ts'

let api: AdminApi
let scim: ScimClient
const ids = new Map<string, string>()

const targetsOf = (name: string): string[] =>
  api.directory.directory
    .alias({ localpart: name, domain: 'campus.example' })!
    .to.map(formatAddress)
const placeOf = (id: string): string => `/Groups/${encodeURIComponent(id)}`
const membersOf = async (id: string): Promise<string[]> => {
  const { members = [] } = await scim.took(200, 'GET', placeOf(id))
  return members.map((each: { value: string }) => each.value)
}

describe('groups by SCIM', () => {
  before(async () => {
    api = await adminApi()
    scim = new ScimClient({ base: api.base.replace('/api/v1', '/scim/v2'), token: TOKEN })
    await api.ask('POST', '/domains', { name: 'campus.example' })
    for (const userName of ['hanako', 'taro', 'jiro'])
      ids.set(
        userName,
        (await scim.took(201, 'POST', '/Users', { userName, displayName: `${userName} 様` })).id,
      )
    await api.ask('POST', '/aliases', { from: 'info', to: ['hanako', '外@other.example'] })
  })
  after(() => api.end())

  test('are aliases: made empty, filled, emptied and removed; nobody is reached by an empty one', async () => {
    const made = await scim.ask('POST', '/Groups', {
      schemas: [GROUP],
      displayName: 'Domain Users',
      externalId: 'G-1',
      members: [],
    })
    assert.equal(made.status, 201, JSON.stringify(made.body))
    const { id, meta, ...group } = made.body
    assert.equal(id, 'domain-users@campus.example')
    assert.deepEqual(group, {
      schemas: [GROUP, WATARI_GROUP],
      externalId: 'G-1',
      displayName: 'Domain Users',
      [WATARI_GROUP]: { address: 'domain-users@campus.example' },
    })
    assert.match(meta.location, /\/scim\/v2\/Groups\/domain-users%40campus\.example$/)
    const add = await scim.ask(
      'PATCH',
      placeOf(id),
      patchOf({
        op: 'Add',
        path: 'members',
        value: [{ value: ids.get('hanako') }, { value: ids.get('taro') }],
      }),
    )
    assert.deepEqual([add.status, add.body], [204, undefined])
    assert.match(add.headers.etag!, /^W\/"/)
    const shown = await scim.took(200, 'GET', placeOf(id))
    assert.deepEqual(shown.members[0], {
      value: ids.get('hanako'),
      $ref: shown.members[0].$ref,
      type: 'User',
      display: 'hanako 様',
    })
    assert.match(shown.members[0].$ref, new RegExp(`/scim/v2/Users/${ids.get('hanako')}$`))
    assert.deepEqual(targetsOf('domain-users'), ['hanako@campus.example', 'taro@campus.example'])
    const { groups } = await scim.took(200, 'GET', `/Users/${ids.get('taro')}`)
    assert.deepEqual(
      groups.map((each: object) => ({ ...each, $ref: '' })),
      [{ value: id, $ref: '', display: 'Domain Users', type: 'direct' }],
    )
    const without = await scim.took(
      200,
      'GET',
      `/Groups?excludedAttributes=members&filter=${encodeURIComponent('displayName eq "domain users"')}`,
    )
    assert.deepEqual([without.totalResults, without.Resources[0].members], [1, undefined])
    const have = encodeURIComponent(`members eq "${ids.get('taro')}"`)
    assert.equal((await scim.took(200, 'GET', `/Groups?filter=${have}`)).totalResults, 1)
    await scim.took(
      204,
      'PATCH',
      placeOf(id),
      patchOf(
        { op: 'Remove', path: 'members', value: [{ value: ids.get('hanako') }] },
        { op: 'remove', path: `members[value eq "${ids.get('taro')}"]` },
        { op: 'replace', value: { id, displayName: '全利用者' } },
      ),
    )
    assert.deepEqual(await membersOf(id), [])
    assert.deepEqual(targetsOf('domain-users'), [])
    assert.equal((await scim.took(200, 'GET', placeOf(id))).displayName, '全利用者')
    assert.equal('groups' in (await scim.took(200, 'GET', `/Users/${ids.get('taro')}`)), false)
    await scim.took(204, 'DELETE', placeOf(id))
    await scim.took(404, 'GET', placeOf(id))
  })

  test('keep outside addresses, and the addresses by which members are in them', async () => {
    const id = 'info@campus.example'
    const [info] = (await scim.took(200, 'GET', '/Groups')).Resources
    assert.deepEqual(
      [info.id, info.displayName, info[WATARI_GROUP].outsideMembers],
      [id, id, ['外@other.example']],
    )
    const other = patchOf({ op: 'add', path: 'emails', value: { value: 'h@campus.example' } })
    await scim.took(200, 'PATCH', `/Users/${ids.get('hanako')}`, other)
    await api.ask('PUT', '/aliases/info', { to: ['h', '外@other.example'] })
    await scim.took(
      204,
      'PATCH',
      placeOf(id),
      patchOf(
        { op: 'add', path: 'members', value: [{ value: ids.get('jiro') }] },
        { op: 'add', path: `${WATARI_GROUP}:outsideMembers`, value: ['x@other.example'] },
      ),
    )
    assert.deepEqual(targetsOf('info'), [
      'h@campus.example',
      'jiro@campus.example',
      '外@other.example',
      'x@other.example',
    ])
    assert.deepEqual(await membersOf(id), [ids.get('hanako'), ids.get('jiro')])
    const put = await scim.took(200, 'PUT', placeOf(id), { displayName: '案内', members: [] })
    assert.equal(put.members, undefined)
    assert.deepEqual(targetsOf('info'), ['外@other.example', 'x@other.example'])
    await api.ask('PUT', '/aliases/info', { to: ['taro'] })
    assert.equal((await scim.took(200, 'GET', placeOf(id))).displayName, '案内')
  })

  test('hold one another, but not in a circle; what is no member and no address is refused', async () => {
    const make = (displayName: string, more: object = {}) =>
      scim.ask('POST', '/Groups', { displayName, ...more })
    const { body: a } = await make('a')
    const { body: b } = await make('b', { members: [{ value: a.id, type: 'Group' }] })
    assert.deepEqual(await membersOf(b.id), [a.id])
    const circle = await scim.ask(
      'PATCH',
      placeOf(a.id),
      patchOf({ op: 'add', path: 'members', value: [{ value: b.id }] }),
    )
    assert.equal(circle.status, 409)
    assert.match(circle.body.detail, /circle/)
    for (const [status, scimType, displayName, more] of [
      [409, 'uniqueness', 'A', {}],
      [409, 'uniqueness', 'x', { [WATARI_GROUP]: { address: 'taro' } }],
      [400, 'invalidValue', '総務部', {}],
      [400, 'invalidValue', 'x', { [WATARI_GROUP]: { address: 'x@other.example' } }],
      [400, 'invalidValue', 'x', { members: [{ value: 'nobody' }] }],
      [400, 'invalidValue', 'x', { members: [{ display: 'nobody' }] }],
      [400, 'invalidValue', 'x', { [WATARI_GROUP]: { outsideMembers: ['no address'] } }],
      [400, 'invalidValue', '', {}],
    ] as const) {
      const { status: got, body } = await make(displayName, more)
      assert.deepEqual([got, body.scimType], [status, scimType], JSON.stringify(body))
    }
    const moved = patchOf({ op: 'replace', path: `${WATARI_GROUP}:address`, value: 'c' })
    assert.equal((await scim.took(400, 'PATCH', placeOf(a.id), moved)).scimType, 'mutability')
    const named = await make('総務部', { [WATARI_GROUP]: { address: 'Somu' } })
    assert.deepEqual(
      [named.body.id, named.body.displayName],
      ['somu@campus.example', '総務部'],
      JSON.stringify(named.body),
    )
  })

  test('hold ten thousand members, and are refused whole beyond (no silent limit)', async () => {
    const users = Array.from({ length: 10_001 }, (_, index) => ({
      kind: 'put' as const,
      row: {
        kind: 'account' as const,
        account: {
          id: `U${index}` as never,
          username: `u${index}`,
          domain: 'campus.example',
          admin: false,
          disabled: false,
          credentialVersion: 1,
          addresses: [],
          delegated: [],
        },
      },
    }))
    await api.directory.write(users, { who: 'watari', from: 'test' })
    const members = users.slice(0, 10_000).map(({ row }) => ({ value: row.account.id }))
    const { id } = await scim.took(201, 'POST', '/Groups', { displayName: 'everybody', members })
    assert.equal((await membersOf(id)).length, 10_000)
    const add = patchOf({ op: 'add', path: 'members', value: [{ value: 'U10000' }] })
    const refused = await scim.took(400, 'PATCH', placeOf(id), add)
    assert.match(refused.detail, /more than 10000 addresses/)
    const swap = patchOf(
      { op: 'remove', path: 'members[value eq "U5"]' },
      ...(add as { Operations: object[] }).Operations,
    )
    await scim.took(204, 'PATCH', placeOf(id), swap)
    const after = await membersOf(id)
    assert.deepEqual([after.length, after.includes('U5'), after.at(-1)], [10_000, false, 'U10000'])
  })
})
