import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toUtf8 } from '#base/octets.ts'
import { HANAKO, jmapRoom } from '#test/fake/jmap-room.ts'
import type { JmapRoomUnderTest } from '#test/fake/jmap-room.ts'

const upload = async (room: JmapRoomUnderTest, body: string | Buffer): Promise<string> => {
  const init = { method: 'POST', as: 'hanako', body: body as string }
  const response = await room.fetch(`/jmap/upload/${HANAKO.id}`, init)
  return ((await response.json()) as { blobId: string }).blobId
}

const source = async (room: JmapRoomUnderTest, emailId: string): Promise<string> => {
  const path = `/jmap/download/${HANAKO.id}/G${emailId}/x`
  return (await room.fetch(path, { as: 'hanako' })).text()
}

test('keywords and mailboxes of emails are changed, whole or by patch (RFC 8621 §4.6)', async (t) => {
  const room = await jmapRoom(t)
  const id = await room.file('Subject: 一\r\n\r\n', { keywords: ['$Work'] })
  const [inbox, archive, trash] = [
    await room.mailbox('INBOX'),
    await room.mailbox('Archive'),
    await room.mailbox('Trash'),
  ]
  const get = async () =>
    (await room.call('Email/get', { ids: [id], properties: ['keywords', 'mailboxIds'] })).list[0]
  const update = async (patch: Record<string, unknown>) =>
    room.call('Email/set', { update: { [id]: patch } })

  const { oldState, newState, updated } = await update({ 'keywords/$seen': true })
  assert.deepEqual([updated, oldState === newState], [{ [id]: null }, false])
  assert.deepEqual((await get()).keywords, { $seen: true, $work: true })
  await update({ 'keywords/$work': null, [`mailboxIds/${archive}`]: true })
  assert.deepEqual(await get(), {
    id,
    keywords: { $seen: true },
    mailboxIds: { [inbox]: true, [archive]: true },
  })
  await update({ keywords: { $flagged: true, $Neu: true } })
  assert.deepEqual((await get()).keywords, { $flagged: true, $neu: true }, 'in both copies')
  await update({ mailboxIds: { [trash]: true } })
  assert.deepEqual((await get()).mailboxIds, { [trash]: true })
  assert.deepEqual((await get()).keywords, { $flagged: true, $neu: true })
  await update({
    [`mailboxIds/${trash}`]: null,
    [`mailboxIds/${inbox}`]: true,
    'keywords/$draft': true,
  })
  assert.deepEqual(await get(), {
    id,
    keywords: { $flagged: true, $neu: true, $draft: true },
    mailboxIds: { [inbox]: true },
  })

  for (const [patch, type] of [
    [{ subject: 'x' }, 'invalidProperties'],
    [{ mailboxIds: {} }, 'invalidProperties'],
    [{ mailboxIds: { Mnone: true } }, 'invalidProperties'],
    [{ [`mailboxIds/${inbox}`]: null }, 'invalidProperties'],
    [{ keywords: { 'a b': true } }, 'invalidProperties'],
    [{ keywords: { $x: false } }, 'invalidProperties'],
    [{ 'keywords/$x': 1 }, 'invalidProperties'],
    [{ keywords: {}, 'keywords/$x': true }, 'invalidPatch'],
    [{ keywords: 7 }, 'invalidProperties'],
  ] as const)
    assert.equal((await update(patch)).notUpdated[id].type, type, JSON.stringify(patch))
  const [other] = [await room.file('Subject: 二\r\n\r\n')]
  const many = await room.call('Email/set', {
    update: { [other]: { 'keywords/$seen': true }, Enone: { 'keywords/$seen': true }, [id]: {} },
    destroy: [id, 'Enobody'],
  })
  assert.deepEqual(Object.keys(many.updated), [other])
  assert.deepEqual(many.destroyed, [id])
  assert.equal(many.notUpdated[id].type, 'willDestroy')
  assert.equal(many.notUpdated['Enone'].type, 'notFound')
  assert.equal(many.notDestroyed['Enobody'].type, 'notFound')
  assert.equal(
    await room.error('Email/set', { ifInState: 'old', destroy: [other] }),
    'stateMismatch',
  )
  const changes = await room.call('Email/changes', { sinceState: oldState })
  assert.deepEqual([changes.destroyed, changes.created], [[id], [other]])
  const ids = Array.from({ length: 501 }, (_, n) => `E${n}`)
  assert.equal(await room.error('Email/set', { destroy: ids }), 'requestTooLarge')
})

test('a draft is written from its properties, Japanese in names, subject, body and file names', async (t) => {
  const room = await jmapRoom(t)
  const drafts = await room.mailbox('Drafts')
  const blobId = await upload(room, '添付の中身')
  const { created, notCreated } = await room.call('Email/set', {
    create: {
      d: {
        mailboxIds: { [drafts]: true },
        keywords: { $draft: true, $seen: true },
        from: [{ name: '花子', email: 'hanako@campus.example' }],
        to: [
          { name: 'Tanaka, "T"', email: 'tanaka@other.example' },
          { name: null, email: 'x@y.example' },
        ],
        bcc: [{ email: 'secret@other.example' }],
        subject: `とても長い件名です。${'会議のお知らせ'.repeat(8)}`,
        inReplyTo: ['r1@x'],
        references: ['r0@x', 'r1@x'],
        sentAt: '2026-11-25T10:00:00+09:00',
        'header:X-Mailer:asText': '渡り',
        textBody: [{ partId: 't', type: 'text/plain' }],
        htmlBody: [{ partId: 'h', type: 'text/html' }],
        bodyValues: { t: { value: '本文\n二行目' }, h: { value: '<p>本文</p>' } },
        attachments: [{ blobId, type: 'text/plain', name: '議事録（長い名前のファイルです）.txt' }],
      },
    },
  })
  assert.equal(notCreated, null)
  const { id, blobId: whole, threadId, size } = created.d
  assert.match(threadId, /^T/)
  const text = await source(room, id)
  assert.equal(whole, `G${id}`)
  assert.equal(Buffer.byteLength(text), size)
  assert.ok(/^[\u0000-\u007f]*$/.test(text), 'ASCII only')
  assert.deepEqual(
    text.split('\r\n').filter((line) => line.length > 78),
    [],
  )
  const [email] = (
    await room.call('Email/get', {
      ids: [id],
      properties: [
        'from',
        'to',
        'bcc',
        'subject',
        'inReplyTo',
        'references',
        'sentAt',
        'messageId',
        'keywords',
        'textBody',
        'htmlBody',
        'attachments',
        'bodyValues',
        'hasAttachment',
        'header:X-Mailer:asText',
      ],
      fetchAllBodyValues: true,
    })
  ).list
  assert.deepEqual(email.from, [{ name: '花子', email: 'hanako@campus.example' }])
  assert.deepEqual(email.to, [
    { name: 'Tanaka, "T"', email: 'tanaka@other.example' },
    { name: null, email: 'x@y.example' },
  ])
  assert.deepEqual(email.bcc, [{ name: null, email: 'secret@other.example' }])
  assert.equal(email.subject, `とても長い件名です。${'会議のお知らせ'.repeat(8)}`)
  assert.deepEqual([email.inReplyTo, email.references], [['r1@x'], ['r0@x', 'r1@x']])
  assert.equal(email.sentAt, '2026-11-25T01:00:00Z')
  assert.match(email.messageId[0], /@campus\.example$/)
  assert.deepEqual(email.keywords, { $draft: true, $seen: true })
  assert.equal(email['header:X-Mailer:asText'], '渡り')
  const values = email.bodyValues
  assert.equal(values[email.textBody[0].partId].value, '本文\n二行目')
  assert.equal(values[email.htmlBody[0].partId].value, '<p>本文</p>')
  assert.equal(email.hasAttachment, true)
  assert.equal(email.attachments[0].name, '議事録（長い名前のファイルです）.txt')
  const path = `/jmap/download/${HANAKO.id}/${email.attachments[0].blobId}/x`
  assert.equal(await (await room.fetch(path, { as: 'hanako' })).text(), '添付の中身')

  const value = { t: { value: 'x' } }
  const textBody = [{ partId: 't' }]
  for (const [wrong, type] of [
    [{}, 'invalidProperties'],
    [{ mailboxIds: { Mnone: true } }, 'invalidProperties'],
    [{ nonsense: 1 }, 'invalidProperties'],
    [{ from: [{ email: 'a@b\r\nBcc: c@d.example' }] }, 'invalidProperties'],
    [{ from: [{ email: '渡り@例.example' }] }, 'invalidProperties'],
    [{ from: 'x' }, 'invalidProperties'],
    [{ messageId: ['a b'] }, 'invalidProperties'],
    [{ subject: 7 }, 'invalidProperties'],
    [{ textBody: [{ partId: 'none' }] }, 'invalidProperties'],
    [{ textBody, bodyValues: { t: { value: 'x', isTruncated: true } } }, 'invalidProperties'],
    [{ textBody: [{ partId: 't', type: 'text/html' }], bodyValues: value }, 'invalidProperties'],
    [{ attachments: [{ blobId: 'Unone' }] }, 'blobNotFound'],
    [{ attachments: [{ blobId, cid: '<x>' }] }, 'invalidProperties'],
    [{ bodyStructure: { type: 'multipart/mixed' } }, 'invalidProperties'],
    [{ bodyStructure: { partId: 't' }, textBody, bodyValues: value }, 'invalidProperties'],
    [{ 'header:From:asText': 'x' }, 'invalidProperties'],
    [{ sentAt: 'now' }, 'invalidProperties'],
    [{ receivedAt: 'now' }, 'invalidProperties'],
  ] as const) {
    const draft = { mailboxIds: { [drafts]: true }, ...wrong }
    const create = { x: Object.keys(wrong).length === 0 ? {} : draft }
    const answer = await room.call('Email/set', { create })
    assert.equal(answer.notCreated?.x.type, type, JSON.stringify(wrong))
  }
  // What looks like a field's end is none.
  const sly = await room.call('Email/set', {
    create: {
      s: {
        mailboxIds: { [drafts]: true },
        subject: 'a\r\nBcc: victim@x.example',
        from: [{ name: 'x\r\nTo: y', email: 'hanako@campus.example' }],
        bodyStructure: { type: 'text/plain', partId: 't' },
        bodyValues: { t: { value: 'x'.repeat(1_200) } },
      },
    },
  })
  assert.doesNotMatch((await source(room, sly.created.s.id)).split('\r\n\r\n')[0]!, /^(Bcc|To):/m)
})

test('uploaded octets become an email as they are (RFC 8621 §4.8)', async (t) => {
  const room = await jmapRoom(t)
  const inbox = await room.mailbox('INBOX')
  const octets = `Subject: 生\r\nX: ${'長い'.repeat(200_000)}\r\n\r\n本文\n`
  const blobId = await upload(room, octets)
  const place = { mailboxIds: { [inbox]: true, [await room.mailbox('Archive')]: true } }
  const { created, notCreated, newState } = await room.call('Email/import', {
    emails: {
      a: { blobId, ...place, keywords: { $seen: true }, receivedAt: '2020-01-02T03:04:05Z' },
      b: { blobId: 'Unone', ...place },
      c: { blobId, mailboxIds: {} },
      d: { blobId, ...place, subject: 'x' },
      e: { blobId: await upload(room, 'ただの文'), ...place },
    },
  })
  assert.equal(await source(room, created.a.id), octets)
  assert.deepEqual(
    Object.entries(notCreated).map(([key, error]) => [key, (error as { type: string }).type]),
    [
      ['b', 'invalidProperties'],
      ['c', 'invalidProperties'],
      ['d', 'invalidProperties'],
      ['e', 'invalidEmail'],
    ],
  )
  const { list, state } = await room.call('Email/get', {
    ids: [created.a.id],
    properties: ['receivedAt', 'mailboxIds'],
  })
  assert.equal(list[0].receivedAt, '2020-01-02T03:04:05Z')
  assert.equal(Object.keys(list[0].mailboxIds).length, 2, 'one email in both')
  assert.equal(state, newState)
  assert.equal(room.store.largeFiles, 0)
  assert.equal(await room.error('Email/import', {}), 'invalidArguments')
})

test('mailboxes are made, renamed, subscribed and destroyed (RFC 8621 §2.5)', async (t) => {
  const room = await jmapRoom(t)
  const set = (args: Record<string, unknown>) => room.call('Mailbox/set', args)
  const { created } = await set({
    create: {
      top: { name: '会議', parentId: null, isSubscribed: true },
      below: { name: '来週', parentId: '#top' },
    },
  })
  assert.equal(created.top.id, await room.mailbox('会議'))
  assert.equal(created.below.id, await room.mailbox('会議', '来週'))
  assert.deepEqual([created.top.isSubscribed, created.top.totalEmails], [true, 0])
  const { updated } = await set({
    update: { [created.below.id]: { name: '今週', parentId: null, isSubscribed: true } },
  })
  assert.deepEqual(updated, { [created.below.id]: null })
  assert.equal(await room.mailbox('今週'), created.below.id)
  const [box] = (await room.call('Mailbox/get', { ids: [created.below.id] })).list
  assert.deepEqual([box.isSubscribed, box.parentId], [true, null])
  const inbox = await room.mailbox('INBOX')
  for (const [id, patch, type] of [
    [inbox, { name: '別' }, 'forbidden'],
    ['Mnone', { name: '別' }, 'notFound'],
    [created.top.id, { name: 'a/b' }, 'invalidProperties'],
    [created.top.id, { name: '' }, 'invalidProperties'],
    [created.top.id, { name: 'a\u0000b' }, 'invalidProperties'],
    [created.top.id, { name: '今週' }, 'alreadyExists'],
    [created.top.id, { parentId: created.top.id }, 'invalidProperties'],
    [created.top.id, { role: 'inbox' }, 'invalidProperties'],
    [created.top.id, { totalEmails: 7 }, 'invalidProperties'],
    [created.top.id, { isSubscribed: 'yes' }, 'invalidProperties'],
    [created.top.id, { nonsense: 1 }, 'invalidProperties'],
  ] as const) {
    const answer = await set({ update: { [id]: patch } })
    assert.equal(answer.notUpdated?.[id].type, type, JSON.stringify(patch))
  }
  for (const create of [{}, { name: 'x', parentId: 'Mnone' }, { name: 'x', role: 'inbox' }])
    assert.equal((await set({ create: { x: create } })).notCreated.x.type, 'invalidProperties')
  const twice = await set({ create: { x: { name: 'Trash' } } })
  assert.equal(twice.notCreated.x.type, 'alreadyExists')

  await room.file('Subject: x\r\n\r\n', { path: ['会議'] })
  const deep = await set({ create: { d: { name: '下', parentId: created.top.id } } })
  const ids = [created.top.id, deep.created.d.id, inbox, 'Mnone']
  const kept = await set({ destroy: [created.top.id] })
  assert.equal(kept.notDestroyed[created.top.id].type, 'mailboxHasChild')
  const first = await set({ destroy: ids })
  assert.deepEqual(first.destroyed, [deep.created.d.id])
  assert.deepEqual(
    ids.map((id) => first.notDestroyed[id]?.type),
    ['mailboxHasEmail', undefined, 'forbidden', 'notFound'],
  )
  const last = await set({ destroy: [created.top.id], onDestroyRemoveEmails: true })
  assert.deepEqual(last.destroyed, [created.top.id])
  const changes = await room.call('Mailbox/changes', { sinceState: kept.newState })
  assert.ok(changes.destroyed.includes(created.top.id))
  assert.equal(await room.error('Mailbox/set', { ifInState: 'x' }), 'stateMismatch')
})

test('a draft is sent by the outbox without its blind copies, and moves on (RFC 8621 §7.5)', async (t) => {
  const room = await jmapRoom(t)
  const [drafts, sent] = [await room.mailbox('Drafts'), await room.mailbox('Sent')]
  const identities = (await room.call('Identity/get', { ids: null })).list
  assert.deepEqual(
    identities.map(({ email }: { email: string }) => email),
    ['hanako@campus.example'],
  )
  const identityId = identities[0].id
  const draft = {
    mailboxIds: { [drafts]: true },
    keywords: { $draft: true },
    from: [{ name: '花子', email: 'hanako@campus.example' }],
    to: [{ email: 'to@other.example' }, { email: 'to@OTHER.example' }],
    bcc: [{ email: 'blind@other.example' }],
    subject: '件名',
    textBody: [{ partId: '1' }],
    bodyValues: { 1: { value: '本文' } },
  }
  const responses = await room.request([
    ['Email/set', { accountId: HANAKO.id, create: { d: draft } }, '0'],
    [
      'EmailSubmission/set',
      {
        accountId: HANAKO.id,
        create: { s: { identityId, emailId: '#d' } },
        onSuccessUpdateEmail: {
          '#s': {
            [`mailboxIds/${drafts}`]: null,
            [`mailboxIds/${sent}`]: true,
            'keywords/$draft': null,
          },
        },
      },
      '1',
    ],
  ])
  assert.deepEqual(
    responses.map(([name, , id]) => [name, id]),
    [
      ['Email/set', '0'],
      ['EmailSubmission/set', '1'],
      ['Email/set', '1'],
    ],
  )
  const submission = (responses[1]![1]['created'] as Record<string, Record<string, unknown>>)['s']!
  assert.equal(submission['undoStatus'], 'final')
  assert.equal(room.submitted(), 1)
  assert.deepEqual(
    room.events.map(({ name, deliveryId }) => [name, `S${deliveryId}`]),
    [['store.submitted', submission['id']]],
  )
  const { items } = await room.store.outbox({ limit: 10 })
  assert.equal(items.length, 1)
  const [item] = items
  assert.deepEqual(item!.reversePath, { localpart: 'hanako', domain: 'campus.example' })
  assert.deepEqual(
    item!.recipients.map(({ localpart }) => localpart),
    ['to', 'blind'],
  )
  assert.equal(`S${item!.id}`, submission['id'])
  const { octets } = await room.store.readOutbox({ id: item!.id, offset: 0, length: 100_000 })
  const text = toUtf8(octets)
  assert.match(text, /^Received: by mail\.campus\.example \(JMAP\) id /)
  assert.doesNotMatch(text, /blind|bcc/i)
  assert.match(text, /\r\nTo: to@other\.example,/)
  const { id } = (responses[0]![1]['created'] as Record<string, { id: string }>)['d']!
  const [email] = (
    await room.call('Email/get', { ids: [id], properties: ['mailboxIds', 'keywords', 'bcc'] })
  ).list
  assert.deepEqual(email.mailboxIds, { [sent]: true })
  assert.deepEqual([email.keywords, email.bcc.length], [{}, 1])
})

test('nobody sends under another name, to nobody, or what is no mail', async (t) => {
  const room = await jmapRoom(t)
  const identityId = (await room.call('Identity/get', { ids: null })).list[0].id
  const mail = (head: string) => room.file(`${head}\r\n\r\n本文`, { path: ['Drafts'] })
  const own = 'From: hanako@campus.example'
  const good = await mail(`${own}\r\nTo: x@y.example`)
  const to = [{ email: 'x@y.example' }]
  for (const [create, type] of [
    [{ emailId: await mail('From: taro@campus.example\r\nTo: x@y.example') }, 'forbiddenFrom'],
    [{ emailId: await mail(`${own}, taro@campus.example\r\nTo: x@y.example`) }, 'forbiddenFrom'],
    [
      { emailId: await mail(`${own}\r\nSender: taro@campus.example\r\nTo: x@y.example`) },
      'forbiddenFrom',
    ],
    [{ emailId: await mail('To: x@y.example') }, 'invalidEmail'],
    [{ emailId: await mail(own) }, 'noRecipients'],
    [{ emailId: await mail(`${own}\r\nTo: 壊れた`) }, 'invalidRecipients'],
    [
      { emailId: good, envelope: { mailFrom: { email: 'taro@campus.example' }, rcptTo: to } },
      'forbiddenMailFrom',
    ],
    [{ emailId: good, envelope: { mailFrom: { email: '' }, rcptTo: to } }, 'forbiddenMailFrom'],
    [
      { emailId: good, envelope: { mailFrom: { email: 'hanako@campus.example' }, rcptTo: [] } },
      'noRecipients',
    ],
    [
      {
        emailId: good,
        envelope: {
          mailFrom: { email: 'hanako@campus.example' },
          rcptTo: Array.from({ length: 1_001 }, (_, n) => ({ email: `x${n}@y.example` })),
        },
      },
      'tooManyRecipients',
    ],
    [
      {
        emailId: good,
        envelope: {
          mailFrom: { email: 'hanako@campus.example', parameters: { RET: 'FULL' } },
          rcptTo: to,
        },
      },
      'invalidProperties',
    ],
    [{ emailId: 'Enone' }, 'invalidProperties'],
    [{ emailId: good, identityId: 'I0' }, 'invalidProperties'],
    [{ emailId: good, sendAt: '2026-01-01T00:00:00Z' }, 'invalidProperties'],
  ] as const) {
    const answer = await room.call('EmailSubmission/set', {
      create: { s: { identityId, ...create } },
    })
    assert.equal(answer.notCreated?.s.type, type, JSON.stringify(create).slice(0, 200))
  }
  assert.deepEqual((await room.store.outbox({ limit: 10 })).items, [])
  assert.equal(room.submitted(), 0)
  const detail = { mailFrom: { email: 'hanako+x@campus.example' }, rcptTo: to }
  const fine = await room.call('EmailSubmission/set', {
    create: { s: { identityId, emailId: good, envelope: detail } },
  })
  assert.ok(fine.created.s)
  // What follows a submission by itself needs no capability of its own.
  const using = ['urn:ietf:params:jmap:core', 'urn:ietf:params:jmap:submission']
  const args = {
    accountId: HANAKO.id,
    create: { s: { identityId, emailId: good } },
    onSuccessUpdateEmail: { '#s': { 'keywords/$seen': true } },
  }
  const responses = await room.request([['EmailSubmission/set', args, 's']], using)
  assert.deepEqual(responses[1]?.[1]['updated'], { [good]: null })
})

test('a large message is sent in pieces, whole', async (t) => {
  const room = await jmapRoom(t)
  const identityId = (await room.call('Identity/get', { ids: null })).list[0].id
  const body = '渡り鳥\r\n'.repeat(60_000)
  const head = 'From: hanako@campus.example\r\nTo: x@y.example\r\nBcc: b@y.example\r\n'
  const emailId = await room.file(`${head}\r\n${body}`, {
    prefix: Buffer.from('Delivered-To: x\r\n'),
  })
  await room.call('EmailSubmission/set', { create: { s: { identityId, emailId } } })
  const [item] = (await room.store.outbox({ limit: 1 })).items
  assert.deepEqual([item!.body, item!.smtpUtf8], ['8bitmime', false])
  let text = ''
  for (let offset = 0; offset < item!.sizeBytes; offset += 100_002) {
    const piece = await room.store.readOutbox({ id: item!.id, offset, length: 100_002 })
    text += Buffer.from(piece.octets).toString('latin1')
  }
  const [outHead, ...rest] = Buffer.from(text, 'latin1').toString('utf8').split('\r\n\r\n')
  assert.equal(rest.join('\r\n\r\n'), body)
  assert.doesNotMatch(outHead!, /Bcc|Delivered-To/)
  assert.match(outHead!, /\r\nMessage-ID: </)
  assert.equal(room.store.largeFiles, 0)
})

test('snippets mark what was searched and escape all else (RFC 8621 §5)', async (t) => {
  const room = await jmapRoom(t)
  const id = await room.file(
    'Subject: <b>会議</b> & more\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n' +
      `${'前置き '.repeat(100)}本日の会議は<script>です`,
  )
  const ask = { filter: { text: '会議' }, emailIds: [id, 'Enone'] }
  const { list, notFound } = await room.call('SearchSnippet/get', ask)
  assert.equal(list[0].subject, '&lt;b&gt;<mark>会議</mark>&lt;/b&gt; &amp; more')
  assert.match(list[0].preview, /本日の<mark>会議<\/mark>は&lt;script&gt;です$/)
  assert.deepEqual(notFound, ['Enone'])
})

test('nothing is made or moved to where IMAP shows the mailboxes of others', async (t) => {
  const room = await jmapRoom(t)
  const archive = await room.mailbox('Archive')
  for (const name of ['Other Users', 'Shared']) {
    const answer = await room.call('Mailbox/set', {
      create: { a: { name }, b: { name, parentId: archive } },
      update: { [archive]: { name } },
    })
    assert.deepEqual(answer.notCreated.a.properties, ['name'])
    assert.ok(answer.created.b.id, 'below another name it is one like any other')
    assert.deepEqual(answer.notUpdated[archive].properties, ['name'])
  }
})
