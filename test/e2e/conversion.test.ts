import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'

import type { ImapFlow } from 'imapflow'

import { startSink } from '#test/fake/smtp-sink.ts'
import type { Sink } from '#test/fake/smtp-sink.ts'
import { commandLine } from './command-line.ts'
import type { CommandLine } from './command-line.ts'
import { install, until } from './installation.ts'
import type { Installation } from './installation.ts'
import { copiesOf, imap } from './mail.ts'
import { sendBy } from './wire.ts'
import type { SmtpWay, Submitted } from './wire.ts'

const OUTSIDER = 'student@other.example'
const USERS = ['admin', 'hanako', 'taro', '渡辺']

let count = 0
/** A mail in Japanese; its To field is what people wrote, whatever the envelope says. */
function mailTo(
  header: string,
  from = OUTSIDER,
): { readonly id: string; readonly content: string } {
  const id = `<conversion-${++count}@other.example>`
  const content = [
    `From: =?utf-8?B?5a2m55Sf?= <${from}>`,
    `To: ${header}`,
    'Subject: =?iso-2022-jp?B?GyRCMnE1RBsoQg==?= / 会議の件',
    'Date: Wed, 25 Nov 2026 10:00:00 +0900',
    `Message-ID: ${id}`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: 8bit',
    '',
    '会議は水曜日です。渡り廊下の先の部屋へどうぞ。',
    '.',
    '',
  ].join('\r\n')
  return { id, content }
}

describe('conversion of addresses', () => {
  let watari: Installation
  let cli: CommandLine
  let sink: Sink
  const clients = new Map<string, ImapFlow>()

  before(async () => {
    sink = await startSink()
    watari = await install({ bind: ['127.0.0.1'] })
    cli = commandLine(watari)
    const further = ['--address', 'watanabe@campus.example']
    await run(['user', 'add', '渡辺@campus.example', '--password-stdin', ...further], 'わたなべ')
    await run(['access', 'add', '127.0.0.1'])
    await run(['route', 'set', 'sink.example', `smtp:127.0.0.1:${sink.port}`])
    for (const user of USERS)
      clients.set(user, await imap(watari, user, watari.password(user) || 'わたなべ'))
  })
  after(async () => {
    for (const client of clients.values()) await client.logout()
    await watari.remove()
    await sink.close()
  })

  const run = (args: readonly string[], input?: string) => cli.run(args, input)
  const refused = (args: readonly string[]) => cli.refused(args, 1)
  /** The queue is empty: nothing will come any more. */
  const drained = () =>
    until('the queue is empty', async () => {
      const { items } = await cli.json<{ items: unknown[] }>(['queue', 'ls'])
      return items.length === 0
    })
  const way = (wellKnown: number): SmtpWay => ({
    port: watari.port(wellKnown),
    ca: watari.ca,
    ...(wellKnown === 587 && {
      tls: 'starttls',
      login: { user: 'taro', password: watari.password('taro') },
    }),
  })
  const send = async (wellKnown: number, mail: Submitted): Promise<void> => {
    assert.match(await sendBy(way(wellKnown), mail), /^250 2\.0\.0 /)
  }
  /** Sends by the relay to these recipients at once; the Message-ID. */
  const mailed = async (...to: string[]): Promise<string> => {
    const { id, content } = mailTo(to.join(', '))
    await send(26, { from: OUTSIDER, to, content })
    return id
  }
  /** Once the queue is empty: `user: mailbox` of each copy, and `→ address` of each that left. */
  const places = async (id: string): Promise<string[]> => {
    await drained()
    const found: string[] = []
    for (const [user, client] of clients)
      for (const { mailbox } of await copiesOf(client, id)) found.push(`${user}: ${mailbox}`)
    for (const { content, rcpts } of sink.mails)
      if (content.includes(`Message-ID: ${id}`))
        found.push(...rcpts.map((rcpt) => rcpt.replace(/^RCPT TO:<([^>]*)>.*/, '→ $1')))
    return found.toSorted()
  }
  const copy = async (user: string, id: string): Promise<string> => {
    const [found] = await copiesOf(clients.get(user)!, id)
    return found?.source.toString() ?? ''
  }

  for (const [port, door, from] of [
    [25, 'MX', OUTSIDER],
    [26, 'relay', OUTSIDER],
    [587, 'submission', 'taro@campus.example'],
  ] as const)
    it(`of a sub-domain delivers once by port ${port} (${door}), To unchanged`, async () => {
      const { id, content } = mailTo('=?utf-8?B?6Iqx5a2Q?= <hanako@lab.campus.example>', from)
      await send(port, { from, to: 'hanako@lab.campus.example', content })
      assert.deepEqual(await places(id), ['hanako: INBOX'])
      const filed = await copy('hanako', id)
      assert.ok(filed.endsWith(content), filed)
      assert.match(filed, /^Delivered-To: hanako@campus\.example\r$/m)
    })

  for (const port of [25, 26, 587])
    it(`keeps +detail in the envelope and cuts it for the look-up, by port ${port}`, async () => {
      const { id, content } = mailTo('hanako+memo@lab.campus.example', 'taro@campus.example')
      const from = 'taro@campus.example'
      await send(port, { from, to: 'Hanako+メモ@lab.campus.example', content, smtpUtf8: true })
      assert.deepEqual(await places(id), ['hanako: INBOX'])
      const filed = await copy('hanako', id)
      assert.match(filed, /^Delivered-To: Hanako\+メモ@campus\.example\r$/m)
      assert.ok(filed.endsWith(content))
    })

  it('follows an alias, an alias of an alias, and one that leads outside', async () => {
    await run(['alias', 'add', 'kaigi@campus.example', 'hanako', 'seminar'])
    await run([
      'alias',
      'add',
      'seminar@campus.example',
      'taro@lab.campus.example',
      'x@sink.example',
    ])
    for (const port of [25, 26, 587]) {
      const { id, content } = mailTo('kaigi@lab.campus.example', 'taro@campus.example')
      const from = 'taro@campus.example'
      await send(port, { from, to: 'kaigi@lab.campus.example', content })
      assert.deepEqual(await places(id), ['hanako: INBOX', 'taro: INBOX', '→ x@sink.example'])
      assert.ok((await copy('taro', id)).endsWith(content))
      const out = sink.mails.find((mail) => mail.content.includes(id))
      assert.match(out?.mail ?? '', /^MAIL FROM:<taro@campus\.example>/)
      assert.ok(out?.content.toString().endsWith(content))
    }
  })

  it('is done by LMTP too: what leads outside is handed to the queue, once', async () => {
    const { id, content } = mailTo('kaigi@lab.campus.example')
    const door = { port: watari.port(24), greeting: 'LHLO' as const }
    const mail = { from: OUTSIDER, to: 'kaigi@lab.campus.example', content }
    assert.match(await sendBy(door, mail), /^250 2\.1\.5 /)
    await until('it has left the outbox', () =>
      sink.mails.some((one) => one.content.includes(`Message-ID: ${id}`)),
    )
    assert.deepEqual(await places(id), ['hanako: INBOX', 'taro: INBOX', '→ x@sink.example'])
    // A forward without a copy: the account's own script sees nothing of it.
    await run(['forward', 'set', 'admin', 'y@sink.example'])
    await run(['alias', 'add', 'kanri@campus.example', 'admin'])
    for (const to of ['admin@lab.campus.example', 'kanri@campus.example']) {
      const forwarded = mailTo(to)
      assert.match(await sendBy(door, { ...mail, to, content: forwarded.content }), /^250 2\.1\.5 /)
      await until('it has left the outbox', () =>
        sink.mails.some((one) => one.content.includes(`Message-ID: ${forwarded.id}`)),
      )
      assert.deepEqual(await places(forwarded.id), ['→ y@sink.example'])
    }
    await run(['forward', 'rm', 'admin'])
    // What leads outside goes with one account's copy, also where that account is named before.
    const both = mailTo('hanako, seminar, kaigi')
    const to = ['hanako@campus.example', 'taro@campus.example', 'seminar@campus.example']
    const named = { ...mail, to: [...to, 'kaigi@campus.example'], content: both.content }
    assert.match(await sendBy(door, named), /^250 2\.1\.5 /)
    await until('it has left the outbox', () =>
      sink.mails.some((one) => one.content.includes(`Message-ID: ${both.id}`)),
    )
    assert.deepEqual(await places(both.id), ['hanako: INBOX', 'taro: INBOX', '→ x@sink.example'])
    const nowhere = await sendBy(door, { ...mail, to: 'nobody@lab.campus.example' })
    assert.match(nowhere, /^550 5\.1\.1 /)
  })

  it('delivers once where recipients are given twice, or lead to one account', async () => {
    const hanako = 'hanako: INBOX'
    const twice = await mailed('hanako@campus.example', 'hanako@campus.example')
    assert.deepEqual(await places(twice), [hanako])
    const spelt = await mailed('HANAKO@Campus.Example', 'hanako@lab.campus.example')
    assert.deepEqual(await places(spelt), [hanako])
    const further = await mailed('watanabe@campus.example', 'watanabe@lab.campus.example')
    assert.deepEqual(await places(further), ['渡辺: INBOX'])
    const both = await mailed('x@sink.example', 'hanako@campus.example', 'kaigi@campus.example')
    assert.deepEqual(await places(both), [hanako, 'taro: INBOX', '→ x@sink.example'])
    // Each detail is a destination of its own: a script may file it elsewhere (RFC 5233 §4).
    const details = await mailed('hanako+a@campus.example', 'hanako@campus.example')
    assert.deepEqual(await places(details), [hanako, hanako])
  })

  it('forwards with and without a copy, to people here, outside, and to an alias', async () => {
    const forwarded = async (...args: string[]): Promise<string[]> => {
      await run(['forward', 'set', 'admin', ...args])
      return places(await mailed('admin@lab.campus.example'))
    }
    assert.deepEqual(await forwarded('taro'), ['taro: INBOX'])
    assert.deepEqual(await forwarded('taro', '--keep'), ['admin: INBOX', 'taro: INBOX'])
    assert.deepEqual(await forwarded('y@sink.example'), ['→ y@sink.example'])
    const kept = ['admin: INBOX', '→ y@sink.example']
    assert.deepEqual(await forwarded('y@sink.example', '--keep'), kept)
    const alias = ['hanako: INBOX', 'taro: INBOX', '→ x@sink.example']
    assert.deepEqual(await forwarded('kaigi'), alias)
    assert.deepEqual(await forwarded('kaigi', 'taro', '--keep'), ['admin: INBOX', ...alias])
    const detailed = await mailed('admin+x@campus.example', 'taro@campus.example')
    assert.deepEqual(await places(detailed), ['admin: INBOX', ...alias])
    await run(['forward', 'rm', 'admin'])
    assert.deepEqual(await places(await mailed('admin@campus.example')), ['admin: INBOX'])
  })

  it('reaches local parts in Japanese, of accounts, aliases and outside', async () => {
    await run(['alias', 'add', '案内@campus.example', '渡辺', '友人@sink.example'])
    for (const port of [25, 26, 587]) {
      const { id, content } = mailTo('案内@lab.campus.example', 'taro@campus.example')
      const mail = { from: 'taro@campus.example', content }
      await send(port, { ...mail, to: '案内@lab.campus.example', smtpUtf8: true })
      assert.deepEqual(await places(id), ['→ 友人@sink.example', '渡辺: INBOX'])
      assert.ok((await copy('渡辺', id)).endsWith(content))
      const out = sink.mails.find((one) => one.content.includes(id))
      assert.match(out?.mail ?? '', / SMTPUTF8/)
      const plain = await sendBy(way(port), { ...mail, to: '渡辺@campus.example' })
      assert.match(plain, /^553 5\.6\.7 /) // RFC 6531 §3.5
    }
    // An alias of plain letters may lead to such an address: the next hop is asked for SMTPUTF8.
    await run(['alias', 'add', 'friend@campus.example', '友人@sink.example'])
    assert.deepEqual(await places(await mailed('friend@campus.example')), ['→ 友人@sink.example'])
  })

  it('refuses, when it is saved, what would make mail go round in a circle', async () => {
    const circle = /go round in a circle: .* → /
    await run(['alias', 'add', 'a@campus.example', 'b@campus.example'])
    assert.match(await refused(['alias', 'add', 'b@campus.example', 'a@campus.example']), circle)
    assert.match(await refused(['alias', 'add', 'b', 'c', 'a+x@lab.campus.example']), circle)
    assert.match(await refused(['alias', 'add', 'c', 'c']), circle)
    assert.match(await refused(['alias', 'add', 'c', 'c+1@lab.campus.example']), circle)
    await run(['domain', 'add', 'dept.example', '--convert-to', 'lab.campus.example'])
    assert.match(await refused(['alias', 'add', 'b', 'a@dept.example']), circle)
    const domain = ['domain', 'add', 'x.example', '--convert-to']
    assert.match(await refused([...domain, 'x.example']), /cannot be converted to itself/)
    assert.match(await refused([...domain, 'y.example']), /y\.example is no local domain/)
    const again = ['domain', 'add', 'campus.example', '--convert-to', 'dept.example']
    assert.match(await refused(again), /is there already/)
    await run(['forward', 'set', 'hanako', 'taro'])
    for (const keep of [[], ['--keep']]) {
      assert.match(await refused(['forward', 'set', 'taro', 'hanako', ...keep]), circle)
      assert.match(await refused(['forward', 'set', 'taro', 'taro', ...keep]), circle)
    }
    assert.match(await refused(['forward', 'set', 'taro', 'hanako+x@dept.example']), circle)
    assert.match(await refused(['alias', 'add', 'hanako@campus.example', 'taro']), /an address of/)
    // Nothing of what was refused is in force; what was there works on.
    assert.deepEqual(await places(await mailed('hanako@dept.example')), ['taro: INBOX'])
    await run(['forward', 'rm', 'hanako'])
    const nobody = await sendBy(way(25), {
      from: OUTSIDER,
      to: 'a@campus.example',
      content: mailTo('a').content,
    })
    assert.match(nobody, /^550 5\.1\.1 /)
  })

  it('of the sender is no loop: outbound mail of an account with aliases goes out once', async () => {
    await run(['alias', 'add', 'sensei@campus.example', 'taro', 'z@sink.example'])
    await run(['forward', 'set', 'taro', 'w@sink.example', '--keep'])
    const from = 'taro@campus.example'
    const submitted = async (...to: string[]): Promise<string[]> => {
      const { id, content } = mailTo(to.join(', '), from)
      await send(587, { from, to, content })
      return places(id)
    }
    assert.deepEqual(await submitted('v@sink.example'), ['→ v@sink.example'])
    const own = ['taro: INBOX', '→ w@sink.example', '→ z@sink.example']
    assert.deepEqual(await submitted('sensei@campus.example'), own)
    assert.deepEqual(await submitted('sensei@lab.campus.example', from, 'w@sink.example'), own)
    await run(['forward', 'rm', 'taro'])
  })

  it('by an outside server that sends back ends at 100 Received fields, and loses nothing', async () => {
    await run(['forward', 'set', 'hanako', 'back@sink.example', '--keep'])
    const received = 'Received: from a.example by b.example; Wed, 25 Nov 2026 10:00:00 +0900\r\n'
    const { id, content } = mailTo('hanako@campus.example')
    let mail = Buffer.from(received.repeat(90) + content)
    let reply = ''
    let rounds = 0
    for (;;) {
      const sent = { from: OUTSIDER, to: 'hanako@campus.example', content: mail }
      reply = await sendBy(way(25), sent)
      if (!reply.startsWith('250')) break
      rounds++
      const at = () => sink.mails.filter((one) => one.content.includes(`Message-ID: ${id}`))
      await until(`round ${rounds} at the outside server`, () => at().length === rounds)
      mail = Buffer.concat([Buffer.from(received), at().at(-1)!.content])
    }
    assert.match(reply, /^554 5\.4\.6 .*102 Received fields/)
    assert.equal(rounds, 6) // 90, 92 … 100 came in; we and the server add one each
    const copies = Array.from({ length: rounds }, () => 'hanako: INBOX')
    const left = Array.from({ length: rounds }, () => '→ back@sink.example')
    assert.deepEqual(await places(id), [...copies, ...left])
    await run(['forward', 'rm', 'hanako'])
  })

  it('ends where the next hop is ourselves, or says that it is a loop: the sender is told', async () => {
    const from = 'taro@campus.example'
    const told = async (to: string): Promise<string> => {
      const { id, content } = mailTo(to, from)
      await send(587, { from, to, content })
      assert.deepEqual(await places(id), [])
      const client = clients.get('taro')!
      const lock = await client.getMailboxLock('INBOX')
      try {
        const last = await client.fetchOne('*', { source: true })
        const text = last === false ? '' : (last.source ?? '').toString()
        assert.ok(text.includes(`Final-Recipient: rfc822; ${to}\r\n`), text)
        return text
      } finally {
        lock.release()
      }
    }
    await run(['route', 'set', 'loop.example', `smtp:127.0.0.1:${watari.port(25)}`])
    assert.match(await told('who@loop.example'), /Status: 5\.4\.6\r\n/)
    sink.act = (step) => (step === 'final' ? { say: '554 5.4.6 Too many hops' } : undefined)
    assert.match(await told('who@sink.example'), /554 5\.4\.6 Too many hops/)
    sink.act = undefined
  })
})
