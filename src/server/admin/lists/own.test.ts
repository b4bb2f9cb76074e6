import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { adminApi } from '#test/fake/admin-api.ts'
import type { AdminApi, Answer } from '#test/fake/admin-api.ts'

const PASSWORD = 'パスワード&1'
let api: AdminApi
let taro: Readonly<Record<string, string>>

/** What taro does on the page of lists. */
const asTaro = (method: 'GET' | 'POST', path: string, body?: object): Promise<Answer> =>
  api.ask(method, path, body, taro)
const mine = async (): Promise<readonly string[]> =>
  (await asTaro('GET', '/me/lists')).body.items.map(
    ({ address, delivery = '', mayLeave }: Record<string, string | boolean>) =>
      `${String(address).split('@')[0]} ${delivery}${mayLeave === true ? '' : ' stays'}`,
  )

before(async () => {
  api = await adminApi()
  await api.ask('POST', '/domains', { name: 'campus.example' })
  for (const name of ['taro', 'jiro'])
    await api.ask('POST', '/users', { address: `${name}@campus.example`, password: PASSWORD })
  await api.ask('POST', '/aliases', {
    from: 'staff',
    to: ['taro@campus.example', 'jiro@campus.example'],
  })
  for (const [address, subscription, more] of [
    ['hiroba', 'open', {}],
    ['naibu', 'domain', { description: '学内の連絡' }],
    ['iinkai', 'approve', {}],
    ['himitsu', 'closed', {}],
    ['zenin', 'closed', { leaving: 'owners' }],
  ] as const) {
    const made = await api.ask('POST', '/lists', { address, subscription, ...more })
    assert.equal(made.status, 201, JSON.stringify(made.body))
  }
  await api.ask('POST', '/lists/zenin/members', { who: ['staff'] })
  const body = { username: 'taro', password: PASSWORD, for: 'lists' }
  const answer = await api.ask('POST', '/session', body)
  const cookie = answer.headers.getSetCookie()[0]!.split(';')[0]!
  taro = { cookie, 'x-csrf-token': answer.body.csrfToken as string, 'watari-session': 'lists' }
})
after(() => api.end())

test('whoever is logged in sees what they may join, and none of the others', async () => {
  const { body } = await asTaro('GET', '/me/lists/open')
  assert.deepEqual(
    body.items.map(({ address, byApproval }: { address: string; byApproval: boolean }) => [
      address.split('@')[0],
      byApproval,
    ]),
    [
      ['hiroba', false],
      ['iinkai', true],
      ['naibu', false],
    ],
  )
  // Alike, whether there is such a list or not.
  const hidden = await asTaro('POST', '/me/lists/join', { list: 'himitsu' })
  const none = await asTaro('POST', '/me/lists/join', { list: 'nai' })
  assert.deepEqual([hidden.status, none.status], [404, 404])
  assert.equal(hidden.body.error.code, none.body.error.code)
})

test('they join, choose how posts come, and leave; the log says who did it', async () => {
  for (const end of ['done', 'same'])
    assert.equal((await asTaro('POST', '/me/lists/join', { list: 'naibu' })).body.end, end)
  const chosen = { list: 'naibu', delivery: 'digest' }
  assert.equal((await asTaro('POST', '/me/lists/delivery', chosen)).body.end, 'done')
  assert.deepEqual(await mine(), ['naibu digest', 'zenin  stays'])
  const { body } = await api.ask('GET', '/lists/naibu/history')
  assert.deepEqual(
    body.items.map(({ who }: { who: string }) => who),
    ['taro', 'taro'],
  )
  assert.equal((await asTaro('POST', '/me/lists/leave', { list: 'naibu' })).body.end, 'done')
  assert.equal((await asTaro('POST', '/me/lists/leave', { list: 'naibu' })).status, 409)
  assert.deepEqual(await mine(), ['zenin  stays'])
})

test('they leave nothing that owners decide about, and change nothing that a group has them in', async () => {
  assert.equal((await asTaro('POST', '/me/lists/leave', { list: 'zenin' })).status, 403)
  const chosen = { list: 'zenin', delivery: 'none' }
  assert.equal((await asTaro('POST', '/me/lists/delivery', chosen)).status, 409)
  await api.ask('PATCH', '/lists/zenin', { leaving: null })
  assert.equal((await asTaro('POST', '/me/lists/leave', { list: 'zenin' })).body.end, 'done')
  assert.deepEqual(await mine(), [])
  assert.equal((await asTaro('POST', '/me/lists/join', { list: 'zenin' })).body.end, 'done')
  assert.deepEqual(await mine(), ['zenin '])
})

test('a token is nobody', async () => {
  assert.equal((await api.ask('GET', '/me/lists/open')).status, 401)
  assert.equal((await api.ask('POST', '/me/lists/join', { list: 'hiroba' })).status, 401)
})
