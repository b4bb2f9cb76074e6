import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'

import { install, until } from './installation.ts'
import type { Installation } from './installation.ts'
import { jmap } from './jmap.ts'
import type { JmapClient } from './jmap.ts'
import { imap, smtpSend } from './mail.ts'

const SUBJECT = 'お知らせ：会議'
/** 日本語の本文 in ISO-2022-JP. */
const JIS_BODY = Buffer.from('\u001b$BF|K\\8l$NK\\J8\u001b(B\r\n', 'latin1')

const mail = (subject: string, body: string | Buffer, charset = 'utf-8'): Buffer =>
  Buffer.concat([
    Buffer.from(
      [
        `From: =?UTF-8?B?${Buffer.from('山田').toString('base64')}?= <someone@other.example>`,
        'To: hanako@campus.example',
        `Subject: =?UTF-8?B?${Buffer.from(subject).toString('base64')}?=`,
        `Message-ID: <${Buffer.from(subject).toString('hex')}@other.example>`,
        'Date: Wed, 25 Nov 2026 10:00:00 +0900',
        'MIME-Version: 1.0',
        `Content-Type: text/plain; charset=${charset}`,
        '\r\n',
      ].join('\r\n'),
    ),
    Buffer.from(body as string),
  ])

describe('JMAP on a whole installation', () => {
  let watari: Installation
  let hanako: JmapClient
  before(async () => {
    watari = await install()
    hanako = await jmap(watari, 'hanako')
  })
  after(() => watari.remove())

  const idsIn = async (name: string, client = hanako): Promise<string[]> => {
    const { list } = await client.call('Mailbox/get', { ids: null })
    const { id } = list.find((box: { name: string }) => box.name === name)
    return (await client.call('Email/query', { filter: { inMailbox: id } })).ids
  }

  it('shows mail that came in by SMTP, the ISO-2022-JP one as people read it', async () => {
    const content = mail(SUBJECT, JIS_BODY, 'iso-2022-jp')
    const sent = { from: 'someone@other.example', to: ['hanako@campus.example'], content }
    assert.match(await smtpSend(watari.port(25), sent), /^250/)
    await until('the mail is there', async () => (await idsIn('Inbox')).length === 1)
    const responses = await hanako.request([
      ['Email/query', { accountId: hanako.accountId, filter: { text: '日本語' } }, 'q'],
      [
        'Email/get',
        {
          accountId: hanako.accountId,
          '#ids': { resultOf: 'q', name: 'Email/query', path: '/ids' },
          fetchTextBodyValues: true,
        },
        'g',
      ],
    ])
    const [email] = responses[1]![1]['list'] as Record<string, never>[]
    assert.equal(email!['subject'], SUBJECT)
    assert.deepEqual(email!['from'], [{ name: '山田', email: 'someone@other.example' }])
    assert.equal(email!['preview'], '日本語の本文')
    const [body] = Object.values<{ value: string }>(email!['bodyValues']!)
    assert.equal(body!.value, '日本語の本文\n')

    const url = hanako.session['downloadUrl']!.replace('{accountId}', hanako.accountId)
      .replace('{blobId}', email!['blobId']!)
      .replace('{name}', 'x.eml')
      .replace('{type}', 'message/rfc822')
    const octets = Buffer.from(await (await hanako.fetch(url)).arrayBuffer())
    assert.ok(octets.includes(content), 'octet for octet')
    const client = await imap(watari, 'hanako')
    const lock = await client.getMailboxLock('INBOX')
    const message = await client.fetchOne('1', { source: true })
    lock.release()
    await client.logout()
    assert.ok(message !== false && message.source!.equals(octets), 'as IMAP shows it')
    assert.equal(message.emailId, email!['id'], 'the same ids')
  })
})
