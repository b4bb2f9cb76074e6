import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { DAY_MS } from '#base/time.ts'
import { decodeWords } from '#codec/mime/encoded-word.ts'
import { decodeText } from '#codec/mime/text.ts'
import { fromUtf8 } from '#base/octets.ts'
import type { AccountId } from '#model/account.ts'
import type { MailingList } from '#model/list.ts'
import { addr, fakeAccount, fakeList, fakeMember } from '#test/fake/directory.ts'
import { ownLeaveFields } from './leave-way.ts'
import { fieldOf, ListBench, OUTSIDE, submitted } from '#test/fake/list-bench.ts'

const LIST = 'seminar@campus.example'
const at = (purpose: string): string => `seminar-${purpose}@campus.example`
const [HANAKO, TARO, JIRO] = ['hanako', 'taro', 'jiro'].map((name) => `${name}@campus.example`) as [
  string,
  string,
  string,
]
const VOGEL = 'vogel@elsewhere.example'
const idOf = (text: string): AccountId => `id-${text}` as AccountId

let bench: ListBench
const begin = (rules: Partial<MailingList> = {}): void => {
  bench = new ListBench([
    { kind: 'domain', domain: { name: 'campus.example' } },
    ...[HANAKO, TARO, JIRO].map(
      (each) => ({ kind: 'account', account: fakeAccount(each) }) as const,
    ),
    { kind: 'alias', alias: { from: addr('kaihatsu@campus.example'), to: [addr(TARO)] } },
    {
      kind: 'list',
      list: {
        ...fakeList(LIST),
        owners: [idOf(JIRO)],
        subscription: 'confirm',
        description: 'ゼミの連絡',
        ...rules,
      },
    },
    { kind: 'member', member: fakeMember(LIST, { kind: 'account', id: idOf(HANAKO) }) },
  ])
}
const again = async (rules: Partial<MailingList>): Promise<void> => {
  await bench.close()
  begin(rules)
}
beforeEach(() => begin())
afterEach(() => bench.close())

const mail = (from: string, subject = '', more = '', text = ''): string =>
  `From: ${from}\nTo: ${LIST}\nSubject: ${subject}\n${more}\n${text}\n`
const asks = (from: string, to: string, subject = '', more = '', text = '') =>
  bench.mail({
    to,
    from,
    verdict: from.endsWith('@campus.example') ? submitted(from) : OUTSIDE,
    text: mail(from, subject, more, text),
  })
const members = (): string[] =>
  bench.directory
    .members(idOf(LIST))
    .filter(({ terms }) => terms.at(-1)!.until === undefined)
    .map(
      ({ who, as }) =>
        `${as === 'excluded' ? '-' : ''}${who.kind === 'account' ? who.id.slice(3) : who.kind === 'list' || who.kind === 'filter' ? who.kind : `${who.kind} ${who.address.localpart}`}`,
    )
    .toArray()
    .toSorted()
const ends = (): unknown[] => bench.told('list.asked').map(({ end }) => end)
const bodyOf = (text: string): string =>
  decodeText(
    {
      subtype: 'plain',
      params: [['charset', 'utf-8']],
      encoding: fieldOf(text, 'Content-Transfer-Encoding') ?? '7bit',
    },
    fromUtf8(text.slice(text.indexOf('\r\n\r\n') + 4)),
  )

describe('joining by mail', () => {
  it('is done at once for whoever has logged in: as a person, whose answer tells how to leave', async () => {
    await asks(TARO, at('join'))
    assert.deepEqual(members(), [HANAKO, TARO])
    assert.deepEqual(bench.authors, ['taro'])
    const [answer, ...more] = await bench.sent()
    assert.deepEqual(more, [])
    assert.deepEqual([answer?.kind, answer?.from, answer?.to], ['notice', '', [TARO]])
    assert.equal(fieldOf(answer!.text, 'Auto-Submitted'), 'auto-replied')
    assert.match(bodyOf(answer!.text), /参加しています。[^]*seminar-leave@campus\.example/)
    await asks(TARO, at('join'))
    assert.deepEqual(members(), [HANAKO, TARO])
  })

  for (const [subject, text] of [
    ['subscribe', ''],
    ['Re: 参加', ''],
    ['ＪＯＩＮ seminar', ''],
    ['', '\n  参加。\n-- \n太郎'],
  ] as const)
    it(`is asked of -request by “${subject}${text.trim().slice(0, 3)}”`, async () => {
      await asks(TARO, at('request'), subject, '', text)
      assert.deepEqual(members(), [HANAKO, TARO])
    })

  it('of an address elsewhere is done when whoever reads its mail has answered, in time', async () => {
    await asks(VOGEL, at('join'))
    assert.deepEqual(members(), [HANAKO])
    const [question] = await bench.sent()
    assert.deepEqual(question?.to, [VOGEL])
    const answer = fieldOf(question.text, 'Reply-To')!
    assert.match(answer, /^seminar-confirm\+j-[0-9a-z]+-[0-9a-f]{20}@campus\.example$/)
    assert.ok(answer.split('@')[0]!.length <= 64)
    // Others who have got hold of it, and automatic answers, change nothing.
    await asks('boese@elsewhere.example', answer)
    await asks(VOGEL, answer, 'Away', 'Auto-Submitted: auto-replied\n')
    await bench.mail({ to: answer, from: null, verdict: OUTSIDE, text: mail(VOGEL) })
    await asks(VOGEL, answer.replace('+j-', '+l-'))
    assert.deepEqual(members(), [HANAKO])
    await asks(VOGEL, answer.toUpperCase().replace('CAMPUS.EXAMPLE', 'campus.example'), 'Re: 確認')
    assert.deepEqual(members(), ['address vogel', HANAKO])
    assert.deepEqual(bench.authors, [VOGEL])
    assert.deepEqual(ends(), ['asked', 'forged', 'automatic', 'bounce', 'forged', 'joined'])
  })

  it('by an answer that comes too late is told so, and changes nothing', async () => {
    await asks(VOGEL, at('join'))
    const [question] = await bench.sent()
    bench.clock.advance(3 * DAY_MS + 120_000)
    await asks(VOGEL, fieldOf(question!.text, 'Reply-To')!)
    assert.deepEqual(members(), [HANAKO])
    assert.match(decodeWords(fieldOf((await bench.sent())[0]!.text, 'Subject')!), /期限/)
  })

  it('is nobody’s by a forged name: not answered, not even asked', async () => {
    const failed = {
      ...OUTSIDE,
      auth: [{ method: 'dmarc', result: 'fail', properties: [] }],
    } as const
    await bench.mail({ to: at('join'), from: VOGEL, verdict: failed, text: mail(VOGEL) })
    // A name of ours without a login.
    await bench.mail({
      to: at('join'),
      from: TARO,
      verdict: { ...OUTSIDE, auth: [] },
      text: mail(TARO),
    })
    assert.deepEqual(members(), [HANAKO])
    assert.deepEqual(await bench.sent(), [])
    assert.deepEqual(ends(), ['unproved', 'unproved'])
  })

  it('goes by the policy of the list', async () => {
    await again({ subscription: 'closed' })
    await asks(TARO, at('join'))
    await again({ subscription: 'domain' })
    await asks(VOGEL, at('join'))
    assert.deepEqual(ends(), ['onlyOwn'])
    await asks(TARO, at('join'))
    assert.deepEqual(members(), [HANAKO, TARO])
    await again({ subscription: 'open', isClosed: true })
    await asks(TARO, at('join'))
    assert.deepEqual(members(), [HANAKO])
  })

  it('waits for an owner where the list says so, who answers with a proved name', async () => {
    await again({ subscription: 'approve' })
    await asks(VOGEL, at('join'))
    const [question] = await bench.sent()
    await asks(VOGEL, fieldOf(question!.text, 'Reply-To')!)
    const [toOwner, answer] = (await bench.sent()).toSorted((a) => (a.to[0] === JIRO ? -1 : 1))
    assert.deepEqual([toOwner?.to, answer?.to], [[JIRO], [VOGEL]])
    const [admit, decline] = bodyOf(toOwner!.text).match(
      /seminar-confirm\+[yn]-\S+/g,
    ) as string[] as [string, string]
    await asks(TARO, admit)
    await bench.mail({
      to: admit,
      from: JIRO,
      verdict: { ...OUTSIDE, auth: [] },
      text: mail(JIRO),
    })
    assert.deepEqual(members(), [HANAKO])
    await asks(JIRO, decline)
    assert.deepEqual(
      (await bench.sent()).map(({ to }) => to.join()),
      [VOGEL],
    )
    await asks(JIRO, admit)
    assert.deepEqual(members(), ['address vogel', HANAKO])
    assert.deepEqual(bench.authors, ['jiro'])
    assert.deepEqual(ends().slice(2), ['notOwner', 'notOwner', 'declined', 'joined'])
  })

  it('is refused to whom an owner keeps out', async () => {
    await bench.close()
    bench = new ListBench([
      { kind: 'domain', domain: { name: 'campus.example' } },
      { kind: 'account', account: fakeAccount(TARO) },
      { kind: 'list', list: { ...fakeList(LIST), subscription: 'open' } },
      {
        kind: 'member',
        member: {
          ...fakeMember(LIST, { kind: 'account', id: idOf(TARO) }),
          as: 'excluded',
          addedBy: 'jiro',
        },
      },
    ])
    await asks(TARO, at('join'))
    assert.deepEqual(members(), [`-${TARO}`])
    assert.deepEqual(ends(), ['excluded'])
  })
})

describe('leaving by mail', () => {
  it('is done at once by a login, and by a domain that vouches; the row stays with its end', async () => {
    await asks(HANAKO, at('leave'))
    assert.deepEqual(members(), [])
    assert.match(decodeWords(fieldOf((await bench.sent())[0]!.text, 'Subject')!), /退会しました/)
    assert.equal([...bench.directory.members(idOf(LIST))].length, 1)
  })

  it('by an address that nothing proves is asked for first', async () => {
    await bench.close()
    bench = new ListBench([
      { kind: 'domain', domain: { name: 'campus.example' } },
      { kind: 'list', list: fakeList(LIST) },
      { kind: 'member', member: fakeMember(LIST, { kind: 'address', address: addr(VOGEL) }) },
    ])
    const verdict = { ...OUTSIDE, auth: [] }
    await bench.mail({ to: at('request'), from: VOGEL, verdict, text: mail(VOGEL, 'unsubscribe') })
    assert.deepEqual(members(), ['address vogel'])
    const [question] = await bench.sent()
    const answer = fieldOf(question!.text, 'Reply-To')!
    await bench.mail({ to: answer, from: VOGEL, verdict, text: mail(VOGEL) })
    assert.deepEqual(members(), [])
  })

  it('is done at once by the address that only the own copies of posts name, whatever fails else', async () => {
    await bench.close()
    bench = new ListBench([
      { kind: 'domain', domain: { name: 'campus.example' } },
      { kind: 'list', list: { ...fakeList(LIST), posting: 'anyone' } },
      { kind: 'member', member: fakeMember(LIST, { kind: 'address', address: addr(VOGEL) }) },
    ])
    await asks('x@elsewhere.example', LIST, '会議')
    const [post] = await bench.outbox()
    const lines = ownLeaveFields(post!.verp!.leave!, post!.verp!.key, addr(VOGEL))
    assert.equal(lines.length, 1, 'no page is named where nobody has said where it is')
    const own = decodeURIComponent(/<mailto:([^>]+)>/.exec(lines[0]!)![1]!)
    const failed = {
      ...OUTSIDE,
      auth: [{ method: 'dmarc', result: 'fail', properties: [] }],
    } as const
    const other = 'boese@elsewhere.example'
    await bench.mail({ to: own, from: other, verdict: failed, text: mail(other) })
    assert.deepEqual(members(), ['address vogel'])
    await bench.mail({ to: own, from: VOGEL, verdict: failed, text: mail(VOGEL) })
    assert.deepEqual(members(), [])
  })

  it('of what a group has somebody in is an exclusion of their own, which joining ends', async () => {
    await bench.close()
    bench = new ListBench([
      { kind: 'domain', domain: { name: 'campus.example' } },
      { kind: 'account', account: fakeAccount(TARO) },
      { kind: 'alias', alias: { from: addr('kaihatsu@campus.example'), to: [addr(TARO)] } },
      { kind: 'list', list: fakeList(LIST) },
      {
        kind: 'member',
        member: fakeMember(LIST, { kind: 'group', address: addr('kaihatsu@campus.example') }),
      },
    ])
    await asks(TARO, at('leave'))
    assert.deepEqual(members(), [`-${TARO}`, 'group kaihatsu'].toSorted())
    bench.clock.advance(60_000)
    // It is closed to others: who was in by the group comes back all the same.
    await asks(TARO, at('request'), 'join')
    assert.deepEqual(members(), ['group kaihatsu'])
  })

  it('is not done where owners alone decide, or for whoever is no member', async () => {
    await again({ leaving: 'owners' })
    await asks(HANAKO, at('leave'))
    await asks(TARO, at('leave'))
    assert.deepEqual(members(), [HANAKO])
    assert.deepEqual(ends(), ['stays', 'notMember'])
  })
})

describe('mail to -request', () => {
  it('with “help” is answered in the language of whoever asks', async () => {
    await again({ language: 'en' })
    await asks(VOGEL, at('request'), 'help')
    await asks(TARO, at('request'), 'ヘルプ')
    const [english, japanese] = (await bench.sent()).toSorted((a) => (a.to[0] === VOGEL ? -1 : 1))
    assert.match(decodeWords(fieldOf(english!.text, 'Subject')!), /^How to use/)
    assert.match(decodeWords(fieldOf(japanese!.text, 'Subject')!), /使い方$/)
    assert.match(bodyOf(japanese!.text), /^ゼミの連絡/)
  })

  it('that is no command is for the owners', async () => {
    await asks(TARO, at('request'), 'ゼミの場所', '', '参加したいのですが、どこでしょうか。')
    const [forwarded] = await bench.sent()
    assert.deepEqual([forwarded?.kind, forwarded?.to], ['forward', [JIRO]])
  })

  it('of programs, lists and machines is answered by nobody', async () => {
    for (const more of [
      'Auto-Submitted: auto-generated\n',
      'Precedence: bulk\n',
      'List-Id: <other.elsewhere.example>\n',
      'X-Loop: seminar@campus.example\n',
      'X-Auto-Response-Suppress: All\n',
    ])
      await asks(TARO, at('request'), 'help', more)
    await asks('other-request@elsewhere.example', at('join'))
    await bench.mail({
      to: at('join'),
      from: VOGEL,
      verdict: { ...OUTSIDE, class: 'spam' },
      text: mail(VOGEL),
    })
    assert.deepEqual(await bench.sent(), [])
    assert.equal(ends().length, 7)
  })

  it('is answered a few times a day, and what nothing proves only so often in all', async () => {
    for (let n = 0; n < 8; n++) await asks(VOGEL, at('request'), 'help')
    assert.equal((await bench.sent()).length, 5)
    bench.clock.advance(DAY_MS)
    await asks(VOGEL, at('request'), 'help')
    assert.equal((await bench.sent()).length, 1)
    const verdict = { ...OUTSIDE, auth: [] }
    for (let n = 0; n < 210; n++) {
      const from = `x${n}@elsewhere.example`
      await bench.mail({ to: at('join'), from, verdict, text: mail(from) })
    }
    assert.equal((await bench.sent()).length, 200)
  })

  it('is answered on and on where our questions are: what was confirmed uses up nothing', async () => {
    for (let round = 1; round <= 4; round++) {
      await asks(VOGEL, at('join'))
      const [question] = await bench.sent()
      assert.ok(question, `no question in round ${round}`)
      await asks(VOGEL, fieldOf(question.text, 'Reply-To')!, 'Re: 確認')
      assert.equal((await bench.sent()).length, 1, `no answer in round ${round}`)
      await asks(VOGEL, at('leave'))
      assert.equal((await bench.sent()).length, 1, `not told to have left in round ${round}`)
      assert.deepEqual(members(), [HANAKO])
    }
    // Questions that nobody answers are as few as before.
    for (let n = 0; n < 8; n++) await asks(VOGEL, at('join'))
    assert.equal((await bench.sent()).length, 1)
  })

  it('between two lists that are in each other by -request comes to its end', async () => {
    const other = 'staff@campus.example'
    await bench.close()
    bench = new ListBench([
      { kind: 'domain', domain: { name: 'campus.example' } },
      { kind: 'account', account: fakeAccount(HANAKO) },
      ...[LIST, other].map(
        (each) => ({ kind: 'list', list: { ...fakeList(each), posting: 'anyone' } }) as const,
      ),
      {
        kind: 'member',
        member: fakeMember(LIST, {
          kind: 'address',
          address: addr('staff-request@campus.example'),
        }),
      },
      {
        kind: 'member',
        member: fakeMember(other, { kind: 'address', address: addr(at('request')) }),
      },
    ])
    await asks(HANAKO, LIST, 'join')
    for (let turn = 0; turn < 3; turn++)
      for (const { text, from, to } of await bench.sent())
        for (const each of to)
          await bench.mail({
            to: each,
            from: from === '' ? null : from,
            verdict: OUTSIDE,
            text: text.replaceAll('\r\n', '\n'),
          })
    assert.deepEqual(await bench.sent(), [])
    assert.equal(ends().length, 1)
  })
})

describe('an order by mail while control is away', () => {
  it('waits, and holds up no post', async () => {
    bench.isControlThere = false
    await asks(TARO, at('join'))
    await asks(HANAKO, LIST, '会議')
    assert.deepEqual(
      (await bench.sent()).map(({ kind }) => kind),
      ['post'],
    )
    bench.isControlThere = true
    await bench.settle()
    assert.deepEqual(members(), [HANAKO, TARO])
  })
})
