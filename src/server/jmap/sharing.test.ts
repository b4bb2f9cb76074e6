import assert from 'node:assert/strict'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { fromUtf8 } from '#base/octets.ts'
import { parseRights } from '#model/acl.ts'
import type { Grantee } from '#model/acl.ts'
import type { MailboxId } from '#model/mailbox.ts'
import type { MailboxChange } from '#store/mailbox/commit.ts'
import { fakeAccount } from '#test/fake/authenticator.ts'
import { HANAKO, jmapRoom } from '#test/fake/jmap-room.ts'

const TARO = fakeAccount('taro').id

/** Hanako's JMAP, and mailboxes of taro's that he shares with her. */
async function sharedRoom(t: TestContext) {
  const room = await jmapRoom(t)
  const change = async (changes: readonly MailboxChange[], contents: readonly string[] = []) => {
    const { results } = await room.store.commit({
      contents: contents.map((content) => ({ octets: [fromUtf8(content)] })),
      commits: [{ accountId: TARO, changes }],
    })
    assert.equal(results[0]?.kind, 'committed')
    return results[0].results
  }
  const box = async (name: string): Promise<MailboxId> => {
    const { mailboxes } = await room.store.mailboxes({ accountId: TARO })
    return mailboxes.find(({ path }) => path.join('/') === name)!.id
  }
  const share = async (name: string, rights: string, who: Grantee = HANAKO.id): Promise<void> => {
    const mailboxId = await box(name)
    await change([{ kind: 'grant', mailboxId, who, mode: 'replace', rights: parseRights(rights)! }])
  }
  const file = async (name: string, subject: string): Promise<string> => {
    const [filed] = await change(
      [
        {
          kind: 'append',
          mailbox: { path: name.split('/'), create: true },
          content: 0,
          flags: 0,
          keywords: [],
          internalDateMs: Date.UTC(2026, 8, 15),
        },
      ],
      [`From: 渡辺 太郎 <taro@campus.example>\r\nSubject: ${subject}\r\n\r\n本文の会議室\r\n`],
    )
    assert.equal(filed?.kind, 'append')
    return filed.emailId
  }
  const call = (name: string, args: object = {}) => room.call(name, { accountId: TARO, ...args })
  const error = (name: string, args: object = {}) => room.error(name, { accountId: TARO, ...args })
  const session = async () =>
    (await (await room.fetch('/.well-known/jmap', { as: 'hanako' })).json()) as {
      readonly accounts: Record<string, Record<string, unknown>>
      readonly state: string
    }
  return { room, change, box, share, file, call, error, session }
}

test('a Session names accounts of others while they share something (RFC 8620 §2)', async (t) => {
  const { room, share, box, session, file, error } = await sharedRoom(t)
  await file('会議', '議事録')
  const before = await session()
  assert.deepEqual(Object.keys(before.accounts), [HANAKO.id])
  assert.equal(await error('Mailbox/get'), 'accountNotFound')
  await share('会議', 'lr')
  const shared = await session()
  assert.notEqual(shared.state, before.state)
  const { name, isPersonal, isReadOnly, accountCapabilities } = shared.accounts[TARO]!
  assert.deepEqual([name, isPersonal, isReadOnly], ['taro@campus.example', false, true])
  assert.deepEqual(Object.keys(accountCapabilities as object), [
    'urn:ietf:params:jmap:core',
    'urn:ietf:params:jmap:mail',
    'urn:ietf:params:jmap:blob',
  ])
  const answer = (await (
    await room.fetch('/jmap/api', {
      method: 'POST',
      as: 'hanako',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ using: ['urn:ietf:params:jmap:core'], methodCalls: [] }),
    })
  ).json()) as { sessionState: string }
  assert.equal(answer.sessionState, shared.state)
  assert.equal(await error('Identity/get'), 'accountNotSupportedByMethod')
  assert.equal(await error('Quota/get'), 'accountNotSupportedByMethod')
  assert.equal(await error('Email/set', { destroy: ['E1'] }), 'accountReadOnly')
  await share('会議', 'lrs')
  assert.equal((await session()).accounts[TARO]!['isReadOnly'], false)
  await share('会議', '')
  assert.deepEqual(Object.keys((await session()).accounts), [HANAKO.id])
  assert.equal(await error('Mailbox/get'), 'accountNotFound')
  await share('会議', 'lr', 'anyone')
  assert.deepEqual(Object.keys((await session()).accounts), [HANAKO.id, TARO])
  room.accounts.delete(TARO)
  assert.deepEqual(Object.keys((await session()).accounts), [HANAKO.id], 'an owner who is no more')
  assert.ok(await box('会議'))
})

test('Mailbox.myRights are the rights of the ACL; what may not be looked up is not there (RFC 8621 §2)', async (t) => {
  const { share, file, call, box, change } = await sharedRoom(t)
  for (const name of ['会議', '会議/資料', '内密', '郵便受']) await file(name, name)
  await share('会議', 'lrswite')
  await share('会議/資料', 'lk')
  await share('郵便受', 'ip')
  await change([
    {
      kind: 'setFlags',
      mailboxId: await box('会議'),
      uids: [1 as never],
      mode: 'add',
      flags: 1,
      keywords: [],
    },
  ])
  const { list } = await call('Mailbox/get')
  const rights = (name: string) =>
    Object.entries(list.find((each: { name: string }) => each.name === name).myRights)
      .filter(([, may]) => may)
      .map(([right]) => right)
  assert.deepEqual(
    list.map(({ name }: { name: string }) => name),
    ['会議', '資料'],
  )
  assert.deepEqual(rights('会議'), [
    'mayReadItems',
    'mayAddItems',
    'mayRemoveItems',
    'maySetSeen',
    'maySetKeywords',
  ])
  assert.deepEqual(rights('資料'), ['mayCreateChild'])
  const [meeting, papers] = list
  assert.equal(papers.parentId, meeting.id)
  assert.deepEqual([meeting.role, meeting.totalEmails, meeting.unreadEmails], [null, 1, 1])
  assert.deepEqual([papers.totalEmails, papers.unreadEmails], [0, 0])
  const hidden = await call('Mailbox/get', { ids: [await box('内密'), await box('郵便受')] })
  assert.equal(hidden.notFound.length, 2)
  assert.deepEqual((await call('Mailbox/query')).ids, [meeting.id, papers.id])
})

test('mail of others is listed, read and searched as far as its owner lets it', async (t) => {
  const { room, share, file, call, box, error } = await sharedRoom(t)
  const minutes = await file('会議', '議事録')
  const secret = await file('内密', '人事')
  await share('会議', 'lr')
  const { ids } = await call('Email/query', { filter: { text: '会議室' } })
  assert.deepEqual(ids, [minutes])
  assert.deepEqual((await call('Email/query')).ids, [minutes])
  const inSecret = { filter: { inMailbox: await box('内密') } }
  assert.deepEqual((await call('Email/query', inSecret)).ids, [])
  const got = await call('Email/get', {
    ids: [minutes, secret],
    properties: ['subject', 'bodyValues', 'textBody', 'mailboxIds', 'blobId', 'threadId'],
    fetchTextBodyValues: true,
  })
  assert.deepEqual(got.notFound, [secret])
  const [email] = got.list
  assert.equal(email.subject, '議事録')
  assert.match(JSON.stringify(email.bodyValues), /本文の会議室/)
  assert.equal((await call('Thread/get', { ids: [email.threadId] })).list.length, 1)
  const blob = (account: string, id: string) =>
    room.fetch(`/jmap/download/${account}/${id}/x`, { as: 'hanako' })
  assert.match(await (await blob(TARO, email.blobId)).text(), /本文の会議室/)
  for (const [account, id] of [
    [TARO, `G${secret}`],
    [HANAKO.id, email.blobId],
    ['jiro', email.blobId],
  ] as const)
    assert.equal((await blob(account, id)).status, 404)
  const snippet = { filter: { text: '会議室' }, emailIds: [minutes] }
  assert.match(JSON.stringify((await call('SearchSnippet/get', snippet)).list), /<mark>会議室/)
  await share('会議', '')
  assert.equal(await error('Email/get', { ids: [minutes] }), 'accountNotFound')
  assert.equal((await blob(TARO, email.blobId)).status, 404)
})

test('$seen is each reader’s own; other keywords want w, and nothing is left out in silence (RFC 8621 §2)', async (t) => {
  const { room, share, file, call, box } = await sharedRoom(t)
  const id = await file('会議', '議事録')
  await share('会議', 'lrs')
  const set = async (patch: object) => {
    const answer = await call('Email/set', { update: { [id]: patch } })
    return answer.notUpdated?.[id]?.type ?? 'updated'
  }
  assert.equal(await set({ 'keywords/$seen': true }), 'updated')
  assert.equal(await set({ 'keywords/$flagged': true }), 'forbidden')
  assert.equal(await set({ keywords: { $seen: true, $flagged: true } }), 'forbidden')
  assert.equal(await set({ keywords: { $seen: true } }), 'updated')
  const { list } = await call('Email/get', { ids: [id], properties: ['keywords'] })
  assert.deepEqual(list[0].keywords, { $seen: true })
  const mine = await call('Mailbox/get', { ids: [await box('会議')] })
  assert.equal(mine.list[0].unreadEmails, 0)
  const { emails } = await room.store.emails({ accountId: TARO, emailIds: [id as never] })
  assert.equal(emails[0]!.places[0]!.flags, 0, 'to its owner it is unread')
  assert.deepEqual((await call('Email/query', { filter: { notKeyword: '$seen' } })).ids, [])
  await share('会議', 'lrw')
  assert.equal(await set({ 'keywords/$seen': null }), 'forbidden')
  assert.equal(await set({ 'keywords/$flagged': true }), 'updated')
})

test('moving, destroying and filing want the rights of RFC 4314', async (t) => {
  const { room, share, file, call, box } = await sharedRoom(t)
  const id = await file('会議', '議事録')
  await file('資料', '資料')
  const [from, to] = [await box('会議'), await box('資料')]
  await share('会議', 'lrs')
  await share('資料', 'lr')
  const move = async () => {
    const answer = await call('Email/set', { update: { [id]: { mailboxIds: { [to]: true } } } })
    return answer.notUpdated?.[id]?.type ?? 'moved'
  }
  const destroy = async () =>
    (await call('Email/set', { destroy: [id] })).notDestroyed?.[id]?.type ?? 'destroyed'
  const create = async (more: object = {}) => {
    const a = { mailboxIds: { [to]: true }, subject: '返事', ...more }
    return (await call('Email/set', { create: { a } })).notCreated?.a.type ?? 'created'
  }
  assert.deepEqual(
    [await move(), await destroy(), await create()],
    ['forbidden', 'forbidden', 'forbidden'],
  )
  await share('資料', 'lri')
  assert.equal(await create(), 'created')
  assert.equal(await create({ keywords: { $draft: true } }), 'forbidden')
  assert.equal(await move(), 'forbidden', 'nothing may be taken away')
  await share('会議', 'lrte')
  assert.equal(await move(), 'moved')
  assert.equal(await destroy(), 'forbidden')
  await share('資料', 'lrite')
  assert.equal(await destroy(), 'destroyed')
  const uploaded = await room.fetch(`/jmap/upload/${TARO}/`, {
    method: 'POST',
    as: 'hanako',
    headers: { 'content-type': 'message/rfc822' },
    body: 'Subject: 取込\r\n\r\n本文',
  })
  const blob = (await uploaded.json()) as { blobId: string; accountId: string }
  assert.equal(blob.accountId, TARO)
  const emails = { a: { blobId: blob.blobId, mailboxIds: { [to]: true } } }
  assert.ok((await call('Email/import', { emails })).created.a.id)
  assert.ok(from)
})

test('mailboxes of others are made, renamed and deleted with k and x, below what is shared only', async (t) => {
  const { share, file, call, box } = await sharedRoom(t)
  await file('部/会議', '議事録')
  await share('部/会議', 'lrkx')
  const id = await box('部/会議')
  const set = (args: object) => call('Mailbox/set', args)
  const made = await set({ create: { a: { name: '資料', parentId: id }, b: { name: '頂' } } })
  assert.ok(made.created.a.id)
  assert.equal(made.notCreated.b.type, 'forbidden')
  const own = await set({ update: { [id]: { sortOrder: 3 } } })
  assert.equal(own.notUpdated[id].type, 'forbidden')
  // The mailbox above is not shown: a new name leaves it where it is, and wants k there.
  const renamed = await set({ update: { [id]: { name: '集会' } } })
  assert.equal(renamed.notUpdated[id].type, 'forbidden')
  await share('部', 'k')
  assert.deepEqual((await set({ update: { [id]: { name: '集会' } } })).updated, { [id]: null })
  assert.equal(await box('部/集会'), id)
  assert.equal((await set({ destroy: [id] })).notDestroyed[id].type, 'mailboxHasChild')
  assert.deepEqual((await set({ destroy: [made.created.a.id] })).destroyed, [made.created.a.id])
  await share('部/集会', 'lx')
  assert.equal(
    (await set({ destroy: [id] })).notDestroyed[id].type,
    'mailboxHasEmail',
    'what one may not read is not thrown away unseen',
  )
})

test('emails are copied from account to account, by rights on both sides (RFC 8621 §4.7)', async (t) => {
  const { room, share, file, call, box } = await sharedRoom(t)
  const id = await file('会議', '議事録')
  const meeting = await box('会議')
  const inbox = await room.mailbox('INBOX')
  const archive = await room.mailbox('Archive')
  await share('会議', 'lr')
  const take = (create: object, more: object = {}) =>
    room.call('Email/copy', { fromAccountId: TARO, create, ...more })
  const none = { fromAccountId: 'jiro', create: {} }
  assert.equal(await room.error('Email/copy', none), 'fromAccountNotFound')
  assert.equal(
    await room.error('Email/copy', { fromAccountId: HANAKO.id, create: {} }),
    'invalidArguments',
  )
  const answer = await take({
    a: { id, mailboxIds: { [inbox]: true, [archive]: true }, keywords: { $seen: true } },
    b: { id: 'Enone', mailboxIds: { [inbox]: true } },
    c: { id, mailboxIds: { [meeting]: true } },
  })
  assert.deepEqual(
    [answer.notCreated.b.type, answer.notCreated.c.type],
    ['notFound', 'invalidProperties'],
  )
  const { list } = await room.call('Email/get', {
    ids: [answer.created.a.id],
    properties: ['subject', 'mailboxIds', 'keywords', 'receivedAt', 'size'],
  })
  assert.deepEqual(list, [
    {
      id: answer.created.a.id,
      subject: '議事録',
      mailboxIds: { [inbox]: true, [archive]: true },
      keywords: { $seen: true },
      receivedAt: '2026-09-15T00:00:00Z',
      size: answer.created.a.size,
    },
  ])
  for (const stale of ['ifInState', 'ifFromInState'])
    assert.equal(
      await room.error('Email/copy', { fromAccountId: TARO, create: {}, [stale]: 'x' }),
      'stateMismatch',
    )
  const moving = {
    fromAccountId: TARO,
    accountId: HANAKO.id,
    create: { a: { id, mailboxIds: { [inbox]: true } } },
    onSuccessDestroyOriginal: true,
  }
  const [copied, refused] = await room.request([['Email/copy', moving, 'c']])
  assert.equal(copied![0], 'Email/copy')
  assert.deepEqual([refused![1]['type'], refused![2]], ['accountReadOnly', 'c'])
  await share('会議', 'lrite')
  const [, destroyed] = await room.request([['Email/copy', moving, 'c']])
  assert.deepEqual(destroyed![1]['destroyed'], [id])
  const back = await call('Email/copy', {
    fromAccountId: HANAKO.id,
    create: { a: { id: answer.created.a.id, mailboxIds: { [meeting]: true }, keywords: {} } },
  })
  assert.ok(back.created.a.id)
  const blobs = await room.call('Blob/copy', {
    fromAccountId: TARO,
    blobIds: [back.created.a.blobId, 'Gnone'],
  })
  assert.equal(blobs.notCopied.Gnone.type, 'notFound')
  const name = blobs.copied[back.created.a.blobId]
  const octets = await room.fetch(`/jmap/download/${HANAKO.id}/${name}/x`, { as: 'hanako' })
  assert.match(await octets.text(), /本文の会議室/)
})

test('changes of shared accounts are told by state, and by the event stream (RFC 8620 §7.3)', async (t) => {
  const { room, share, file, call, error } = await sharedRoom(t)
  await file('会議', '議事録')
  const stream = await room.fetch('/jmap/eventsource?types=*&closeafter=no&ping=0', {
    as: 'hanako',
  })
  const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader()
  let heard = ''
  const until = async (wanted: string): Promise<void> => {
    while (!heard.includes(wanted)) {
      const { value, done } = await reader.read()
      assert.ok(!done, heard)
      heard += value
    }
    heard = ''
  }
  await share('会議', 'lrs')
  await until(`"changed":{"${TARO}":{"Mailbox"`)
  const { state } = await call('Email/get', { ids: [] })
  const id = await file('会議', '次回')
  await until(`"${TARO}":{`)
  const changes = await call('Email/changes', { sinceState: state })
  assert.deepEqual(changes.created, [id])
  await share('会議', 'lr')
  await until(`"${TARO}":{`)
  assert.equal(await error('Email/changes', { sinceState: state }), 'cannotCalculateChanges')
  await share('会議', '')
  await until(`"${TARO}":{"Mailbox":"gone"}`)
  await share('会議', 'lr', 'anyone')
  await until(`"${TARO}":{"Mailbox"`)
  await reader.cancel()
})

test('who may look a mailbox up subscribes to it, and their other programs hear of it (RFC 8621 §2)', async (t) => {
  const { room, share, file, call, error, box } = await sharedRoom(t)
  await file('会議', '議事録')
  await share('会議', 'lr')
  const id = await box('会議')
  const state = (await call('Mailbox/get')).state
  const isSubscribed = async () =>
    (await call('Mailbox/get', { ids: [id], properties: ['isSubscribed'] })).list[0].isSubscribed
  assert.equal(await isSubscribed(), false)
  const set = (patch: object) => call('Mailbox/set', { update: { [id]: patch } })
  assert.deepEqual(Object.keys((await set({ isSubscribed: true })).updated), [id])
  assert.equal(await isSubscribed(), true)
  const changes = await call('Mailbox/changes', { sinceState: state })
  assert.deepEqual([changes.updated, changes.created, changes.updatedProperties], [[id], [], null])
  assert.deepEqual((await call('Mailbox/query', { filter: { isSubscribed: true } })).ids, [id])
  // The owner subscribes for himself.
  const { mailboxes } = await room.store.mailboxes({ accountId: TARO })
  assert.equal(mailboxes.find((row) => row.id === id)?.subscribed, true)
  assert.equal((await set({ name: '別' })).notUpdated[id].type, 'forbidden')
  assert.equal((await set({ isSubscribed: 1 })).notUpdated[id].type, 'invalidProperties')
  assert.equal(await error('Email/set', { destroy: ['E1'] }), 'accountReadOnly')
  await set({ isSubscribed: false })
  assert.equal(await isSubscribed(), false)
})
