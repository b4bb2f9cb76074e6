import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fromLatin1, toLatin1 } from '#base/octets.ts'
import { ContentScanner } from './content-scanner.ts'
import type { BareMode, ContentFault } from './content-scanner.ts'

interface Read {
  readonly content: string
  readonly rest: string | undefined
  readonly fault: ContentFault | undefined
}

function scan(chunks: readonly string[], mode: BareMode): Read {
  const scanner = new ContentScanner('data', mode)
  let content = ''
  for (const [i, chunk] of chunks.entries()) {
    const scanned = scanner.feed(fromLatin1(chunk))
    content += toLatin1(scanned.content)
    if (!scanned.done) {
      assert.equal(scanned.consumed, chunk.length)
      continue
    }
    const rest = chunk.slice(scanned.consumed) + chunks.slice(i + 1).join('')
    return { content, rest, fault: scanner.fault }
  }
  return { content, rest: undefined, fault: scanner.fault }
}

/** RFC 5321 §4.5.2 said with regular expressions over the whole. */
function model(whole: string, mode: BareMode): Read {
  const end = whole.startsWith('.\r\n') ? -2 : whole.indexOf('\r\n.\r\n')
  const ended = end !== -1
  const stuffed = ended ? whole.slice(0, end + 2) : whole
  const plain = stuffed.replace(/(^|\r\n)\./g, '$1')
  const bare = mode === 'refuse' && /\r(?!\n)|(?<!\r)\n|\0/.test(plain)
  const content = mode === 'repair' ? plain.replace(/\r(?!\n)|(?<!\r)\n/g, '\r\n') : plain
  return {
    content: bare ? '(refused)' : content,
    rest: ended ? whole.slice(end + 5) : undefined,
    fault: undefined,
  }
}

const same = (got: Read, wanted: Read, what: string): void => {
  assert.equal(got.rest, wanted.rest, what)
  if (wanted.content === '(refused)') assert.notEqual(got.fault, undefined, what)
  else {
    assert.equal(got.fault, undefined, what)
    assert.equal(got.content, wanted.content, what)
  }
}

const MODES: readonly BareMode[] = ['refuse', 'repair', 'keep']
const piece = fc.constantFrom(
  '\r',
  '\n',
  '.',
  '\r\n',
  '\r\n.',
  '\r\n..',
  'あ',
  'x',
  'long enough to be copied as one run',
  '\0',
)
const latin1 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')

test('only CRLF.CRLF ends DATA, and only CRLF ends a line, however the segments fall', () => {
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 25 }),
      fc.array(fc.nat(120), { maxLength: 12 }),
      fc.constantFrom(...MODES),
      (pieces, cuts, mode) => {
        const whole = `${latin1(pieces.join(''))}z\r\n.\r\nQUIT\r\n`
        const at = [0, ...cuts.map((cut) => Math.min(cut, whole.length)), whole.length].toSorted(
          (a, b) => a - b,
        )
        const chunks = at.slice(1).map((end, i) => whole.slice(at[i], end))
        same(scan(chunks, mode), model(whole, mode), JSON.stringify({ chunks, mode }))
      },
    ),
    { numRuns: 5_000 },
  )
})

test('no smuggled end is taken for an end, at every split into three', () => {
  const ends = [
    '\n.\n',
    '\r\n.\n',
    '\n.\r\n',
    '\r.\r',
    '\r.\r\n',
    '\r\n.\r',
    '\n.\r',
    '\r\n\0.\r\n',
    '\r\r\n.\n',
  ]
  for (const fake of ends)
    for (const mode of MODES) {
      const whole = latin1(`件名${fake}MAIL FROM:<evil@a.example>\r\n.\r\nNOOP\r\n`)
      const wanted = model(whole, mode)
      assert.equal(wanted.rest, 'NOOP\r\n', JSON.stringify(fake))
      for (let i = 0; i <= whole.length; i++)
        for (let j = i; j <= whole.length; j++)
          same(
            scan([whole.slice(0, i), whole.slice(i, j), whole.slice(j)], mode),
            wanted,
            JSON.stringify({ fake, mode, i, j }),
          )
    }
})

test('an incomplete message is given out up to what may still be the end', () => {
  for (const mode of MODES) {
    assert.deepEqual(scan(['a\r\n', '.'], mode), {
      content: 'a\r\n',
      rest: undefined,
      fault: undefined,
    })
    assert.deepEqual(scan(['a\r\n.', '\r'], mode), {
      content: 'a\r\n',
      rest: undefined,
      fault: undefined,
    })
    assert.deepEqual(scan(['.\r\n'], mode), { content: '', rest: '', fault: undefined })
  }
})

test('faults are named', () => {
  assert.equal(scan(['a\rb\r\n.\r\n'], 'refuse').fault, 'bareCr')
  assert.equal(scan(['a\nb\r\n.\r\n'], 'refuse').fault, 'bareLf')
  assert.equal(scan(['a\0b\r\n.\r\n'], 'refuse').fault, 'nul')
})

test('BDAT has no dots: octets pass, bare ones as the mode says', () => {
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 20 }),
      fc.nat(60),
      fc.constantFrom(...MODES),
      (pieces, cut, mode) => {
        const whole = latin1(pieces.join(''))
        const scanner = new ContentScanner('bdat', mode)
        let content = ''
        for (const chunk of [whole.slice(0, cut), whole.slice(cut)])
          content += toLatin1(scanner.feed(fromLatin1(chunk)).content)
        content += toLatin1(scanner.finish())
        const bare = /\r(?!\n)|(?<!\r)\n|\0/.test(whole)
        if (mode === 'refuse') assert.equal(scanner.fault !== undefined, bare)
        if (mode === 'refuse' && bare) return
        const repaired = whole.replace(/\r(?!\n)|(?<!\r)\n/g, '\r\n')
        assert.equal(content, mode === 'repair' ? repaired : whole)
      },
    ),
    { numRuns: 2_000 },
  )
})

test('a segment in which nothing changes is handed on without a copy', () => {
  const scanner = new ContentScanner('data', 'refuse')
  const chunk = fromLatin1('plain text\r\nof many lines\r\n')
  assert.equal(scanner.feed(chunk).content.buffer, chunk.buffer)
})
