import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { concatOctets, fromLatin1, fromUtf8, toLatin1 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { parsePop3Command, parsePop3Number } from './command.ts'
import { DotStuffer, TopCutter } from './dot-stuffing.ts'

const dotty = fc
  .array(fc.constantFrom('.', '\r\n', '\n', '\r', 'a', '渡り', '..', '\0'), { maxLength: 40 })
  .map((parts) => fromUtf8(parts.join('')))
const anyOctets = fc.oneof(dotty, fc.uint8Array({ maxLength: 100 }))

function pieces(octets: Octets, cuts: readonly number[]): Octets[] {
  const ends = [...cuts.map((cut) => cut % (octets.length + 1)), octets.length].toSorted(
    (a, b) => a - b,
  )
  return ends.map((end, i) => octets.subarray(ends[i - 1] ?? 0, end))
}

/** RFC 1939 §3 as a client that ends lines at CRLF or LF undoes it. */
function undone(sent: string): { content: string; rest: string } {
  let content = ''
  let at = 0
  for (;;) {
    const end = sent.indexOf('\n', at)
    assert.ok(end >= 0, 'no end')
    const line = sent.slice(at, end + 1)
    at = end + 1
    if (line === '.\r\n' || line === '.\n') return { content, rest: sent.slice(at) }
    content += line.startsWith('.') ? line.slice(1) : line
  }
}

test('a stuffed message comes back, wherever it was cut, and ends once', () => {
  fc.assert(
    fc.property(anyOctets, fc.array(fc.nat(200), { maxLength: 5 }), (octets, cuts) => {
      const stuffer = new DotStuffer()
      const parts = pieces(octets, cuts).map((piece) => Uint8Array.from(stuffer.push(piece)))
      const sent = toLatin1(concatOctets([...parts, stuffer.end()]))
      const { content, rest } = undone(sent)
      assert.equal(rest, '')
      const text = toLatin1(octets)
      assert.equal(content, text === '' || text.endsWith('\r\n') ? text : `${text}\r\n`)
      assert.match(sent, /(^|\r\n)\.\r\n$/)
    }),
    { numRuns: 1_000 },
  )
})

test('TOP is a beginning of the message, the same however it was cut', () => {
  fc.assert(
    fc.property(
      anyOctets,
      fc.nat(5),
      fc.array(fc.nat(200), { maxLength: 5 }),
      (octets, lines, cuts) => {
        const cutter = new TopCutter(lines)
        const taken: Octets[] = []
        for (const piece of pieces(octets, cuts)) {
          const { octets: part, isEnd } = cutter.push(piece)
          taken.push(part)
          if (isEnd) break
        }
        const text = toLatin1(octets)
        const all = text.split(/(?<=\n)/)
        const blank = all.findIndex((line) => /^\r*\n$/.test(line))
        const wanted = blank < 0 ? text : all.slice(0, blank + 1 + lines).join('')
        assert.equal(toLatin1(concatOctets(taken)), wanted)
      },
    ),
    { numRuns: 1_000 },
  )
})

test('any line is a command or none', () => {
  fc.assert(
    fc.property(anyOctets, (octets) => {
      parsePop3Command(octets)
      parsePop3Number(toLatin1(octets))
    }),
  )
  assert.deepEqual(parsePop3Command(fromLatin1('pass  a b ')), { verb: 'PASS', args: [' a b '] })
  assert.deepEqual(parsePop3Command(fromLatin1('TOP 1  10')), { verb: 'TOP', args: ['1', '10'] })
  assert.equal(parsePop3Command(fromLatin1('HELO x')), undefined)
  assert.equal(parsePop3Number('-1'), undefined)
  assert.equal(parsePop3Number('007'), 7)
})
