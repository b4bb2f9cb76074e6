import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { findNaming, namesIn, translateNames } from './translate-names.ts'

const DOTS = { separator: '.', prefix: 'INBOX.' }

test('names are translated where they stand, and all else stays octet for octet', () => {
  const script = `\ufeffrequire ["fileinto", "variables"];\r
# fileinto "INBOX.comment";\r
if header :contains "subject" "INBOX.subject" {\r
\tfileinto   :copy :flags ["\\\\Flagged", "INBOX.flag"]\t"INBOX.&ZeVnLIqe-.a\\"b" ; /* INBOX.x */\r
}\r
if mailboxexists ["INBOX.一.二", "INBOX"] { fileinto text:\r
INBOX.三\r
.\r
; }\r
vacation :fcc "INBOX.Sent" "INBOX.body";\r
fileinto "INBOX.lists.\${list.id}.new";\r
fileinto "inbox";`
  const { text, names } = translateNames(script, DOTS)
  assert.deepEqual(
    names.map(({ line, before, after }) => [line, before, after]),
    [
      [4, 'INBOX.&ZeVnLIqe-.a"b', '日本語/a"b'],
      [6, 'INBOX.一.二', '一/二'],
      [10, 'INBOX.Sent', 'Sent'],
      [11, 'INBOX.lists.${list.id}.new', 'lists/${list.id}/new'],
    ].toSpliced(2, 0, [6, 'INBOX.三\r\n', '三\r\n']),
  )
  assert.equal(
    text,
    script
      .replace('"INBOX.&ZeVnLIqe-.a\\"b"', '"日本語/a\\"b"')
      .replace('"INBOX.一.二"', '"一/二"')
      .replace('text:\r\nINBOX.三\r\n.\r\n', '"三\r\n"')
      .replace('"INBOX.Sent"', '"Sent"')
      .replace('"INBOX.lists.${list.id}.new"', '"lists/${list.id}/new"'),
  )
})

test('what names are of here stays as it is: an ampersand, a name that is right already', () => {
  const script = 'fileinto "R&D"; fileinto "A&B-C"; fileinto "会議/がく"; fileinto "INBOX.";'
  const naming = { separator: '/', prefix: 'INBOX.' }
  assert.deepEqual(translateNames(script, naming), { text: script, names: [] })
  assert.deepEqual(translateNames('fileinto "INBOX.x', DOTS), {
    text: 'fileinto "INBOX.x',
    names: [],
  })
})

test('the naming is found by INBOX in front, by what is there, or as declared', () => {
  const find = (names: string[], there: string[] = [], declared = {}) =>
    findNaming(names, { declared, isThere: (name) => there.includes(name) })
  assert.deepEqual(find(['a', 'inbox.b.c']), DOTS)
  assert.deepEqual(find(['INBOX/b']), { separator: '/', prefix: 'INBOX/' })
  assert.deepEqual(find(['一.二', '三'], ['一/二']), { separator: '.', prefix: '' })
  assert.deepEqual(find(['一.二'], ['一.二']), { separator: '/', prefix: '' })
  assert.deepEqual(find(['一/二']), { separator: '/', prefix: '' })
  assert.equal(find(['v1.2']), undefined)
  assert.deepEqual(find(['v1.2'], [], { separator: '/' }), { separator: '/', prefix: '' })
  assert.deepEqual(find(['INBOX.a'], [], { separator: '.' }), DOTS)
  assert.deepEqual(find(['Mail/a'], [], { prefix: 'Mail/' }), { separator: '/', prefix: 'Mail/' })
})

test('any text comes back whole, and translating twice is translating once', () => {
  const piece = fc.constantFrom('fileinto ', '"INBOX.a.b"', '"', ';', '{', '}', 'text:\r\n', 'x\r\n.\r\n', '[', ']', ':flags ', '# 渡り\n', '\\', 'mailboxexists ') // prettier-ignore
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      const script = pieces.join('')
      const once = translateNames(script, DOTS)
      if (once.names.length === 0) assert.equal(once.text, script)
      assert.deepEqual(translateNames(once.text, DOTS), { text: once.text, names: [] })
      assert.equal(namesIn(once.text).length, namesIn(script).length)
    }),
    { numRuns: 2_000 },
  )
})
