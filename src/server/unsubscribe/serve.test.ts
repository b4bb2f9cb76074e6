import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { leaveLinks } from '#engine/list/leave-link.ts'
import { ownLeaveFields } from '#engine/list/leave-way.ts'
import type { AccountId } from '#model/account.ts'
import type { MailingList } from '#model/list.ts'
import { addr, fakeAccount, fakeDirectory, fakeList, fakeMember } from '#test/fake/directory.ts'
import { fieldOf, ListBench, OUTSIDE } from '#test/fake/list-bench.ts'
import { serveLeaving } from './serve.ts'

const LIST = 'seminar@campus.example'
const HANAKO = 'hanako@campus.example'
const VOGEL = 'vogel@elsewhere.example'
const idOf = (text: string): AccountId => `id-${text}` as AccountId
const ONE_CLICK = { method: 'POST', body: new URLSearchParams({ 'List-Unsubscribe': 'One-Click' }) }

describe('the link by which a member leaves (RFC 8058)', () => {
  let bench: ListBench
  let serve: ReturnType<typeof serveLeaving>
  let server: Server
  let base = ''
  const begin = (rules: Partial<MailingList> = {}): void => {
    bench = new ListBench([
      { kind: 'domain', domain: { name: 'campus.example' } },
      { kind: 'account', account: fakeAccount(HANAKO) },
      {
        kind: 'list',
        list: {
          ...fakeList(LIST),
          id: 'L1' as AccountId,
          name: '<ゼミ>',
          posting: 'anyone',
          ...rules,
        },
      },
      ...[
        { kind: 'account', id: idOf(HANAKO) } as const,
        { kind: 'address', address: addr(VOGEL) } as const,
      ].map(
        (who) =>
          ({
            kind: 'member',
            member: { ...fakeMember(LIST, who), list: 'L1' as AccountId },
          }) as const,
      ),
    ])
    bench.publicUrl = 'https://mail.campus.example'
    serve = serveLeaving({ links: leaveLinks(bench.parts), clock: bench.clock, log: bench.log })
  }
  before(async () => {
    server = createServer((incoming, response) => serve(incoming, response)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  after(() => server.close())
  beforeEach(() => begin())
  afterEach(() => bench.close())

  /** Of somebody's copy of a post. */
  const linkOf = async (member: string): Promise<string> => {
    const text = `From: x@elsewhere.example\nSubject: 会議\n\n本文\n`
    await bench.mail({ to: LIST, from: 'x@elsewhere.example', verdict: OUTSIDE, text })
    const [post] = await bench.outbox()
    const [field] = ownLeaveFields(post!.verp!.leave!, post!.verp!.key, addr(member))
    return base + /<https:\/\/mail\.campus\.example([^>]+)>/.exec(field!)![1]!
  }
  const members = (): number =>
    bench.directory
      .members('L1' as AccountId)
      .filter(({ terms }) => terms.at(-1)!.until === undefined)
      .toArray().length

  it('takes an address out by POST, again and again, and nothing by GET', async () => {
    const link = await linkOf(VOGEL)
    const page = await fetch(link)
    assert.equal(page.status, 200)
    assert.match(page.headers.get('content-security-policy')!, /default-src 'none'/)
    const text = await page.text()
    assert.match(text, /vogel@elsewhere\.example[^]*退会する[^]*Leave/)
    assert.ok(text.includes('&#60;ゼミ&#62;') && !text.includes('<ゼミ>'))
    assert.equal((await fetch(link, { method: 'HEAD' })).status, 200)
    assert.equal(members(), 2)
    for (let turn = 0; turn < 2; turn++) {
      const done = await fetch(link, ONE_CLICK)
      assert.deepEqual([done.status, members()], [200, 1])
      assert.match(await done.text(), /退会しました/)
    }
    assert.deepEqual(bench.authors, [VOGEL])
  })

  it('takes a person out, whose mail is elsewhere, also by a form in parts', async () => {
    const form = new FormData()
    form.set('List-Unsubscribe', 'One-Click')
    assert.equal((await fetch(await linkOf(HANAKO), { method: 'POST', body: form })).status, 200)
    assert.equal(members(), 1)
    assert.deepEqual(bench.authors, ['hanako'])
  })

  it('is of one member and list: a changed one leads nowhere, whatever there is', async () => {
    const link = await linkOf(VOGEL)
    const other = Buffer.from(HANAKO).toString('base64url')
    for (const wrong of [
      link.replace(/-[^-]*$/, `-${other}`),
      link.replace('/L1/', '/L2/'),
      link.replace('/L1/', '/L1/x'),
      `${base}/unsubscribe/`,
      `${base}/unsubscribe/L1/${'0'.repeat(20)}-${other}`,
    ])
      assert.equal((await fetch(wrong, ONE_CLICK)).status, 404, wrong)
    assert.equal((await fetch(link, { method: 'POST', body: 'x=1' })).status, 400)
    assert.equal((await fetch(link, { method: 'POST', body: 'x'.repeat(20_000) })).status, 400)
    assert.equal((await fetch(link, { method: 'DELETE' })).status, 405)
    assert.equal(members(), 2)
  })

  it('says “later” while control is away, and to whoever asks too often', async () => {
    const link = await linkOf(VOGEL)
    bench.isControlThere = false
    assert.equal((await fetch(link, ONE_CLICK)).status, 503)
    bench.isControlThere = true
    let last = 0
    for (let turn = 0; turn < 301; turn++) last = (await fetch(link, { method: 'HEAD' })).status
    assert.equal(last, 429)
    bench.clock.advance(60_000)
    assert.equal((await fetch(link, ONE_CLICK)).status, 200)
    assert.equal(members(), 1)
  })

  it('does nothing where owners alone take members out, and no post names it', async () => {
    const link = await linkOf(VOGEL)
    const list = { ...bench.directory.list('L1' as AccountId)!, leaving: 'owners' as const }
    const who = { kind: 'address', address: addr(VOGEL) } as const
    bench.directory = fakeDirectory([
      { kind: 'domain', domain: { name: 'campus.example' } },
      { kind: 'list', list },
      { kind: 'member', member: { ...fakeMember(LIST, who), list: list.id } },
    ])
    assert.equal((await fetch(link, ONE_CLICK)).status, 403)
    await bench.sent()
    const text = 'From: x@elsewhere.example\nSubject: 会議\n\n本文\n'
    await bench.mail({ to: LIST, from: 'x@elsewhere.example', verdict: OUTSIDE, text })
    assert.equal(fieldOf((await bench.sent())[0]!.text, 'List-Unsubscribe'), undefined)
  })
})
