import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { HANAKO, jmapRoom } from '#test/fake/jmap-room.ts'

const base64 = (text: string): string => Buffer.from(text).toString('base64')

const MAIL = [
  'From: taro@campus.example',
  'Subject: =?UTF-8?B?5rih44KK?=',
  'MIME-Version: 1.0',
  'Content-Type: multipart/mixed; boundary=b',
  '',
  '--b',
  'Content-Type: text/plain; charset=utf-8',
  'Content-Transfer-Encoding: quoted-printable',
  '',
  '=E6=B8=A1=E3=82=8A=E9=B3=A5',
  '--b',
  'Content-Type: application/octet-stream',
  'Content-Transfer-Encoding: base64',
  '',
  Buffer.from([0, 1, 0xff, 0xfe, 4, 5, 6, 7]).toString('base64'),
  '--b--',
  '',
].join('\r\n')

test('blobs are made of texts, of octets, and of ranges of others, earlier ones too (RFC 9404 §4.1)', async (t) => {
  const room = await jmapRoom(t, { limits: { maxSizeUpload: 400 } })
  const email = await room.file(MAIL)
  const { created, notCreated } = await room.call('Blob/upload', {
    create: {
      a: {
        data: [{ 'data:asText': '渡り鳥が' }, { 'data:asBase64': base64('渡る') }],
        type: 'text/plain',
      },
      b: {
        data: [
          { blobId: '#a', offset: 3, length: 6 },
          { blobId: `G${email}_1` },
          { blobId: `G${email}_2`, offset: 4 },
        ],
      },
      none: { data: [] },
      gone: { data: [{ blobId: 'Unone' }] },
      behind: { data: [{ blobId: '#a', offset: 10, length: 100 }] },
      far: { data: [{ blobId: '#a', offset: 100 }] },
      two: { data: [{ 'data:asText': 'x', blobId: '#a' }] },
      no: { data: [{ 'data:asBase64': 'x' }] },
      lone: { data: [{ 'data:asText': '\ud800' }] },
      range: { data: [{ 'data:asText': 'xyz', offset: 1 }] },
      odd: { data: [{ blobId: '#a', offset: -1 }] },
      large: { data: Array.from({ length: 5 }, () => ({ 'data:asText': 'x'.repeat(100) })) },
      many: { data: Array.from({ length: 65 }, () => ({ 'data:asText': 'x' })) },
      strange: { data: [], name: 'x' },
      kind: { data: [], type: '\n' },
    },
  })
  const kept = Object.entries<{ id: string; type: string; size: number }>(created)
  assert.deepEqual(
    kept.map(([name, { type, size }]) => [name, type, size]),
    [
      ['a', 'text/plain', 18],
      ['b', 'application/octet-stream', 6 + 9 + 4],
      ['none', 'application/octet-stream', 0],
    ],
  )
  assert.deepEqual(
    Object.entries<{ type: string }>(notCreated).map(([name, { type }]) => `${name} ${type}`),
    [
      'gone blobNotFound',
      ...['behind', 'far', 'two', 'no', 'lone', 'range', 'odd'].map(
        (n) => `${n} invalidProperties`,
      ),
      'large tooLarge',
      ...['many', 'strange', 'kind'].map((name) => `${name} invalidProperties`),
    ],
  )
  const downloaded = await room.fetch(`/jmap/download/${HANAKO.id}/${created.b.id}/x`, {
    as: 'hanako',
  })
  assert.deepEqual(
    Buffer.from(await downloaded.arrayBuffer()),
    Buffer.concat([Buffer.from('り鳥渡り鳥'), Buffer.from([4, 5, 6, 7])]),
  )
  assert.equal(room.store.blobs.writing.size, 0, 'what was refused left no file')
})

test('blobs are told as text or base64, whole or a range, with digests of it (RFC 9404 §4.2)', async (t) => {
  const room = await jmapRoom(t, { limits: { bodyValueBytesMax: 100 } })
  const email = await room.file(MAIL)
  const [text, octets] = [`G${email}_1`, `G${email}_2`]
  const get = (args: Record<string, unknown>) => room.call('Blob/get', args)
  assert.deepEqual(await get({ ids: [text, octets, 'Gx'] }), {
    accountId: HANAKO.id,
    list: [
      { id: text, 'data:asText': '渡り鳥', size: 9 },
      { id: octets, 'data:asBase64': 'AAH//gQFBgc=', isEncodingProblem: true, size: 8 },
    ],
    notFound: ['Gx'],
  })
  const some = async (id: string, properties: readonly string[], range: object = {}) =>
    (await get({ ids: [id], properties, ...range })).list[0]
  const sha256 = createHash('sha256').update('渡り鳥').digest('base64')
  assert.deepEqual(await some(text, ['data:asBase64', 'digest:sha-256']), {
    id: text,
    'data:asBase64': base64('渡り鳥'),
    'digest:sha-256': sha256,
  })
  assert.deepEqual(await some(octets, ['data:asText', 'digest:sha'], { offset: 4, length: 2 }), {
    id: octets,
    'data:asText': '\u0004\u0005',
    'digest:sha': createHash('sha1').update('\u0004\u0005').digest('base64'),
  })
  assert.deepEqual(await some(text, ['data:asText'], { offset: 3, length: 4 }), {
    id: text,
    'data:asText': null,
    isEncodingProblem: true,
  })
  assert.deepEqual(await some(text, ['data', 'size'], { offset: 6, length: 30 }), {
    id: text,
    'data:asText': '鳥',
    size: 9,
    isTruncated: true,
  })
  for (const [range, isTruncated] of [
    [{ offset: 9 }, undefined],
    [{ offset: 10 }, true],
    [{ offset: 0, length: 9 }, undefined],
  ] as const)
    assert.equal((await some(text, ['data'], range)).isTruncated, isTruncated)
  const whole = await some(`G${email}`, ['data:asText'], { offset: 6, length: 4 })
  assert.equal(whole['data:asText'], 'taro')
  assert.equal(await room.error('Blob/get', { ids: [`G${email}`] }), 'requestTooLarge')
  assert.deepEqual(await some(`G${email}`, ['size']), {
    id: `G${email}`,
    size: Buffer.byteLength(MAIL),
  })
  assert.equal(
    await room.error('Blob/get', { ids: [text], properties: ['digest:md5'] }),
    'invalidArguments',
  )
  assert.equal(await room.error('Blob/get'), 'invalidArguments')
})

test('a blob is looked up in emails, threads and mailboxes (RFC 9404 §4.3)', async (t) => {
  const room = await jmapRoom(t)
  const email = await room.file(MAIL)
  const { created } = await room.call('Blob/upload', { create: { a: { data: [] } } })
  const inbox = await room.mailbox('INBOX')
  const part = `G${email}_2`
  const ask = { typeNames: ['Email', 'Mailbox'], ids: [part, created.a.id, `G${email}_9`] }
  assert.deepEqual(await room.call('Blob/lookup', ask), {
    accountId: HANAKO.id,
    list: [
      { id: part, matchedIds: { Mailbox: [inbox], Email: [email] } },
      { id: created.a.id, matchedIds: { Mailbox: [], Email: [] } },
    ],
    notFound: [`G${email}_9`],
  })
  const { threadId } = (await room.call('Email/get', { ids: [email] })).list[0]
  const thread = await room.call('Blob/lookup', { typeNames: ['Thread'], ids: [part] })
  assert.deepEqual(thread.list[0].matchedIds, { Thread: [threadId] })
  assert.equal(await room.error('Blob/lookup', { typeNames: ['Foo'], ids: [] }), 'unknownDataType')
})
