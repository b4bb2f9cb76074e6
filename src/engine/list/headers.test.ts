import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fromUtf8, toUtf8 } from '#base/octets.ts'
import { decodeWords } from '#codec/mime/encoded-word.ts'
import { headerFields } from '#codec/mime/header.ts'
import type { MailingList } from '#model/list.ts'
import { addr, fakeList } from '#test/fake/directory.ts'
import { listHeader } from './headers.ts'
import type { PostHeader } from './headers.ts'
import { leaveOf } from './leave-way.ts'
import { taggedSubject } from './subject.ts'

const LIST: MailingList = { ...fakeList('seminar@campus.example'), name: 'ゼミ連絡' }
const POST: PostHeader = {
  number: 42,
  author: { address: addr('hanako@else.example'), name: '鈴木 花子' },
  isFromList: false,
  pages: 'https://mail.campus.example',
  leave: leaveOf(LIST, undefined)!,
}
const BLOCK = 'From: =?UTF-8?B?6Iqx5a2Q?= <hanako@else.example>\r\nSubject: 会議\r\n'

/** Names and values of a post's header, each unfolded. */
function header(more: Partial<MailingList> & Partial<PostHeader> & { block?: string } = {}) {
  const octets = listHeader(
    fromUtf8(`${more.block ?? BLOCK}\r\n`),
    { ...LIST, ...more },
    { ...POST, ...more },
  )
  const text = toUtf8(octets)
  assert.ok(text.endsWith('\r\n\r\n'), text)
  for (const line of text.split('\r\n')) assert.ok(line.length <= 998, line)
  return new Map([...headerFields(octets)].map(({ key, value }) => [key, value] as const))
}

describe('the header of a post', () => {
  it('says what RFC 2369, RFC 2919 and RFC 5064 have a list say', () => {
    const fields = header()
    const expected = {
      sender: 'seminar-bounces@campus.example',
      precedence: 'list',
      'list-post': '<mailto:seminar@campus.example>',
      'list-help': '<mailto:seminar-request@campus.example?subject=help>',
      'list-subscribe': '<mailto:seminar-join@campus.example>',
      'list-unsubscribe': '<mailto:seminar-leave@campus.example>',
      'list-owner': '<mailto:seminar-owner@campus.example>',
      'list-archive': '<https://mail.campus.example/lists/seminar%40campus.example>',
      'archived-at': '<https://mail.campus.example/lists/seminar%40campus.example/posts/42>',
      'x-loop': 'seminar@campus.example',
    }
    for (const [name, value] of Object.entries(expected))
      assert.ok(fields.get(name)?.includes(value), `${name}: ${fields.get(name)}`)
    assert.equal(decodeWords(fields.get('list-id')!), 'ゼミ連絡 <seminar.campus.example>')
    assert.match(fields.get('from')!, /<hanako@else\.example>/)
    assert.equal(fields.get('reply-to'), undefined)
  })

  it('tells nobody to post where nobody may, and of no archive where there is none', () => {
    const fields = header({ posting: 'announce', archive: 'none' })
    assert.match(fields.get('list-post')!, /^NO\b/)
    assert.equal(fields.get('archived-at'), undefined)
  })

  it('takes out what other lists have said, and what would have thousands answer', () => {
    const block = `${BLOCK}List-Id: <old.else.example>\r\nList-Unsubscribe: <https://else.example>\r\nDisposition-Notification-To: x@else.example\r\nReturn-Receipt-To: x@else.example\r\nSender: x@else.example\r\nPrecedence: bulk\r\nX-Loop: other@else.example\r\n`
    const text = toUtf8(listHeader(fromUtf8(`${block}\r\n`), LIST, POST))
    for (const gone of ['old.else', 'https://else', 'Disposition', 'Receipt', 'x@else', 'bulk'])
      assert.ok(!text.includes(gone), gone)
    assert.match(text, /X-Loop: other@else\.example/, 'another loop is still known')
  })

  it('keeps all other fields as they came, folded and in ISO-2022-JP', () => {
    const block = `${BLOCK}Subject: =?ISO-2022-JP?B?GyRCMnE1RBsoQg==?=\r\nX-Note: a\r\n\tb\r\n`
    const text = toUtf8(listHeader(fromUtf8(`${block}\r\n`), LIST, POST))
    assert.ok(text.endsWith(`${block}\r\n`), text)
  })

  it('answers to the list where the list wants it', () => {
    assert.match(header({ replyTo: 'list' }).get('reply-to')!, /<seminar@campus\.example>/)
    const block = `${BLOCK}Reply-To: other@else.example\r\n`
    assert.equal(header({ block }).get('reply-to'), 'other@else.example')
  })

  it('stands in From where the domain of the author demands it, and the author stays reachable', () => {
    const fields = header({ isFromList: true })
    assert.equal(decodeWords(fields.get('from')!), '鈴木 花子 (ゼミ連絡) <seminar@campus.example>')
    assert.match(fields.get('reply-to')!, /<hanako@else\.example>/)
    assert.match(fields.get('x-original-from')!, /<hanako@else\.example>/)
    const both = header({ isFromList: true, replyTo: 'list' }).get('reply-to')!
    assert.match(both, /<seminar@campus\.example>.*<hanako@else\.example>/)
  })

  it('has no line of its own by what stands in a field of the list, or in a name', () => {
    const evil = 'ゼミ\r\nBcc: x@else.example\r\n\r\n本文'
    const author = { address: addr('hanako@else.example'), name: evil }
    const fields = header({
      name: evil,
      subjectTag: `[${evil}:%n]`,
      isFromList: true,
      author,
      replyTo: 'list',
    })
    assert.equal(fields.get('bcc'), undefined)
    const subject = header({
      subjectTag: '[a:%n]',
      block: 'Subject: =?UTF-8?Q?x=0D=0ABcc:_y=0D=0A=0D=0Az?=\r\n',
    })
    assert.equal(subject.get('bcc'), undefined)
    assert.equal(decodeWords(subject.get('subject')!), '[a:42] x Bcc: y z')
  })

  it('is made for a message that has none', () => {
    const octets = listHeader(fromUtf8(''), { ...LIST, subjectTag: '[s:%n]' }, POST)
    assert.match(toUtf8(octets), /^List-Unsubscribe: .*\r\nSubject: \[s:42\]\r\n[^]*\r\n\r\n$/)
  })
})

describe('the subject of a post', () => {
  for (const [given, expected] of [
    ['会議', '[ゼミ:7] 会議'],
    ['', '[ゼミ:7]'],
    ['Re: [ゼミ:3] 会議', '[ゼミ:7] Re: 会議'],
    ['[ゼミ:3] Re: 会議', '[ゼミ:7] Re: 会議'],
    ['Re: [ゼミ:3] Re: [ゼミ:1] 会議', '[ゼミ:7] Re: 会議'],
    ['[ゼミ:00003] 会議', '[ゼミ:7] 会議'],
    ['Re: [他:3] 会議', '[ゼミ:7] Re: [他:3] 会議'],
    ['返信：[ゼミ:3] 会議', '[ゼミ:7] 返信： 会議'],
    ['[ゼミ:3]', '[ゼミ:7]'],
    ['会議 [ゼミ:3] の件', '[ゼミ:7] 会議 [ゼミ:3] の件'],
  ] as const)
    it(`${given} → ${expected}`, () => {
      assert.equal(taggedSubject(given, '[ゼミ:%n]', 7), expected)
    })

  it('needs no number, and takes a tag of any signs for what it says', () => {
    assert.equal(taggedSubject('Re: (a.*+) x', '(a.*+)', 7), '(a.*+) Re: x')
    assert.equal(taggedSubject('Re: (aXX) x', '(a.*+)', 7), '(a.*+) Re: (aXX) x')
  })

  it('of any length takes no time', () => {
    const long = 'Re: [ゼミ:1] '.repeat(50_000)
    assert.ok(taggedSubject(long, '[ゼミ:%n]', 7).length < 2_000)
  })
})
