import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { spawnSync } from 'node:child_process'
import { DAY_MS, HOUR_MS, MINUTE_MS } from '#base/time.ts'
import { decodeWords } from '#codec/mime/encoded-word.ts'
import type { AccountId } from '#model/account.ts'
import type { MailingList } from '#model/list.ts'
import { fakeAccount, fakeList, fakeMember } from '#test/fake/directory.ts'
import { fieldOf, ListBench, submitted } from '#test/fake/list-bench.ts'
import { sendDigest } from './digest.ts'

const LIST = 'seminar@campus.example'
const [HANAKO, TARO, JIRO] = ['hanako', 'taro', 'jiro'].map((name) => `${name}@campus.example`) as [
  string,
  string,
  string,
]
const idOf = (text: string): AccountId => `id-${text}` as AccountId

let bench: ListBench
const begin = (rules: Partial<MailingList> = {}, delivery: 'digest' | 'none' = 'digest'): void => {
  const member = (who: string) => fakeMember(LIST, { kind: 'account', id: idOf(who) })
  bench = new ListBench([
    { kind: 'domain', domain: { name: 'campus.example' } },
    ...[HANAKO, TARO, JIRO].map(
      (each) => ({ kind: 'account', account: fakeAccount(each) }) as const,
    ),
    { kind: 'list', list: { ...fakeList(LIST), name: 'ゼミ連絡', ...rules } },
    { kind: 'member', member: member(HANAKO) },
    { kind: 'member', member: { ...member(TARO), delivery } },
    { kind: 'member', member: { ...member(JIRO), delivery: 'none' } },
  ])
}
const again = async (...how: Parameters<typeof begin>): Promise<void> => {
  await bench.close()
  begin(...how)
}
beforeEach(() => begin())
afterEach(() => bench.close())

const noPython =
  spawnSync('python3', ['-c', 'import email.policy']).status === 0 ? false : 'there is no python3'
/** Its parts, as Python's email knows them: a part of multipart/digest is a message without being told so (RFC 2046 §5.1.5). */
const READ_DIGEST = `
import email, email.policy, json, sys
mail = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
def part(type): return next(each for each in mail.walk() if each.get_content_type() == type)
posts = [each.get_payload(0) for each in part('multipart/digest').iter_parts()]
print(json.dumps(dict(
  type=mail.get_content_type(),
  defects=sum(len(each.defects) for each in mail.walk()),
  index='歓迎会' in part('text/plain').get_content(),
  posts=[str(each['Subject']) for each in posts],
  texts=[each.get_payload(decode=True).decode().strip() for each in posts],
)))`

let count = 0
const post = (subject: string, more = ''): Promise<string> =>
  bench.mail({
    to: LIST,
    verdict: submitted(HANAKO),
    text: `From: 花子 <${HANAKO}>\nSubject: ${subject}\nMessage-ID: <d${++count}@campus.example>\n${more}\n本文 ${subject}\n`,
  })
const digests = async () => (await bench.sent()).filter(({ to }) => to.includes(TARO))
const tomorrow = async (): Promise<void> => {
  bench.clock.advance(DAY_MS)
  await bench.settle()
}

describe('a digest', () => {
  it('gathers the posts of the day before, once, for those who take digests alone', async () => {
    await post('歓迎会')
    await post('発表の順番')
    assert.deepEqual(
      (await bench.sent()).map(({ to }) => to),
      [[HANAKO], [HANAKO]],
    )
    bench.clock.advance(HOUR_MS)
    await bench.settle()
    assert.deepEqual(await bench.sent(), [], 'not before the day is over')
    await tomorrow()
    const [digest, ...more] = await bench.sent()
    assert.deepEqual(more, [])
    assert.deepEqual(
      [digest?.kind, digest?.from, digest?.to],
      ['post', 'seminar-bounces@campus.example', [TARO]],
    )
    const { text } = digest!
    assert.match(decodeWords(fieldOf(text, 'Subject')!), /^ゼミ連絡 まとめ 2026-11-25 \(2 件\)$/)
    assert.match(fieldOf(text, 'List-Unsubscribe')!, /seminar-leave@/)
    assert.equal(fieldOf(text, 'Archived-At'), undefined)
    const index = Buffer.from(/base64\r\n\r\n([^-]+)/.exec(text)![1]!, 'base64').toString('utf8')
    assert.match(index, /1\. 歓迎会\r\n    花子 <hanako@campus\.example>\r\n2\. 発表の順番/)
    const parts = text.split(/--=_digest-\w+(?:--)?\r\n/).slice(1, 3)
    const archive = await bench.messages(LIST, 'Posts')
    assert.deepEqual(
      parts.map((part) => part.slice(part.indexOf('\r\n\r\n') + 4, -2)),
      [...archive.values()],
    )
    await tomorrow()
    await post('次の日')
    assert.deepEqual(await digests(), [])
    await tomorrow()
    const [next] = await digests()
    assert.match(decodeWords(fieldOf(next!.text, 'Subject')!), /\(1 件\)/)
  })

  it('is read as what it is by a mail program of others', { skip: noPython }, async () => {
    await post('歓迎会')
    await post('発表の順番', 'Content-Type: text/plain; charset=utf-8\n')
    await bench.sent()
    await tomorrow()
    const [digest] = await digests()
    const read = spawnSync('python3', ['-c', READ_DIGEST], { input: digest!.text })
    assert.equal(read.status, 0, read.stderr.toString())
    assert.deepEqual(JSON.parse(read.stdout.toString()), {
      type: 'multipart/mixed',
      defects: 0,
      index: true,
      posts: ['歓迎会', '発表の順番'],
      texts: ['本文 歓迎会', '本文 発表の順番'],
    })
  })

  it('is not sent twice by a process that has died and comes again', async () => {
    await post('歓迎会')
    await bench.sent()
    bench.clock.advance(DAY_MS)
    const list = bench.directory.list(idOf(LIST))!
    // Whoever dies before the commit has sent nothing, and remembers nothing.
    const dying = Object.create(bench.store) as typeof bench.store
    dying.commit = () => Promise.reject(new TypeError('killed'))
    const dead = { ...bench.parts, mailboxes: dying, directory: bench.directory }
    await assert.rejects(() => sendDigest(dead, list), /killed/)
    assert.deepEqual(await bench.sent(), [])
    for (let start = 0; start < 3; start++) await sendDigest(bench.parts, list)
    assert.equal((await digests()).length, 1)
  })

  it('goes each week where the list says so, from Monday to Sunday', async () => {
    await again({ digest: 'week' })
    await post('歓迎会')
    await bench.sent()
    const days: number[] = []
    for (let day = 1; day <= 8; day++) {
      await tomorrow()
      if ((await digests()).length > 0) days.push(new Date(bench.clock.nowMs()).getUTCDay())
    }
    assert.deepEqual(days, [1])
  })

  it('of what was posted while nobody took any is none', async () => {
    await again({}, 'none')
    await post('古い投稿')
    await tomorrow()
    await bench.sent()
    const [list, who] = [idOf(LIST), { account: idOf(TARO) }]
    assert.equal(await bench.parts.membership({ list, who, act: 'digest' }), 'done')
    await post('新しい投稿')
    await tomorrow()
    const [digest, ...more] = await digests()
    assert.deepEqual(more, [])
    assert.match(decodeWords(fieldOf(digest!.text, 'Subject')!), /\(1 件\)/)
  })

  it('is in parts where much was posted, and keeps nothing of a list without an archive', async () => {
    await again({ archive: 'none' })
    for (let n = 0; n < 53; n++) await post(`投稿 ${n}`)
    await bench.sent()
    await tomorrow()
    assert.deepEqual(
      bench.told('list.digested').map(({ posts }) => posts),
      [50, 3],
    )
    assert.equal((await bench.messages(LIST, 'Posts')).size, 0)
    await post('次')
    assert.deepEqual([...(await bench.messages(LIST, 'Posts')).keys()], [54])
  })

  it('has large posts whole, and no line of a subject becomes one of its own', async () => {
    const body = '長い本文。'.repeat(60_000)
    await post(`=?utf-8?B?${Buffer.from('題\r\nBcc: x@else.example').toString('base64')}?=`, '')
    await post('資料', `X-Note: 1\n\n${body}\n`)
    await bench.sent()
    await tomorrow()
    const [digest] = await digests()
    assert.ok(digest!.text.includes(body))
    assert.doesNotMatch(digest!.text.slice(0, digest!.text.indexOf('\r\n\r\n')), /^Bcc:/m)
    assert.equal(bench.store.largeFiles, 0)
  })

  it('waits for posts that can still be withdrawn', async () => {
    await again({ withdrawSeconds: 2 * 24 * 3_600 })
    await post('撤回できる')
    await bench.sent()
    await tomorrow()
    assert.deepEqual(await digests(), [])
    bench.clock.advance(2 * DAY_MS + MINUTE_MS)
    await bench.settle()
    assert.equal((await digests()).length, 1)
  })
})
