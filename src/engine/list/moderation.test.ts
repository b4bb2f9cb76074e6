import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { decodeWords } from '#codec/mime/encoded-word.ts'
import { DAY_MS } from '#base/time.ts'
import type { AccountId } from '#model/account.ts'
import type { MailingList } from '#model/list.ts'
import { fakeAccount, fakeList, fakeMember } from '#test/fake/directory.ts'
import { fieldOf, ListBench, OUTSIDE, submitted } from '#test/fake/list-bench.ts'
import { postDesk } from './desk.ts'
import type { PostsWanted } from './archive.ts'
import type { PostDesk } from './desk.ts'

const LIST = 'oshirase@campus.example'
const [HANAKO, TARO, JIRO] = ['hanako', 'taro', 'jiro'].map((name) => `${name}@campus.example`) as [
  string,
  string,
  string,
]
const idOf = (text: string): AccountId => `id-${text}` as AccountId
const list = idOf(LIST)

let bench: ListBench
let desk: PostDesk
const begin = (rules: Partial<MailingList> = {}): void => {
  bench = new ListBench([
    { kind: 'domain', domain: { name: 'campus.example' } },
    ...[HANAKO, TARO, JIRO].map(
      (each) => ({ kind: 'account', account: fakeAccount(each) }) as const,
    ),
    {
      kind: 'list',
      list: {
        ...fakeList(LIST),
        owners: [idOf(JIRO)],
        moderators: [{ account: idOf(TARO) }],
        posting: 'moderated',
        ...rules,
      },
    },
    { kind: 'member', member: fakeMember(LIST, { kind: 'account', id: idOf(HANAKO) }) },
    { kind: 'member', member: fakeMember(LIST, { kind: 'account', id: idOf(TARO) }) },
  ])
  desk = postDesk(bench.keeper, bench.parts)
}
beforeEach(() => begin())
afterEach(() => bench.close())

const mail = (from: string, subject: string, body = '本文です。') =>
  `From: <${from}>\nTo: ${LIST}\nSubject: ${subject}\nMessage-ID: <${subject}@campus.example>\n\n${body}\n`
const post = (subject: string, from = HANAKO) =>
  bench.mail({ to: LIST, verdict: submitted(from), text: mail(from, subject) })
const held = async () => {
  const found = await desk.held({ list })
  assert.ok(found.ok)
  return found.value
}
const decide = async (
  act: 'approve' | 'reject' | 'discard' | 'restore' | 'withdraw',
  numbers: number[],
  text?: string,
  undoSeconds?: number,
) => {
  const made = await desk.decide({
    list,
    act,
    numbers,
    by: 'jiro',
    ...(text !== undefined && { text }),
    ...(undoSeconds !== undefined && { undoSeconds }),
  })
  assert.ok(made.ok)
  return made.value.map(({ number, end }) => `${number} ${end}`)
}

describe('posts that wait for a moderator', () => {
  it('are told to moderators with what to do, and to their authors', async () => {
    await post('お知らせ')
    const notices = await bench.sent()
    assert.deepEqual(
      notices.map(({ to }) => to.join()),
      [TARO, HANAKO],
    )
    const text = Buffer.from(
      notices[0]!.text.slice(notices[0]!.text.indexOf('\r\n\r\n')),
      'base64',
    ).toString()
    assert.match(text, /oshirase-confirm\+a-1-[0-9a-f]{20}@campus\.example/)
    assert.match(text, /件名: お知らせ/)
  })

  it('are told to whoever wrote as the list, not to the list', async () => {
    await bench.mail({ to: LIST, verdict: submitted(HANAKO), text: mail(LIST, '事務局より') })
    assert.deepEqual(
      (await bench.sent()).map(({ to }) => to.join()),
      [TARO, HANAKO],
    )
    assert.equal((await held())[0]!.author, HANAKO)
    assert.deepEqual(await decide('reject', [1], '重複です'), ['1 done'])
    assert.deepEqual(
      (await bench.sent()).map(({ to }) => to.join()),
      [HANAKO],
    )
  })

  it('go out as if they came now, each once, and are numbered then', async () => {
    await post('一')
    await post('二')
    assert.deepEqual(
      (await held()).map(({ number, subject, by }) => [number, subject, by]),
      [
        [1, '一', 'moderator'],
        [2, '二', 'moderator'],
      ],
    )
    await bench.sent()
    assert.deepEqual(await decide('approve', [2, 2, 9]), ['2 done', '2 notFound', '9 notFound'])
    const [sent, ...more] = await bench.sent()
    assert.deepEqual([sent?.kind, sent?.to, more], ['post', [HANAKO, TARO], []])
    assert.deepEqual([...(await bench.messages(LIST, 'Posts')).keys()], [1])
    assert.equal((await held()).length, 1)
    const shown = await desk.list({ list, limit: 10 })
    assert.ok(shown.ok)
    assert.deepEqual(
      shown.value.posts.map(({ number, subject, approvedBy, recipients }) => [
        number,
        subject,
        approvedBy,
        recipients,
      ]),
      [[1, '二', 'jiro', 2]],
    )
  })

  it('are rejected with a text, which only a sure author gets', async () => {
    await post('お知らせ')
    await bench.mail({
      to: LIST,
      verdict: { ...OUTSIDE, auth: [] },
      text: mail(HANAKO, '偽のお知らせ'),
    })
    await bench.sent()
    assert.deepEqual(await decide('reject', [1, 2], '来週にしてください'), ['1 done', '2 done'])
    const sent = await bench.sent()
    assert.deepEqual(
      sent.map(({ to }) => to),
      [[HANAKO]],
    )
    const body = Buffer.from(
      sent[0]!.text.slice(sent[0]!.text.indexOf('\r\n\r\n')),
      'base64',
    ).toString()
    assert.match(body, /来週にしてください/)
  })

  it('are taken back for as long as was asked for, and nobody has heard of it until then', async () => {
    await post('一')
    await post('二')
    await bench.sent()
    bench.clock.advance(DAY_MS)
    assert.deepEqual(await decide('reject', [1, 2, 9], 'だめです', 30), [
      '1 done',
      '2 done',
      '9 notFound',
    ])
    const waits = await held()
    assert.deepEqual(
      waits.map(({ ending }) => [ending?.end, ending?.by]),
      [1, 2].map(() => [{ kind: 'rejected', text: 'だめです' }, 'jiro']),
    )
    assert.deepEqual(await decide('restore', [2, 9]), ['2 done', '9 notFound'])
    assert.deepEqual(await decide('restore', [2]), ['2 notFound'])
    bench.clock.advance(29_000)
    await bench.settle()
    assert.deepEqual([(await held()).length, (await bench.sent()).length], [2, 0])
    bench.clock.advance(1_000)
    await bench.settle()
    const [left, ...more] = await held()
    // When it came stays what it was.
    assert.deepEqual(
      [left?.number, left?.ending, left?.heldAtMs],
      [2, undefined, waits[1]?.heldAtMs],
    )
    assert.deepEqual(more, [])
    assert.deepEqual(
      (await bench.sent()).map(({ to }) => to),
      [[HANAKO]],
    )
    assert.deepEqual(bench.told('list.rejected').at(-1)?.['number'], 1)
    assert.deepEqual(bench.told('list.restored').at(-1)?.['number'], 2)
    assert.deepEqual(await decide('restore', [1]), ['1 notFound'])
  })

  it('are posted after all where a moderator says so before a rejection is final', async () => {
    await post('一')
    await decide('reject', [1], '', 30)
    await bench.sent()
    assert.deepEqual(await decide('approve', [1]), ['1 done'])
    bench.clock.advance(60_000)
    await bench.settle()
    assert.deepEqual(
      (await bench.sent()).map(({ kind }) => kind),
      ['post'],
    )
  })

  it('are discarded without a word', async () => {
    await post('一')
    await bench.sent()
    assert.deepEqual(await decide('discard', [1]), ['1 done'])
    assert.deepEqual([await held(), await bench.sent()], [[], []])
    assert.equal(bench.told('list.discarded').length, 1)
  })

  it('are read whole, and who has read them is told', async () => {
    const encoded = Buffer.from('長い本文です。\n'.repeat(300)).toString('base64')
    const html = Buffer.from('<p>別の&#x672c;文</p>').toString('base64')
    const part = (fields: string, body: string) => `--b\n${fields}\n\n${body}\n`
    await bench.mail({
      to: LIST,
      verdict: submitted(HANAKO),
      text: `From: =?UTF-8?B?6Iqx5a2Q?= <${HANAKO}>\nTo: ${LIST}\nSubject: =?UTF-8?B?5Lya6K2w?=\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n${part(
        'Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64',
        encoded.replace(/.{76}/g, '$&\n'),
      )}${part(
        'Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: base64\nContent-Disposition: attachment; filename="a\u202egnp.exe"',
        html,
      )}${part("Content-Type: application/pdf; name*=UTF-8''%E8%B3%87%E6%96%99.pdf", 'x'.repeat(100))}--b--\n`,
    })
    const read = await desk.heldPost({ list, number: 1, by: 'jiro by 192.0.2.1' })
    assert.ok(read.ok)
    const { held: row, letter, verdict } = read.value
    assert.deepEqual(
      [row.number, row.subject, verdict?.class, letter.form, letter.isCut],
      [1, '会議', 'clean', 'plain', false],
    )
    assert.equal(letter.text, '長い本文です。\n'.repeat(300).trim())
    assert.deepEqual(letter.fields[0], { name: 'From', value: `花子 <${HANAKO}>` })
    assert.deepEqual(
      letter.attachments.map(({ name, type }) => [name, type]),
      [
        ['agnp.exe', 'text/html'],
        ['資料.pdf', 'application/pdf'],
      ],
    )
    assert.deepEqual(
      bench.told('list.read').map(({ number, by }) => [number, by]),
      [[1, 'jiro by 192.0.2.1']],
    )
    const none = await desk.heldPost({ list, number: 2, by: 'jiro' })
    assert.deepEqual([none.ok, bench.told('list.read').length], [false, 1])
  })

  it('end after two weeks', async () => {
    await post('お知らせ')
    await bench.sent()
    bench.clock.advance(13 * DAY_MS)
    await bench.settle()
    assert.equal((await held()).length, 1)
    bench.clock.advance(2 * DAY_MS)
    await bench.settle()
    assert.equal((await held()).length, 0)
    assert.deepEqual(
      (await bench.sent()).map(({ to }) => to),
      [[HANAKO]],
    )
  })
})

describe('an answer to a notice', () => {
  const notice = async (): Promise<{ readonly approve: string; readonly reject: string }> => {
    const [told] = await bench.sent()
    const text = Buffer.from(told!.text.slice(told!.text.indexOf('\r\n\r\n')), 'base64').toString()
    const of = (what: string): string =>
      new RegExp(`oshirase-confirm\\+${what}-\\d+-[0-9a-f]{20}@campus\\.example`).exec(text)![0]
    return { approve: of('a'), reject: of('r') }
  }
  const answer = (to: string, from: string, verdict = submitted(from)) =>
    bench.mail({ to, from, verdict, text: mail(from, 'Re: お知らせ', '内容を直してください。') })

  it('of a moderator approves, once', async () => {
    await post('お知らせ')
    const { approve } = await notice()
    await answer(approve, TARO)
    await answer(approve, TARO)
    assert.deepEqual(
      (await bench.sent()).map(({ kind }) => kind),
      ['post'],
    )
    assert.equal((await held()).length, 0)
  })

  it('of a moderator rejects, with what it says', async () => {
    await post('お知らせ')
    const { reject } = await notice()
    await answer(reject, TARO)
    const [told] = await bench.sent()
    assert.deepEqual(told?.to, [HANAKO])
    const body = Buffer.from(told.text.slice(told.text.indexOf('\r\n\r\n')), 'base64').toString()
    assert.match(body, /内容を直してください。/)
  })

  it('decides nothing where it is forged, by its address or by its author', async () => {
    await post('お知らせ')
    await post('別のお知らせ')
    const { approve, reject } = await notice()
    await bench.sent()
    // Another post's mark, a made one, a rejection's for an approval.
    await answer(approve.replace('+a-1-', '+a-2-'), TARO)
    await answer(approve.replace(/-[0-9a-f]{20}@/, `-${'0'.repeat(20)}@`), TARO)
    await answer(reject.replace('+r-', '+a-'), TARO)
    // The right mark from who is no moderator, or only says to be one.
    await answer(approve, HANAKO)
    await answer(approve, TARO, { ...OUTSIDE, auth: [] })
    await bench.mail({ to: approve, text: mail(TARO, 'Re') })
    assert.deepEqual(await bench.sent(), [])
    assert.equal((await held()).length, 2)
    assert.equal((await bench.messages(LIST, 'Incoming')).size, 0)
  })
})

describe('a post to very many', () => {
  it('goes out when its author confirms it', async () => {
    await bench.close()
    begin({ posting: 'members', warnAbove: 1 })
    await post('全員へ')
    const [told, ...more] = await bench.sent()
    assert.deepEqual([told?.kind, told?.to, more], ['notice', [HANAKO], []])
    const confirm = fieldOf(told!.text, 'Reply-To')!
    await bench.mail({ to: confirm, verdict: submitted(TARO), text: mail(TARO, 'Re') })
    assert.deepEqual(await bench.sent(), [], 'by somebody else')
    await bench.mail({ to: confirm, verdict: submitted(HANAKO), text: mail(HANAKO, 'Re') })
    const [sent] = await bench.sent()
    assert.equal(decodeWords(fieldOf(sent!.text, 'Subject')!), '全員へ')
  })
})

describe('a post that waits to go out', () => {
  it('is taken back until then, and its number stays used', async () => {
    await bench.close()
    begin({ posting: 'members', withdrawSeconds: 60 })
    await post('間違い')
    await post('正しい')
    assert.deepEqual(await bench.sent(), [])
    assert.deepEqual(await decide('withdraw', [1, 7]), ['1 done', '7 notFound'])
    bench.clock.advance(61_000)
    const sent = await bench.sent()
    assert.deepEqual(
      sent.map(({ text }) => decodeWords(fieldOf(text, 'Subject')!)),
      ['正しい'],
    )
    assert.deepEqual(await decide('withdraw', [2]), ['2 conflict'])
    assert.deepEqual([...(await bench.messages(LIST, 'Posts')).keys()], [2])
    await post('次')
    assert.deepEqual([...(await bench.messages(LIST, 'Posts')).keys()], [2, 3])
  })
})

describe('the archive', () => {
  it('tells who received a post, and finds posts by text, newest first', async () => {
    await bench.close()
    begin({ posting: 'members' })
    await post('歓迎会')
    await post('送別会')
    const to = await desk.recipients({ list, number: 1 })
    assert.ok(to.ok)
    assert.deepEqual(to.value, [HANAKO, TARO])
    const numbers = async (ask: PostsWanted & { text?: string }) => {
      const found = await desk.list({ list, ...ask })
      assert.ok(found.ok)
      const { posts, next, total } = found.value
      return [posts.map(({ number }) => number), next, total]
    }
    assert.deepEqual(await numbers({ limit: 1 }), [[2], 2, 2])
    assert.deepEqual(await numbers({ limit: 1, before: 2 }), [[1], undefined, 2])
    assert.deepEqual(await numbers({ limit: 1, from: 1 }), [[1], undefined, 2])
    assert.deepEqual(await numbers({ limit: 1, from: 2 }), [[], undefined, 2])
    assert.deepEqual(await numbers({ limit: 9, text: '送別' }), [[2], undefined, 1])
    const whole = await desk.show({ list, number: 2 })
    assert.ok(whole.ok)
    assert.equal(whole.value.preview, '本文です。')
    assert.equal((await desk.show({ list, number: 9 })).ok, false)
  })
  it('tells which posts stand beside one, and in its thread', async () => {
    await bench.close()
    begin({ posting: 'members' })
    const say = (id: string, subject: string, answers = '') => {
      const text = mail(HANAKO, id).replace(`Subject: ${id}`, `Subject: ${subject}${answers}`)
      return bench.mail({ to: LIST, verdict: submitted(HANAKO), text })
    }
    await say('q1', '発表')
    await say('q2', '歓迎会')
    await say('q3', 'Re: 発表', '\nIn-Reply-To: <q1@campus.example>')
    await say('q4', '送別会')
    await say('q5', 'Re: Re: 発表', '\nReferences: <q1@campus.example>\n <q3@campus.example>')
    const place = async (number: number) => {
      const whole = await desk.show({ list, number })
      assert.ok(whole.ok)
      return whole.value.place
    }
    assert.deepEqual(await place(2), { older: 1, newer: 3 })
    assert.deepEqual(await place(1), { newer: 2, thread: { newer: 3, place: 1, count: 3 } })
    const middle = { older: 1, newer: 5, place: 2, count: 3 }
    assert.deepEqual(await place(3), { older: 2, newer: 4, thread: middle })
    assert.deepEqual(await place(5), { older: 4, thread: { older: 3, place: 3, count: 3 } })
  })
})
