import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DAY_MS } from '#base/time.ts'
import { HANAKO, jmapRoom } from '#test/fake/jmap-room.ts'
import type { JmapRoomUnderTest } from '#test/fake/jmap-room.ts'

const USING = [
  'urn:ietf:params:jmap:core',
  'urn:ietf:params:jmap:mail',
  'https://watari.example/jmap/retention',
]

/** One call by a program that knows our capability; its arguments, error or not. */
async function call(room: JmapRoomUnderTest, name: string, args: Record<string, unknown> = {}) {
  const [answer] = await room.request([[name, { accountId: HANAKO.id, ...args }, 'c']], USING)
  // oxlint-disable-next-line typescript/no-explicit-any -- a test looks into it
  return answer![1] as any
}

test('who knows the capability sees how long mailboxes keep; others see nothing of it', async (t) => {
  const room = await jmapRoom(t)
  const junk = await room.mailbox('Junk', 'SPAM')
  const ids = [junk, await room.mailbox('INBOX')]
  const properties = ['retainDays', 'retention']
  const { list } = await call(room, 'Mailbox/get', { ids, properties })
  assert.deepEqual(list, [
    { id: ids[0], retainDays: 30, retention: 'inherit' },
    { id: ids[1], retainDays: null, retention: 'inherit' },
  ])
  assert.equal(await room.error('Mailbox/get', { ids, properties }), 'invalidArguments')
  const [plain] = (await room.call('Mailbox/get', { ids: [junk] })).list
  assert.ok(!('retainDays' in plain))
  assert.equal(await room.error('Email/expunged'), 'unknownMethod')
})

test('a user sets the days of a mailbox, an old or a new one', async (t) => {
  const room = await jmapRoom(t)
  const made = await call(room, 'Mailbox/set', {
    create: { a: { name: '会議', retention: 7 }, b: { name: '来週', parentId: '#a' } },
  })
  assert.deepEqual([made.created.a.retainDays, made.created.a.retention], [7, 7])
  const ids = [made.created.a.id, made.created.b.id]
  const days = async () =>
    (await call(room, 'Mailbox/get', { ids, properties: ['retainDays'] })).list.map(
      (row: { retainDays: number | null }) => row.retainDays,
    )
  assert.deepEqual(await days(), [7, 7])
  for (const [retention, expected] of [
    ['forever', null],
    [3, 3],
    ['inherit', 7],
  ] as const) {
    const { updated } = await call(room, 'Mailbox/set', { update: { [ids[1]]: { retention } } })
    assert.deepEqual(updated, { [ids[1]]: null })
    assert.deepEqual(await days(), [7, expected])
  }
  for (const retention of [0, -1, 1.5, '7', null, {}]) {
    const { notUpdated } = await call(room, 'Mailbox/set', { update: { [ids[1]]: { retention } } })
    assert.equal(notUpdated[ids[1]].type, 'invalidProperties', JSON.stringify(retention))
  }
  const plain = await room.call('Mailbox/set', { update: { [ids[1]]: { retention: 3 } } })
  assert.equal(plain.notUpdated[ids[1]].type, 'invalidProperties')
})

test('an email says when it goes: with its last copy, and never where one stays', async (t) => {
  const room = await jmapRoom(t)
  const id = await room.file('Subject: 当選\r\n\r\n', { path: ['Junk', 'SPAM'], atMs: 1_000 })
  const expiresAt = async () =>
    (await call(room, 'Email/get', { ids: [id], properties: ['expiresAt'] })).list[0].expiresAt
  const end = new Date(room.store.clock.nowMs() + 30 * DAY_MS)
  assert.equal(await expiresAt(), `${end.toISOString().slice(0, 19)}Z`)
  const inbox = await room.mailbox('INBOX')
  await room.call('Email/set', { update: { [id]: { [`mailboxIds/${inbox}`]: true } } })
  assert.equal(await expiresAt(), null)
})

test('what was destroyed is listed, and comes back as another email where it lay', async (t) => {
  const room = await jmapRoom(t)
  const id = await room.file(
    'From: 花子 <h@x.example>\r\nSubject: =?utf-8?B?5aSn5YiH?=\r\n\r\n本文',
  )
  const stays = await room.file('Subject: 残る\r\n\r\n')
  await room.call('Email/set', { destroy: [id] })
  const before = (await room.call('Email/get', { ids: [stays] })).state
  const { list, next } = await call(room, 'Email/expunged')
  assert.deepEqual(
    [list.length, list[0].id, list[0].subject, list[0].from, list[0].mailbox, next],
    [1, id, '大切', '花子', ['INBOX'], null],
  )
  assert.deepEqual(await call(room, 'Email/restore', { ids: [id, stays, 'Enone'] }), {
    accountId: HANAKO.id,
    restored: 1,
  })
  const changes = await room.call('Email/changes', { sinceState: before })
  assert.deepEqual([changes.created.length, changes.updated, changes.destroyed], [1, [], []])
  const [back] = (
    await room.call('Email/get', {
      ids: changes.created,
      properties: ['subject', 'mailboxIds', 'threadId'],
    })
  ).list
  assert.deepEqual(
    [back.subject, back.mailboxIds],
    ['大切', { [await room.mailbox('INBOX')]: true }],
  )
  assert.deepEqual((await call(room, 'Email/expunged')).list, [])
  assert.equal((await call(room, 'Email/expunged', { since: '来週' })).type, 'invalidArguments')
  assert.equal((await call(room, 'Email/restore')).type, 'invalidArguments')
})
