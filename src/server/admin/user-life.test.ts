import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { DAY_MS } from '#base/time.ts'
import { adminApi, tokenOf } from '#test/fake/admin-api.ts'
import type { AdminApi } from '#test/fake/admin-api.ts'

let api: AdminApi

describe('lives of accounts by the API', () => {
  before(async () => {
    api = await adminApi()
    await api.ask('POST', '/domains', { name: 'campus.example' })
    for (const [address, tags] of [
      ['hanako', ['2027入学', '法学部']],
      ['taro', ['2027入学']],
      ['jiro', ['職員']],
    ] as const)
      await api.ask('POST', '/users', { address, password: '渡り', tags })
  })
  after(() => api.end())

  test('deleted, not to be seen, not to be taken, and back with all that it had', async () => {
    const before = (await api.ask('GET', '/users/taro')).body
    assert.equal(before.state, 'active')
    assert.equal((await api.ask('DELETE', '/users/taro')).status, 200)
    for (const [method, path] of [
      ['GET', '/users/taro'],
      ['DELETE', '/users/taro'],
      ['PATCH', '/users/taro'],
    ] as const) {
      const gone = await api.ask(method, path, method === 'PATCH' ? { name: 'x' } : undefined)
      assert.equal(gone.status, 404)
      assert.match(gone.body.error.remedy, /watari user undelete taro/)
    }
    assert.equal((await api.ask('GET', '/users')).body.items.length, 2)
    const listed = (await api.ask('GET', '/users?deleted=true')).body.items
    assert.deepEqual(
      listed.map((row: { username: string; state: string }) => [row.username, row.state]),
      [['taro', 'deleted']],
    )
    const again = await api.ask('POST', '/users', { address: 'taro', password: 'x' })
    assert.equal(again.status, 409)
    assert.match(again.body.error.remedy, /undelete taro@campus.example/)
    const back = await api.ask('POST', '/users/taro/restore')
    assert.equal(back.status, 200, JSON.stringify(back.body))
    assert.equal(back.body.version, before.version)
    assert.equal((await api.ask('POST', '/users/taro/restore')).status, 409)
    const { items } = (await api.ask('GET', `/directory/history?key=account:${before.id}`)).body
    assert.equal(typeof items[1].after.account.deletedAt, 'string')
    assert.equal(items[0].after.account.deletedAt, undefined)
    assert.equal(JSON.stringify(items).includes('argon2'), false)
  })

  test('for good at once, where that is asked or the setting keeps nothing', async () => {
    await api.ask('POST', '/users', { address: 'temp', password: 'x' })
    await api.ask('DELETE', '/users/temp')
    assert.equal((await api.ask('DELETE', '/users/temp?forGood=true')).status, 200)
    assert.equal((await api.ask('POST', '/users', { address: 'temp', password: 'x' })).status, 201)
    await api.ask('PUT', '/settings/account.undeleteDays', { value: 0 })
    await api.ask('DELETE', '/users/temp')
    assert.equal((await api.ask('POST', '/users/temp/restore')).status, 404)
    await api.ask('PUT', '/settings/account.undeleteDays', { value: 30 })
  })

  test('renamed; the former address is reserved until it is released by name', async () => {
    const renamed = await api.ask('POST', '/users/jiro/rename', { address: '次郎' })
    assert.equal(renamed.status, 200, JSON.stringify(renamed.body))
    assert.equal(renamed.body.address, '次郎@campus.example')
    assert.equal(renamed.body.formerAddresses[0].address, 'jiro@campus.example')
    const taken = await api.ask('POST', '/users/hanako/rename', { address: 'jiro' })
    assert.equal(taken.status, 409)
    assert.match(taken.body.error.remedy, /watari user release jiro@campus.example/)
    assert.equal((await api.ask('POST', '/aliases', { from: 'jiro', to: ['taro'] })).status, 409)
    assert.equal((await api.ask('GET', '/users/jiro')).body.username, '次郎')
    const explained = (await api.ask('GET', '/directory/explain/jiro')).body
    assert.equal(explained.account, '次郎@campus.example')
    assert.match(explained.rows.at(-1).value, /^jiro@campus\.example \(until \d{4}-\d\d-\d\d\)$/)
    assert.equal((await api.ask('DELETE', '/former-addresses/nobody')).status, 404)
    assert.equal((await api.ask('DELETE', '/former-addresses/jiro')).status, 200)
    assert.equal((await api.ask('GET', '/users/jiro')).status, 404)
    const back = await api.ask('POST', `/users/${encodeURIComponent('次郎')}/rename`, {
      address: 'jiro',
    })
    assert.equal(back.body.address, 'jiro@campus.example')
  })

  test('many at once, looked at first; one that cannot be is refused by itself', async () => {
    const ask = {
      where: { tags: ['2027入学'] },
      change: { expiresOn: '2031-03-31', addTags: ['1年'] },
    }
    const look = (await api.ask('POST', '/users/bulk', { ...ask, dryRun: true })).body
    assert.deepEqual([look.changed, look.same, look.refused], [2, 0, 0])
    assert.equal((await api.ask('GET', '/users/hanako')).body.expiresOn, undefined)
    await api.ask('PATCH', '/users/taro', { startsOn: '2032-04-01' })
    const { body } = await api.ask('POST', '/users/bulk', ask)
    assert.deepEqual([body.changed, body.same, body.refused], [1, 0, 1])
    const refused = body.rows.find((row: { outcome: string }) => row.outcome === 'refused')
    assert.deepEqual([refused.address, refused.changes.length > 0], ['taro@campus.example', true])
    assert.match(refused.note, /before it starts/)
    const { tags, expiresOn } = (await api.ask('GET', '/users/hanako')).body
    assert.deepEqual([tags, expiresOn], [['2027入学', '法学部', '1年'], '2031-03-31'])
    const named = { where: { users: ['hanako', 'だれか'] }, change: { disabled: true } }
    const listed = (await api.ask('POST', '/users/bulk', named)).body
    assert.deepEqual([listed.changed, listed.refused], [1, 1])
    assert.equal(
      (await api.ask('POST', '/users/bulk', { where: {}, change: { disabled: true } })).status,
      400,
    )
    await api.ask('POST', '/users/bulk', {
      where: { users: ['hanako'] },
      change: { disabled: false },
    })
  })

  test('a change of many is taken back, field by field, and that as well', async () => {
    const users = Array.from({ length: 1_203 }, (_, i) => `many${i}`)
    const people = users.map((name, i) => ({
      source: `line ${i}`,
      username: name,
      addresses: [],
      name: `渡辺 ${i}`,
      tags: ['2023入学'],
    }))
    for (let at = 0; at < people.length; at += 500)
      await api.ask('POST', '/directory/import', { people: people.slice(at, at + 500) })
    const found = (await api.ask('GET', '/directory/user-ids?search=many')).body.items
    assert.equal(found.length, 1_203)
    assert.equal((await api.ask('GET', '/directory/user-ids?search=many12')).body.items.length, 14)
    // The pages of a list begin where the list itself says.
    const places = (await api.ask('GET', '/directory/user-places?search=many&limit=500')).body
    const after = [undefined, ...places.items].map((each) =>
      each === undefined ? '' : `&after=${each}`,
    )
    const pages = await Promise.all(
      after.map((each) => api.ask('GET', `/users?search=many&limit=500${each}`)),
    )
    assert.deepEqual(
      [places.count, pages.map(({ body }) => [body.items.length, body.next])],
      [1_203, [...places.items, undefined].map((next, at) => [[500, 500, 203][at], next])],
    )
    const change = { addTags: ['卒業'], expiresOn: '2027-03-31', delete: true }
    const { body } = await api.ask('POST', '/users/bulk', { where: { users: found }, change })
    assert.deepEqual(
      [body.changed, body.same, body.refused, body.rows.length],
      [1_203, 0, 0, 1_203],
    )
    assert.deepEqual((await api.ask('GET', '/directory/user-ids?search=many')).body.items, [])
    const gone = (await api.ask('GET', '/directory/user-ids?search=many&deleted=true')).body.items
    assert.equal(gone.length, 1_203)
    // What somebody has made of one of them since counts; what a login has made of another stays.
    await api.ask('POST', '/users/many7/restore')
    await api.ask('PATCH', '/users/many7', { expiresOn: '2030-03-31' })
    await api.ask('POST', '/users/many8/restore')
    await api.ask('PATCH', '/users/many8', { name: '別人' })
    const back = (await api.ask('POST', '/users/bulk/undo', { undo: body.undo })).body
    assert.deepEqual([back.changed, back.same, back.refused], [1_202, 0, 1], JSON.stringify(back))
    const refused = back.rows.find((row: { outcome: string }) => row.outcome === 'refused')
    assert.deepEqual([refused.address, refused.code], ['many7@campus.example', 'changedSince'])
    const as = async (user: string) => {
      const { name, tags, expiresOn } = (await api.ask('GET', `/users/${user}`)).body
      return [name, tags, expiresOn]
    }
    assert.deepEqual(await as('many6'), ['渡辺 6', ['2023入学'], undefined])
    assert.deepEqual(await as('many7'), ['渡辺 7', ['2023入学', '卒業'], '2030-03-31'])
    assert.deepEqual(await as('many8'), ['別人', ['2023入学'], undefined])
    const again = (await api.ask('POST', '/users/bulk/undo', { undo: back.undo })).body
    assert.equal(again.changed, 1_202)
    assert.equal((await api.ask('GET', '/users/many6')).status, 404)
  })

  test('takes back nothing that is no change of accounts', async () => {
    const alias = '/aliases/all@campus.example'
    assert.equal((await api.ask('PUT', alias, { to: ['hanako@campus.example'] })).status, 200)
    const [{ seq: last }] = (await api.ask('GET', '/directory/history?limit=1')).body.items
    for (const undo of [`${last}-${last}`, '1-900000', '5-1', 'x', ''])
      assert.equal((await api.ask('POST', '/users/bulk/undo', { undo })).status, 404, undo)
    const { items } = (await api.ask('GET', '/aliases')).body
    assert.deepEqual(
      items.map((each: { from: string }) => each.from),
      ['all@campus.example'],
    )
  })

  test('a directory manager changes many, but nobody who has a role', async () => {
    await api.ask('PATCH', '/users/jiro', { admin: true })
    const { body } = await api.ask(
      'POST',
      '/users/bulk',
      { where: { users: ['jiro', 'hanako'] }, change: { addTags: ['新'] } },
      { authorization: `Bearer ${tokenOf('directory-manager')}` },
    )
    assert.deepEqual([body.changed, body.refused], [1, 1], JSON.stringify(body))
    assert.match(
      body.rows.find((row: { outcome: string }) => row.outcome === 'refused').note,
      /is administrator/,
    )
    await api.ask('PATCH', '/users/jiro', { admin: false })
  })

  test('a plan is looked at, made on its day, shown and cancelled', async () => {
    const ask = {
      title: '法学部 進級',
      on: '2026-12-01',
      where: { tags: ['法学部'] },
      change: { addTags: ['2年'] },
    }
    assert.equal(
      (await api.ask('POST', '/directory/plans', { ...ask, on: '2020-01-01' })).status,
      400,
    )
    assert.equal(
      (await api.ask('POST', '/directory/plans', { ...ask, on: '2027-02-30' })).status,
      400,
    )
    const look = (await api.ask('POST', '/directory/plans', { ...ask, dryRun: true })).body
    assert.equal(look.changed, 1)
    assert.equal((await api.ask('GET', '/directory/plans')).body.items.length, 0)
    const { id } = (await api.ask('POST', '/directory/plans', ask)).body
    const other = (await api.ask('POST', '/directory/plans', { ...ask, title: '取消' })).body
    assert.equal((await api.ask('DELETE', `/directory/plans/${other.id}`)).status, 200)
    assert.equal((await api.ask('GET', `/directory/plans/${id}`)).body.rows[0].outcome, 'changed')
    api.clock.advance(7 * DAY_MS)
    const ran = (await api.ask('POST', '/directory/upkeep', {})).body
    assert.equal(ran.held, false)
    assert.deepEqual((await api.ask('GET', '/users/hanako')).body.tags.slice(-1), ['2年'])
    const [done] = (await api.ask('GET', '/directory/plans')).body.items
    assert.deepEqual([done.title, done.done.changed], ['法学部 進級', 1])
    assert.equal((await api.ask('GET', '/directory/upkeep')).body.held, false)
  })

  test('mail goes elsewhere after leaving, until a day', async () => {
    const afterLeaving = { to: ['h@else.example'], until: '2031-09-30' }
    const set = await api.ask('PATCH', '/users/hanako', { afterLeaving })
    assert.deepEqual(set.body.afterLeaving, afterLeaving, JSON.stringify(set.body))
    const wrong = { ...afterLeaving, until: '2031-09-31' }
    assert.equal((await api.ask('PATCH', '/users/hanako', { afterLeaving: wrong })).status, 400)
    const none = await api.ask('PATCH', '/users/hanako', { afterLeaving: null })
    assert.equal(none.body.afterLeaving, undefined)
  })
})
