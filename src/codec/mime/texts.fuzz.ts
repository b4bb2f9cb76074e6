import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fromLatin1, toLatin1 } from '#base/octets.ts'
import { baseSubject } from './base-subject.ts'
import { decodeCharset } from './charset.ts'
import { parseDisposition } from './content-type.ts'
import { formatDate, parseDate } from './date.ts'
import { foldMapped, foldText, hasText } from './fold-text.ts'
import { headerFields, headerLength } from './header.ts'
import { decodeHz, decodeIso2022, hasCodeEscape } from './iso-2022.ts'
import { decodeX0213 } from './jis-x0213.ts'
import { attributeText, htmlToText } from './text.ts'

const octets = fc.uint8Array({ maxLength: 300 })
/** Escape sequences of ISO-2022 and HZ among octets of two-octet sets. */
const escaped = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '\x1b$B',
        '\x1b(B',
        '\x1b(J',
        '\x1b(I',
        '\x1b$(D',
        '\x1b$(Q',
        '\x1b$(P',
        '\x1b',
      ),
      fc.constantFrom(
        '~{',
        '~}',
        '~~',
        '~\n',
        '\x0e',
        '\x0f',
        '\r\n',
        '\x8e',
        '\x8f\xa2',
        '\xfc\xfc',
      ),
      fc.string({ unit: 'binary-ascii', maxLength: 6 }),
      fc.uint8Array({ maxLength: 5 }).map(toLatin1),
    ),
    { maxLength: 40 },
  )
  .map((parts) => fromLatin1(parts.join('')))
const text = fc.string({ unit: 'binary', maxLength: 200 })

test('any octets in any Japanese coding are text, and no longer than they may become', () => {
  fc.assert(
    fc.property(fc.oneof(octets, escaped), (given) => {
      const lengthMax = 4 * given.length + 4
      for (const decoded of [
        decodeIso2022(given),
        decodeHz(given),
        decodeX0213(given, 'shift_jis'),
        decodeX0213(given, 'euc-jp'),
      ])
        assert.ok(decoded.length <= lengthMax, `${decoded.length} of ${given.length}`)
      assert.equal(typeof hasCodeEscape(given), 'boolean')
      for (const charset of ['iso-2022-jp', 'shift_jis', 'euc-jp', 'utf-7', 'hz-gb-2312', 'x-none'])
        assert.equal(typeof decodeCharset(given, charset), 'string')
    }),
  )
})

test('fields of any octets lie in order inside them', () => {
  fc.assert(
    fc.property(fc.oneof(octets, escaped), (given) => {
      assert.ok(headerLength(given) <= given.length)
      let at = 0
      for (const { key, range } of headerFields(given)) {
        assert.ok(range.offset >= at && range.length > 0)
        at = range.offset + range.length
        assert.ok(at <= given.length)
        assert.equal(key, key.toLowerCase())
      }
    }),
  )
})

test('dates: any text is a time or none, and what is written is read', () => {
  fc.assert(
    fc.property(text, (given) => {
      const parsed = parseDate(given)
      assert.ok(parsed === undefined || Number.isFinite(parsed))
    }),
  )
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4_102_444_799 }), (second) => {
      assert.equal(parseDate(formatDate(second * 1_000)), second * 1_000)
    }),
  )
})

test('folding ends, stays as it is when done again, and finds each part of a text in it', () => {
  fc.assert(
    fc.property(text, fc.nat(), fc.nat(), (given, from, length) => {
      const folded = foldText(given)
      assert.equal(foldText(folded), folded)
      assert.equal(foldMapped(given).text, folded)
      const part = folded.slice(from % (folded.length + 1)).slice(0, 1 + (length % 8))
      if (part !== '') assert.ok(hasText(folded, part))
    }),
  )
})

test('subjects, markup and dispositions of any text have an answer', () => {
  fc.assert(
    fc.property(text, (given) => {
      assert.equal(typeof baseSubject(given).text, 'string')
      assert.equal(typeof htmlToText(`<p title="${given}">${given}<!-- ${given}`), 'string')
      assert.equal(typeof attributeText(given), 'string')
      parseDisposition(given)
    }),
  )
})
