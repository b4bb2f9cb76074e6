import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { concatOctets, fromLatin1, fromUtf8, toLatin1, toUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { parseManageSieve } from './command.ts'
import { parseManageSieveLine, renderResponse } from './response.ts'
import { renderLiteral, renderString, Words } from './words.ts'
import type { Word } from './words.ts'

const RUNS = 2_000

/** Feeds a whole command or answer, as a reader of lines and literals does; what is left behind it. */
function gather(octets: Octets): { words: Words; rest: Octets; isWhole: boolean } {
  const words = new Words()
  let rest = octets
  for (;;) {
    const end = Buffer.from(rest).indexOf('\r\n')
    if (end < 0) return { words, rest, isWhole: false }
    const ahead = words.line(rest.subarray(0, end))
    rest = rest.subarray(end + 2)
    if (ahead === undefined) return { words, rest, isWhole: true }
    if (ahead.sizeBytes > rest.length) return { words, rest, isWhole: false }
    words.literal(rest.subarray(0, ahead.sizeBytes))
    rest = rest.subarray(ahead.sizeBytes)
  }
}

const wordly = fc
  .array(
    fc.constantFrom(
      'PUTSCRIPT',
      'NOOP',
      'OK',
      '(TAG',
      ')',
      '(',
      ' ',
      '"',
      '\\',
      '"振り分け"',
      '"a\\"b"',
      '{3+}',
      '{3}',
      '\r\n',
      'abc',
      '12',
      '\0',
    ),
    { maxLength: 30 },
  )
  .map((parts) => fromUtf8(parts.join('')))
const anyOctets = fc.oneof(wordly, fc.uint8Array({ maxLength: 100 }))

test('any octets are words or none, a command or none, an answer or none', () => {
  fc.assert(
    fc.property(anyOctets, (octets) => {
      const words = gather(concatOctets([octets, fromLatin1('\r\n')])).words.end()
      if (!words.ok) return
      parseManageSieve(words.value)
      parseManageSieveLine(words.value)
    }),
    { numRuns: RUNS },
  )
})

test('strings come back octet for octet, quoted or literal, from both sides', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.uint8Array({ maxLength: 2_000 }), wordly), { maxLength: 5 }),
      fc.constantFrom('server' as const, 'client' as const),
      fc.boolean(),
      (strings, side, isLiteral) => {
        const render = isLiteral ? renderLiteral : renderString
        const line = strings.map((each) => concatOctets([fromLatin1(' '), render(each, side)]))
        const sent = concatOctets([fromLatin1('X'), ...line, fromLatin1('\r\nNOOP\r\n')])
        const { words, rest, isWhole } = gather(sent)
        assert.ok(isWhole)
        assert.equal(toLatin1(rest), 'NOOP\r\n')
        const gathered = words.end()
        assert.ok(gathered.ok)
        const [, ...read] = gathered.value
        assert.deepEqual(
          read.map((word) => (word.kind === 'string' ? toLatin1(word.octets) : word.kind)),
          strings.map(toLatin1),
        )
      },
    ),
    { numRuns: RUNS },
  )
})

test('an answer is read as it was said', () => {
  const code = fc.option(
    fc.record({
      name: fc.constantFrom('TAG', 'QUOTA/MAXSIZE', 'TRYLATER', 'WARNINGS'),
      value: fc.option(fc.uint8Array({ maxLength: 50 }), { nil: undefined }),
    }),
    { nil: undefined },
  )
  fc.assert(
    fc.property(
      fc.constantFrom('OK' as const, 'NO' as const, 'BYE' as const),
      code,
      fc.string({ unit: 'grapheme', maxLength: 600 }),
      (kind, given, text) => {
        const { words } = gather(
          renderResponse({
            kind,
            ...(given !== undefined && {
              code: {
                name: given.name,
                ...(given.value !== undefined && { value: given.value }),
              },
            }),
            text,
          }),
        )
        const gathered = words.end()
        assert.ok(gathered.ok)
        const line = parseManageSieveLine(gathered.value)
        assert.ok(line.ok && line.value.kind === 'response')
        const { response } = line.value
        assert.equal(response.kind, kind)
        assert.equal(response.text, toUtf8(fromUtf8(text)))
        assert.equal(response.code?.name, given?.name)
        assert.equal(
          response.code?.value && toLatin1(response.code.value),
          given?.value && toLatin1(given.value),
        )
      },
    ),
    { numRuns: RUNS },
  )
})

const words = (text: string): readonly Word[] | string => {
  const gathered = gather(fromUtf8(text)).words.end()
  return gathered.ok ? gathered.value : gathered.error
}

test('a command is what RFC 5804 §4 says', () => {
  const parse = (text: string) => {
    const gathered = words(text)
    return typeof gathered === 'string' ? gathered : parseManageSieve(gathered)
  }
  assert.deepEqual(parse('havespace "振り分け" 99\r\n'), {
    ok: true,
    value: { verb: 'HAVESPACE', name: '振り分け', sizeBytes: 99 },
  })
  assert.deepEqual(parse('PutScript {3+}\r\n鳥 {5+}\r\nkeep;\r\n'), {
    ok: true,
    value: { verb: 'PUTSCRIPT', name: '鳥', script: fromUtf8('keep;') },
  })
  assert.deepEqual(parse('RENAMESCRIPT "a\\"b" "c\\\\d"\r\n'), {
    ok: true,
    value: { verb: 'RENAMESCRIPT', name: 'a"b', to: 'c\\d' },
  })
  for (const [text, error] of [
    ['NOOP "a" "b"\r\n', 'NOOP: too many arguments'],
    ['NOOP x\r\n', 'NOOP: a string was expected'],
    ['HAVESPACE "a" "9"\r\n', 'HAVESPACE: a number was expected'],
    ['FOO\r\n', 'Unknown command'],
    ['constructor\r\n', 'Unknown command'],
    ['\r\n', 'Unknown command'],
  ])
    assert.deepEqual(parse(text!), { ok: false, error })
  assert.deepEqual(parseManageSieve([]), { ok: false, error: 'Unknown command' })
  assert.equal(words('NOOP"a"\r\n'), 'a blank was expected')
  assert.equal(words('NOOP "a""b"\r\n'), 'a blank was expected')
  assert.equal(words('NOOP "a\\n"\r\n'), 'a string never ends')
  assert.equal(words(`HAVESPACE "a" ${'9'.repeat(16)}\r\n`), 'a number is too large')
})

test('a literal behind what is wrong is skipped, not obeyed', () => {
  for (const wrong of ['PUTSCRIPT "a', 'PUTSCRIPT \u0001', 'PUTSCRIPT "a\\x"', 'NOOP "a"b']) {
    const { words, rest, isWhole } = gather(fromUtf8(`${wrong} {8+}\r\nLOGOUT\r\n\r\nNOOP\r\n`))
    assert.ok(isWhole)
    assert.equal(words.end().ok, false)
    assert.equal(toLatin1(rest), 'NOOP\r\n')
  }
})
