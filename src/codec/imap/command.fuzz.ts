import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fromLatin1, toLatin1 } from '#base/octets.ts'
import { CommandBuffer } from './command-buffer.ts'
import { parseAppendHead, parseNextAppend } from './append-head.ts'
import { parseCommand } from './command.ts'
import { decodeMailboxName, encodeUtf7, matchesPattern } from './mailbox-name.ts'
import { quote } from './render.ts'
import { STAR, formatSet, inRanges, resolveSet } from './sequence-set.ts'

const anyOctets = fc.uint8Array({ maxLength: 200 }).map(toLatin1)
const WORDS = [
  'a1 ', 'LOGIN ', 'UID ', 'FETCH ', 'STORE ', 'SEARCH', ' RETURN (', 'APPEND ', 'LIST ', 'STATUS ',
  'INBOX ', '1:*', ',', '(', ')', ' ', 'BODY', '[', ']', '.', 'HEADER.FIELDS', '<0.', '9>', '"', '\\',
  'FLAGS', '{3}\r\n', '~{2+}\r\n', 'OR', 'NOT', 'CHARSET ', 'UTF-8', '\u00e6\u00b8\u00a1', '&', '-', '%', '\0',
  'MODSEQ', '99999999999999999999', '1-Feb-2026', 'SINCE', '\\Seen', 'SELECT ', 'QRESYNC ', '(7 9 1:3 (1 2))', 'CHANGEDSINCE 1 ', 'VANISHED',
  'BINARY', 'BINARY.SIZE', 'PREVIEW', ' (LAZY)', '$', 'PARTIAL ', '-1:-3', 'SAVE', 'REPLACE 1 ', 'UTF8 (', 'SAVEDON ', 'GETMETADATA ', '(DEPTH 1) ', 'SETMETADATA ', '/private/a ', 'NIL',
] // prettier-ignore
const likeCommands = fc
  .array(fc.constantFrom(...WORDS), { maxLength: 30 })
  .map((words) => `a ${words.join('')}`)

test('any octets are a command or a fault', () => {
  fc.assert(
    fc.property(fc.oneof(anyOctets, likeCommands), (text) => {
      const parsed = parseCommand(text)
      if (!parsed.ok) assert.match(parsed.error.text, /^[ -~]+$/)
      parseAppendHead(text)
      parseNextAppend(text)
    }),
    { numRuns: 3_000 },
  )
})

test('strings come back as they went, quoted or literal, lines and literals gathered', () => {
  const field = anyOctets.map((text) => text.replaceAll('\0', ''))
  fc.assert(
    fc.property(field, field, (login, password) => {
      const buffer = new CommandBuffer()
      let rest = `a LOGIN ${quote(login)} ${quote(password)}\r\n`
      for (;;) {
        const end = rest.indexOf('\r\n')
        const ask = buffer.line(fromLatin1(rest.slice(0, end)))
        rest = rest.slice(end + 2)
        if (ask === undefined) break
        buffer.literal(fromLatin1(rest.slice(0, ask.sizeBytes)))
        rest = rest.slice(ask.sizeBytes)
      }
      const parsed = parseCommand(buffer.text)
      assert.ok(parsed.ok)
      assert.deepEqual(parsed.value.command, { name: 'LOGIN', login, password })
    }),
  )
})

test('mailbox names survive modified UTF-7', () => {
  const name = fc
    .string({ unit: 'grapheme', maxLength: 30 })
    .map((text) => text.replaceAll(/[\u0000-\u001f\u007f]/g, '').normalize('NFC'))
  fc.assert(
    fc.property(fc.oneof(name, fc.constantFrom('受信箱', 'R&D', '&&-&', '𠮷野家')), (text) => {
      const encoded = encodeUtf7(text)
      assert.match(encoded, /^[ -~]*$/)
      assert.equal(decodeMailboxName(encoded), text)
    }),
  )
  fc.assert(fc.property(anyOctets, (text) => void decodeMailboxName(text)))
})

test('patterns agree with a regular expression', () => {
  const letters = fc.array(fc.constantFrom('a', 'b', '/', '*', '%'), { maxLength: 8 })
  const name = fc.array(fc.constantFrom('a', 'b', '/'), { maxLength: 10 })
  fc.assert(
    fc.property(letters, name, (pattern, text) => {
      const oracle = new RegExp(
        `^${pattern.map((c) => (c === '*' ? '.*' : c === '%' ? '[^/]*' : c)).join('')}$`,
      )
      assert.equal(matchesPattern(pattern.join(''), text.join('')), oracle.test(text.join('')))
    }),
  )
})

test('resolved sets hold what the ranges hold, ascending and apart', () => {
  const end = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constant(STAR))
  fc.assert(
    fc.property(
      fc.array(fc.tuple(end, end), { minLength: 1 }),
      fc.integer({ min: 1, max: 40 }),
      (set, max) => {
        const ranges = resolveSet(set, max)
        const held = new Set<number>()
        for (const [a, b] of set) {
          const [x, y] = [a === STAR ? max : a, b === STAR ? max : b]
          for (let n = Math.min(x, y); n <= Math.max(x, y); n++) held.add(n)
        }
        for (let n = 1; n <= 41; n++) assert.equal(inRanges(ranges, n), held.has(n))
        for (let i = 1; i < ranges.length; i++) assert.ok(ranges[i]![0] > ranges[i - 1]![1] + 1)
        assert.equal(
          formatSet(held.size === 0 ? [] : [...held].toSorted((a, b) => a - b)),
          ranges.map(([a, b]) => (a === b ? String(a) : `${a}:${b}`)).join(','),
        )
      },
    ),
  )
})
