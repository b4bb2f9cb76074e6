import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromLatin1, fromUtf8, toLatin1 } from '#base/octets.ts'
import type { MimePart } from '#model/message.ts'
import { renderBody } from './body-structure.ts'
import { formatDateTime, headerDay } from './date.ts'
import { renderEnvelope } from './envelope.ts'
import { formatFlags } from './flags.ts'
import { decodeMailboxName, encodeUtf7, matchesPattern, toPath } from './mailbox-name.ts'
import { quote } from './render.ts'
import { partAt, FieldPicker, pickFields, resolveSection } from './section.ts'
import { STAR, formatSet, inRanges, resolveSet } from './sequence-set.ts'

test('mailbox names travel in modified UTF-7 and are taken in UTF-8 too (RFC 3501 §5.1.3)', () => {
  assert.equal(encodeUtf7('台北/日本語'), '&U,BTFw-/&ZeVnLIqe-')
  assert.equal(decodeMailboxName('&U,BTFw-/&ZeVnLIqe-'), '台北/日本語')
  assert.equal(encodeUtf7('R&D 📮'), 'R&-D &2D3c7g-')
  assert.equal(decodeMailboxName('R&-D &2D3c7g-'), 'R&D 📮')
  assert.equal(decodeMailboxName(toLatin1(fromUtf8('受信'))), '受信')
  // か + combining mark: one name in both forms
  assert.equal(decodeMailboxName(toLatin1(fromUtf8('か\u3099'))), 'が')
  // The second row: what could stand for itself, a shift that ends and begins again, bits that are left over.
  for (const bad of [
    ['&', '&ZeV', '&Z-', '\u00ff', 'a\u0007', '&2D0-', '&AAo-'],
    ['&AGE-', '&U,BTFw-&ZeVnLIqe-', '&ACY-', '&ZeX-'],
  ].flat())
    assert.equal(decodeMailboxName(bad), undefined, bad)
})

test('paths keep INBOX apart from case', () => {
  assert.deepEqual(toPath('inbox/議事録'), ['INBOX', '議事録'])
  assert.deepEqual(toPath('Inboxes'), ['Inboxes'])
  assert.equal(toPath('a//b'), undefined)
  assert.equal(toPath('/a'), undefined)
})

test('patterns match levels, and cost linear time', () => {
  assert.ok(matchesPattern('*', 'Junk/SPAM'))
  assert.ok(!matchesPattern('%', 'Junk/SPAM'))
  assert.ok(matchesPattern('%/%', 'Junk/SPAM'))
  assert.ok(matchesPattern('Junk/*AM', 'Junk/Suspected SPAM'))
  assert.ok(matchesPattern('inbox', 'INBOX'))
  assert.ok(matchesPattern('受*箱', '受信箱'))
  assert.ok(!matchesPattern('junk', 'Junk'))
  assert.ok(!matchesPattern(`${'*a'.repeat(500)}b`, 'a'.repeat(1_000)))
})

test('sequence sets are resolved, merged and searched', () => {
  assert.deepEqual(resolveSet([[STAR, 5]], 3), [[3, 5]])
  assert.deepEqual(resolveSet([[1, STAR]], 0), [[0, 1]])
  assert.deepEqual(
    resolveSet(
      [
        [4, 5],
        [1, STAR],
        [2, 3],
      ],
      4,
    ),
    [[1, 5]],
  )
  assert.ok(
    inRanges(
      [
        [1, 2],
        [5, 9],
      ],
      6,
    ) &&
      !inRanges(
        [
          [1, 2],
          [5, 9],
        ],
        3,
      ),
  )
  assert.equal(formatSet([1, 2, 3, 7, 9, 10]), '1:3,7,9:10')
  assert.equal(formatSet([]), '')
})

test('strings are quoted where they can be, else literals', () => {
  assert.equal(quote(String.raw`a"b\c`), String.raw`"a\"b\\c"`)
  assert.equal(quote('a\r\nb'), '{4}\r\na\r\nb')
  assert.equal(quote(toLatin1(fromUtf8('渡'))), `{3}\r\n${toLatin1(fromUtf8('渡'))}`)
  assert.equal(quote('a\0b\n'), '{3}\r\nab\n')
})

test('dates', () => {
  assert.equal(formatDateTime(Date.UTC(2026, 10, 1, 8), 0), '" 1-Nov-2026 08:00:00 +0000"')
  assert.equal(formatDateTime(Date.UTC(2026, 10, 1, 18), 540), '" 2-Nov-2026 03:00:00 +0900"')
  assert.equal(formatDateTime(0, -570), '"31-Dec-1969 14:30:00 -0930"')
  assert.equal(headerDay('Sun, 1 Nov 2026 00:30:00 +0900'), Date.UTC(2026, 10, 1))
  assert.equal(headerDay('1 nov 99 00:30 JST'), Date.UTC(1999, 10, 1))
  assert.equal(headerDay('yesterday'), undefined)
  assert.equal(formatFlags(1 | 16 | 64, ['$A', '$Junk']), '(\\Seen \\Draft $Junk)')
})

const leaf = (over: Partial<MimePart>): MimePart => ({
  type: 'text',
  subtype: 'plain',
  params: [],
  encoding: '7bit',
  header: { offset: 0, length: 0 },
  body: { offset: 0, length: 0 },
  lines: 0,
  parts: [],
  ...over,
})

test('ENVELOPE fills Sender and Reply-To from From (RFC 9051 §7.5.2)', () => {
  assert.equal(
    renderEnvelope({
      subject: 'Hi',
      from: [{ name: 'Hanako', mailbox: 'hanako', host: 'campus.example' }],
      to: [{ mailbox: 'list' }, {}],
    }),
    '(NIL "Hi" (("Hanako" NIL "hanako" "campus.example")) (("Hanako" NIL "hanako" "campus.example")) ' +
      '(("Hanako" NIL "hanako" "campus.example")) ((NIL NIL "list" NIL)(NIL NIL NIL NIL)) NIL NIL NIL NIL)',
  )
})

test('BODYSTRUCTURE shows parts, messages and extension data', () => {
  const inner = leaf({
    header: { offset: 100, length: 20 },
    body: { offset: 120, length: 30 },
    lines: 2,
  })
  const message = leaf({
    type: 'message',
    subtype: 'rfc822',
    header: { offset: 60, length: 40 },
    body: { offset: 100, length: 50 },
    lines: 4,
    message: { envelope: { subject: 'in' }, root: inner },
  })
  const text = leaf({
    params: [['charset', 'utf-8']],
    header: { offset: 20, length: 10 },
    body: { offset: 30, length: 20 },
    lines: 1,
    disposition: { kind: 'inline', params: [] },
  })
  const root = leaf({
    type: 'multipart',
    subtype: 'mixed',
    params: [['boundary', 'x']],
    header: { offset: 0, length: 10 },
    body: { offset: 10, length: 150 },
    parts: [text, message],
  })
  assert.equal(
    renderBody(root, 'body'),
    '(("text" "plain" ("charset" "utf-8") NIL NIL "7bit" 20 1)' +
      '("message" "rfc822" NIL NIL NIL "7bit" 50 (NIL "in" NIL NIL NIL NIL NIL NIL NIL NIL) ' +
      '("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 30 2) 4) "mixed")',
  )
  assert.match(renderBody(root, 'bodyStructure'), /1 NIL \("inline" NIL\) NIL NIL\)/)
  assert.match(renderBody(root, 'bodyStructure'), /"mixed" \("boundary" "x"\) NIL NIL NIL\)$/)

  const meta = {
    sizeBytes: 160,
    envelope: {},
    root,
    references: [],
    preview: '',
    truncated: false,
  }
  const at = (path: number[], kind: 'whole' | 'header' | 'text' | 'mime'): unknown =>
    resolveSection({ path, text: { kind } }, { meta, prefixBytes: 5 })
  assert.deepEqual(at([], 'whole'), { offset: 0, length: 165 })
  assert.deepEqual(at([], 'header'), { offset: 0, length: 15 })
  assert.deepEqual(at([], 'text'), { offset: 15, length: 150 })
  assert.deepEqual(at([1], 'whole'), { offset: 35, length: 20 })
  assert.deepEqual(at([1], 'mime'), { offset: 25, length: 10 })
  assert.equal(at([1], 'header'), undefined)
  assert.deepEqual(at([2], 'header'), { offset: 105, length: 20 })
  assert.deepEqual(at([2], 'text'), { offset: 125, length: 30 })
  assert.deepEqual(at([2, 1], 'whole'), { offset: 125, length: 30 })
  assert.equal(at([3], 'whole'), undefined)
  assert.equal(at([1, 1], 'whole'), undefined)
  assert.equal(partAt(inner, [1]), inner)
})

test('HEADER.FIELDS keeps whole fields, folding included', () => {
  const header = 'To: a\r\n b\r\nSubject: x\r\nX-Y : z\r\n\r\n'
  const pick = (names: string[], not = false): string =>
    toLatin1(pickFields(fromLatin1(header), { names, not }))
  assert.equal(pick(['TO', 'x-y']), 'To: a\r\n b\r\nX-Y : z\r\n\r\n')
  assert.equal(pick(['to'], true), 'Subject: x\r\nX-Y : z\r\n\r\n')
  assert.equal(pick(['cc']), '\r\n')
})

test('HEADER.FIELDS of a header in pieces, cut anywhere, is that of the whole', () => {
  const long = `X-Long: ${'渡り'.repeat(2_000)}`
  for (const header of [
    `To: a\r\n b\r\nSubject: 会議\r\n\tx\r\nbad line\r\n${long}\r\n\r\nTo: body`,
    `${'x'.repeat(5_000)}: y\nTo: a\n\nTo: b`,
    'To: a\r\nSubject: no end',
    'To: a\n',
    '',
  ])
    for (const not of [false, true]) {
      const wanted = { names: ['TO', 'x-long'], not }
      const octets = fromUtf8(header)
      const whole = toLatin1(pickFields(octets, wanted))
      for (const size of [1, 2, 7, 1_999, 4_096]) {
        const picker = new FieldPicker(wanted)
        let text = ''
        for (let at = 0; at < octets.length; at += size)
          text += toLatin1(picker.push(octets.subarray(at, at + size)))
        assert.equal(text + toLatin1(picker.end()), whole, `${size} of ${header.slice(0, 20)}`)
      }
    }
})
