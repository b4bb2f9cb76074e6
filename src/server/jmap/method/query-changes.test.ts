import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HANAKO, jmapRoom } from '#test/fake/jmap-room.ts'

interface Changes {
  readonly newQueryState: string
  readonly total: number
  readonly removed: readonly string[]
  readonly added: readonly { readonly id: string; readonly index: number }[]
}

/** What a client does with the answer (RFC 8620 §5.6). */
function applied(list: readonly string[], { removed, added }: Changes): string[] {
  const gone = new Set(removed)
  const now = list.filter((id) => !gone.has(id))
  for (const { id, index } of added) now.splice(index, 0, id)
  return now
}

/** The same numbers each time. */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return (state >>> 8) % below
  }
}

test('a client that follows Email/queryChanges has what Email/query says, whatever happens', async (t) => {
  const room = await jmapRoom(t)
  const [inbox, archive] = [await room.mailbox('INBOX'), await room.mailbox('Archive')]
  const newest = [{ property: 'receivedAt', isAscending: false }]
  const queries: readonly Record<string, unknown>[] = [
    { filter: { inMailbox: inbox }, sort: newest },
    { filter: { inMailbox: inbox }, sort: newest, collapseThreads: true },
    { filter: { inMailbox: inbox, notKeyword: '$seen' }, sort: [{ property: 'receivedAt' }] },
    { filter: { inMailbox: archive, someInThreadHaveKeyword: '$flagged' }, sort: newest },
    { filter: { subject: '会議' }, sort: [{ property: 'subject' }, ...newest] },
    { sort: [{ property: 'hasKeyword', keyword: '$seen', isAscending: false }, ...newest] },
    { sort: newest, collapseThreads: true },
  ]
  const ask = (query: Record<string, unknown>) => room.call('Email/query', query)
  const known = await Promise.all(queries.map(ask))
  const pick = numbers(7)
  const emails: string[] = []
  const update = (id: string, patch: Record<string, unknown>) =>
    room.call('Email/set', { update: { [id]: patch } })
  const acts: readonly (() => Promise<unknown>)[] = [
    async () => {
      const thread = pick(4)
      const subject = ['会議', 'お知らせ'][pick(2)]
      const head = `Message-ID: <m${emails.length}@x>\r\nReferences: <t${thread}@x>\r\nSubject: ${subject} ${thread}`
      const atMs = Date.UTC(2026, 10, 1 + pick(20))
      emails.push(await room.file(`${head}\r\n\r\n本文`, { atMs }))
    },
    () => update(emails[pick(emails.length)]!, { 'keywords/$seen': pick(2) === 0 ? true : null }),
    () =>
      update(emails[pick(emails.length)]!, { 'keywords/$flagged': pick(2) === 0 ? true : null }),
    () => update(emails[pick(emails.length)]!, { mailboxIds: { [archive]: true } }),
    () => update(emails[pick(emails.length)]!, { mailboxIds: { [inbox]: true, [archive]: true } }),
    async () => {
      if (emails.length > 6)
        await room.call('Email/set', { destroy: emails.splice(pick(emails.length), 1) })
    },
  ]
  for (let n = 0; n < 6; n++) await acts[0]!()
  for (let n = 0; n < 60; n++) {
    for (let each = pick(3); each >= 0; each--) await acts[pick(acts.length)]!()
    for (const [index, query] of queries.entries()) {
      const before = known[index] as { queryState: string; ids: string[] }
      const changes = (await room.call('Email/queryChanges', {
        ...query,
        sinceQueryState: before.queryState,
        calculateTotal: true,
      })) as Changes
      const now = await ask(query)
      assert.deepEqual(applied(before.ids, changes), now.ids, `${n}: ${JSON.stringify(query)}`)
      assert.deepEqual([changes.newQueryState, changes.total], [now.queryState, now.ids.length])
      known[index] = now
    }
  }
})

test('a query whose changes cannot be told says so (RFC 8620 §5.6)', async (t) => {
  const room = await jmapRoom(t)
  const inbox = await room.mailbox('INBOX')
  const filter = { inMailbox: inbox }
  const { queryState, canCalculateChanges } = await room.call('Email/query', { filter })
  assert.equal(canCalculateChanges, true)
  await room.file('Subject: 一\r\n\r\n')
  const second = await room.file('Subject: 二\r\n\r\n')
  const ask = { filter, sinceQueryState: queryState }
  const { oldQueryState, removed, added } = await room.call('Email/queryChanges', ask)
  assert.deepEqual([oldQueryState, removed, added.length], [queryState, [], 2])
  const error = (more: Record<string, unknown>) =>
    room.error('Email/queryChanges', { ...ask, ...more })
  assert.equal(await error({ maxChanges: 1 }), 'tooManyChanges')
  for (const sinceQueryState of ['x', 'q', 'qzzzzzzzz-1', queryState.slice(1)])
    assert.equal(await error({ sinceQueryState }), 'cannotCalculateChanges')
  assert.equal(await error({ sinceQueryState: null }), 'invalidArguments')
  assert.equal(await error({ sort: [{ property: '何' }] }), 'unsupportedSort')
  await room.call('Email/set', { destroy: [second] })
  room.store.clock.advance(30 * 86_400_000)
  await room.store.purge({ beforeMs: room.store.clock.nowMs() })
  assert.equal(await error({}), 'cannotCalculateChanges', 'rows of that time are gone')
})

test('a client that follows Mailbox/queryChanges has what Mailbox/query says', async (t) => {
  const room = await jmapRoom(t)
  const queries: readonly Record<string, unknown>[] = [
    { sort: [{ property: 'name' }] },
    { sort: [{ property: 'sortOrder' }, { property: 'name', isAscending: false }] },
    { filter: { parentId: null, isSubscribed: true }, sort: [{ property: 'name' }] },
    { filter: { operator: 'NOT', conditions: [{ hasAnyRole: true }] } },
    { filter: { name: '会議' } },
  ]
  const known = await Promise.all(queries.map((query) => room.call('Mailbox/query', query)))
  const set = (args: Record<string, unknown>) => room.call('Mailbox/set', args)
  const { created } = await set({ create: { a: { name: '会議' }, b: { name: 'ゼミ' } } })
  const [a, b] = [created.a.id, created.b.id]
  const steps: readonly (() => Promise<unknown>)[] = [
    () => Promise.resolve(),
    () => set({ update: { [a]: { isSubscribed: true, sortOrder: 3 } } }),
    () => set({ update: { [b]: { name: '教授会議', parentId: a } } }),
    () => room.file('Subject: 一\r\n\r\n'),
    () => set({ update: { [b]: { role: 'important' } } }),
    () => set({ update: { [b]: { role: null, parentId: null } } }),
    () => set({ destroy: [a] }),
  ]
  for (const [n, step] of steps.entries()) {
    await step()
    for (const [index, query] of queries.entries()) {
      const { queryState, ids, canCalculateChanges } = known[index]
      assert.equal(canCalculateChanges, true)
      const ask = { ...query, sinceQueryState: queryState, calculateTotal: true }
      const changes = (await room.call('Mailbox/queryChanges', ask)) as Changes
      const now = await room.call('Mailbox/query', query)
      assert.deepEqual(applied(ids, changes), now.ids, `${n}: ${JSON.stringify(query)}`)
      assert.equal(changes.total, now.ids.length)
      known[index] = now
    }
  }
  const tree = await room.call('Mailbox/query', { sortAsTree: true })
  assert.equal(tree.canCalculateChanges, false)
  const ask = { sortAsTree: true, sinceQueryState: tree.queryState }
  assert.equal(await room.error('Mailbox/queryChanges', ask), 'cannotCalculateChanges')
  for (const [filter, type] of [
    [{ hasAnyRole: 'x' }, 'invalidArguments'],
    [{ 何: 1 }, 'unsupportedFilter'],
    [{ operator: 'XOR', conditions: [] }, 'invalidArguments'],
  ] as const)
    assert.equal(await room.error('Mailbox/query', { filter }), type)
  assert.equal(await room.error('Mailbox/query', { sort: [{ property: 'id' }] }), 'unsupportedSort')
  assert.ok(HANAKO.id)
})
