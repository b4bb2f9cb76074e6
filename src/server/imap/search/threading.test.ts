import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fromUtf8 } from '#base/octets.ts'
import { imapRoom } from '#test/fake/imap-room.ts'
import type { LineClient } from '#test/fake/line-client.ts'
import type { InTurns } from './in-turns.ts'
import type { SortFacts } from './sort-facts.ts'
import { references } from './thread-references.ts'
import { orderedSubject } from './thread-subjects.ts'
import { threadText } from './thread-text.ts'
import type { ThreadNode } from './thread-text.ts'

/** At once, whoever waits. */
function textOf(work: InTurns<ThreadNode[]>): string {
  let step = work.next()
  while (step.done !== true) step = work.next()
  return [...threadText(step.value, (row) => row + 1)].join('')
}

interface Given {
  readonly id?: string
  readonly refs?: readonly string[]
  readonly subject?: string
  readonly isReply?: boolean
  readonly sentMs?: number
}

const factsOf = (list: readonly Given[]): SortFacts[] =>
  list.map(({ id, refs = [], subject = '', isReply = false, sentMs }, row) => ({
    row,
    arrivalMs: row,
    sentMs: sentMs ?? row,
    size: 1,
    subject,
    isReply,
    from: '',
    to: '',
    cc: '',
    displayFrom: '',
    displayTo: '',
    messageId: id,
    references: refs,
  }))
const threaded = (...list: readonly Given[]): string => textOf(references(factsOf(list)))

test('REFERENCES: who answers whom, with what is missing in between (RFC 5256 §3)', () => {
  assert.equal(
    threaded({ id: 'a' }, { id: 'b', refs: ['a'] }, { id: 'c', refs: ['a', 'b'] }),
    '(1 2 3)',
  )
  assert.equal(
    threaded({ id: 'a' }, { id: 'b', refs: ['a'] }, { id: 'c', refs: ['a'] }),
    '(1 (2)(3))',
  )
  // A lone child of what is missing takes its place; several stay together under it.
  assert.equal(threaded({ id: 'b', refs: ['a'] }), '(1)')
  assert.equal(threaded({ id: 'b', refs: ['a'] }, { id: 'c', refs: ['a'] }), '((1)(2))')
  assert.equal(threaded({ id: 'a' }, { id: 'c', refs: ['a', 'gone'] }), '(1 2)')
  // What a message says itself goes before what others say of it.
  assert.equal(
    threaded({ id: 'c', refs: ['a', 'b'] }, { id: 'b', refs: ['x'] }, { id: 'a' }, { id: 'x' }),
    '(3)(4 2 1)',
  )
  // Circles, and a Message-ID twice.
  assert.equal(threaded({ id: 'a', refs: ['b'] }, { id: 'b', refs: ['a'] }), '(2 1)')
  assert.equal(threaded({ id: 'a', refs: ['a'] }), '(1)')
  assert.equal(threaded({ id: 'a' }, { id: 'a' }, { id: 'b', refs: ['a'] }), '(1 3)(2)')
})

test('REFERENCES: threads of one subject become one, siblings stand by their dates', () => {
  assert.equal(threaded({ subject: '会議' }, { subject: '会議', isReply: true }), '(1 2)')
  assert.equal(threaded({ subject: '会議', isReply: true }, { subject: '会議' }), '(2 1)')
  assert.equal(threaded({ subject: '会議' }, { subject: '会議' }), '((1)(2))')
  assert.equal(threaded({ subject: '' }, { subject: '' }), '(1)(2)')
  assert.equal(
    threaded(
      { id: 'a', sentMs: 9 },
      { id: 'b', refs: ['a'], sentMs: 5 },
      { id: 'c', refs: ['a'], sentMs: 3 },
      { sentMs: 1 },
    ),
    '(4)(1 (3)(2))',
  )
})

test('ORDEREDSUBJECT: all below the first of their subject (RFC 5256 §3)', () => {
  const facts = factsOf([
    { subject: '会議', sentMs: 5 },
    { subject: '資料', sentMs: 1 },
    { subject: '会議', sentMs: 2 },
    { subject: '会議', sentMs: 9 },
  ])
  assert.equal(textOf(orderedSubject(facts)), '(2)(3 (1)(4))')
})

test('every message stands in one thread once, however they name one another', () => {
  const id = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f')
  const given = fc.record({
    id: fc.option(id, { nil: undefined }),
    refs: fc.array(id, { maxLength: 5 }),
    subject: fc.constantFrom('', '会議', '資料'),
    isReply: fc.boolean(),
    sentMs: fc.nat(5),
  })
  fc.assert(
    fc.property(fc.array(given, { maxLength: 12 }), (list) => {
      const facts = factsOf(list as readonly Given[])
      for (const threads of [references(facts), orderedSubject(facts)]) {
        const text = textOf(threads)
        const numbers = (text.match(/\d+/g) ?? []).map(Number).toSorted((a, b) => a - b)
        assert.deepEqual(
          numbers,
          list.map((_, row) => row + 1),
        )
        // What RFC 5256 §5 lets a thread look like.
        assert.match(text, /^(?:\((?:\d+|\(|\)| )+\))*$/)
        assert.doesNotMatch(text, /\(\)| \)|\( |\)\d|\d\(/)
      }
    }),
    { numRuns: 1_000 },
  )
})

test('a hundred thousand answers one below the other are threaded', () => {
  const chain = Array.from({ length: 100_000 }, (_, i) => ({
    id: `m${i}`,
    refs: i === 0 ? [] : [`m${i - 1}`],
  }))
  const reversed = textOf(references(factsOf(chain.toReversed())))
  assert.ok(reversed.startsWith('(100000 99999 99998'))
  assert.equal(textOf(references(factsOf(chain))).split(' ').length, 100_000)
  const wide = factsOf(Array.from({ length: 150_000 }, () => ({ refs: ['a'] })))
  assert.ok(textOf(references(wide)).startsWith('((1)(2)'))
})

async function filled(client: LineClient): Promise<void> {
  const mails = [
    'From: =?UTF-8?B?5aSq6YOO?= <taro@x.example>\r\nTo: zoe@x.example\r\nSubject: =?UTF-8?B?5Lya6K2w?=\r\nDate: Wed, 25 Nov 2026 12:00:00 +0900\r\nMessage-ID: <1@x>\r\n\r\n会議\r\n',
    'From: aki@x.example\r\nTo: ben@x.example\r\nCc: carl@x.example\r\nSubject: Re: =?UTF-8?B?5Lya6K2w?=\r\nDate: Wed, 25 Nov 2026 02:00:00 +0000\r\nMessage-ID: <2@x>\r\nIn-Reply-To: <1@x>\r\n\r\nyes\r\n',
    `From: Mia <mia@x.example>\r\nTo: adam@x.example\r\nSubject: apples\r\nMessage-ID: <3@x>\r\n\r\n${'x'.repeat(500)}\r\n`,
    'From: bob@x.example\r\nSubject: [list] Apples\r\nDate: Mon, 23 Nov 2026 00:00:00 +0000\r\nReferences: <1@x> <2@x>\r\nMessage-ID: <4@x>\r\n\r\nz\r\n',
  ]
  for (const text of mails)
    await client.append('INBOX " 1-Nov-2026 10:00:00 +0000"', fromUtf8(text))
  await client.command('SELECT INBOX')
}

test('SORT by each criterion, and THREAD, of what matches (RFC 5256 §3)', async (t) => {
  const client = await (await imapRoom(t)).login()
  await filled(client)
  const answer = async (command: string): Promise<string> =>
    (await client.command(command)).split('\r\n')[0]!
  for (const [criteria, order] of [
    ['(ARRIVAL)', '1 2 3 4'],
    ['(REVERSE ARRIVAL)', '1 2 3 4'],
    ['(DATE)', '3 4 2 1'],
    ['(REVERSE DATE)', '1 2 4 3'],
    ['(FROM)', '2 4 3 1'],
    ['(TO)', '4 3 2 1'],
    ['(CC REVERSE FROM)', '1 3 4 2'],
    ['(SUBJECT)', '3 4 1 2'],
    ['(SUBJECT REVERSE DATE)', '4 3 1 2'],
    ['(REVERSE SIZE)', '3 2 1 4'],
  ] as const)
    assert.equal(await answer(`SORT ${criteria} UTF-8 ALL`), `* SORT ${order}`, criteria)
  assert.equal(await answer('UID SORT (DATE) UTF-8 BODY {6+}\r\n会議'), '* SORT 1')
  assert.equal(await answer('SORT (DATE) US-ASCII FROM nobody'), '* SORT')
  assert.equal(await answer('THREAD REFERENCES UTF-8 ALL'), '* THREAD (3)(1 2 4)')
  assert.equal(await answer('UID THREAD REFERENCES UTF-8 NOT 2'), '* THREAD (3)(1 4)')
  assert.equal(await answer('THREAD ORDEREDSUBJECT UTF-8 ALL'), '* THREAD (3 4)(2 1)')
  assert.equal(await answer('THREAD ORDEREDSUBJECT UTF-8 FROM nobody'), '* THREAD')
  assert.match(await client.command('SORT (DATE) KLINGON ALL'), /^NO \[BADCHARSET/)
  for (const wrong of [
    'SORT () UTF-8 ALL',
    'SORT (COLOUR) UTF-8 ALL',
    'SORT (DATE) UTF-8',
    'THREAD JWZ UTF-8 ALL',
  ])
    assert.match(await client.command(wrong), /^BAD /, wrong)
  assert.match(await client.command('CAPABILITY'), / SORT THREAD=ORDEREDSUBJECT THREAD=REFERENCES /)
})

test('SORT tells what is asked for, in its order (RFC 5267 §3), and MODSEQ where that was asked by (RFC 7162 §3.1.6)', async (t) => {
  const client = await (await imapRoom(t)).login()
  await filled(client)
  const answer = async (command: string): Promise<string> =>
    (await client.command(command)).split('\r\n')[0]!.replace(/\(TAG "t\d+"\)/, 'T')
  assert.match(await client.command('CAPABILITY'), / ESORT /)
  for (const [asked, told] of [
    ['RETURN () (DATE)', 'ALL 3:4,2,1'],
    ['RETURN (MIN MAX COUNT) (DATE)', 'MIN 3 MAX 1 COUNT 4'],
    ['RETURN (ALL) (ARRIVAL)', 'ALL 1:4'],
    ['RETURN (PARTIAL 2:3) (DATE)', 'PARTIAL (2:3 4,2)'],
    ['RETURN (PARTIAL -1:-2) (DATE)', 'PARTIAL (-1:-2 2,1)'],
  ] as const)
    assert.equal(await answer(`SORT ${asked} UTF-8 ALL`), `* ESEARCH T ${told}`, asked)
  assert.equal(
    await answer('UID SORT RETURN (COUNT) (DATE) UTF-8 FROM nobody'),
    '* ESEARCH T UID COUNT 0',
  )
  assert.equal(await answer('SORT RETURN (SAVE) (DATE) UTF-8 3:4'), 'OK Sorted')
  assert.equal(await answer('SEARCH $'), '* SEARCH 3 4')
  assert.match(await answer('SORT (DATE) UTF-8 MODSEQ 1'), /^\* OK \[HIGHESTMODSEQ/)
  assert.match(await answer('SORT (DATE) UTF-8 MODSEQ 1'), /^\* SORT 3 4 2 1 \(MODSEQ \d{13}\)$/)
  assert.equal(await answer('SORT (DATE) UTF-8 MODSEQ 1 FROM nobody'), '* SORT')
  assert.match(
    await answer('SORT RETURN (MIN) (DATE) UTF-8 MODSEQ 1'),
    /^\* ESEARCH T MIN 3 MODSEQ \d{13}$/,
  )
  for (const wrong of ['RETURN (FOO) (DATE)', 'RETURN (ALL)(DATE)', 'RETURN (PARTIAL 1) (DATE)'])
    assert.match(await client.command(`SORT ${wrong} UTF-8 ALL`), /^BAD /, wrong)
})

test('SORT goes by the name that is shown, or else by the address (RFC 5957 §3)', async (t) => {
  const client = await (await imapRoom(t)).login()
  for (const from of [
    '=?UTF-8?B?5rih6L66?= <a@x.example>', // 渡辺
    'zoe@x.example',
    '"Ann" <z@x.example>',
    '=?ISO-2022-JP?B?GyRCMEJJdBsoQg==?= <m@x.example>', // 安部
  ])
    await client.append('INBOX', fromUtf8(`From: ${from}\r\nTo: ${from}\r\n\r\n鳥\r\n`))
  await client.command('SELECT INBOX')
  assert.match(await client.command('CAPABILITY'), / SORT=DISPLAY /)
  assert.match(await client.command('SORT (DISPLAYFROM) UTF-8 ALL'), /^\* SORT 3 2 4 1\r/)
  assert.match(await client.command('SORT (REVERSE DISPLAYTO) UTF-8 ALL'), /^\* SORT 1 4 2 3\r/)
})

test('SORT orders signs as i;unicode-casemap does: behind capitals (RFC 5256 §3, RFC 5051)', async (t) => {
  const client = await (await imapRoom(t)).login()
  const subjects = ['a', 'C', 'b', '_', '[foo] Fwd: [bar] Re: fw: b (fWd)  (fwd)', 'b (a)']
  for (const subject of [...subjects, 'Re: [FWD: c]', '[札幌]', ''])
    await client.append('INBOX', fromUtf8(`Subject: ${subject}\r\nFrom: ${subject[0]}x@x\r\n\r\n`))
  await client.command('SELECT INBOX')
  assert.match(await client.command('SORT (SUBJECT) UTF-8 ALL'), /^\* SORT 9 1 3 5 6 2 7 8 4\r/)
  const byName = await client.command('SORT (FROM) UTF-8 1,2,4')
  assert.match(byName, /^\* SORT 1 2 4\r/)
  assert.match(await client.command('SORT (DISPLAYFROM) UTF-8 1,2,4'), /^\* SORT 1 2 4\r/)
})

test('In-Reply-To counts where References has nothing, its first id alone (RFC 5256 §3 REFERENCES)', async (t) => {
  const client = await (await imapRoom(t)).login()
  for (const fields of [
    'Message-ID: <1@x>\r\nSubject: 一',
    'Message-ID: <2@x>\r\nSubject: 二',
    'Message-ID: <3@x>\r\nSubject: 三\r\nReferences: <1@x>\r\nIn-Reply-To: <2@x>',
    'Message-ID: <4@x>\r\nSubject: 四\r\nIn-Reply-To: "x" <2@x> <1@x>',
    'Message-ID: <5@x>\r\nSubject: 五\r\nReferences: <1@x> <3@x>\r\nIn-Reply-To: <1@x> <3@x>',
    'Message-ID: <6@x>\r\nSubject: 六\r\nReferences: nothing\r\nIn-Reply-To: <5@x>',
  ])
    await client.append('INBOX', fromUtf8(`${fields}\r\n\r\nx`))
  await client.command('SELECT INBOX')
  const threads = await client.command('THREAD REFERENCES UTF-8 ALL')
  assert.match(threads, /^\* THREAD \(1 3 5 6\)\(2 4\)\r/)
})
