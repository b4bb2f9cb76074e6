import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock, HOUR_MS } from '#base/time.ts'
import { HANAKO, jmapRoom } from '#test/fake/jmap-room.ts'
import type { JmapRoomUnderTest } from '#test/fake/jmap-room.ts'

const FROM = 'From: =?UTF-8?B?6Iqx5a2Q?= <hanako@campus.example>'
const draft = (room: JmapRoomUnderTest, subject = '件名'): Promise<string> =>
  room.file(`${FROM}\r\nTo: taro@campus.example\r\nSubject: ${subject}\r\n\r\n本文`, {
    path: ['Drafts'],
  })

const identityOf = async (room: JmapRoomUnderTest): Promise<string> =>
  (await room.call('Identity/get')).list[0].id

/** Sends a new draft; the submission's id, and the email's. */
async function send(
  room: JmapRoomUnderTest,
  parameters: Record<string, string> | null = null,
): Promise<{ readonly id: string; readonly emailId: string }> {
  const emailId = await draft(room)
  const envelope = {
    mailFrom: { email: 'hanako@campus.example', parameters },
    rcptTo: [{ email: 'taro@campus.example' }],
  }
  const create = { s: { identityId: await identityOf(room), emailId, envelope } }
  const { created, notCreated } = await room.call('EmailSubmission/set', { create })
  assert.equal(notCreated, null)
  return { id: created.s.id, emailId }
}

const statusOf = async (room: JmapRoomUnderTest, id: string) => {
  const [{ undoStatus, deliveryStatus }] = (await room.call('EmailSubmission/get', { ids: [id] }))
    .list
  return [undoStatus, deliveryStatus?.['taro@campus.example'].delivered ?? null]
}

test('what was submitted is kept, and told as far as it is known (RFC 8621 §7)', async (t) => {
  const clock = new FakeClock()
  const room = await jmapRoom(t, { clock })
  const { state: empty, list: none } = await room.call('EmailSubmission/get')
  assert.deepEqual(none, [])
  const { id, emailId } = await send(room)
  const { state, list } = await room.call('EmailSubmission/get', { ids: [id, 'Snone'] })
  const [email] = (await room.call('Email/get', { ids: [emailId], properties: ['threadId'] })).list
  assert.deepEqual(list, [
    {
      id,
      identityId: await identityOf(room),
      emailId,
      threadId: email.threadId,
      envelope: {
        mailFrom: { email: 'hanako@campus.example', parameters: null },
        rcptTo: [{ email: 'taro@campus.example', parameters: null }],
      },
      sendAt: new Date(clock.nowMs()).toISOString().replace('.000', ''),
      undoStatus: 'final',
      deliveryStatus: {
        'taro@campus.example': {
          smtpReply: '250 2.1.5 Waits to be handed on',
          delivered: 'queued',
          displayed: 'unknown',
        },
      },
      dsnBlobIds: [],
      mdnBlobIds: [],
    },
  ])
  await room.store.outboxDone({ ids: [id.slice(1)] })
  assert.deepEqual(await statusOf(room, id), ['final', 'unknown'])
  const changes = await room.call('EmailSubmission/changes', { sinceState: state })
  assert.deepEqual([changes.created, changes.updated, changes.destroyed], [[], [id], []])
  const all = await room.call('EmailSubmission/changes', { sinceState: empty })
  assert.deepEqual(all.created, [id])
  for (const sinceState of ['x-1', 'zzzzzzzzzz', ''])
    assert.equal(
      await room.error('EmailSubmission/changes', { sinceState }),
      'cannotCalculateChanges',
    )
  const properties = ['undoStatus']
  const [short] = (await room.call('EmailSubmission/get', { ids: [id], properties })).list
  assert.deepEqual(short, { id, undoStatus: 'final' })
  assert.equal(
    await room.error('EmailSubmission/get', { properties: ['fate'] }),
    'invalidArguments',
  )
})

test('mail is held until its time and can be called back until then (RFC 4865)', async (t) => {
  const clock = new FakeClock()
  const room = await jmapRoom(t, { clock })
  const drafts = await room.mailbox('Drafts')
  const [first, second] = [
    await send(room, { HOLDFOR: '3600' }),
    await send(room, { HOLDUNTIL: new Date(clock.nowMs() + HOUR_MS).toISOString() }),
  ]
  assert.deepEqual(await statusOf(room, first.id), ['pending', 'queued'])
  assert.deepEqual((await room.store.outbox({ limit: 9 })).items, [])
  const [{ sendAt }] = (await room.call('EmailSubmission/get', { ids: [first.id] })).list
  assert.equal(Date.parse(sendAt), clock.nowMs() + HOUR_MS)

  const set = (args: Record<string, unknown>) => room.call('EmailSubmission/set', args)
  const responses = await room.request([
    [
      'EmailSubmission/set',
      {
        accountId: HANAKO.id,
        update: { [first.id]: { undoStatus: 'canceled' } },
        onSuccessUpdateEmail: { [first.id]: { 'keywords/$draft': true } },
      },
      'c',
    ],
  ])
  assert.deepEqual(responses[0]![1]['updated'], { [first.id]: { deliveryStatus: null } })
  assert.deepEqual(responses[1]![1]['updated'], { [first.emailId]: null })
  assert.deepEqual(await statusOf(room, first.id), ['canceled', null])
  const again = await set({ update: { [first.id]: { undoStatus: 'canceled' } } })
  assert.deepEqual(again.updated, { [first.id]: null })
  assert.deepEqual(
    room.events.map(({ name }) => name),
    ['store.submitted', 'store.submitted', 'store.withdrawn'],
  )

  clock.advance(HOUR_MS)
  const { items } = await room.store.outbox({ limit: 9 })
  assert.deepEqual(
    items.map(({ id }) => `S${id}`),
    [second.id],
  )
  const cancel = { update: { [second.id]: { undoStatus: 'canceled' } } }
  assert.equal((await set(cancel)).notUpdated[second.id].type, 'cannotUnsend')
  await room.store.outboxDone({ ids: [second.id.slice(1)] })
  assert.deepEqual(await statusOf(room, second.id), ['final', 'unknown'])
  assert.equal((await set(cancel)).notUpdated[second.id].type, 'cannotUnsend')

  for (const [patch, type] of [
    [{ sendAt: '2030-01-01T00:00:00Z' }, 'invalidProperties'],
    [{ undoStatus: 'pending' }, 'invalidProperties'],
    [{ 'envelope/rcptTo': [] }, 'invalidPatch'],
    [{ 何: 1 }, 'invalidProperties'],
  ] as const)
    assert.equal((await set({ update: { [second.id]: patch } })).notUpdated[second.id].type, type)
  const same = await set({ update: { [second.id]: { undoStatus: 'final', dsnBlobIds: [] } } })
  assert.deepEqual(same.updated, { [second.id]: null })

  const identityId = await identityOf(room)
  const emailId = await draft(room)
  for (const parameters of [
    { HOLDFOR: '-1' },
    { HOLDFOR: '1209601' },
    { HOLDUNTIL: 'あす' },
    { HOLDFOR: '1', HOLDUNTIL: '2026-01-01T00:00:00Z' },
    { HOLDFOR: null },
  ]) {
    const mailFrom = { email: 'hanako@campus.example', parameters }
    const envelope = { mailFrom, rcptTo: [{ email: 'taro@campus.example' }] }
    const answer = await set({ create: { s: { identityId, emailId, envelope } } })
    assert.equal(answer.notCreated?.s.type, 'invalidProperties', JSON.stringify(parameters))
  }
  const session = (await (await room.fetch('/jmap/session', { as: 'hanako' })).json()) as {
    accounts: Record<string, { accountCapabilities: Record<string, unknown> }>
  }
  const { accountCapabilities } = session.accounts[HANAKO.id]!
  assert.deepEqual(accountCapabilities['urn:ietf:params:jmap:submission'], {
    maxDelayedSend: 1_209_600,
    submissionExtensions: { FUTURERELEASE: ['1209600', '9999-12-31T23:59:59Z'] },
  })
  assert.ok(drafts)
})

test('submissions are destroyed, which calls nothing back, and emails after them', async (t) => {
  const clock = new FakeClock()
  const room = await jmapRoom(t, { clock })
  const { id, emailId } = await send(room, { HOLDFOR: '60' })
  const { oldState, newState, destroyed, notDestroyed, notUpdated } = await room.call(
    'EmailSubmission/set',
    {
      destroy: [id, 'Snone'],
      update: { [id]: { undoStatus: 'canceled' }, Snone: {} },
      onSuccessDestroyEmail: [id],
    },
  )
  assert.deepEqual(destroyed, [id])
  assert.equal(notDestroyed.Snone.type, 'notFound')
  assert.deepEqual([notUpdated[id].type, notUpdated.Snone.type], ['willDestroy', 'notFound'])
  assert.notEqual(oldState, newState)
  assert.deepEqual((await room.call('Email/get', { ids: [emailId] })).notFound, [emailId])
  clock.advance(60_000)
  assert.equal((await room.store.outbox({ limit: 9 })).items.length, 1, 'it goes out all the same')
  const changes = await room.call('EmailSubmission/changes', { sinceState: oldState })
  assert.deepEqual(changes.destroyed, [id])
  assert.equal(await room.error('EmailSubmission/set', { ifInState: oldState }), 'stateMismatch')
})

test('submissions are found by what they are, in order, and queries tell what changed', async (t) => {
  const clock = new FakeClock()
  const room = await jmapRoom(t, { clock })
  const sent: { readonly id: string; readonly emailId: string }[] = []
  for (let n = 0; n < 3; n++) {
    sent.push(await send(room, n === 2 ? { HOLDFOR: '600' } : null))
    clock.advance(60_000)
  }
  const [a, b, c] = sent.map(({ id }) => id) as [string, string, string]
  const query = (args: Record<string, unknown>) => room.call('EmailSubmission/query', args)
  const found = async (filter: unknown): Promise<string[]> => (await query({ filter })).ids
  const at = new Date(clock.nowMs() - 150_000).toISOString()
  const identityId = await identityOf(room)
  assert.deepEqual(await found(null), [a, b, c])
  assert.deepEqual(await found({ undoStatus: 'pending' }), [c])
  assert.deepEqual(await found({ emailIds: [sent[1]!.emailId, 'Enone'] }), [b])
  assert.deepEqual(await found({ identityIds: [identityId], before: at }), [a])
  assert.deepEqual(await found({ after: at }), [b, c])
  const not = { operator: 'NOT', conditions: [{ emailIds: [sent[0]!.emailId] }] }
  assert.deepEqual(await found({ operator: 'AND', conditions: [not, { before: at }] }), [])
  const sort = [{ property: 'sentAt', isAscending: false }]
  const page = await query({ sort, position: 1, limit: 1, calculateTotal: true })
  assert.deepEqual([page.ids, page.position, page.total], [[b], 1, 3])
  assert.deepEqual((await query({ sort, anchor: a, anchorOffset: -1 })).ids, [b, a])
  assert.deepEqual((await query({ sort, position: -1 })).ids, [a])
  for (const [args, type] of [
    [{ filter: { 何: 1 } }, 'unsupportedFilter'],
    [{ filter: { before: 'きのう' } }, 'invalidArguments'],
    [{ filter: { emailIds: 'x' } }, 'invalidArguments'],
    [{ filter: [] }, 'invalidArguments'],
    [{ sort: [{ property: 'id' }] }, 'unsupportedSort'],
    [{ anchor: 'Snone' }, 'anchorNotFound'],
    [{ limit: -1 }, 'invalidArguments'],
  ] as const)
    assert.equal(await room.error('EmailSubmission/query', args), type, JSON.stringify(args))

  const filter = { undoStatus: 'pending' }
  const { queryState, canCalculateChanges } = await query({ filter, sort })
  assert.equal(canCalculateChanges, true)
  const ask = { filter, sort, sinceQueryState: queryState, calculateTotal: true }
  const changes = (more = {}) => room.call('EmailSubmission/queryChanges', { ...ask, ...more })
  assert.deepEqual([(await changes()).removed, (await changes()).added], [[], []])
  const { id: d } = await send(room, { HOLDFOR: '900' })
  await room.call('EmailSubmission/set', { update: { [c]: { undoStatus: 'canceled' } } })
  const { removed, added, total, oldQueryState } = await changes()
  assert.deepEqual(
    { removed, added, total, oldQueryState },
    { removed: [c], added: [{ id: d, index: 0 }], total: 1, oldQueryState: queryState },
  )
  assert.equal(
    await room.error('EmailSubmission/queryChanges', { ...ask, maxChanges: 1 }),
    'tooManyChanges',
  )
  assert.equal(
    await room.error('EmailSubmission/queryChanges', { ...ask, sinceQueryState: '?' }),
    'cannotCalculateChanges',
  )
})
