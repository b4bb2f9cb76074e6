import assert from 'node:assert/strict'
import { test } from 'node:test'

import { fromUtf8, toLatin1, toUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import type { MessageMeta, MimePart } from '#model/message.ts'
import { realMails } from '#test/corpus/mails.ts'
import { DEPTH_MAX, MimeIndexer, PARTS_MAX } from './indexer.ts'

const index = (message: string | Octets, step = Number.POSITIVE_INFINITY): MessageMeta => {
  const octets = typeof message === 'string' ? fromUtf8(message) : message
  const indexer = new MimeIndexer()
  for (let at = 0; at < octets.length; at += step)
    indexer.feed(octets.subarray(at, Math.min(octets.length, at + step)))
  return indexer.finish()
}

const crlf = (...lines: string[]): string => lines.join('\r\n')

const cut = (message: string, range: { offset: number; length: number }): string =>
  toUtf8(fromUtf8(message).subarray(range.offset, range.offset + range.length))

/** `multipart/mixed(text/plain, message/rfc822[text/html])`. */
const shape = (part: MimePart): string =>
  `${part.type}/${part.subtype}` +
  (part.parts.length > 0 ? `(${part.parts.map(shape).join(', ')})` : '') +
  (part.message === undefined ? '' : `[${shape(part.message.root)}]`)

const NESTED = crlf(
  'From: =?UTF-8?B?6Iqx5a2Q?= <hanako@campus.example>',
  'To: Gakusei: taro@campus.example, "Y. \\"J\\"" <jiro@lab.campus.example>;',
  'Subject: =?ISO-2022-JP?B?GyRCRU8kahsoQg==?=',
  '\tfolded',
  'Date: Thu, 26 Nov 2026 12:00:00 +0900',
  'Message-ID: <1@campus.example>',
  'References: <a@x> <b@x>',
  'In-Reply-To: <b@x>',
  'Content-Type: multipart/mixed; boundary="外"; x=1',
  '',
  'preamble',
  '--外',
  '',
  '本文です。',
  'line two',
  '--外',
  'Content-Type: message/rfc822',
  'Content-ID: <inner@x>',
  '',
  'Subject: inner',
  'Content-Type: multipart/alternative; boundary=in',
  '',
  '--in',
  'Content-Type: text/html; charset=utf-8',
  'Content-Transfer-Encoding: BASE64',
  'Content-Disposition: attachment; filename*0="a b"; filename*1*=%2Epdf',
  'Content-Language: ja, en',
  '',
  'PGI+',
  '--in--',
  '--外  ',
  'Content-Type: application/octet-stream',
  '--外--',
  'epilogue',
)

test('finds parts, envelope and offsets of a nested message', () => {
  const meta = index(NESTED)
  assert.equal(
    shape(meta.root),
    'multipart/mixed(text/plain, message/rfc822[multipart/alternative(text/html)], application/octet-stream)',
  )
  const [text, inner, last] = meta.root.parts
  assert.equal(cut(NESTED, text!.header), '\r\n')
  assert.equal(cut(NESTED, text!.body), '本文です。\r\nline two')
  assert.equal(text!.lines, 2)
  assert.equal(inner!.id, '<inner@x>')
  const html = inner!.message!.root.parts[0]!
  assert.equal(cut(NESTED, html.body), 'PGI+')
  assert.equal(html.encoding, 'base64')
  assert.deepEqual(html.disposition, {
    kind: 'attachment',
    params: [['filename*', 'a%20b%2Epdf']],
  })
  assert.deepEqual(html.language, ['ja', 'en'])
  assert.equal(inner!.message!.envelope.subject, 'inner')
  assert.ok(cut(NESTED, inner!.body).startsWith('Subject: inner\r\n'))
  assert.ok(cut(NESTED, inner!.body).endsWith('--in--'))
  assert.equal(inner!.lines, 11)
  assert.equal(last!.body.length, 0)
  assert.ok(cut(NESTED, meta.root.body).startsWith('preamble\r\n'))
  assert.ok(cut(NESTED, meta.root.body).endsWith('epilogue'))
  assert.equal(meta.sizeBytes, fromUtf8(NESTED).length)
  assert.equal(meta.preview, '本文です。 line two')
  assert.equal(meta.sentAtMs, Date.UTC(2026, 10, 26, 3))
  assert.deepEqual(meta.references, ['<a@x>', '<b@x>'])
  assert.equal(meta.envelope.subject, '=?ISO-2022-JP?B?GyRCRU8kahsoQg==?=\tfolded')
  assert.deepEqual(meta.envelope.to, [
    { mailbox: 'Gakusei' },
    { mailbox: 'taro', host: 'campus.example' },
    { name: 'Y. "J"', mailbox: 'jiro', host: 'lab.campus.example' },
    {},
  ])
  assert.equal(meta.truncated, false)
})

test('any chunking gives the same answer', () => {
  const whole = index(NESTED)
  for (const step of [1, 2, 3, 7, 64]) assert.deepEqual(index(NESTED, step), whole)
})

test('bare LF ends lines, and a missing final boundary ends with the message', () => {
  const message =
    'Content-Type: multipart/mixed; boundary=b\n\n--b\n\nい\n--b\nContent-Type: text/html\n\nろ\n'
  const meta = index(message)
  assert.equal(shape(meta.root), 'multipart/mixed(text/plain, text/html)')
  assert.equal(cut(message, meta.root.parts[0]!.body), 'い')
  assert.equal(cut(message, meta.root.parts[1]!.body), 'ろ\n')
})

test('an outer boundary ends inner multiparts that never closed', () => {
  const message = crlf(
    'Content-Type: multipart/mixed; boundary=out',
    '',
    '--out',
    'Content-Type: multipart/mixed; boundary=outer',
    '',
    '--outer',
    '',
    'は',
    '--out',
    '',
    'に',
    '--out--',
  )
  const { root } = index(message)
  assert.equal(shape(root), 'multipart/mixed(multipart/mixed(text/plain), text/plain)')
  assert.equal(cut(message, root.parts[0]!.parts[0]!.body), 'は')
  assert.equal(cut(message, root.parts[1]!.body), 'に')
})

test('what has no header, no body, or nothing at all is text', () => {
  for (const [message, header, body] of [
    ['', '', ''],
    ['x', '', 'x'],
    ['\r\n', '\r\n', ''],
    ['お知らせ\r\nSubject: no\r\n', '', 'お知らせ\r\nSubject: no\r\n'],
    ['Subject: only', 'Subject: only', ''],
    ['Subject: a\r\n\r\n', 'Subject: a\r\n\r\n', ''],
    ['From x@y Thu\nSubject: mbox\n\nb', 'From x@y Thu\nSubject: mbox\n\n', 'b'],
  ] as const) {
    const meta = index(message)
    assert.equal(shape(meta.root), 'text/plain')
    assert.equal(cut(message, meta.root.header), header)
    assert.equal(cut(message, meta.root.body), body)
    assert.equal(meta.root.lines, body === '' ? 0 : body.split(/\n(?!$)/).length)
  }
})

test('a broken Content-Type is text/plain (RFC 2045 §5.2)', () => {
  for (const value of [
    'text',
    '/plain',
    'multipart',
    'multipart/mixed',
    ';;',
    'multipart/mixed; boundary=""',
  ])
    assert.equal(shape(index(`Content-Type: ${value}\r\n\r\nほ`).root), 'text/plain', value)
})

test('a multipart without one boundary line shows its text as its only part', () => {
  const message = 'Content-Type: multipart/mixed; boundary=b\r\n\r\nへいぶん\r\n'
  const { root } = index(message)
  assert.equal(shape(root), 'multipart/mixed(text/plain)')
  assert.equal(cut(message, root.parts[0]!.body), 'へいぶん\r\n')
})

test('parts of a digest are messages where they do not say otherwise (RFC 2046 §5.1.5)', () => {
  const message = crlf(
    'Content-Type: multipart/digest; boundary=d',
    '',
    '--d',
    '',
    'Subject: 一',
    '',
    'と',
    '--d',
    'Content-Type: text/plain',
    '',
    'ち',
    '--d--',
  )
  const { root } = index(message)
  assert.equal(shape(root), 'multipart/digest(message/rfc822[text/plain], text/plain)')
  assert.equal(cut(message, root.parts[0]!.message!.root.body), 'と')
  assert.equal(toLatin1(fromUtf8('一')), root.parts[0]!.message!.envelope.subject)
})

test('deeper than the limit is one opaque leaf', () => {
  let message = ''
  for (let i = 0; i < DEPTH_MAX + 20; i++) message += 'Content-Type: message/rfc822\n\n'
  const meta = index(`${message}Subject: り\n\nbody`)
  assert.equal(meta.truncated, true)
  let part = meta.root
  let depth = 1
  for (; part.message !== undefined; depth++) part = part.message.root
  assert.equal(depth, DEPTH_MAX)
  assert.equal(shape(part), 'application/octet-stream')
})

test('more parts than the limit belong to the last one', () => {
  const part = '--b\n\nぬ\n'
  const meta = index(
    `Content-Type: multipart/mixed; boundary=b\n\n${part.repeat(PARTS_MAX + 5)}--b--\n`,
  )
  assert.equal(meta.truncated, true)
  assert.equal(meta.root.parts.length, PARTS_MAX - 1)
  assert.ok(meta.root.parts.at(-1)!.body.length > 6 * 8)
})

test('a header above the limit is cut, and its body is found all the same', () => {
  const message = `Subject: る\nX-Long: ${'a'.repeat(1_100_000)}\nX-Late: b\n\nbody`
  const meta = index(message)
  assert.equal(meta.truncated, true)
  assert.equal(meta.envelope.subject, toLatin1(fromUtf8('る')))
  assert.equal(cut(message, meta.root.body), 'body')
})

test('real mails: any chunking agrees, and every range lies in its parent', () => {
  for (const { name, octets } of realMails()) {
    const meta = index(octets)
    assert.equal(meta.sizeBytes, octets.length, name)
    for (const step of [13, 1_000]) assert.deepEqual(index(octets, step), meta, name)
    assertWithin(meta.root, { offset: 0, length: octets.length }, name)
  }
})

function assertWithin(
  part: MimePart,
  outer: { offset: number; length: number },
  file: string,
): void {
  const end = outer.offset + outer.length
  assert.ok(part.header.offset >= outer.offset, file)
  assert.equal(part.header.offset + part.header.length, part.body.offset, file)
  assert.ok(part.body.length >= 0 && part.body.offset + part.body.length <= end, file)
  for (const child of part.parts) assertWithin(child, part.body, file)
  if (part.message !== undefined) assertWithin(part.message.root, part.body, file)
}

test('a boundary after more text than the preview wants ends its part all the same', () => {
  const text = '渡り鳥が海を渡る。\r\n'.repeat(2_000)
  const message = `Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n${text}\r\n--b\r\n\r\nを\r\n--b--\r\n`
  const meta = index(message)
  assert.equal(shape(meta.root), 'multipart/mixed(text/plain, text/plain)')
  assert.equal(cut(message, meta.root.parts[0]!.body), text)
  assert.equal(meta.root.parts[0]!.lines, 2_000)
  assert.equal(Array.from(meta.preview).length, 256)
  for (const step of [1, 977, 20_000]) assert.deepEqual(index(message, step), meta)
})

test('a line may look like the end of several open multiparts: the innermost ends', () => {
  const inside = (outer: string, inner: string): string =>
    `Content-Type: multipart/mixed; boundary="${outer}"\n\n--${outer}\n` +
    `Content-Type: multipart/mixed; boundary="${inner}"\n\n--${inner}\n\nを\n`
  for (const filler of ['', 'x'.repeat(50)]) {
    const end = `--b--c--${filler}\n--b\n\n渡り\n`
    assert.equal(
      shape(index(`${inside('b', 'b--c')}${end}`).root),
      'multipart/mixed(multipart/mixed(text/plain), text/plain)',
    )
    assert.equal(
      shape(index(`${inside('b--c', 'b')}${end}`).root),
      'multipart/mixed(multipart/mixed(text/plain))',
    )
  }
})
