import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import iconv from 'iconv-lite'
import { fromLatin1, fromUtf8 } from '#base/octets.ts'
import { decodeCharset, knowsCharset } from './charset.ts'
import { foldText } from './fold-text.ts'

const jis = fromLatin1('\x1b$B2q5D;qNA\x1b(B')
const kana = 'お問い合わせの件について、会議の資料を送ります'

test('one text, whatever its charset is called', () => {
  const octets: readonly (readonly [Uint8Array, string | undefined])[] = [
    [jis, 'iso-2022-jp'],
    [jis, 'ISO-2022-JP-MS'],
    [jis, 'cp50221'],
    [jis, 'iso-2022-jp-2004'],
    [jis, 'utf-8'],
    [jis, 'iso-8859-1'],
    [jis, 'x-unknown-charset'],
    [jis, undefined],
    [iconv.encode('会議資料', 'shift_jis'), 'cp932'],
    [iconv.encode('会議資料', 'shift_jis'), '"Windows-31J"'],
    [iconv.encode('会議資料', 'shift_jis'), 'us-ascii'],
    [iconv.encode('会議資料', 'shift_jis'), 'iso-2022-jp'],
    [iconv.encode('会議資料', 'euc-jp'), 'eucJP-ms'],
    [fromUtf8('会議資料'), 'iso-8859-1'],
    [fromUtf8('会議資料'), 'shift_jis'],
    [fromUtf8('\ufeff会議資料'), 'utf8'],
    [iconv.encode('会議資料', 'utf-16be'), 'utf-16'],
    [iconv.encode('会議資料\r\n', 'utf-16le'), 'utf-16'],
    [iconv.encode('\ufeff会議資料', 'utf-16le'), 'utf-16'],
    [iconv.encode('\ufeff会議資料', 'utf-16be'), 'utf-16le'],
  ]
  for (const [text, label] of octets)
    assert.equal(decodeCharset(text, label).replace(/^\ufeff|\r\n$/g, ''), '会議資料', `${label}`)
})

test('labels of another charset: kana tell which it is', () => {
  for (const label of ['iso-8859-1', 'windows-1252', 'euc-jp'])
    assert.equal(decodeCharset(iconv.encode(kana, 'shift_jis'), label), kana, label)
  for (const label of ['iso-8859-1', 'shift_jis', 'utf-8'])
    assert.equal(decodeCharset(iconv.encode(kana, 'euc-jp'), label), kana, label)
  for (const text of ['Élève à Noël, ça coûte 5 €', 'naïve façade “quoted”', 'Größe'])
    assert.equal(decodeCharset(iconv.encode(text, 'windows-1252'), 'windows-1252'), text)
  assert.equal(decodeCharset(Buffer.from([0xb6, 0xb2, 0xb7, 0xde]), 'shift_jis'), 'ｶｲｷﾞ')
})

test('half-width kana by escape, by shift-out and of eight bits; rows of NEC and IBM; JIS X 0212', () => {
  const read = (text: string, label = 'iso-2022-jp'): string =>
    foldText(decodeCharset(fromLatin1(text), label))
  for (const text of [
    '\x1b(I6^2@^]=\x1b(B',
    '\x0e6^2@^]=\x0f',
    '\x1b$B\x1b(B\xb6\xde\xb2\xc0\xde\xdd\xbd',
    '\x1b$B%,%$%@%s%9\x1b(J',
  ])
    assert.equal(read(text), 'ガイダンス')
  assert.equal(read('\x1b$B-!-j|u\x1b(B', 'iso-2022-jp-ms'), '1(株)v')
  assert.equal(foldText(decodeCharset(Buffer.from([0x87, 0x8a, 0xfb, 0xfc]), 'cp932')), '(株)高')
  assert.equal(read('\x1b$(D0!\x1b(B', 'iso-2022-jp-1'), '丂')
  assert.equal(decodeCharset(Buffer.from([0x8f, 0xb0, 0xa1]), 'euc-jp'), '丂')
  // A line's end within a run, and a run that never ends.
  assert.equal(read('\x1b$B2q\nabc \x1b$B5D'), '会abc議')
})

test('other scripts of ISO 2022, HZ and UTF-7 (RFC 1554, RFC 1557, RFC 1843, RFC 1922)', () => {
  const read = (text: string, label: string): string => decodeCharset(fromLatin1(text), label)
  assert.equal(read('\x1b$AVPND\x1b(B \x1b$(C0!\x1b(B \x1b.F\x1bNa', 'iso-2022-jp-2'), '中文 가 α')
  assert.equal(read('\x1b$)C\x0e0!\x0f abc', 'iso-2022-kr'), '가 abc')
  assert.equal(read('\x1b$)A\x0eVPND\x0f abc', 'iso-2022-cn'), '中文 abc')
  assert.equal(read('~{VPND~} 1~~2', 'hz-gb-2312'), '中文 1~2')
  assert.equal(read('+bjE-', 'utf-7'), '渱')
  for (const label of ['hz-gb-2312', 'cp932', 'iso-2022-kr', 'utf-7', undefined])
    assert.ok(knowsCharset(label), `${label}`)
  assert.ok(!knowsCharset('no-such-charset'))
})

test('any octets under any label give text', () => {
  const label = fc.constantFrom(
    ...'iso-2022-jp hz-gb-2312 utf-16 shift_jis euc-jp iso-8859-1 utf-7 no'.split(' '),
  )
  const escape = fc.constantFrom(...'\x1b$B \x1b(I \x0e \x1bN \x1b.F \x1b$(D ~{'.split(' '))
  const piece = fc.oneof(fc.uint8Array({ maxLength: 20 }), escape.map(fromLatin1))
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), label, (pieces, name) => {
      assert.equal(typeof decodeCharset(Buffer.concat(pieces), name), 'string')
    }),
    { numRuns: 2_000 },
  )
})
