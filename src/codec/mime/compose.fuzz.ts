import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fromLatin1, toLatin1 } from '#base/octets.ts'
import type { MimePart } from '#model/message.ts'
import { decodeCharset } from './charset.ts'
import { addressField, composeMessage, parameter, textField } from './compose.ts'
import type { ComposedPart } from './compose.ts'
import { decodeContent } from './content-decoder.ts'
import { decodeWords, paramOf } from './encoded-word.ts'
import { MimeIndexer } from './indexer.ts'
import { decodeText } from './text.ts'

const signs = fc.constantFrom(
  'a',
  'b ',
  ' ',
  '"',
  '\\',
  '=?',
  '?=',
  '_',
  ',',
  '<',
  '渡',
  'り鳥',
  '😀',
  'é',
  '\r\n',
  '\0',
  ';',
  '%',
  "'",
)
const text = fc.oneof(
  fc.array(signs, { maxLength: 60 }).map((list) => list.join('')),
  fc.string({ unit: 'binary', maxLength: 80 }),
)
/** What is left of a text in a header. */
const shown = (value: string): string =>
  value
    .replace(/[\u0000-\u001f\u007f]+/g, ' ')
    .toWellFormed()
    .trim()
const squeezed = (value: string): string => value.replace(/ +/g, ' ').trim()

function read(octets: Uint8Array) {
  const indexer = new MimeIndexer()
  indexer.feed(octets)
  return indexer.finish()
}

const empty: ComposedPart = { kind: 'text', subtype: 'plain', text: '' }

test('any subject and name is read as it was written, in short lines of ASCII', () => {
  fc.assert(
    fc.property(text, text, (subject, name) => {
      const fields = [
        textField('Subject', subject),
        addressField('From', [
          { name, email: 'a@b.example' },
          { name: '', email: 'c@d.example' },
        ]),
      ]
      const octets = composeMessage(fields, empty)
      assert.ok(octets.every((octet) => octet < 0x80))
      const { envelope } = read(octets)
      assert.equal(squeezed(decodeWords(envelope.subject ?? '')), squeezed(shown(subject)))
      assert.deepEqual(
        envelope.from?.map(({ mailbox, host }) => `${mailbox}@${host}`),
        ['a@b.example', 'c@d.example'],
      )
      assert.equal(squeezed(decodeWords(envelope.from?.[0]?.name ?? '')), squeezed(shown(name)))
      for (const line of toLatin1(octets).split('\r\n')) assert.ok(line.length <= 998, line)
    }),
    { numRuns: 2_000 },
  )
})

test('any text, octets and file names come out of their parts as they went in', () => {
  const part: fc.Arbitrary<ComposedPart> = fc.oneof(
    text.map((value): ComposedPart => ({ kind: 'text', subtype: 'plain', text: value })),
    fc.tuple(fc.uint8Array({ maxLength: 200 }), text).map(([octets, name]): ComposedPart => ({
      kind: 'octets',
      type: 'application/octet-stream',
      octets,
      fields: [`Content-Disposition: attachment;\r\n ${parameter('filename', name)}`],
    })),
  )
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), text, (parts, name) => {
      const octets = composeMessage([], {
        kind: 'multipart',
        subtype: 'mixed',
        boundary: '=_b',
        parts: [
          ...parts,
          {
            kind: 'octets',
            type: 'x/y',
            octets: Buffer.from('z'),
            fields: [`Content-Disposition: inline;\r\n ${parameter('filename', name)}`],
          },
        ],
      })
      const { root } = read(octets)
      assert.equal(root.parts.length, parts.length + 1)
      const body = ({ body: { offset, length } }: MimePart) =>
        octets.subarray(offset, offset + length)
      for (const [index, given] of parts.entries()) {
        const found = root.parts[index]!
        if (given.kind === 'text')
          assert.equal(
            decodeText(found, body(found)),
            given.text.toWellFormed().replace(/\r\n|\r|\n/g, '\r\n'),
          )
        else if (given.kind === 'octets')
          assert.deepEqual([...decodeContent(body(found), found.encoding)], [...given.octets])
      }
      const last = root.parts.at(-1)!
      assert.equal(
        paramOf(last.disposition!.params, 'filename'),
        name.replace(/[\u0000-\u001f\u007f]+/g, ' ').toWellFormed(),
      )
    }),
    { numRuns: 2_000 },
  )
})

test('a word in base64 is the same whichever way it is decoded', () => {
  const digit = fc.constantFrom('A', 'Q', 'g', 'z', '9', '+', '/', '=', '_', '-')
  fc.assert(
    fc.property(fc.array(digit, { maxLength: 12 }), (digits) => {
      const text = digits.join('')
      const octets = decodeContent(fromLatin1(text), 'base64')
      assert.equal(decodeWords(`=?ISO-8859-15?B?${text}?=`), decodeCharset(octets, 'iso-8859-15'))
    }),
    { numRuns: 3_000 },
  )
})
