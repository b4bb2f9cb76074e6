import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { decodeWords } from '#codec/mime/encoded-word.ts'
import type { AccountId } from '#model/account.ts'
import type { MailingList } from '#model/list.ts'
import type { DirectoryRow } from '#store/directory/directory.ts'
import { addr, fakeAccount, fakeList, fakeMember } from '#test/fake/directory.ts'
import { fieldOf, ListBench, OUTSIDE, submitted } from '#test/fake/list-bench.ts'

const LIST = 'seminar@campus.example'
const HANAKO = 'hanako@campus.example'
const TARO = 'taro@campus.example'
const JIRO = 'jiro@campus.example'
const idOf = (text: string): AccountId => `id-${text}` as AccountId

const rows = (rules: Partial<MailingList> = {}): DirectoryRow[] => [
  { kind: 'domain', domain: { name: 'campus.example' } },
  ...[HANAKO, TARO, JIRO].map(
    (each) =>
      ({ kind: 'account', account: fakeAccount(each, [`${each[0]}@campus.example`]) }) as const,
  ),
  {
    kind: 'list',
    list: {
      ...fakeList(LIST),
      name: 'ゼミ連絡',
      owners: [idOf(JIRO)],
      subjectTag: '[seminar:%n]',
      ...rules,
    },
  },
  { kind: 'member', member: fakeMember(LIST, { kind: 'account', id: idOf(HANAKO) }) },
  { kind: 'member', member: fakeMember(LIST, { kind: 'account', id: idOf(TARO) }) },
  {
    kind: 'member',
    member: fakeMember(LIST, { kind: 'address', address: addr('vogel@elsewhere.example') }),
  },
]

const post = (subject: string, id: string, more = ''): string =>
  `From: 花子 <${HANAKO}>\nTo: ${LIST}\nSubject: ${subject}\nMessage-ID: <${id}@campus.example>\n${more}\n本文です。\n`

let bench: ListBench
const begin = (rules?: Partial<MailingList>): void => {
  bench = new ListBench(rows(rules))
}
beforeEach(() => begin())
afterEach(() => bench.close())
const byHanako = { to: LIST, verdict: submitted(HANAKO) }

describe('a post to a list', () => {
  it('goes to its members once each, numbered, and stands in the archive under that number', async () => {
    assert.equal(await bench.mail({ ...byHanako, text: post('歓迎会', 'm1') }), '250 2.1.5')
    const [sent, ...more] = await bench.sent()
    assert.deepEqual(more, [])
    assert.equal(sent?.kind, 'post')
    assert.equal(sent.from, 'seminar-bounces@campus.example')
    assert.deepEqual(sent.to, [HANAKO, TARO, 'vogel@elsewhere.example'])
    assert.equal(decodeWords(fieldOf(sent.text, 'Subject')!), '[seminar:1] 歓迎会')
    assert.equal(fieldOf(sent.text, 'From'), `花子 <${HANAKO}>`)
    assert.match(sent.text, /\r\n\r\n本文です。\r\n$/)
    assert.equal((await bench.messages(LIST, 'Posts')).get(1), sent.text)
    assert.equal((await bench.messages(LIST, 'Incoming')).size, 0)
    await bench.mail({ ...byHanako, text: post('Re: [seminar:1] 歓迎会', 'm2') })
    const [second] = await bench.sent()
    assert.equal(decodeWords(fieldOf(second!.text, 'Subject')!), '[seminar:2] Re: 歓迎会')
    assert.deepEqual(
      bench.told('list.posted').map(({ number, recipients }) => [number, recipients]),
      [
        [1, 3],
        [2, 3],
      ],
    )
  })

  it('is posted once where its delivery comes again, and where its Message-ID does', async () => {
    await bench.mail({ ...byHanako, text: post('会議', 'm1'), deliveryId: 'DX' })
    await bench.mail({ ...byHanako, text: post('会議', 'm1'), deliveryId: 'DX' })
    await bench.mail({ ...byHanako, text: post('会議', 'm1'), deliveryId: 'DY' })
    assert.equal((await bench.sent()).length, 1)
    assert.deepEqual([...(await bench.messages(LIST, 'Posts')).keys()], [1])
    assert.deepEqual(
      bench.told('list.dropped').map(({ reason }) => reason),
      ['duplicate'],
    )
  })

  it('is made of what was received before the process died', async () => {
    assert.equal(await bench.receive({ ...byHanako, text: post('会議', 'm1') }), '250 2.1.5')
    assert.deepEqual(await bench.sent(), [])
    await bench.settle()
    assert.equal((await bench.sent()).length, 1)
  })

  it('goes on with the number where another system stopped', async () => {
    await bench.close()
    begin({ numberFrom: 1_200 })
    await bench.mail({ ...byHanako, text: post('会議', 'm1') })
    await bench.mail({ ...byHanako, text: post('会議', 'm2') })
    assert.deepEqual([...(await bench.messages(LIST, 'Posts')).keys()], [1_200, 1_201])
  })

  it('of many megabytes keeps the octets of its body', async () => {
    const body = '長い本文。'.repeat(60_000)
    await bench.mail({ ...byHanako, text: `${post('資料', 'm1')}${body}\n` })
    const [sent] = await bench.outbox()
    assert.equal(sent?.text.slice(sent.text.indexOf('\r\n\r\n') + 4), `本文です。\r\n${body}\r\n`)
    assert.equal(bench.store.largeFiles, 0)
  })
})

describe('who may post', () => {
  const heldReasons = () => bench.told('list.held').map(({ reason }) => reason)

  it('is a member by any of their addresses', async () => {
    const text = post('会議', 'm1').replace(`<${HANAKO}>`, '<h@campus.example>')
    await bench.mail({ ...byHanako, text })
    assert.equal((await bench.sent()).length, 1)
  })

  it('is nobody by the mere name of a member: such a mail waits', async () => {
    const failed = {
      ...OUTSIDE,
      auth: [{ method: 'dmarc', result: 'fail', properties: [] }],
    } as const
    await bench.mail({ to: LIST, verdict: failed, text: post('振込のお願い', 'm1') })
    await bench.mail({ to: LIST, verdict: { ...OUTSIDE, auth: [] }, text: post('振込', 'm2') })
    const elsewhere = post('会議', 'm3').replaceAll(HANAKO, 'vogel@elsewhere.example')
    await bench.mail({
      to: LIST,
      verdict: { ...OUTSIDE, degraded: ['dns'], auth: [] },
      text: elsewhere,
    })
    assert.deepEqual(heldReasons(), ['unproved', 'unproved', 'unproved'])
    assert.equal((await bench.messages(LIST, 'Held')).size, 3)
    const notices = await bench.sent()
    assert.deepEqual(
      notices.map(({ kind, from, to }) => [kind, from, to.join()]),
      Array.from({ length: 3 }, () => ['notice', '', JIRO]),
    )
    assert.match(fieldOf(notices[0]!.text, 'Auto-Submitted')!, /auto-generated/)
  })

  it('is a member elsewhere whose domain vouches for the mail, and one whom a gateway of others let in', async () => {
    const text = post('会議', 'm1').replaceAll(HANAKO, 'vogel@elsewhere.example')
    await bench.mail({ to: LIST, verdict: OUTSIDE, text })
    await bench.mail({ to: LIST, text: post('会議', 'm2') })
    assert.equal((await bench.sent()).length, 2)
  })

  it('is not somebody outside of it: the post waits, or is refused where the list says so', async () => {
    const text = post('会議', 'm1').replaceAll(HANAKO, JIRO)
    await bench.close()
    begin({ owners: [] })
    await bench.mail({ to: LIST, verdict: submitted(JIRO), text })
    assert.deepEqual(heldReasons(), ['notAllowed'])
    await bench.close()
    begin({ owners: [], others: 'refuse' })
    await bench.mail({ to: LIST, verdict: submitted(JIRO), text })
    const [told] = await bench.sent()
    assert.deepEqual([told?.kind, told?.to], ['notice', [JIRO]])
    assert.equal((await bench.messages(LIST, 'Held')).size, 0)
  })

  for (const [posting, author, expected] of [
    ['domain', TARO, 'post'],
    ['domain', 'x@elsewhere.example', 'held'],
    ['anyone', 'x@elsewhere.example', 'post'],
    ['moderated', HANAKO, 'held'],
    ['moderated', JIRO, 'post'],
    ['announce', HANAKO, 'held'],
    ['announce', JIRO, 'post'],
  ] as const)
    it(`on a list of kind ${posting}: ${author} → ${expected}`, async () => {
      await bench.close()
      begin({ posting })
      const isOurs = author.endsWith('@campus.example')
      await bench.mail({
        to: LIST,
        verdict: isOurs ? submitted(author) : OUTSIDE,
        text: post('会議', 'm1').replaceAll(HANAKO, author),
      })
      assert.equal(bench.told(expected === 'post' ? 'list.posted' : 'list.held').length, 1)
    })
})

describe('what is no post', () => {
  for (const [what, more, from] of [
    ['a report with the null reverse-path', '', null],
    ['a vacation', 'Auto-Submitted: auto-replied\n', HANAKO],
    ['an automatic answer of long ago', 'Precedence: junk\n', HANAKO],
    ['a mail that was here', 'X-Loop: Seminar@Campus.example\n', HANAKO],
    ['a post of this very list', 'List-Id: ゼミ <seminar.campus.example>\n', HANAKO],
  ] as const)
    it(`vanishes: ${what}`, async () => {
      await bench.mail({ ...byHanako, from, text: post('不在です', 'm1', more) })
      assert.deepEqual(await bench.sent(), [])
      assert.equal(bench.told('list.dropped').length, 1)
    })

  it('comes to an end between two lists that are in each other', async () => {
    const other = 'staff@campus.example'
    await bench.close()
    bench = new ListBench([
      ...rows({ posting: 'anyone' }),
      { kind: 'list', list: { ...fakeList(other), posting: 'anyone' } },
      { kind: 'member', member: fakeMember(LIST, { kind: 'address', address: addr(other) }) },
      { kind: 'member', member: fakeMember(other, { kind: 'address', address: addr(LIST) }) },
      { kind: 'member', member: fakeMember(other, { kind: 'account', id: idOf(TARO) }) },
    ])
    await bench.mail({ ...byHanako, text: post('会議', 'm1') })
    const [sent, ...more] = await bench.sent()
    assert.deepEqual(sent?.to, [HANAKO, TARO, 'vogel@elsewhere.example'], 'each person once')
    assert.deepEqual(more, [])
    // And one that comes back from a list elsewhere is no second post.
    await bench.mail({ to: other, verdict: OUTSIDE, text: sent.text.replaceAll('\r\n', '\n') })
    const [once, ...again] = await bench.sent()
    assert.deepEqual(again, [])
    await bench.mail({ to: LIST, verdict: OUTSIDE, text: once!.text.replaceAll('\r\n', '\n') })
    await bench.mail({ to: other, verdict: OUTSIDE, text: once!.text.replaceAll('\r\n', '\n') })
    assert.deepEqual(await bench.sent(), [])
  })
})
