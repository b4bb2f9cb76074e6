import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'

import { install, until } from './installation.ts'
import type { Installation } from './installation.ts'
import { countOf, imap, messages, smtpSend } from './mail.ts'
import { sendBy, wire } from './wire.ts'

const MAIL = [
  'From: Gakusei <student@other.example>',
  'To: hanako@campus.example',
  'Subject: =?utf-8?B?5Lya6K2w44Gu44GK55+l44KJ44Gb?=',
  'Date: Wed, 25 Nov 2026 10:00:00 +0900',
  'Message-ID: <journey-1@other.example>',
  'MIME-Version: 1.0',
  'Content-Type: text/plain; charset=utf-8',
  'Content-Transfer-Encoding: 8bit',
  '',
  '会議は水曜日です。',
  '..二つの点で始まる行',
  '.',
  '',
].join('\r\n')

describe("one message's whole life", () => {
  let watari: Installation
  before(async () => {
    watari = await install()
  })
  after(() => watari.remove())

  it('comes in by the MX and is read by IMAP octet for octet, trace fields in front', async () => {
    const reply = await smtpSend(watari.port(25), {
      from: 'student@other.example',
      to: ['hanako@campus.example'],
      content: MAIL,
    })
    assert.match(reply, /^250 2\.0\.0 /)
    const client = await imap(watari, 'hanako')
    try {
      await until('the mail is in INBOX', async () => {
        return (await countOf(client, 'INBOX')) === 1
      })
      const [message] = await messages(client, 'INBOX')
      assert.ok(message !== undefined)
      assert.ok(message.toString().endsWith(MAIL), message.toString())
      const trace = message.toString().slice(0, -MAIL.length)
      assert.match(trace, /^Return-Path: <student@other\.example>\r\n/)
      assert.match(trace, /Authentication-Results: /)
      assert.match(trace, /X-Watari-Verdict: /)
    } finally {
      await client.logout()
    }
  })

  it('is refused for people who do not exist, and for other domains: the MX relays for nobody', async () => {
    const send = (to: string) =>
      smtpSend(watari.port(25), { from: 'a@other.example', to: [to], content: MAIL })
    assert.match(await send('nobody@campus.example'), /^550 5\.1\.1 /)
    assert.match(await send('someone@elsewhere.example'), /^55\d 5\.7\.1 /)
  })

  it('arrives once for an address of the converted sub-domain, its To unchanged', async () => {
    const content = MAIL.replace('To: hanako@campus', 'To: taro@lab.campus')
    const reply = await smtpSend(watari.port(25), {
      from: 'a@other.example',
      to: ['taro@lab.campus.example'],
      content,
    })
    assert.match(reply, /^250 /)
    const client = await imap(watari, 'taro')
    try {
      await until('the mail is in INBOX', async () => (await countOf(client, 'INBOX')) === 1)
      const [message] = await messages(client, 'INBOX')
      assert.ok(message?.toString().endsWith(content))
    } finally {
      await client.logout()
    }
  })

  it('is sent by a user who logs in, under names of their own only', async () => {
    const send = (from: string, header = from) =>
      smtpSend(watari.port(465), {
        from,
        to: ['taro@campus.example'],
        content: `From: ${header}\r\nSubject: test\r\n\r\nこんにちは\r\n`,
        login: { user: 'hanako', password: watari.password('hanako') },
        tlsCa: watari.ca,
      })
    assert.match(await send('hanako@campus.example'), /^250 /)
    assert.match(await send('taro@campus.example'), /^55\d 5\.7\.1 /)
    assert.match(await send('hanako@campus.example', 'taro@campus.example'), /^55\d 5\.7\.1 /)
    const client = await imap(watari, 'taro')
    try {
      await until('the mail is in INBOX', async () => (await countOf(client, 'INBOX')) === 2)
    } finally {
      await client.logout()
    }
  })

  it('says in Received by which protocol it came, station by station (RFC 3848)', async () => {
    const to = 'admin@campus.example'
    const mail = { from: 'a@other.example', to, content: MAIL }
    const old = await wire(watari.port(25))
    try {
      await old.smtp()
      for (const line of ['HELO old.example', `MAIL FROM:<${mail.from}>`, `RCPT TO:<${to}>`])
        assert.match(await old.smtp(line), /^250 /)
      assert.match(await old.smtp('DATA'), /^354 /)
      old.send(MAIL.replace(/^\./gm, '..'))
      assert.match(await old.smtp('.'), /^250 /)
    } finally {
      old.close()
    }
    const byLmtp = {
      port: watari.port(24),
      greeting: 'LHLO',
      tls: 'starttls',
      ca: watari.ca,
    } as const
    assert.match(await sendBy(byLmtp, mail), /^250 /)
    const client = await imap(watari, 'admin')
    try {
      await until('both mails are in INBOX', async () => (await countOf(client, 'INBOX')) === 2)
      const stations = (await messages(client, 'INBOX')).map((message) => {
        const trace = message.toString().slice(0, -MAIL.length)
        return [...trace.matchAll(/^Received: [^;]*?\bwith (\w+) id /gm)]
          .map((one) => one[1])
          .join()
      })
      assert.deepEqual(stations.toSorted(), ['LMTP,SMTP', 'LMTPS'])
    } finally {
      await client.logout()
    }
  })

  it('gets its verdict and delivery id from nobody on the network', async () => {
    for (const [wellKnown, greeting] of [
      [25, 'EHLO'],
      [24, 'LHLO'],
    ] as const) {
      const session = await wire(watari.port(wellKnown))
      try {
        await session.smtp()
        assert.doesNotMatch(await session.smtp(`${greeting} a.example`), /XWATARI/)
        const reply = await session.smtp('MAIL FROM:<a@other.example> XWATARI=eyJ9')
        assert.match(reply, /^555 5\.5\.4 unknown parameter XWATARI$/)
      } finally {
        session.close()
      }
    }
  })

  it('starts every account with its mailboxes and special uses', async () => {
    const client = await imap(watari, 'admin')
    try {
      const list = await client.list()
      assert.deepEqual(list.map(({ path }) => path).toSorted(), [
        'Archive',
        'Drafts',
        'INBOX',
        'Junk',
        'Junk/SPAM',
        'Junk/Suspected SPAM',
        'Sent',
        'Trash',
      ])
      assert.equal(list.find(({ path }) => path === 'Junk')?.specialUse, '\\Junk')
    } finally {
      await client.logout()
    }
  })
})
