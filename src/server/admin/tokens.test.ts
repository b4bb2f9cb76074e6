import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { DAY_MS, HOUR_MS } from '#base/time.ts'
import { adminApi } from '#test/fake/admin-api.ts'
import type { AdminApi } from '#test/fake/admin-api.ts'

interface Told {
  readonly who: string
  readonly name: string
  readonly before: { readonly role: string } | null
  readonly after: { readonly role: string } | null
}

let api: AdminApi
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const make = async (name: string, role: string, days?: number): Promise<string> => {
  const { status, body } = await api.ask('POST', '/tokens', { name, role, days })
  assert.equal(status, 201, JSON.stringify(body))
  return body.token as string
}

describe('tokens of programs', () => {
  before(async () => {
    api = await adminApi()
  })
  after(() => api.end())

  test('open what their role may, from when they are made until they are taken back', async () => {
    const token = await make('portal', 'help-desk')
    assert.match(token, /^watari_[\w-]{43}$/)
    assert.equal((await api.ask('GET', '/users', undefined, bearer(token))).status, 200)
    assert.equal((await api.ask('GET', '/tokens', undefined, bearer(token))).status, 403)
    const { items } = (await api.ask('GET', '/tokens')).body
    assert.deepEqual(
      items.map(({ name, role, isExpired, lastUse }: Record<string, unknown>) => [
        name,
        role,
        isExpired,
        typeof lastUse,
      ]),
      [['portal', 'help-desk', false, 'object']],
    )
    assert.ok(!JSON.stringify(items).includes('sha256'))
    const again = await api.ask('POST', '/tokens', { name: 'portal', role: 'auditor' })
    assert.equal(again.status, 409)
    const own = await api.ask('POST', '/tokens', { name: 'admin', role: 'auditor' })
    assert.equal(own.status, 409, 'a name of host.yaml')
    assert.equal((await api.ask('DELETE', '/tokens/portal')).status, 200)
    assert.equal((await api.ask('GET', '/users', undefined, bearer(token))).status, 401)
    assert.equal((await api.ask('DELETE', '/tokens/portal')).status, 404)
    const history = await api.ask('GET', '/tokens/history')
    assert.deepEqual(
      (history.body.items as Told[]).map(({ who, name, before: was, after: is }) => [
        who,
        name,
        was?.role,
        is?.role,
      ]),
      [
        ['admin', 'portal', 'help-desk', undefined],
        ['admin', 'portal', undefined, 'help-desk'],
      ],
    )
    assert.ok(!JSON.stringify(history.body).includes('sha256'))
  })

  test('end with their time, are noted once an hour, and outlive a restart', async () => {
    const token = await make('nightly', 'auditor', 2)
    const from = async (client: string) =>
      (await api.ask('GET', '/users', undefined, { ...bearer(token), 'watari-client': client }))
        .status
    const lastUse = () => api.tokens.all.find(({ name }) => name === 'nightly')?.lastUse?.from
    assert.equal(await from('first'), 200)
    assert.equal(await from('second'), 200)
    assert.match(lastUse() ?? '', /^first /)
    api.clock.advance(HOUR_MS)
    assert.equal(await from('third'), 200)
    assert.match(lastUse() ?? '', /^third /)
    await api.tokens.load()
    assert.match(lastUse() ?? '', /^third /)
    api.clock.advance(2 * DAY_MS)
    const refused = await api.ask('GET', '/users', undefined, bearer(token))
    assert.deepEqual(
      [refused.status, refused.body.error.message],
      [401, 'the time of this token is over'],
    )
    assert.match(refused.body.error.remedy, /watari token create/)
    const { items } = (await api.ask('GET', '/tokens')).body
    assert.equal(items[0].isExpired, true)
  })

  test('have a name, a role and days that can be', async () => {
    for (const body of [
      { name: '花子', role: 'auditor' },
      { name: 'a', role: 'user' },
      { name: 'a', role: 'auditor', days: 0 },
      { name: 'a', role: 'auditor', days: 4_000 },
    ])
      assert.equal((await api.ask('POST', '/tokens', body)).status, 400, JSON.stringify(body))
  })
})
