import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromLatin1, fromUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { MimeIndexer } from './indexer.ts'
import { textPlaces, textsOf } from './message-texts.ts'
import type { MessageTexts } from './message-texts.ts'

function textsIn(octets: Octets): MessageTexts {
  const indexer = new MimeIndexer()
  indexer.feed(octets)
  const meta = indexer.finish()
  const cut = ({ offset, length }: { offset: number; length: number }): Octets =>
    octets.subarray(offset, offset + length)
  const { header } = meta.root
  const places = textPlaces(meta.root)
  const head = cut({ offset: 0, length: Math.min(262_144, header.offset + header.length) })
  return textsOf(meta, head, { ...places, octets: places.places.map(cut) })
}

test('a message is searched by envelope, fields, bodies, names and what it carries', () => {
  const texts = textsIn(
    fromUtf8(
      [
        'From: =?UTF-8?B?6Iqx5a2Q?= <Hanako@Campus.example>',
        'To: =?UTF-8?B?5aSq?= =?UTF-8?B?6YOO?= <taro@campus.example>,',
        ' "Doe, J" <j@x.example>',
        'Subject: =?UTF-8?B?5g==?= =?utf-8?B?uKE=?=',
        'Content-Type: multipart/mixed; boundary=b',
        '',
        '--b',
        'Content-Type: text/plain; charset=utf-8',
        '',
        '> 会\r\n> 議',
        '--b',
        'Content-Type: text/html; charset=utf-8',
        '',
        '<p title="題&amp;名">本<b>文</b>&eacute;</p>',
        '--b',
        "Content-Type: application/pdf; name*=UTF-8''%E8%B3%87%E6%96%99.pdf",
        '',
        'binary',
        '--b',
        'Content-Type: message/rfc822',
        '',
        'Subject: inner',
        '',
        '中の文',
        '--b--',
      ].join('\r\n'),
    ),
  )
  assert.deepEqual(texts.envelope, {
    from: '花子<hanako@campus.example>',
    to: '太郎<taro@campus.example>, doe, j <j@x.example>',
    cc: '',
    bcc: '',
    subject: '渡',
  })
  assert.deepEqual(texts.header[2], ['subject', '渡'])
  const trimmed = texts.bodies.map((body) => body.trim())
  assert.deepEqual(trimmed, [
    '>会>議',
    '会議',
    '本文e',
    '題&名',
    'subject: inner',
    '中ノ文',
    '資料.pdf',
  ])
  assert.deepEqual([texts.isCut, texts.hasMarkup], [false, true])
})

const HTML = 'Content-Type: text/html; charset=utf-8\r\n\r\n'
const PLAIN = 'Content-Type: text/plain; charset=utf-8\r\n\r\n'
const jis = (charset: string): string => `Content-Type: text/plain; charset=${charset}\r\n\r\n`
const MULTIPART = 'Content-Type: multipart/mixed; boundary=a\r\n\r\n'

/** Pieces that are repeated to a megabyte, behind a beginning. */
const HOSTILE: Readonly<Record<string, readonly [string, string]>> = {
  tags: [HTML, '<a '],
  entities: [HTML, '&#'],
  attributes: [HTML, ' href=\'x href="'],
  blanks: [HTML, ` href${' '.repeat(2_000)}`],
  comments: [HTML, '<!--'],
  'style without an end': [`${HTML}<style`, `</style${' '.repeat(500)}`],
  'quoted lines': [PLAIN, '>\n'],
  'marks in no order': [PLAIN, '\u0315\u0300'],
  'signs that grow eighteenfold': [PLAIN, 'ﷺ'],
  escapes: [jis('iso-2022-jp'), '\u001b$B'],
  'escapes of many sets': [jis('iso-2022-jp-2'), '\u001b$B2q\u001b$AVP\u001b$(C0!'],
  'encoded words': ['Subject: ', '=?utf-8?q?a?= '],
  'addresses, half a million': ['To: ', 'a,'],
  parameters: ['Content-Type: text/plain; ', 'name*1*=x; '],
  fields: ['', 'A: b\r\n'],
  'a million octets of parts': [MULTIPART, '--a\r\n\r\nx\r\n'],
  'ten thousand levels': [MULTIPART, `--a\r\n${MULTIPART}`],
  'messages in messages': ['', 'Content-Type: message/rfc822\r\n\r\n'],
}

test('a megabyte of anything takes linear time: the square of it would be minutes', () => {
  for (const [name, [head, piece]] of Object.entries(HOSTILE)) {
    const text = head + piece.repeat(Math.ceil(1_000_000 / Buffer.byteLength(piece)))
    const began = performance.now()
    const texts = textsIn(/^[\u0000-\u00ff]*$/.test(text) ? fromLatin1(text) : fromUtf8(text))
    assert.ok(performance.now() - began < 30_000, name)
    assert.ok(texts.bodies.length <= 21_000, name)
  }
})
