import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import fc from 'fast-check'

import { fromUtf8, toUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'

import { MBOX_MESSAGE_BYTES_MAX, mboxMessages, startsMbox } from './mbox.ts'

async function messages(octets: Octets, pieceBytes = octets.byteLength): Promise<string[]> {
  async function* pieces(): AsyncGenerator<Octets> {
    for (let at = 0; at < octets.byteLength; at += pieceBytes)
      yield octets.subarray(at, at + pieceBytes)
  }
  const found: string[] = []
  for await (const message of mboxMessages(pieces()))
    found.push(message === undefined ? 'too long' : toUtf8(message))
  return found
}

describe('an mbox (RFC 4155)', () => {
  it('is taken apart at `From ` after an empty line, `>From ` unquoted once', async () => {
    const mbox =
      'From a@b Mon\nSubject: 1\n\n>From here\n>>From there\n\nFrom c@d Tue\r\n件名\r\n\r\nText\nFrom x\n'
    assert.deepEqual(await messages(fromUtf8(mbox)), [
      'Subject: 1\n\nFrom here\n>From there\n\n',
      '件名\r\n\r\nText\nFrom x\n',
    ])
    assert.deepEqual(await messages(fromUtf8('From a@b Mon\n\nFrom c@d')), ['\n', ''])
    assert.equal(startsMbox(fromUtf8('From: a@b\n')), false)
  })

  it('needs a date in each separator where the first has one, for quoting is often forgotten', async () => {
    const mbox =
      'From - Thu Nov 26 22:05:15 2026\nA: 1\n\nFrom here on\n\nFrom b@c Fri Nov 27 22:05 JST 2026\nB: 2\n'
    assert.deepEqual(await messages(fromUtf8(mbox)), ['A: 1\n\nFrom here on\n\n', 'B: 2\n'])
  })

  it('gives the same messages however its octets come', async () => {
    const line = fc.constantFrom(
      'From a@b 10:00 2026\n',
      'From x\n',
      '>From 会議\r\n',
      '\n',
      '\r\n',
      '本文\n',
      'F',
      '>',
      `${'長'.repeat(30_000)}\n`,
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(line, { maxLength: 30 }),
        fc.integer({ min: 1, max: 9 }),
        async (lines, pieceBytes) => {
          const octets = fromUtf8(`From a@b 10:00 2026\n${lines.join('')}`)
          const size = octets.byteLength > 10_000 ? 7_919 * pieceBytes : pieceBytes
          assert.deepEqual(await messages(octets, size), await messages(octets))
        },
      ),
      { numRuns: 200, seed: 7 },
    )
  })

  it('passes over a message that is too long, and goes on behind it', async () => {
    async function* endless(): AsyncGenerator<Octets> {
      yield fromUtf8('From a@b Mon\n')
      const piece = Buffer.alloc(1024 * 1024, 'x')
      for (let size = 0; size <= MBOX_MESSAGE_BYTES_MAX; size += piece.byteLength) yield piece
      yield fromUtf8('\n\nFrom c@d Tue\n後\n')
    }
    const found: (string | undefined)[] = []
    for await (const message of mboxMessages(endless())) found.push(message && toUtf8(message))
    assert.deepEqual(found, [undefined, '後\n'])
  })
})
