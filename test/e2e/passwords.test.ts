import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'

import { install, until } from './installation.ts'
import type { Installation } from './installation.ts'
import { webOrigin } from './jmap.ts'
import { MAIL_WAYS, WEB_WAYS } from './login-ways.ts'
import type { Login, Way } from './login-ways.ts'
import { plain, smtpSession, wire } from './wire.ts'
import type { Wire } from './wire.ts'

const PASSWORDS: Readonly<Record<string, Buffer>> = {
  'one octet': Buffer.from('x'),
  '1,000 octets': Buffer.alloc(1_000, '渡り鳥 0123456789 &% '),
  ampersands: Buffer.from('a&b&amp;c&&'),
  'spaces at both ends': Buffer.from('  two  inside and around  '),
  'one space': Buffer.from(' '),
  'quotes and backslashes': Buffer.from(`"it's" \\ \\" 'so' \\\\`),
  'per cent': Buffer.from('100%25%s%n%'),
  'what shells and SASL read': Buffer.from('$(id) `id` {3}=*'),
  kana: Buffer.from('ひらがなとカタカナﾊﾝｶｸ'),
  'octets that are no UTF-8': Buffer.from([0xe9, 0xff, 0x80, 0x01, 0x7f, 0xa0, 0xc3]),
  Shift_JIS: Buffer.from([0x82, 0xd0, 0x82, 0xe7, 0x83, 0x5c, 0x95, 0x5c]),
}

describe('passwords and names to log in by', () => {
  let watari: Installation
  before(async () => {
    watari = await install({ bind: ['127.0.0.1'] })
    const added = await watari.watari(
      ['user', 'add', 'kana', '--password-stdin', '--address', 'yamada.kana@campus.example'],
      'はじめ\n',
    )
    assert.equal(added.status, 0, added.stderr)
  })
  after(() => watari.remove())

  const NAMES = [
    'kana',
    'kana@campus.example',
    'KANA@Campus.Example',
    'yamada.kana@campus.example',
    'kana@lab.campus.example',
  ]

  for (const [title, password] of Object.entries(PASSWORDS))
    it(`lets in by every protocol with a password of ${title}`, async () => {
      const set = await watari.watari(
        ['user', 'passwd', 'kana', '--password-stdin'],
        Buffer.concat([password, Buffer.from('\n')]), // one final LF is no part of it
      )
      assert.equal(set.status, 0, set.stderr)
      for (const [way, logIn] of Object.entries(MAIL_WAYS))
        for (const user of NAMES)
          assert.equal(await logIn(watari, { user, password }), 'ok', `${way} as ${user}`)
    })

  it('is set without a final LF just so, and never in part', async () => {
    const set = await watari.watari(['user', 'passwd', 'kana', '--password-stdin'], '終わり ')
    assert.equal(set.status, 0, set.stderr)
    for (const logIn of Object.values(MAIL_WAYS))
      assert.equal(await logIn(watari, { user: 'kana', password: Buffer.from('終わり ') }), 'ok')
    for (const impossible of ['', '\n', 'a\nb', 'a\rb', 'a\0b', 'x'.repeat(1_001)]) {
      const refused = await watari.watari(
        ['user', 'passwd', 'kana', '--password-stdin'],
        impossible,
      )
      assert.equal(refused.status, 1, JSON.stringify(impossible))
      assert.match(refused.stderr, /cannot be a password/)
    }
    const [first] = Object.values(MAIL_WAYS)
    assert.equal(await first?.(watari, { user: 'kana', password: Buffer.from('終わり ') }), 'ok')
  })

  for (const [way, logIn] of Object.entries(MAIL_WAYS))
    it(`refuses empty and wrong ones by ${way} alike, whether the user exists or not`, async () => {
      for (const password of ['', '終わり']) {
        const [known, unknown] = await Promise.all(
          ['kana', 'nobody'].map((user) =>
            logIn(watari, { user, password: Buffer.from(password) }),
          ),
        )
        assert.match(known ?? '', REFUSED)
        assert.equal(known, unknown)
      }
    })

  it('have tokens beside them, which open the API until they are taken back', async () => {
    const made = await watari.watari(['token', 'create', 'portal', '--role', 'help-desk'])
    assert.equal(made.status, 0, made.stderr)
    const ask = async () =>
      (
        await fetch(`${webOrigin(watari)}/api/v1/users`, {
          headers: { authorization: `Bearer ${made.stdout.trim()}` },
        })
      ).status
    assert.equal(await ask(), 200)
    assert.match((await watari.watari(['token', 'ls'])).stdout, /^portal +help-desk +20.* api /m)
    assert.equal((await watari.watari(['token', 'rm', 'portal'])).status, 0)
    assert.equal(await ask(), 401)
    const { stdout } = await watari.watari(['token', 'history'])
    assert.match(stdout, /admin .* taken back +portal +help-desk[^]*admin .* made +portal/)
    const refused = await watari.watari(['token', 'create', 'portal', '--role', 'user'])
    assert.deepEqual([refused.status, refused.stderr.includes('--role is one of')], [2, true])
  })

  it('are made by us for single programs, which then log in by every way but a page', async () => {
    const web = webOrigin(watari)
    const headers = { 'content-type': 'application/json' }
    const own = watari.password('taro')
    const entered = await fetch(`${web}/auth/login`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ username: 'taro', password: own }),
    })
    const { csrfToken } = (await entered.json()) as { csrfToken: string }
    const cookie = entered.headers.getSetCookie()[0]!.split(';')[0]!
    const ask = (method: string, path: string, body?: unknown): Promise<Response> =>
      fetch(`${web}/auth/app-passwords${path}`, {
        method,
        headers: { ...headers, cookie, 'x-csrf-token': csrfToken },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
    const asked = { name: '電話 📱', password: own }
    assert.equal((await ask('POST', '', { ...asked, password: 'wrong' })).status, 422)
    assert.equal((await ask('POST', '', { ...asked, name: ' ' })).status, 400)
    assert.equal((await ask('POST', '', { ...asked, protocols: ['ftp'] })).status, 400)
    const answer = await ask('POST', '', asked)
    assert.equal(answer.status, 201)
    const made = (await answer.json()) as { id: string; password: string }
    const login = (way: Way): Promise<string> =>
      way(watari, { user: 'taro', password: Buffer.from(made.password) })
    const { 'JMAP, Basic': jmap, ...pages } = WEB_WAYS
    for (const [name, way] of Object.entries({ ...MAIL_WAYS, jmap: jmap! }))
      await until(`it lets in by ${name}`, async () => (await login(way)) === 'ok')
    for (const [name, way] of Object.entries(pages))
      assert.match(await login(way), /^HTTP 401 /, name)
    const basic = Buffer.from(`taro:${made.password}`).toString('base64')
    const byProgram = await fetch(`${web}/auth/app-passwords`, {
      headers: { authorization: `Basic ${basic}` },
    })
    assert.equal(byProgram.status, 403)
    const shown = async () => {
      const body = (await (await ask('GET', '')).json()) as {
        items: readonly { readonly lastUse?: { readonly ip: string; readonly protocol: string } }[]
      }
      return body.items
    }
    await until('its use is known', async () => (await shown())[0]?.lastUse !== undefined)
    const [item] = await shown()
    assert.deepEqual(Object.keys(item!), ['id', 'name', 'createdAt', 'lastUse'])
    assert.equal(item?.lastUse?.ip, '127.0.0.1')
    const listed = await watari.watari(['user', 'app-password', 'ls', 'taro'])
    assert.match(listed.stdout, /電話 📱 +\S+ +all +20\S+Z +(?:imap|pop3|smtp|jmap) +127\.0\.0\.1/)
    assert.equal((await ask('DELETE', '/nonsense')).status, 404)

    const byIt = { user: 'taro', password: Buffer.from(made.password) }
    const held = await Promise.all(Object.values(HELD).map((hold) => hold(watari, byIt)))
    const other = await HELD['IMAP']!(watari, { user: 'taro', password: Buffer.from(own) })
    assert.equal((await ask('DELETE', `/${made.id}`)).status, 204)
    const ends = await Promise.all(held.map((each) => each.ended()))
    const words = [/^\* BYE This login/m, /^$/, /^421 4\.7\.0 /, /^BYE "This login/, /[\s\S]*/]
    for (const [at, word] of words.entries()) assert.match(ends[at]!, word)
    other.send('DONE\r\n')
    await other.until(/^b OK .*\r\n/m)
    other.send('c IDLE\r\n')
    await other.until(/^\+ .*\r\n/m)
    const [way] = Object.values(MAIL_WAYS)
    await until('it is taken back', async () => (await login(way!)) !== 'ok')
    const history = await fetch(`${web}/api/v1/directory/history`, {
      headers: { authorization: `Bearer ${watari.firstRun.apiToken}` },
    })
    const told = await history.text()
    assert.match(told, /電話 📱/)
    assert.match(told, /webmail at store/)
    assert.doesNotMatch(told, /SCRAM-SHA-256\$/)
    const set = await watari.watari(['user', 'passwd', 'taro', '--password-stdin'], '新しい\n')
    assert.equal(set.status, 0, set.stderr)
    assert.match(await other.ended(), /^\* BYE This login/m)
  })
})

/** Connections that are logged in and stay, one of each kind. */
const HELD: Readonly<Record<string, (watari: Installation, login: Login) => Promise<Wire>>> = {
  IMAP: async (watari, login) => {
    const session = await wire(watari.port(993), { tlsCa: watari.ca })
    session.send(`a AUTHENTICATE PLAIN ${plain(login)}\r\na2 SELECT INBOX\r\nb IDLE\r\n`)
    await session.until(/^\+ .*\r\n/m)
    return session
  },
  POP3: async (watari, login) => {
    const session = await wire(watari.port(995), { tlsCa: watari.ca })
    await session.until(/^\+OK .*\r\n/)
    session.send(`AUTH PLAIN ${plain(login)}\r\n`)
    await session.until(/^\+OK .*\r\n/)
    return session
  },
  submission: async (watari, login) => {
    const port = watari.port(465)
    const session = await smtpSession({ port, tls: 'implicit', ca: watari.ca, login })
    // Amid a transaction, too.
    assert.match(await session.smtp('MAIL FROM:<taro@campus.example>'), /^250 /)
    return session
  },
  ManageSieve: async (watari, login) => {
    const session = await wire(watari.port(4190))
    await session.until(/^OK .*\r\n/m)
    session.send('STARTTLS\r\n')
    await session.until(/^OK .*\r\n/m)
    await session.startTls(watari.ca)
    await session.until(/^OK .*\r\n/m)
    session.send(`AUTHENTICATE "PLAIN" "${plain(login)}"\r\n`)
    await session.until(/^OK .*\r\n/m)
    return session
  },
  'event source': async (watari, { user, password }) => {
    const session = await wire(watari.port(443), { tlsCa: watari.ca })
    const basic = Buffer.concat([Buffer.from(`${user}:`), password]).toString('base64')
    session.send(
      'GET /jmap/eventsource?types=*&closeafter=no&ping=0 HTTP/1.1\r\n' +
        `Host: localhost\r\nConnection: close\r\nAuthorization: Basic ${basic}\r\n\r\n`,
    )
    await session.until(/^HTTP\/1\.1 200 [\s\S]*\r\n\r\n[\s\S]*: /)
    return session
  },
}

const REFUSED =
  /^(?:a NO \[AUTHENTICATIONFAILED\] |-ERR \[AUTH\] |535 5\.7\.8 )[A-Za-z ]+(?:\r\n)?$/
