import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'

import { install, until } from './installation.ts'
import type { Installation } from './installation.ts'
import { jmap, pushes, USING, webOrigin } from './jmap.ts'
import type { JmapClient } from './jmap.ts'
import { imap, smtpSend } from './mail.ts'
import { rolePid, stopped } from './processes.ts'

// Backwards, so that no scanner takes this file for what it tests.
const EICAR = Array.from('*H+H$!ELIF-TSET-SURIVITNA-DRADNATS-RACIE$}7)CC7)^P(45XZP\\4[PA@%P!O5X')
  .toReversed()
  .join('')
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
  it('writes a draft in Japanese and sends it to a colleague, who is pushed the news', async () => {
    const taro = await jmap(watari, 'taro')
    const { list } = await hanako.call('Mailbox/get', { ids: null })
    const box = (role: string): string =>
      list.find((each: { role: string }) => each.role === role).id
    const { list: identities } = await hanako.call('Identity/get', { ids: null })
    const { newState: before } = await taro.call('Email/changes', {
      sinceState: (await taro.call('Email/get', { ids: [] })).state,
    })
    const url = taro.session['eventSourceUrl']!.replace('{types}', 'Email')
      .replace('{closeafter}', 'no')
      .replace('{ping}', '0')
    const stream = await taro.fetch(url)
    const news = pushes(stream)
    const accountId = hanako.accountId
    const responses = await hanako.request([
      [
        'Email/set',
        {
          accountId,
          create: {
            d: {
              mailboxIds: { [box('drafts')]: true },
              keywords: { $draft: true, $seen: true },
              from: [{ name: '花子', email: 'hanako@campus.example' }],
              to: [{ name: '太郎', email: 'taro@campus.example' }],
              bcc: [{ name: null, email: 'admin@campus.example' }],
              subject: '件名：渡り鳥',
              textBody: [{ partId: 't', type: 'text/plain' }],
              bodyValues: { t: { value: '本文です。\n二行目' } },
            },
          },
        },
        'd',
      ],
      [
        'EmailSubmission/set',
        {
          accountId,
          create: { s: { emailId: '#d', identityId: identities[0].id } },
          onSuccessUpdateEmail: {
            '#s': {
              [`mailboxIds/${box('drafts')}`]: null,
              [`mailboxIds/${box('sent')}`]: true,
              'keywords/$draft': null,
            },
          },
        },
        's',
      ],
    ])
    assert.deepEqual(
      responses.map(([name]) => name),
      ['Email/set', 'EmailSubmission/set', 'Email/set'],
    )
    assert.deepEqual(await idsIn('Drafts'), [])
    assert.equal((await idsIn('Sent')).length, 1)

    const pushed = await news.next()
    assert.notEqual(pushed.value.changed[taro.accountId].Email, before)
    await stream.body?.cancel().catch(() => undefined)
    const { created } = await taro.call('Email/changes', { sinceState: before })
    assert.equal(created.length, 1)
    const ask = { ids: created, fetchTextBodyValues: true }
    const [email] = (await taro.call('Email/get', ask)).list
    assert.equal(email.subject, '件名：渡り鳥')
    assert.deepEqual(email.from, [{ name: '花子', email: 'hanako@campus.example' }])
    assert.deepEqual(email.bcc, null)
    assert.equal(Object.values<{ value: string }>(email.bodyValues)[0]!.value, '本文です。\n二行目')
    const admin = await jmap(watari, 'admin')
    await until('the blind copy is there', async () => (await idsIn('Inbox', admin)).length === 1)
    // Nobody sends as somebody else.
    const forged = await hanako.request([
      [
        'Email/set',
        {
          accountId,
          create: {
            f: {
              mailboxIds: { [box('drafts')]: true },
              from: [{ email: 'taro@campus.example' }],
              to: [{ email: 'admin@campus.example' }],
            },
          },
        },
        'f',
      ],
      [
        'EmailSubmission/set',
        { accountId, create: { s: { emailId: '#f', identityId: identities[0].id } } },
        's',
      ],
    ])
    const refused = forged[1]![1]['notCreated'] as Record<string, { type: string }>
    assert.equal(refused['s']!.type, 'forbiddenFrom')
  })

  it('has what is sent judged: a virus waits for the administrator and reaches nobody', async () => {
    const { list } = await hanako.call('Mailbox/get', { ids: null })
    const drafts = list.find((each: { role: string }) => each.role === 'drafts').id
    const { list: identities } = await hanako.call('Identity/get', { ids: null })
    const { accountId } = hanako
    const responses = await hanako.request([
      [
        'Email/set',
        {
          accountId,
          create: {
            v: {
              mailboxIds: { [drafts]: true },
              from: [{ email: 'hanako@campus.example' }],
              to: [{ email: 'taro@campus.example' }],
              subject: '添付を見てください',
              textBody: [{ partId: 't' }],
              bodyValues: { t: { value: EICAR } },
            },
          },
        },
        'd',
      ],
      [
        'EmailSubmission/set',
        { accountId, create: { s: { emailId: '#v', identityId: identities[0].id } } },
        's',
      ],
    ])
    const { s } = responses[1]![1]['created'] as Record<string, { id: string }>
    await until('it is held', async () => {
      const { stdout } = await watari.watari(['queue', 'ls'])
      return stdout.includes('held') && stdout.includes('taro@campus.example')
    })
    const trace = await watari.watari(['trace', s!.id.slice(1)])
    assert.match(trace.stdout, /outbox\.judged .*virus=infected/)
    assert.doesNotMatch(trace.stdout, /store\.filed/)
  })

  it('and IMAP are two ways to one truth: flags, moves and mailboxes', async () => {
    const [id] = await idsIn('Inbox')
    const { state } = await hanako.call('Email/get', { ids: [] })
    const client = await imap(watari, 'hanako')
    const lock = await client.getMailboxLock('INBOX')
    await client.messageFlagsAdd('1', ['\\Flagged', '$Label1'])
    const changes = await hanako.call('Email/changes', { sinceState: state })
    assert.deepEqual(changes.updated, [id])
    const properties = ['keywords', 'mailboxIds']
    const [email] = (await hanako.call('Email/get', { ids: [id], properties })).list
    assert.deepEqual(email.keywords, { $flagged: true, $label1: true })
    const made = await hanako.call('Mailbox/set', { create: { m: { name: '会議／議事録' } } })
    const target = made.created.m.id
    const { updated } = await hanako.call('Email/set', {
      update: { [id!]: { mailboxIds: { [target]: true }, 'keywords/$seen': true } },
    })
    assert.deepEqual(Object.keys(updated), [id])
    lock.release()
    const moved = await client.getMailboxLock('会議／議事録')
    const message = await client.fetchOne('1', { flags: true })
    moved.release()
    assert.ok(message !== false && message.flags?.has('\\Seen') && message.flags.has('$Label1'))
    assert.equal(message.emailId, id, 'it is the same email')
    const shown = (await client.list()).find(({ path }) => path === '会議／議事録')
    assert.notEqual(shown?.subscribed ?? false, true)
    assert.ok(shown)
    await client.logout()
    const destroyed = await hanako.call('Mailbox/set', {
      destroy: [target],
      onDestroyRemoveEmails: true,
    })
    assert.deepEqual(destroyed.destroyed, [target])
    const gone = await hanako.call('Email/changes', { sinceState: changes.newState })
    assert.deepEqual(gone.destroyed, [id])
  })

  it('lets web pages in by a cookie and a token, over a restart and until they log out', async () => {
    const origin = webOrigin(watari)
    const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
      fetch(origin + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      })
    const wrong = await post('/auth/login', { username: 'taro', password: 'wrong' })
    assert.equal(wrong.status, 401)
    assert.match(wrong.headers.get('content-type')!, /problem\+json/)
    const entered = await post('/auth/login', {
      username: 'taro@campus.example',
      password: watari.password('taro'),
    })
    assert.equal(entered.status, 200)
    const cookie = entered.headers.get('set-cookie')!.split(';')[0]!
    const { csrfToken } = (await entered.json()) as { csrfToken: string }
    const echo = { using: USING, methodCalls: [['Core/echo', { 渡り: '鳥' }, 'a']] }
    assert.equal((await post('/jmap/api', echo, { cookie })).status, 403)
    const headers = { cookie, 'x-csrf-token': csrfToken }
    assert.equal((await post('/jmap/api', echo, headers)).status, 200)
    const state = (await hanako.call('Email/get', { ids: [] })).state
    await watari.stop()
    await watari.start()
    const session = () => fetch(`${origin}/jmap/session`, { headers: { cookie } })
    assert.equal((await session()).status, 200, 'an open page goes on')
    assert.equal((await post('/auth/logout', {}, headers)).status, 204)
    const ended = await session()
    assert.equal(ended.status, 401)
    assert.match(ended.headers.get('content-type')!, /problem\+json/)
    const { created, updated, destroyed } = await hanako.call('Email/changes', {
      sinceState: state,
    })
    assert.deepEqual([created, updated, destroyed], [[], [], []], 'states outlive a restart')
  })

  it('works while control is away, and says when the disk is', async () => {
    await stopped([rolePid(watari, 'control')], async () => {
      const taro = await jmap(watari, 'taro')
      assert.equal((await idsIn('Inbox', taro)).length, 1)
    })
    await stopped([rolePid(watari, 'mailbox')], async () => {
      const [answer] = await hanako.request([['Email/query', { accountId: hanako.accountId }, 'q']])
      assert.deepEqual([answer![0], answer![1]['type']], ['error', 'serverUnavailable'])
    })
    await until('the disk is back', async () => {
      const [answer] = await hanako.request([['Mailbox/get', { accountId: hanako.accountId }, 'm']])
      return answer![0] === 'Mailbox/get'
    })
  })

  it('refuses what is too large or no request, and goes on', async () => {
    const { apiUrl, uploadUrl } = hanako.session
    const large = await hanako.fetch(apiUrl!, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: Buffer.alloc(11_000_000, ' '),
    })
    assert.equal(large.status, 413)
    const upload = uploadUrl!.replace('{accountId}', hanako.accountId)
    const many = await hanako.fetch(upload, { method: 'POST', body: Buffer.alloc(60_000_000) })
    assert.equal(many.status, 413)
    const other = uploadUrl!.replace('{accountId}', 'other')
    assert.equal((await hanako.fetch(other, { method: 'POST', body: 'x' })).status, 404)
    const ids = Array.from({ length: 10_000 }, (_, n) => `E${n}`)
    const [answer] = await hanako.request([
      ['Email/get', { accountId: hanako.accountId, ids }, 'g'],
    ])
    assert.equal(answer![1]['type'], 'requestTooLarge')
    assert.equal((await fetch(apiUrl!, { method: 'POST', body: '{}' })).status, 401)
  })
})
