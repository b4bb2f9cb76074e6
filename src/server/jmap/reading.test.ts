import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concatOctets, fromLatin1, fromUtf8 } from '#base/octets.ts'
import { HANAKO, jmapRoom } from '#test/fake/jmap-room.ts'

/** 会議 in ISO-2022-JP. */
const JIS = Buffer.from('\u001b$B2q5D\u001b(B', 'latin1')

test('a mail is shown with its properties, Japanese as people read it (RFC 8621 §4.1)', async (t) => {
  const room = await jmapRoom(t)
  const subject = `=?ISO-2022-JP?B?${Buffer.from('\u001b$B2q5D\u001b(B', 'latin1').toString('base64')}?=`
  const head = [
    'Message-ID: <a1@other.example>',
    'References: <r1@x> <r2@x>',
    'In-Reply-To: <r2@x>',
    `From: =?UTF-8?B?${Buffer.from('山田 太郎').toString('base64')}?= <taro@other.example>`,
    'To: 花子 <hanako@campus.example>, team: a@x.example, "B, C" <b@x.example>;',
    `Subject: ${subject}`,
    'Date: Wed, 25 Nov 2026 10:00:00 +0900',
    'List-Unsubscribe: <https://x.example/u>, <mailto:u@x.example>',
    'X-Twice: one',
    'X-Twice:  two',
    'Content-Type: text/plain; charset=ISO-2022-JP',
    '\r\n',
  ].join('\r\n')
  const id = await room.file(
    concatOctets([fromUtf8(head), JIS, fromLatin1('\r\nplain line\r\n')]),
    {
      flags: 1 + 4,
      keywords: ['$Work'],
      prefix: fromUtf8('Delivered-To: hanako@campus.example\r\n'),
    },
  )
  const [email] = (await room.call('Email/get', { ids: [id], fetchTextBodyValues: true })).list
  assert.equal(email.id, id)
  assert.match(email.blobId, /^G/)
  assert.match(email.threadId, /^T/)
  assert.deepEqual(email.mailboxIds, { [await room.mailbox('INBOX')]: true })
  assert.deepEqual(email.keywords, { $seen: true, $flagged: true, $work: true })
  assert.equal(email.receivedAt, '2026-11-25T03:00:00Z')
  assert.deepEqual(email.messageId, ['a1@other.example'])
  assert.deepEqual(email.references, ['r1@x', 'r2@x'])
  assert.deepEqual(email.inReplyTo, ['r2@x'])
  assert.deepEqual(email.from, [{ name: '山田 太郎', email: 'taro@other.example' }])
  assert.deepEqual(email.to, [
    { name: '花子', email: 'hanako@campus.example' },
    { name: null, email: 'a@x.example' },
    { name: 'B, C', email: 'b@x.example' },
  ])
  assert.deepEqual([email.cc, email.bcc, email.sender, email.replyTo], [null, null, null, null])
  assert.equal(email.subject, '会議')
  assert.equal(email.sentAt, '2026-11-25T10:00:00+09:00')
  assert.equal(email.hasAttachment, false)
  assert.deepEqual(
    email.textBody.map((part: Record<string, unknown>) => [
      part['partId'],
      part['type'],
      part['charset'],
    ]),
    [['1', 'text/plain', 'ISO-2022-JP']],
  )
  assert.deepEqual(email.bodyValues['1'], {
    value: '会議\nplain line\n',
    isEncodingProblem: false,
    isTruncated: false,
  })
  assert.equal(email.headers, undefined, 'not by default')
  assert.equal(email.bodyStructure, undefined)

  const properties = [
    'header:subject',
    'header:Subject:asText',
    'header:To:asGroupedAddresses',
    'header:X-Twice:asText:all',
    'header:X-Twice',
    'header:List-Unsubscribe:asURLs',
    'header:References:asMessageIds',
    'header:Date:asDate',
    'header:Delivered-To:asText',
    'header:X-None',
    'header:X-None:all',
    'headers',
    'size',
  ]
  const [raw] = (await room.call('Email/get', { ids: [id], properties })).list
  assert.equal(raw['header:subject'], ` ${subject}`)
  assert.equal(raw['header:Subject:asText'], '会議')
  assert.deepEqual(raw['header:To:asGroupedAddresses'], [
    { name: null, addresses: [{ name: '花子', email: 'hanako@campus.example' }] },
    {
      name: 'team',
      addresses: [
        { name: null, email: 'a@x.example' },
        { name: 'B, C', email: 'b@x.example' },
      ],
    },
  ])
  assert.deepEqual(raw['header:X-Twice:asText:all'], ['one', 'two'])
  assert.equal(raw['header:X-Twice'], '  two')
  assert.deepEqual(raw['header:List-Unsubscribe:asURLs'], [
    'https://x.example/u',
    'mailto:u@x.example',
  ])
  assert.deepEqual(raw['header:References:asMessageIds'], ['r1@x', 'r2@x'])
  assert.equal(raw['header:Date:asDate'], '2026-11-25T10:00:00+09:00')
  assert.equal(raw['header:Delivered-To:asText'], 'hanako@campus.example', 'what a delivery adds')
  assert.equal(raw['header:X-None'], null)
  assert.deepEqual(raw['header:X-None:all'], [])
  assert.equal(raw.headers[0].name, 'Delivered-To')
  assert.equal(raw.headers.length, 12)
  for (const wrong of ['header:', 'header:Subject:asDate', 'header:X:asNothing', 'nonsense'])
    assert.equal(
      await room.error('Email/get', { ids: [id], properties: [wrong] }),
      'invalidArguments',
    )
})

const MIXED = [
  'From: a@x.example',
  'Subject: parts',
  'MIME-Version: 1.0',
  'Content-Type: multipart/mixed; boundary=m',
  '',
  '--m',
  'Content-Type: multipart/alternative; boundary=a',
  '',
  '--a',
  'Content-Type: text/plain; charset=utf-8',
  'Content-Transfer-Encoding: base64',
  '',
  Buffer.from('本文です。\r\n').toString('base64'),
  '--a',
  'Content-Type: text/html; charset=utf-8',
  '',
  '<p>本文<b>です</b></p>',
  '--a--',
  '--m',
  'Content-Type: application/pdf',
  "Content-Disposition: attachment; filename*=UTF-8''%E8%AD%B0%E4%BA%8B%E9%8C%B2.pdf",
  'Content-Transfer-Encoding: base64',
  '',
  Buffer.from('%PDF-1.4 x').toString('base64'),
  '--m',
  'Content-Type: message/rfc822',
  '',
  'Subject: =?UTF-8?B?5Lit?=',
  'Content-Type: multipart/mixed; boundary=i',
  '',
  '--i',
  '',
  '中の本文',
  '--i--',
  '--m--',
  '',
].join('\r\n')

test('structure, bodies and attachments are told apart, and each part is a blob (RFC 8621 §4.1.4)', async (t) => {
  const room = await jmapRoom(t)
  const id = await room.file(MIXED)
  const [email] = (
    await room.call('Email/get', {
      ids: [id],
      properties: [
        'bodyStructure',
        'textBody',
        'htmlBody',
        'attachments',
        'bodyValues',
        'hasAttachment',
        'preview',
        'blobId',
      ],
      bodyProperties: [
        'partId',
        'blobId',
        'type',
        'name',
        'size',
        'disposition',
        'subParts',
        'header:Content-Type:asText',
      ],
      fetchAllBodyValues: true,
    })
  ).list
  const { bodyStructure: root } = email
  assert.deepEqual([root.partId, root.blobId, root.type], [null, null, 'multipart/mixed'])
  assert.equal(root['header:Content-Type:asText'], 'multipart/mixed; boundary=m')
  assert.deepEqual(
    root.subParts.map((part: Record<string, unknown>) => [
      part['type'],
      part['partId'],
      part['name'],
      part['size'],
    ]),
    [
      ['multipart/alternative', null, null, 0],
      ['application/pdf', '2', '議事録.pdf', 10],
      ['message/rfc822', '3', null, root.subParts[2].size],
    ],
  )
  assert.deepEqual(
    email.textBody.map((part: { partId: string }) => part.partId),
    ['1.1'],
  )
  assert.deepEqual(
    email.htmlBody.map((part: { partId: string }) => part.partId),
    ['1.2'],
  )
  assert.deepEqual(
    email.attachments.map((part: { partId: string }) => part.partId),
    ['2', '3'],
  )
  assert.equal(email.bodyValues['1.1'].value, '本文です。\n')
  assert.equal(email.bodyValues['1.2'].value, '<p>本文<b>です</b></p>')
  assert.deepEqual([email.hasAttachment, email.preview], [true, '本文です。'])

  const get = (blobId: string, name = 'x', accept = ''): Promise<Response> =>
    room.fetch(`/jmap/download/${HANAKO.id}/${blobId}/${name}?accept=${accept}`, { as: 'hanako' })
  assert.equal(await (await get(email.blobId)).text(), MIXED)
  const pdf = await get(root.subParts[1].blobId, encodeURIComponent('議事録 "1".pdf'), 'text/html')
  assert.equal(await pdf.text(), '%PDF-1.4 x')
  assert.equal(pdf.headers.get('content-type'), 'text/html')
  assert.equal(
    pdf.headers.get('content-disposition'),
    `attachment; filename="___ _1_.pdf"; filename*=UTF-8''%E8%AD%B0%E4%BA%8B%E9%8C%B2%20%221%22.pdf`,
  )
  assert.equal(pdf.headers.get('x-content-type-options'), 'nosniff')
  assert.match(pdf.headers.get('content-security-policy')!, /sandbox/)
  assert.match(pdf.headers.get('cache-control')!, /private, immutable/)
  const odd = await get(root.subParts[1].blobId, 'x', encodeURIComponent('text/html\r\nx: y'))
  assert.equal(odd.headers.get('content-type'), 'application/octet-stream')
  await odd.body?.cancel()

  const inner = root.subParts[2].blobId
  const { parsed, notFound } = await room.call('Email/parse', {
    blobIds: [inner, 'Gnone', `${inner}_9`],
    properties: ['subject', 'textBody', 'bodyValues'],
    fetchTextBodyValues: true,
  })
  assert.equal(parsed[inner].subject, '中')
  assert.equal(parsed[inner].bodyValues['1'].value, '中の本文')
  assert.deepEqual(notFound, ['Gnone', `${inner}_9`])
  const body = 'ただの文で、手紙ではない'
  const init = { method: 'POST', as: 'hanako', body }
  const file = (await (await room.fetch(`/jmap/upload/${HANAKO.id}`, init)).json()) as {
    blobId: string
  }
  const plain = await room.call('Email/parse', { blobIds: [file.blobId] })
  assert.deepEqual([plain.parsed, plain.notParsable], [null, [file.blobId]])
  const deep = await get(parsed[inner].textBody[0].blobId)
  assert.equal(await deep.text(), '中の本文')
  for (const blobId of [
    'Gx',
    `${email.blobId}_7`,
    `${email.blobId}_1`,
    'Unone',
    `${email.blobId}-1-1-1-1-1`,
  ])
    assert.equal((await get(blobId)).status, 404, blobId)
})

test('bodies are cut at whole characters, tags and limits', async (t) => {
  const room = await jmapRoom(t)
  const plain = await room.file(
    'Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n渡り鳥\r\n',
  )
  const html = await room.file(
    'Subject: x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>渡</p><img src="a">',
  )
  const broken = await room.file(
    'Subject: x\r\nContent-Type: text/plain; charset=x-nobody\r\n\r\nabc',
  )
  const get = async (id: string, maxBodyValueBytes: number) => {
    const args = {
      ids: [id],
      properties: ['bodyValues'],
      fetchAllBodyValues: true,
      maxBodyValueBytes,
    }
    return (await room.call('Email/get', args)).list[0].bodyValues['1']
  }
  assert.deepEqual(await get(plain, 7), {
    value: '渡り',
    isEncodingProblem: false,
    isTruncated: true,
  })
  assert.deepEqual(await get(plain, 100), {
    value: '渡り鳥\n',
    isEncodingProblem: false,
    isTruncated: false,
  })
  assert.equal((await get(html, 14)).value, '<p>渡</p>')
  assert.equal((await get(broken, 0)).isEncodingProblem, true)
  const small = await jmapRoom(t, { limits: { bodyValueBytesMax: 20 } })
  const id = await small.file('Subject: x\r\n\r\n0123456789012345678901234')
  assert.equal(
    await small.error('Email/get', { ids: [id], fetchAllBodyValues: true }),
    'requestTooLarge',
  )
})

test('a query finds by mailbox, flags, time, size and text, page by page', async (t) => {
  const room = await jmapRoom(t)
  const ids: string[] = []
  for (let n = 0; n < 10; n++)
    ids.push(
      await room.file(
        `From: 送信者${n} <s${n}@x.example>\r\nSubject: 会議 ${n}\r\nMessage-ID: <${n}@x>\r\n` +
          `Content-Type: text/plain; charset=utf-8\r\n\r\n本文${n} ${'x'.repeat(n * 10)}`,
        {
          atMs: Date.UTC(2026, 0, n + 1),
          flags: n % 2 === 0 ? 1 : 0,
          ...(n === 3 ? { keywords: ['$Work'] } : {}),
        },
      ),
    )
  const trash = await room.file('Subject: ごみ\r\n\r\n本文3', {
    path: ['Trash'],
    atMs: Date.UTC(2026, 0, 20),
  })
  const inMailbox = await room.mailbox('INBOX')
  const query = async (filter: unknown, more: Record<string, unknown> = {}): Promise<string> => {
    const { ids: found } = await room.call('Email/query', { filter, ...more })
    return found.map((id: string) => (id === trash ? 't' : ids.indexOf(id))).join('')
  }
  assert.equal(await query({ inMailbox }), '9876543210')
  assert.equal(await query(null), 't9876543210')
  assert.equal(await query({ inMailbox }, { position: 2, limit: 3 }), '765')
  assert.equal(await query({ inMailbox }, { position: -2 }), '10')
  assert.equal(await query({ inMailbox }, { anchor: ids[5], anchorOffset: -1, limit: 2 }), '65')
  assert.equal(await query({ inMailbox }, { sort: [{ property: 'receivedAt' }] }), '0123456789')
  assert.equal(
    await query(null, { sort: [{ property: 'size', isAscending: false }], limit: 3 }),
    '987',
  )
  const byWork = [
    { property: 'hasKeyword', keyword: '$work', isAscending: false },
    { property: 'receivedAt' },
  ]
  assert.equal(await query({ inMailbox }, { sort: byWork, limit: 3 }), '301')
  assert.equal(await query({ inMailbox, hasKeyword: '$seen' }), '86420')
  assert.equal(await query({ inMailbox, notKeyword: '$seen' }), '97531')
  assert.equal(await query({ hasKeyword: '$WORK' }), '3')
  const [after, before] = ['2026-01-03T00:00:00Z', '2026-01-05T00:00:00Z']
  assert.equal(await query({ after, before }), '32')
  assert.equal(await query({ subject: '会議 3' }), '3')
  assert.equal(await query({ from: 's7@' }), '7')
  assert.equal(await query({ from: '送信者７' }), '7', 'full width or not')
  assert.equal(await query({ text: '本文3' }), 't3')
  assert.equal(await query({ body: 'xxxxx' }), '987654321')
  assert.equal(await query({ text: '会議 本文4' }), '4')
  assert.equal(await query({ header: ['Message-ID', '<8@x>'] }), '8')
  assert.equal(await query({ header: ['X-None'] }), '')
  const or = { operator: 'OR', conditions: [{ subject: 'ごみ' }, { from: 's1@' }] }
  assert.equal(await query(or), 't1')
  const not = { operator: 'NOT', conditions: [or, { hasKeyword: '$seen' }] }
  assert.equal(await query({ operator: 'AND', conditions: [{ inMailbox }, not] }), '9753')
  assert.equal(await query({ inMailbox: 'Mnone' }), '')
  const whole = await room.call('Email/query', {
    filter: { inMailbox },
    calculateTotal: true,
    limit: 2,
    position: 20,
  })
  assert.deepEqual([whole.total, whole.ids, whole.position], [10, [], 20])

  for (const [filter, type] of [
    [{ nonsense: 1 }, 'unsupportedFilter'],
    [{ before: 'yesterday' }, 'invalidArguments'],
    [{ minSize: -1 }, 'invalidArguments'],
    [{ operator: 'XOR', conditions: [] }, 'invalidArguments'],
    [7, 'invalidArguments'],
    [{ constructor: 'x' }, 'unsupportedFilter'],
  ] as const)
    assert.equal(await room.error('Email/query', { filter }), type)
  let deep: unknown = { subject: 'x' }
  for (let n = 0; n < 25; n++) deep = { operator: 'NOT', conditions: [deep] }
  assert.equal(await room.error('Email/query', { filter: deep }), 'unsupportedFilter')
  assert.equal(
    await room.error('Email/query', { sort: [{ property: 'nonsense' }] }),
    'unsupportedSort',
  )
  assert.equal(await room.error('Email/query', { anchor: 'Enone' }), 'anchorNotFound')
  assert.equal(await room.error('Email/query', { limit: -1 }), 'invalidArguments')
  assert.equal(
    await room.error('Email/queryChanges', { sinceQueryState: 'x' }),
    'cannotCalculateChanges',
  )
})

test('threads are one line of a list, and a mailbox counts them (RFC 8621 §2)', async (t) => {
  const room = await jmapRoom(t)
  const mail = (n: number, reply = '') =>
    `Message-ID: <${n}@x>\r\nSubject: ${reply === '' ? '' : 'Re: '}会議\r\n${reply}\r\n本文`
  const first = await room.file(mail(1), { atMs: 1_000, flags: 1 })
  const second = await room.file(mail(2, 'In-Reply-To: <1@x>\r\n'), { atMs: 2_000 })
  const other = await room.file('Subject: 別\r\n\r\n', { atMs: 1_500, flags: 1 })
  const sent = await room.file(mail(3, 'In-Reply-To: <2@x>\r\n'), {
    path: ['Sent'],
    atMs: 3_000,
    flags: 1,
  })
  const deleted = await room.file('Subject: 消\r\n\r\n', { flags: 8 })
  const inMailbox = await room.mailbox('INBOX')
  const ask = { filter: { inMailbox }, collapseThreads: true, calculateTotal: true }
  const { ids, total } = await room.call('Email/query', ask)
  assert.deepEqual([ids, total], [[second, other], 2])
  const all = await room.call('Email/query', { collapseThreads: true })
  assert.deepEqual(all.ids, [sent, other])
  const responses = await room.request([
    ['Email/get', { accountId: HANAKO.id, ids: [second], properties: ['threadId'] }, '0'],
    [
      'Thread/get',
      {
        accountId: HANAKO.id,
        '#ids': { resultOf: '0', name: 'Email/get', path: '/list/*/threadId' },
      },
      '1',
    ],
  ])
  const [thread] = responses[1]![1]['list'] as { emailIds: string[] }[]
  assert.deepEqual(thread!.emailIds, [first, second, sent])
  const { list } = await room.call('Mailbox/get', { ids: [inMailbox, await room.mailbox('Sent')] })
  const counts = list.map((box: Record<string, unknown>) => [
    box['totalEmails'],
    box['unreadEmails'],
    box['totalThreads'],
    box['unreadThreads'],
  ])
  assert.deepEqual(counts, [
    [3, 1, 2, 1],
    [1, 0, 1, 1],
  ])
  const { notFound } = await room.call('Email/get', {
    ids: [deleted, 'Enone', first],
    properties: ['id'],
  })
  assert.deepEqual(notFound, [deleted, 'Enone'], 'what is \\Deleted is not there')
  assert.deepEqual((await room.call('Thread/get', { ids: ['T1'] })).notFound, ['T1'])
})

test('mailboxes are a tree with roles and rights; changes tell what is new (RFC 8621 §2)', async (t) => {
  const room = await jmapRoom(t)
  const { list, state } = await room.call('Mailbox/get', { ids: null })
  const names = list.map(({ name, role }: Record<string, string | null>) => `${name}:${role}`)
  assert.deepEqual(names.toSorted(), [
    'Archive:archive',
    'Drafts:drafts',
    'Inbox:inbox',
    'Junk:junk',
    'SPAM:null',
    'Sent:sent',
    'Suspected SPAM:null',
    'Trash:trash',
  ])
  const spam = list.find(({ name }: Record<string, unknown>) => name === 'SPAM')
  assert.equal(spam.parentId, await room.mailbox('Junk'))
  assert.deepEqual([spam.myRights.mayDelete, spam.isSubscribed], [true, true])
  const some = await room.call('Mailbox/get', { ids: ['Mnone'], properties: ['name'] })
  assert.deepEqual([some.list, some.notFound], [[], ['Mnone']])
  const query = async (args: Record<string, unknown>): Promise<string[]> => {
    const { ids } = await room.call('Mailbox/query', args)
    return ids.map((id: string) => list.find((box: { id: string }) => box.id === id).name)
  }
  assert.deepEqual(await query({ filter: { role: 'trash' } }), ['Trash'])
  assert.deepEqual(await query({ filter: { name: 'ｓｐａｍ' } }), ['SPAM', 'Suspected SPAM'])
  assert.deepEqual(
    await query({ filter: { hasAnyRole: true }, sort: [{ property: 'sortOrder' }] }),
    ['Inbox', 'Drafts', 'Sent', 'Archive', 'Junk', 'Trash'],
  )
  assert.deepEqual(
    await query({ sort: [{ property: 'name', isAscending: false }], sortAsTree: true, limit: 5 }),
    ['Trash', 'Sent', 'Junk', 'Suspected SPAM', 'SPAM'],
  )
  await room.file('Subject: 新\r\n\r\n')
  const changes = await room.call('Mailbox/changes', { sinceState: state })
  assert.deepEqual(changes.updated, [await room.mailbox('INBOX')])
  assert.deepEqual(changes.updatedProperties, [
    'totalEmails',
    'unreadEmails',
    'totalThreads',
    'unreadThreads',
  ])
  const now = await room.call('Mailbox/changes', { sinceState: changes.newState })
  assert.deepEqual([now.updated, now.created, now.hasMoreChanges], [[], [], false])
  for (const sinceState of ['nonsense', '', 'zzzzzzzzzzz-zzzzzzzzzzz', '1-1-1-1'])
    assert.equal(await room.error('Mailbox/changes', { sinceState }), 'cannotCalculateChanges')
})

test('changes of emails and threads are told step by step (RFC 8620 §5.2)', async (t) => {
  const room = await jmapRoom(t)
  const old = await room.file('Subject: 古\r\n\r\n')
  const { state } = await room.call('Email/get', { ids: [] })
  const fresh: string[] = []
  for (let n = 0; n < 3; n++) fresh.push(await room.file(`Subject: ${n}\r\n\r\n`))
  const created: string[] = []
  let since = state
  for (let more = true, steps = 0; more; steps++) {
    assert.ok(steps < 5)
    const step = await room.call('Email/changes', { sinceState: since, maxChanges: 2 })
    created.push(...step.created)
    assert.deepEqual([step.updated, step.destroyed], [[], []])
    since = step.newState
    more = step.hasMoreChanges
  }
  assert.deepEqual(created, fresh)
  const threads = await room.call('Thread/changes', { sinceState: state })
  assert.equal(threads.created.length, 3)
  assert.equal(
    await room.error('Email/changes', { sinceState: state, maxChanges: 0 }),
    'invalidArguments',
  )
  assert.equal(await room.error('Email/changes', {}), 'invalidArguments')
  assert.ok(old.startsWith('E'))
})

test('a query sorts by what stands in the mails, and knows an email of two mailboxes once', async (t) => {
  const room = await jmapRoom(t)
  const file = (subject: string, from: string, date: string, atMs: number, flags = 0) =>
    room.file(`Subject: ${subject}\r\nFrom: ${from}\r\nTo: ${from}\r\nDate: ${date}\r\n\r\n本文`, {
      atMs,
      flags,
    })
  const b = await file('Re: いろは', 'B <x@x.example>', 'Wed, 25 Nov 2026 10:00:00 +0900', 3_000)
  const a = await file('あいう', 'c@x.example', 'Wed, 25 Nov 2026 12:00:00 +0900', 1_000, 1)
  const c = await file('Fwd: うえお', 'Ａ <x@x.example>', 'Wed, 25 Nov 2026 11:00:00 +0900', 2_000)
  const query = async (args: Record<string, unknown>): Promise<string> => {
    const { ids } = await room.call('Email/query', { calculateTotal: true, ...args })
    return ids.map((id: string) => 'abc'[[a, b, c].indexOf(id)]).join('')
  }
  const by = (property: string, isAscending = true) => query({ sort: [{ property, isAscending }] })
  assert.equal(await by('subject'), 'abc')
  assert.equal(await by('subject', false), 'cba')
  assert.equal(await by('from'), 'cba')
  assert.equal(await by('to'), 'cba')
  assert.equal(await by('sentAt'), 'bca')
  const [inbox, archive] = [await room.mailbox('INBOX'), await room.mailbox('Archive')]
  await room.call('Email/set', { update: { [c]: { [`mailboxIds/${archive}`]: true } } })
  assert.equal(await query({}), 'bca')
  const not = (condition: unknown) => ({ operator: 'NOT', conditions: [condition] })
  assert.equal(await query({ filter: not({ inMailbox: archive }) }), 'ba')
  assert.equal(await query({ filter: { inMailboxOtherThan: [inbox] } }), 'c')
  assert.equal(await query({ filter: { inMailboxOtherThan: [inbox, archive] } }), '')
  const again = [{ kind: 'copy', from: inbox, uids: [1, 2] as never, to: { id: inbox } }] as const
  await room.store.commit({
    contents: [],
    commits: [{ accountId: HANAKO.id, changes: again }],
  })
  assert.equal(await query({}), 'bca', 'twice in a mailbox is once in a list')
  assert.equal(await query({ filter: { inMailbox: inbox } }), 'bca')
  assert.equal(await query({ filter: { inMailbox: inbox, minSize: 1 } }), 'bca')
  // By IMAP one copy may have a flag that the other has not.
  const view = await room.store.view({ accountId: HANAKO.id, mailboxId: archive })
  const uids = [...view!.uids] as never
  await room.store.commit({
    contents: [],
    commits: [
      {
        accountId: HANAKO.id,
        changes: [
          { kind: 'setFlags', mailboxId: archive, uids, mode: 'add', flags: 4, keywords: [] },
        ],
      },
    ],
  })
  assert.equal(await query({ filter: { hasKeyword: '$flagged' } }), 'c')
  assert.equal(await query({ filter: { notKeyword: '$flagged' } }), 'ba')
  assert.equal(await room.error('Email/get', {}), 'requestTooLarge')
})

test('the size of a large part is reckoned, not decoded', async (t) => {
  const room = await jmapRoom(t)
  const head = 'Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n'
  for (const size of [1_200_000, 1_200_001, 1_200_002]) {
    const lines = Buffer.alloc(size, '鳥').toString('base64').replace(/.{76}/g, '$&\r\n')
    for (const end of ['', '\r\n']) {
      const id = await room.file(`${head}${lines}${end}`)
      const ask = { ids: [id], properties: ['bodyStructure'] }
      const [email] = (await room.call('Email/get', ask)).list
      assert.equal(email.bodyStructure.size, size)
    }
  }
})

test('a damaged message shows that it lacks its text, and costs no other of the answer (RFC 8621 §4.1.4)', async (t) => {
  const room = await jmapRoom(t)
  const ids = []
  for (const n of [1, 2, 3])
    ids.push(await room.file(`Subject: 会議 ${n}\r\nX-Room: ${n}\r\n\r\n資料その${n}。\r\n`))
  room.store.blobs.rot('content', '資料その2。')
  const ask = { ids, properties: ['subject', 'bodyValues', 'header:X-Room', 'preview', 'blobId'] }
  const { list } = await room.call('Email/get', { ...ask, fetchTextBodyValues: true })
  const texts = list.map((email: { bodyValues: object }) => Object.values(email.bodyValues)[0])
  const whole = (n: number) => ({
    value: `資料その${n}。\n`,
    isEncodingProblem: false,
    isTruncated: false,
  })
  const lost = { value: '', isEncodingProblem: true, isTruncated: true }
  assert.deepEqual(texts, [whole(1), lost, whole(3)])
  assert.deepEqual(
    list.map((email: Record<string, unknown>) => [email['subject'], email['header:X-Room']]),
    [
      ['会議 1', ' 1'],
      ['会議 2', null],
      ['会議 3', ' 3'],
    ],
  )
  const found = await room.call('Email/query', { filter: { text: '資料その' } })
  assert.deepEqual(new Set(found.ids), new Set([ids[0], ids[2]]))
  const download = (blobId: string) =>
    room.fetch(`/jmap/download/${HANAKO.id}/${blobId}/mail.eml`, { as: 'hanako' })
  assert.equal((await download(list[1].blobId)).status, 500)
  assert.equal((await download(list[2].blobId)).status, 200)
})
