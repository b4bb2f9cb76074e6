import assert from 'node:assert/strict'
import { test } from 'node:test'

import { fromLatin1, fromUtf8, toLatin1, toUtf8 } from '#base/octets.ts'
import { parseAddressList } from './address-list.ts'
import { decodeCharset } from './charset.ts'
import { decodeContent } from './content-decoder.ts'
import { parseContentType } from './content-type.ts'
import { formatDate, parseDate } from './date.ts'
import { decodeWords, paramOf } from './encoded-word.ts'
import { firstField, headerFields, headerLength } from './header.ts'
import { decodeText, htmlToText } from './text.ts'

const bytes = (hex: string): Uint8Array => Buffer.from(hex.replace(/ /g, ''), 'hex')

test('encoded words: a character split over two words is joined before it is decoded', () => {
  assert.equal(decodeWords('=?UTF-8?B?5g==?= =?utf-8?B?uKE=?='), '渡')
  assert.equal(decodeWords('Re: =?UTF-8?Q?=E6=B8=A1?= =?UTF-8?Q?_=E3=82=8A?= end'), 'Re: 渡 り end')
  assert.equal(decodeWords('=?ISO-2022-JP?B?GyRCRU8kahsoQg==?='), '渡り')
  assert.equal(decodeWords('=?UTF-8*ja?B?5rih?='), '渡')
  assert.equal(decodeWords('=?broken'), '=?broken')
})

test('raw 8-bit and raw JIS in a header are read', () => {
  assert.equal(decodeWords(toLatin1(fromUtf8('渡り'))), '渡り')
  assert.equal(decodeWords('\u001b$BEO$j\u001b(B'), '渡り')
  assert.equal(decodeWords(toLatin1(bytes('936e 82e8 82cc 8c8f'))), '渡りの件')
})

test('charsets of Japanese mail, rightly and wrongly labelled', () => {
  for (const label of ['cp932', 'Shift_JIS', 'windows-31j'])
    assert.equal(decodeCharset(bytes('8740 878a 936e 82e8 b1'), label), '①㈱渡りｱ')
  assert.equal(decodeCharset(bytes('ada1 c5cf a4ea'), 'EUC-JP'), '①渡り')
  const jis = fromLatin1('\u001b$B-!-j\u001b(I12\u001b(Babc\u001b$(D0!\u001b(B')
  for (const label of ['iso-2022-jp-ms', 'ISO-2022-JP', 'cp50220', 'us-ascii', 'utf-8', undefined])
    assert.equal(decodeCharset(jis, label), '①㈱ｱｲabc丂')
  assert.equal(decodeCharset(fromUtf8('渡り鳥'), 'us-ascii'), '渡り鳥')
  assert.equal(decodeCharset(bytes('936e 82e8 82cc 8c8f'), 'utf-8'), '渡りの件')
  assert.equal(decodeCharset(bytes('c5cf a4ea a4ce b7ef'), undefined), '渡りの件')
  assert.equal(decodeCharset(bytes('e9'), 'iso-8859-1'), 'é')
  assert.equal(decodeCharset(fromLatin1('+bjE-'), 'utf-7'), '渱')
})

test('parameters: RFC 2231 with charset and continuations, encoded words, raw', () => {
  const param = (text: string): string | undefined =>
    paramOf(parseContentType(`a/b; ${text}`)!.params, 'name')
  assert.equal(param("name*=UTF-8'ja'%E6%B8%A1%E3%82%8A.pdf"), '渡り.pdf')
  assert.equal(param('name*1*=%8A; name*0*=UTF-8\'\'%E6%B8%A1%E3%82; name*2=".pdf"'), '渡り.pdf')
  assert.equal(param('name="=?UTF-8?B?5rih44KK?=.pdf"'), '渡り.pdf')
  assert.equal(param('name="a\\"b;c"'), 'a"b;c')
  assert.equal(param(`name=${toLatin1(fromUtf8('渡'))}`), '渡')
  assert.equal(param('x; =; name = v'), 'v')
})

test('Content-Type: comments, case and white space', () => {
  assert.deepEqual(parseContentType('Text / (x;) HTML ; CharSet = "utf-8" (y)'), {
    type: 'text',
    subtype: 'html',
    params: [['charset', 'utf-8']],
  })
})

test('address lists of RFC 5322 with its obsolete forms', () => {
  const one = (text: string) => parseAddressList(text)[0]
  assert.deepEqual(one('hanako@campus.example (花子)'), {
    name: '花子',
    mailbox: 'hanako',
    host: 'campus.example',
  })
  assert.deepEqual(one('Y. Hanako <@a.example,@b.example:hanako @ campus . example>'), {
    name: 'Y. Hanako',
    route: '@a.example,@b.example',
    mailbox: 'hanako',
    host: 'campus.example',
  })
  assert.deepEqual(one('"花, 子" <"a b"@[192.0.2.1]>'), {
    name: '花, 子',
    mailbox: 'a b',
    host: '[192.0.2.1]',
  })
  assert.deepEqual(one('a..b@docomo.example'), { mailbox: 'a..b', host: 'docomo.example' })
  for (const text of ['undisclosed-recipients:;', '(空)undisclosed-recipients :(誰(も)) ; (終)'])
    assert.deepEqual(parseAddressList(text), [{ mailbox: 'undisclosed-recipients' }, {}])
  assert.deepEqual(parseAddressList('(花子)'), [])
  assert.deepEqual(parseAddressList(',, a@x , ,b@y;'), [
    { mailbox: 'a', host: 'x' },
    { mailbox: 'b', host: 'y' },
  ])
  assert.deepEqual(one('hanako'), { mailbox: 'hanako', host: '' })
  assert.deepEqual(one('"花, 子" Y. Hanako hanako . y @ campus.example'), {
    name: '花, 子 Y. Hanako',
    mailbox: 'hanako.y',
    host: 'campus.example',
  })
  assert.deepEqual(parseAddressList('hanako@campus.example taro @ x . example b@y (三)'), [
    { mailbox: 'hanako', host: 'campus.example' },
    { mailbox: 'taro', host: 'x.example' },
    { name: '三', mailbox: 'b', host: 'y' },
  ])
  assert.deepEqual(parseAddressList('a@b@c@ d'), [{ mailbox: 'a@b@c', host: 'd' }])
  assert.deepEqual(parseAddressList('a@x b@y c@z, d@x', 2).length, 2)
  assert.deepEqual(parseAddressList('a@x,b@y,c@z', 2).length, 2)
})

test('dates, in their usual and their broken forms', () => {
  const at = Date.UTC(2026, 10, 26, 3, 4, 5)
  for (const text of [
    'Thu, 26 Nov 2026 12:04:05 +0900',
    '26 Nov 2026 12:04:05 JST',
    'Thu,26-Nov-26 03:04:05 GMT (渡り)',
    'Wed, 25 Nov 2026 22:04:05 EST',
  ])
    assert.equal(parseDate(text), at, text)
  assert.equal(formatDate(at), 'Thu, 26 Nov 2026 03:04:05 +0000')
  assert.equal(parseDate('昨日'), undefined)
  assert.equal(parseDate('32 Nov 2026 12:00:00'), undefined)
})

test('header fields: folding, white space before the colon, garbage left out', () => {
  const block = fromLatin1('From x\r\n y\r\nSubject : a\r\n b\r\nbroken\r\nX-A: 1\n\nBody: no\n')
  const fields = [...headerFields(block)]
  assert.deepEqual(
    fields.map((field) => [field.key, field.value]),
    [
      ['subject', 'a b'],
      ['x-a', '1'],
    ],
  )
  assert.equal(firstField(fields, 'x-a'), '1')
  const { range } = fields[0]!
  assert.equal(
    toLatin1(block.subarray(range.offset, range.offset + range.length)),
    'Subject : a\r\n b\r\n',
  )
  assert.equal(toLatin1(block.subarray(headerLength(block))), 'Body: no\n')
})

test('quoted-printable: soft breaks, trailing blanks and broken escapes (RFC 2045 §6.7)', () => {
  const decode = (text: string): string =>
    toUtf8(decodeContent(fromLatin1(text), 'Quoted-Printable'))
  assert.equal(decode('=E6=B8=\r\n=A1 \t\r\nx= \ny=4Z=\r\n'), '渡\r\nxy=4Z')
  assert.equal(decode('a=e6=b8=a1  '), 'a渡')
})

test('a text part is decoded by its encoding and its charset', () => {
  const part = {
    subtype: 'plain',
    encoding: 'base64',
    params: [['charset', 'ISO-2022-JP']],
  } as const
  assert.equal(decodeText(part, fromLatin1('GyRCRU8k\r\nahsoQg==')), '渡り')
  assert.equal(htmlToText('<style>x</style><p>渡&amp;り&#x9ce5;<!-- no').trim(), '渡&り鳥')
})

test('long runs in a header are read in linear time: the square of it would be minutes', () => {
  const blanks = ' \t'.repeat(500_000)
  const fields = [...headerFields(Buffer.from(`Subject: a${blanks}b${blanks}\r\n\r\n`))]
  assert.equal(firstField(fields, 'subject'), `a${blanks}b`)
  const words = 'a '.repeat(300_000)
  assert.equal(parseAddressList(`${words}@b${':'.repeat(300_000)}`).length, 1)
})
