import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { doneBy, holds, keptBy, sieveMail, wrongIn } from '#test/fake/sieve-mail.ts'

const mail = sieveMail(`Received: from a
 by b
X-Two: 一
Subject: =?UTF-8?B?5Lya6K2w?=
X-Two: two
Auto-Submitted: auto-replied

本文
`)
const REST = `Received: from a\r\n by b\r\nX-Two: 一\r\nSubject: =?UTF-8?B?5Lya6K2w?=\r\nX-Two: two\r\nAuto-Submitted: auto-replied\r\n`
const END = '\r\n本文\r\n'

describe('editheader (RFC 5293)', () => {
  it('adds a field in front, or behind, and leaves other octets as they were', () => {
    assert.equal(keptBy('addheader "X-A" "a b";', mail), `X-A: a b\r\n${REST}${END}`)
    assert.equal(keptBy('addheader :last "X-A" "a";', mail), `${REST}X-A: a\r\n${END}`)
    const { edited } = doneBy('addheader "X-A" "渡り";', mail)
    assert.equal(edited?.kind, 'prefixed')
    assert.equal(doneBy('keep;', mail).edited, undefined)
  })

  it('deletes by place and value', () => {
    const without = (...lines: string[]) =>
      lines.reduce((text, line) => text.replace(line, ''), REST)
    assert.equal(
      keptBy('deleteheader "x-two";', mail),
      without('X-Two: 一\r\n', 'X-Two: two\r\n') + END,
    )
    assert.equal(keptBy('deleteheader :index 1 "x-two";', mail), without('X-Two: 一\r\n') + END)
    assert.equal(
      keptBy('deleteheader :index 1 :last "x-two";', mail),
      without('X-Two: two\r\n') + END,
    )
    assert.equal(
      keptBy('deleteheader :contains "x-two" ["t", "z"];', mail),
      without('X-Two: two\r\n') + END,
    )
    assert.equal(
      keptBy('deleteheader "subject" "会議";', mail),
      without('Subject: =?UTF-8?B?5Lya6K2w?=\r\n') + END,
    )
    assert.equal(keptBy('deleteheader :index 2 "x-two" "一";', mail), REST + END)
  })

  it('keeps what tells of the way, and what is ours cannot be made', () => {
    assert.equal(
      keptBy('deleteheader "received"; deleteheader "auto-submitted";', mail),
      REST + END,
    )
    assert.match(wrongIn('addheader "X-Watari-Verdict" "clean";')!, /cannot be added/)
    assert.match(wrongIn('addheader "Authentication-Results" "x";')!, /cannot be added/)
    assert.match(wrongIn('addheader "a b" "x";')!, /no name of a field/)
  })

  it('lets no value end its field', () => {
    const kept = keptBy('addheader "X-A" "a\r\nBcc: evil@x.example\r\n\r\nbody";', mail)
    assert.ok(kept.startsWith('X-A: a Bcc: evil@x.example body\r\nReceived:'))
  })

  it('is seen by what follows, and by each action as it is then (§6)', () => {
    assert.ok(holds('header "x-new" "新"', mail, 'addheader "X-New" "新";'))
    assert.ok(!holds('exists "subject"', mail, 'deleteheader "subject";'))
    const { actions, edited } = doneBy(
      'fileinto :copy "1"; addheader "X-A" "1"; fileinto :copy "2"; addheader "X-A" "2";',
      mail,
    )
    const prefixes = [...actions, { edited }].map((each) =>
      'edited' in each && each.edited?.kind === 'prefixed'
        ? Buffer.from(each.edited.prefix).toString()
        : '',
    )
    assert.deepEqual(prefixes, ['', 'X-A: 1\r\n', 'X-A: 2\r\nX-A: 1\r\n'])
  })

  it('has limits, and puts fields in front alone of what is not all at hand', () => {
    assert.match(
      wrongIn('addheader "X" "1";\n'.repeat(101), mail)!,
      /^run 102: .*more than 100 times/,
    )
    assert.match(wrongIn(`addheader "X" "${'x'.repeat(20_000)}";`, mail)!, /16384 characters/)
    const cut = { ...mail, isCut: true }
    assert.equal(wrongIn('addheader "X" "1";', cut), undefined)
    assert.match(wrongIn('deleteheader "x-two";', cut)!, /too large/)
    assert.equal(wrongIn('deleteheader "x-none";', cut), undefined)
  })

  it('is seen by the test for duplicates (RFC 5293 §7)', () => {
    const told = (script: string) =>
      doneBy(`${script} if duplicate :header "x-new" {}`, mail).memories
    assert.equal(told('addheader "X-New" "1";')?.length, 1)
    assert.equal(told('keep;'), undefined)
  })

  it('keeps controls in encoded words (RFC 5293 §4)', () => {
    const rung = keptBy('addheader "X-A" "鈴 ${unicode:0007}!";', mail)
    assert.match(rung, /^X-A: =\?UTF-8\?B\?6Yi0IAch\?=\r\n/)
    assert.ok(holds('header "x-a" "Ring ${hex:07}!"', mail, 'addheader "X-A" "Ring ${hex:07}!";'))
  })

  it('edits a message without header or body', () => {
    assert.equal(keptBy('addheader :last "X" "1";', sieveMail('')), 'X: 1\r\n\r\n')
    assert.equal(keptBy('addheader :last "X" "1";', sieveMail('A: b\n')), 'A: b\r\nX: 1\r\n')
    assert.equal(keptBy('addheader :last "X" "1";', sieveMail('\nbody')), 'X: 1\r\n\r\nbody')
  })
})
