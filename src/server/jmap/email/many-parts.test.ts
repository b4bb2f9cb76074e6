import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromUtf8 } from '#base/octets.ts'
import { PARTS_MAX } from '#codec/mime/indexer.ts'
import { PARTS_HELD_MAX } from '#store/mailbox/meta-records.ts'
import { jmapRoom } from '#test/fake/jmap-room.ts'

const MAILS = 7

const manyParts = (n: number): Uint8Array =>
  fromUtf8(
    `Subject: 部品 ${n}\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n` +
      `--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n渡り鳥${n}\r\n` +
      '--b\r\n\r\nx\r\n'.repeat(PARTS_MAX) +
      '--b--\r\n',
  )

test('of a text of megabytes 2 MiB are shown, no character cut, and the rest is a blob', async (t) => {
  const room = await jmapRoom(t)
  const text = '渡り鳥が海を渡る。'.repeat(100_000)
  const id = await room.file(fromUtf8(`Content-Type: text/plain; charset=utf-8\r\n\r\n${text}`))
  const { list } = await room.call('Email/get', { ids: [id], fetchTextBodyValues: true })
  const { value, isTruncated, isEncodingProblem } = list[0].bodyValues[1]
  assert.deepEqual([isTruncated, isEncodingProblem], [true, false])
  assert.ok(text.startsWith(value) && value.length > 600_000)
  assert.equal(list[0].textBody[0].size, Buffer.byteLength(text))
})

test('mails of 10,000 parts each are read a few at a time, and shown as far as one answer goes', async (t) => {
  const room = await jmapRoom(t)
  const ids: string[] = []
  for (let n = 0; n < MAILS; n++) ids.push(await room.file(manyParts(n)))
  const asked: number[] = []
  const { metas } = room.store
  room.store.metas = (ask) => {
    asked.push(ask.uids.length)
    return metas(ask)
  }
  const { list } = await room.call('Email/get', { ids, properties: ['subject', 'preview'] })
  assert.deepEqual(
    list.map((email: Record<string, unknown>) => [email['id'], email['subject']]),
    ids.map((id, n) => [id, `部品 ${n}`]),
  )
  assert.ok(asked.length >= (MAILS * PARTS_MAX) / PARTS_HELD_MAX, `asked for ${asked.join()}`)
  const one = await room.call('Email/get', {
    ids: ids.slice(0, 1),
    properties: ['bodyStructure', 'textBody', 'bodyValues'],
    fetchTextBodyValues: true,
    bodyProperties: ['partId', 'type', 'subParts'],
  })
  assert.equal(one.list[0].bodyStructure.subParts.length, PARTS_MAX - 1)
  assert.equal(one.list[0].bodyValues[1].value, '渡り鳥0')
  assert.equal(
    await room.error('Email/get', { ids, properties: ['bodyStructure'] }),
    'requestTooLarge',
  )
  const found = await room.call('Email/query', {
    filter: { operator: 'NOT', conditions: [{ body: '渡り鳥3' }] },
    sort: [{ property: 'subject' }],
  })
  assert.deepEqual(
    found.ids,
    ids.filter((_, n) => n !== 3),
  )
  const { list: snippets } = await room.call('SearchSnippet/get', {
    filter: { text: '渡り鳥' },
    emailIds: ids,
  })
  assert.deepEqual(
    snippets.map((each: Record<string, unknown>) => [each['emailId'], each['preview']]),
    ids.map((id, n) => [id, `<mark>渡り鳥</mark>${n}`]),
  )
})
