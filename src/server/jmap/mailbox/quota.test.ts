import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HANAKO, jmapRoom } from '#test/fake/jmap-room.ts'

const mailOf = (sizeBytes: number): string => 'Subject: x\r\n\r\n'.padEnd(sizeBytes, '-')

test('Quota/get shows each limit with its use, and none where nothing is limited (RFC 9425 §4)', async (t) => {
  let quota = { bytes: 1_000, messages: 4 }
  const room = await jmapRoom(t, { quota: () => quota })
  await room.file(mailOf(500))
  const { list, state } = await room.call('Quota/get')
  assert.deepEqual(list, [
    {
      id: 'bytes',
      resourceType: 'octets',
      used: 500,
      hardLimit: 1_000,
      name: 'Mail storage',
      scope: 'account',
      types: ['Email'],
      warnLimit: 900,
      softLimit: null,
      description: null,
    },
    { ...list[1], id: 'messages', resourceType: 'count', used: 1, hardLimit: 4, warnLimit: 4 },
  ])
  const asked = await room.call('Quota/get', { ids: ['messages', 'x'], properties: ['used'] })
  assert.deepEqual([asked.list, asked.notFound], [[{ id: 'messages', used: 1 }], ['x']])
  assert.equal(await room.error('Quota/get', { properties: ['所有'] }), 'invalidArguments')

  const changes = async (sinceState = state) => {
    const { created, updated, destroyed, updatedProperties } = await room.call('Quota/changes', {
      sinceState,
    })
    return { created, updated, destroyed, updatedProperties }
  }
  const none = { created: [], updated: [], destroyed: [], updatedProperties: null }
  assert.deepEqual(await changes(), none)
  await room.file(mailOf(100))
  const used = { ...none, updated: ['bytes', 'messages'], updatedProperties: ['used'] }
  assert.deepEqual(await changes(), used)
  quota = { bytes: 0, messages: 7 }
  const limited = { ...none, updated: ['messages'], destroyed: ['bytes'] }
  assert.deepEqual(await changes(), limited)
  const { state: later } = await room.call('Quota/get')
  quota = { bytes: 9, messages: 0 }
  assert.deepEqual(await changes(later), { ...none, created: ['bytes'], destroyed: ['messages'] })
  for (const sinceState of ['', '無', '1-2-3-4', `${state}-1`, 'zzzzzzzzzzz-1-1-1-1'])
    assert.equal(await room.error('Quota/changes', { sinceState }), 'cannotCalculateChanges')
  quota = { bytes: 0, messages: 0 }
  assert.deepEqual((await room.call('Quota/get')).list, [])
})

test('Quota/query and queryChanges filter and sort (RFC 9425 §4.5)', async (t) => {
  const room = await jmapRoom(t, { quota: () => ({ bytes: 1_000, messages: 4 }) })
  const query = async (args: object) => (await room.call('Quota/query', { ...args })).ids
  assert.deepEqual(await query({}), ['bytes', 'messages'])
  assert.deepEqual(await query({ filter: { resourceType: 'count' } }), ['messages'])
  assert.deepEqual(await query({ filter: { name: 'MAIL', type: 'Email' } }), ['bytes'])
  assert.deepEqual(await query({ filter: { scope: 'domain' } }), [])
  const byName = { sort: [{ property: 'name', isAscending: false }] }
  assert.deepEqual(await query(byName), ['messages', 'bytes'])
  const filter = { 大きさ: 1 }
  assert.equal(await room.error('Quota/query', { filter }), 'unsupportedFilter')
  const { queryState } = await room.call('Quota/query')
  await room.file(mailOf(300))
  const changed = await room.call('Quota/queryChanges', { sinceQueryState: queryState })
  assert.deepEqual(changed.removed, ['bytes', 'messages'])
  assert.deepEqual(changed.added, [
    { id: 'bytes', index: 0 },
    { id: 'messages', index: 1 },
  ])
})

test('what there is no room for is overQuota; moving and destroying go on (RFC 8620 §5.3)', async (t) => {
  const room = await jmapRoom(t, { quota: () => ({ bytes: 0, messages: 1 }) })
  const inbox = await room.mailbox('INBOX')
  const archive = await room.mailbox('Archive')
  const id = await room.file(mailOf(100))
  const draft = { mailboxIds: { [inbox]: true }, subject: '会議' }
  const set = (args: object) => room.call('Email/set', { accountId: HANAKO.id, ...args })
  assert.equal((await set({ create: { a: draft } })).notCreated.a.type, 'overQuota')
  const copied = await set({ update: { [id]: { [`mailboxIds/${archive}`]: true } } })
  assert.equal(copied.notUpdated[id].type, 'overQuota')
  const moved = await set({ update: { [id]: { mailboxIds: { [archive]: true } } } })
  assert.deepEqual(moved.updated, { [id]: null })
  assert.deepEqual((await set({ destroy: [id] })).destroyed, [id])
})

test('the event stream tells that the use has changed (RFC 8620 §7.3)', async (t) => {
  const room = await jmapRoom(t, { quota: () => ({ bytes: 1_000, messages: 0 }) })
  const path = '/jmap/eventsource?types=Quota&closeafter=state&ping=0'
  const stream = await room.fetch(path, { as: 'hanako' })
  const told = stream.text()
  await room.file(mailOf(300))
  const { state } = await room.call('Quota/get')
  assert.ok((await told).includes(JSON.stringify({ [HANAKO.id]: { Quota: state } })))
})

test('the event stream tells that a limit has changed, of one account or of all', async (t) => {
  let bytes = 1_000
  const room = await jmapRoom(t, { quota: () => ({ bytes, messages: 0 }) })
  const path = '/jmap/eventsource?types=Quota&closeafter=state&ping=0'
  for (const accounts of [[HANAKO.id], 'all'] as const) {
    const stream = await room.fetch(path, { as: 'hanako' })
    const told = stream.text()
    bytes += 1_000
    room.limitsChanged(accounts)
    const { state } = await room.call('Quota/get')
    assert.ok((await told).includes(JSON.stringify({ [HANAKO.id]: { Quota: state } })))
  }
})
