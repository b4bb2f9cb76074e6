import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { concatOctets, fromLatin1, fromUtf8, toLatin1 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import type { MimePart } from '#model/message.ts'
import { parseAddressList } from './address-list.ts'
import { decodeCharset } from './charset.ts'
import { contentDecoder, decodeContent } from './content-decoder.ts'
import { parseContentType } from './content-type.ts'
import { decodeWords } from './encoded-word.ts'
import { MimeIndexer } from './indexer.ts'

/** One machine's run is another's. */
const SEED = 20_261_126

const words = fc.constantFrom(
  'Content-Type: multipart/mixed; boundary=b\r\n',
  'Content-Type: multipart/digest; boundary="c"\n',
  'Content-Type: message/rfc822\r\n',
  'Content-Transfer-Encoding: quoted-printable\r\n',
  'Subject: 渡り\r\n',
  '\r\n',
  '\n',
  '\r',
  '--b\r\n',
  '--b',
  '--b--\r\n',
  '\r\n--c\n',
  '--c--',
  'text 本文\r\n',
  ' folded\r\n',
  '-',
)
const message = fc
  .array(fc.oneof({ weight: 6, arbitrary: words.map(fromUtf8) }, fc.uint8Array({ maxLength: 9 })), {
    maxLength: 40,
  })
  .map((parts) => concatOctets([new Uint8Array(0), ...parts]))

const pieces = (octets: Octets, cuts: readonly number[]): Octets[] => {
  const ends = [...cuts.map((cut) => cut % (octets.length + 1)), octets.length].sort(
    (a, b) => a - b,
  )
  return ends.map((end, i) => octets.subarray(i === 0 ? 0 : ends[i - 1], end))
}
/** Lines are those of the octets of the body, whatever ended it. */
function assertLines(part: MimePart, octets: Octets): void {
  const text = toLatin1(octets.subarray(part.body.offset, part.body.offset + part.body.length))
  const ends = text.split('\n').length - 1
  assert.equal(part.lines, ends + (text === '' || text.endsWith('\n') ? 0 : 1))
  for (const child of part.parts) assertLines(child, octets)
  if (part.message !== undefined) assertLines(part.message.root, octets)
}

const cuts = fc.array(fc.nat(), { maxLength: 12 })

test('the indexer answers the same for any chunking of any octets', () => {
  fc.assert(
    fc.property(message, cuts, (octets, at) => {
      const whole = new MimeIndexer()
      whole.feed(octets)
      const chunked = new MimeIndexer()
      for (const piece of pieces(octets, at)) chunked.feed(piece)
      const meta = whole.finish()
      assert.deepEqual(chunked.finish(), meta)
      assertLines(meta.root, octets)
    }),
    { numRuns: 1_500, seed: SEED },
  )
})

test('content decoders answer the same for any chunking', () => {
  const near = fc
    .array(fc.constantFrom('=', '4', 'A', 'e', ' ', '\t', '\r', '\n', '渡', '+/=='), {
      maxLength: 60,
    })
    .map((signs) => fromUtf8(signs.join('')))
  fc.assert(
    fc.property(
      fc.constantFrom('base64', 'quoted-printable', '8bit'),
      near,
      cuts,
      (name, octets, at) => {
        const decoder = contentDecoder(name)
        const out = pieces(octets, at).map((piece) => Buffer.from(decoder.push(piece)))
        out.push(Buffer.from(decoder.end()))
        assert.deepEqual(Buffer.concat(out), Buffer.from(decodeContent(octets, name)))
      },
    ),
    { numRuns: 3_000, seed: SEED },
  )
})

test('base64 decodes what Node encodes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (octets) => {
      const text = Buffer.from(octets)
        .toString('base64')
        .replace(/.{1,76}/g, '$&\r\n')
      assert.deepEqual(Buffer.from(decodeContent(fromLatin1(text), 'base64')), Buffer.from(octets))
    }),
  )
})

test('the readers of header values take any text', () => {
  const sign = fc.constantFrom(
    'a',
    '@',
    '<',
    '>',
    ',',
    ';',
    ':',
    '"',
    '(',
    ')',
    '\\',
    '[',
    ']',
    ' ',
    '=?utf-8?B?5rih?=',
    '=',
    '/',
    '*0*',
    "'",
    '渡',
  )
  const value = fc.array(sign, { maxLength: 60 }).map((signs) => signs.join(''))
  fc.assert(
    fc.property(fc.oneof(value, fc.string({ unit: 'binary' })), (text) => {
      parseAddressList(text)
      parseContentType(text)
      assert.equal(typeof decodeWords(text), 'string')
    }),
    { numRuns: 3_000, seed: SEED },
  )
})

test('any octets under any label are text', () => {
  const label = fc.constantFrom(
    undefined,
    'utf-8',
    'iso-2022-jp',
    'cp932',
    'euc-jp',
    'utf-7',
    'nonsense',
    'utf-16',
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), label, (octets, name) => {
      assert.equal(typeof decodeCharset(octets, name), 'string')
    }),
    { numRuns: 2_000, seed: SEED },
  )
})
