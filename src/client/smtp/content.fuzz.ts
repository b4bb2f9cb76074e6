import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { needsOf, stuffed } from './content.ts'
import type { ContentSource } from './job.ts'

/** Octets of every kind that matters here: line ends alone and in pairs, dots, NUL, kana, text. */
const nasty = fc
  .array(fc.constantFrom('\r\n', '\r', '\n', '.', '\0', 'あ', 'a: b', ''), { maxLength: 30 })
  .map((parts) => Buffer.from(parts.join('')))

const sourceOf = (octets: Buffer): ContentSource => ({
  sizeBytes: octets.length,
  read: (offset, length) => Promise.resolve(octets.subarray(offset, offset + length)),
})

test('what a content needs is what its octets say, read one by one', async () => {
  await fc.assert(
    fc.asyncProperty(nasty, async (octets) => {
      const text = octets.toString('latin1')
      const end = /(?:^|\n)\r*\n/.exec(text)
      const header = end === null ? text : text.slice(0, end.index + end[0].length)
      assert.deepEqual(await needsOf(sourceOf(octets)), {
        eightBit: /[\x80-\xff]/.test(text),
        eightBitHeader: /[\x80-\xff]/.test(header),
        binary: /\0|\r(?!\n)|(?<!\r)\n/.test(text),
      })
    }),
    { numRuns: 2_000 },
  )
})

test('dots are doubled and the end is CRLF.CRLF, in one piece with the last octets', async () => {
  await fc.assert(
    fc.asyncProperty(nasty, async (octets) => {
      const parts = []
      for await (const part of stuffed(sourceOf(octets))) parts.push(part)
      const text = octets.toString('latin1')
      const ended = text === '' || text.endsWith('\r\n') ? text : `${text}\r\n`
      assert.equal(parts.length, 1)
      assert.equal(
        Buffer.concat(parts).toString('latin1'),
        `${ended.replaceAll(/(^|\n)\./g, '$1..')}.\r\n`,
      )
    }),
    { numRuns: 2_000 },
  )
})
