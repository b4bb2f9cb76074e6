import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeList } from '#test/fake/directory.ts'
import { HANAKO, jmapRoom } from '#test/fake/jmap-room.ts'
import type { JmapRoomUnderTest } from '#test/fake/jmap-room.ts'

const OFFICE = { localpart: 'office', domain: 'campus.example' }

const get = async (room: JmapRoomUnderTest) => (await room.call('Identity/get')).list

test('a person has an identity for each address, and may change how it looks (RFC 8621 §6)', async (t) => {
  const room = await jmapRoom(t)
  const [own] = await get(room)
  assert.deepEqual(own, {
    id: own.id,
    name: '',
    email: 'hanako@campus.example',
    replyTo: null,
    bcc: null,
    textSignature: '',
    htmlSignature: '',
    mayDelete: false,
  })
  const look = {
    name: '花子（事務局）',
    replyTo: [{ name: '事務局', email: 'office@campus.example' }],
    bcc: [{ name: null, email: 'archive@campus.example' }],
    textSignature: '--\n花子',
    htmlSignature: '<p>花子</p>',
  }
  const set = (args: Record<string, unknown>) => room.call('Identity/set', args)
  const { oldState, newState, updated } = await set({ update: { [own.id]: look } })
  assert.deepEqual(updated, { [own.id]: null })
  assert.deepEqual(await get(room), [{ ...own, ...look }])
  const changes = await room.call('Identity/changes', { sinceState: oldState })
  assert.deepEqual([changes.updated, changes.newState], [[own.id], newState])
  await set({ update: { [own.id]: { replyTo: null, bcc: null, textSignature: null } } })
  const [cleared] = await get(room)
  assert.deepEqual([cleared.replyTo, cleared.bcc, cleared.textSignature], [null, null, ''])
  for (const [patch, type] of [
    [{ email: 'taro@campus.example' }, 'invalidProperties'],
    [{ mayDelete: true }, 'invalidProperties'],
    [{ 何: 1 }, 'invalidProperties'],
    [{ name: '二\n行' }, 'invalidProperties'],
    [{ name: 7 }, 'invalidProperties'],
    [{ replyTo: [{ email: '壊れた' }] }, 'invalidProperties'],
    [{ replyTo: 'office@campus.example' }, 'invalidProperties'],
    [{ htmlSignature: 'x'.repeat(65_537) }, 'invalidProperties'],
    [{ 'replyTo/0': null }, 'invalidPatch'],
  ] as const)
    assert.equal((await set({ update: { [own.id]: patch } })).notUpdated[own.id].type, type)
  const same = await set({ update: { [own.id]: { email: own.email, mayDelete: false } } })
  assert.deepEqual(same.updated, { [own.id]: null })
  const refused = await set({ destroy: [own.id, 'Inone'], update: { Inone: { name: 'x' } } })
  assert.equal(refused.notDestroyed[own.id].type, 'forbidden')
  assert.equal(refused.notDestroyed.Inone.type, 'notFound')
  assert.equal(refused.notUpdated.Inone.type, 'notFound')
})

test('further identities are made of addresses that are one’s own, and used to send', async (t) => {
  const room = await jmapRoom(t)
  const set = (args: Record<string, unknown>) => room.call('Identity/set', args)
  for (const [create, type] of [
    [{ email: 'taro@campus.example' }, 'forbiddenFrom'],
    [{ email: 'hanako@other.example' }, 'forbiddenFrom'],
    [{ email: '花子' }, 'invalidProperties'],
    [{}, 'invalidProperties'],
    [{ email: 'hanako@campus.example', mayDelete: true }, 'invalidProperties'],
  ] as const)
    assert.equal((await set({ create: { i: create } })).notCreated.i.type, type)
  const { created } = await set({
    create: { i: { email: 'hanako+会@campus.example', name: '係', textSignature: '係より' } },
  })
  assert.deepEqual(created.i, {
    id: created.i.id,
    replyTo: null,
    bcc: null,
    htmlSignature: '',
    mayDelete: true,
  })
  assert.equal((await get(room)).length, 2)
  const emailId = await room.file(
    'From: hanako@campus.example\r\nTo: taro@campus.example\r\n\r\n本文',
  )
  const sent = await room.call('EmailSubmission/set', {
    create: { s: { identityId: created.i.id, emailId } },
  })
  assert.equal(sent.notCreated, null)
  const { destroyed } = await set({ destroy: [created.i.id] })
  assert.deepEqual(destroyed, [created.i.id])
  const more = Object.fromEntries(
    Array.from({ length: 200 }, (_, n) => [`i${n}`, { email: 'hanako@campus.example' }]),
  )
  const { notCreated } = await set({ create: more })
  assert.deepEqual(
    Object.values<{ type: string }>(notCreated).map(({ type }) => type),
    ['overQuota'],
  )
})

test('identities follow the directory, and their changes are told', async (t) => {
  const room = await jmapRoom(t)
  const { state, list } = await room.call('Identity/get')
  room.accounts.set(HANAKO.id, { ...HANAKO, name: '山田花子', delegated: [OFFICE] })
  const given = await room.call('Identity/changes', { sinceState: state })
  assert.equal(given.created.length, 1)
  assert.deepEqual(given.updated, [list[0].id], 'its name')
  const shown = async () =>
    (await get(room)).map(({ email, name }: Record<string, string>) => [email, name])
  assert.deepEqual(await shown(), [
    ['hanako@campus.example', '山田花子'],
    ['office@campus.example', '山田花子'],
  ])
  const { created } = await room.call('Identity/set', {
    create: { i: { email: 'office@campus.example' } },
    update: { [list[0].id]: { name: 'はな' } },
  })
  room.accounts.set(HANAKO.id, { ...HANAKO, name: '山田花子（旧姓）' })
  const { destroyed } = await room.call('Identity/changes', { sinceState: given.newState })
  assert.deepEqual(
    new Set(destroyed),
    new Set([given.created[0]]),
    'what came meanwhile is not told',
  )
  assert.ok(created.i.id)
  assert.deepEqual(await shown(), [['hanako@campus.example', 'はな']])
})

test('who may send as a list has an identity of it, by its name, for as long as that is so', async (t) => {
  const room = await jmapRoom(t)
  const list = { ...fakeList('seminar@campus.example'), name: '経済学ゼミ', senders: [HANAKO.id] }
  room.lists.push(list, { ...fakeList('other@campus.example'), senders: [] })
  const shown = async () =>
    (await get(room)).map(({ email, name }: Record<string, string>) => [email, name])
  assert.deepEqual(await shown(), [
    ['hanako@campus.example', ''],
    ['seminar@campus.example', '経済学ゼミ'],
  ])
  const identity = (await get(room))[1]
  const emailId = await room.file(
    'From: =?UTF-8?B?44K844Of?= <seminar@campus.example>\r\nTo: taro@campus.example\r\n\r\n本文',
  )
  const sent = await room.call('EmailSubmission/set', {
    create: { s: { identityId: identity.id, emailId } },
  })
  assert.equal(sent.notCreated, null, JSON.stringify(sent.notCreated))
  const { list: submissions } = await room.call('EmailSubmission/get')
  assert.equal(submissions[0].envelope.mailFrom.email, 'hanako@campus.example')
  room.lists[0] = { ...list, deletedAt: '2026-11-01T00:00:00Z' }
  assert.deepEqual(await shown(), [['hanako@campus.example', '']])
  const other = await room.call('EmailSubmission/set', {
    create: { s: { identityId: (await get(room))[0].id, emailId } },
  })
  assert.equal(other.notCreated.s.type, 'forbiddenFrom')
})
