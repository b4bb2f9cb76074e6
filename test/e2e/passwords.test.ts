import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'

import { install } from './installation.ts'
import type { Installation } from './installation.ts'
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

interface Login {
  readonly user: string
  readonly password: Uint8Array
}
/** One way to log in: resolves with the server's word, 'ok' where it let us in. */
type Way = (watari: Installation, login: Login) => Promise<string>

const base64 = (octets: string | Uint8Array): string => Buffer.from(octets).toString('base64')
const line = (...parts: readonly (string | Uint8Array)[]): Buffer =>
  Buffer.concat([...parts, '\r\n'].map((part) => Buffer.from(part)))
const escaped = (octets: Uint8Array): Buffer =>
  Buffer.from(
    Buffer.from(octets)
      .toString('latin1')
      .replace(/["\\]/g, String.raw`\$&`),
    'latin1',
  )

async function within(
  open: Promise<Wire>,
  talk: (session: Wire) => Promise<string>,
): Promise<string> {
  const session = await open
  try {
    return await talk(session)
  } finally {
    session.close()
  }
}

const imap =
  (talk: (session: Wire, login: Login) => void | Promise<void>): Way =>
  async (watari, login) =>
    within(wire(watari.port(993), { tlsCa: watari.ca }), async (session) => {
      await session.until(/^\* OK .*\r\n/)
      await talk(session, login)
      const end = await session.until(/^a .*\r\n/m)
      return end.includes('a OK ') ? 'ok' : end
    })

const pop3 =
  (talk: (session: Wire, login: Login) => void | Promise<void>): Way =>
  async (watari, login) =>
    within(wire(watari.port(995), { tlsCa: watari.ca }), async (session) => {
      await session.until(/^\+OK .*\r\n/)
      await talk(session, login)
      const end = await session.until(/^(?:\+OK|-ERR) .*\r\n/)
      if (!end.startsWith('+OK')) return end
      session.send('QUIT\r\n') // RFC 1939 §8: the maildrop is let go before the next one logs in
      await session.until(/^\+OK.*\r\n/)
      return 'ok'
    })

const smtp =
  (talk: (session: Wire, login: Login) => Promise<string>): Way =>
  async (watari, login) =>
    within(
      smtpSession({ port: watari.port(465), tls: 'implicit', ca: watari.ca }),
      async (session) => {
        const reply = await talk(session, login)
        return reply.startsWith('235 ') ? 'ok' : reply
      },
    )

const WAYS: Readonly<Record<string, Way>> = {
  'IMAP LOGIN, quoted': imap((session, { user, password }) =>
    session.send(line(`a LOGIN "${user}" "`, escaped(password), '"')),
  ),
  'IMAP LOGIN, literals': imap(async (session, { user, password }) => {
    session.send(`a LOGIN {${user.length}}\r\n`)
    await session.until(/^\+ .*\r\n/)
    session.send(`${user} {${password.length}}\r\n`)
    await session.until(/^\+ .*\r\n/)
    session.send(line(password))
  }),
  'IMAP LOGIN, literals without waiting': imap((session, { user, password }) =>
    session.send(line(`a LOGIN {${user.length}+}\r\n${user} {${password.length}+}\r\n`, password)),
  ),
  'IMAP AUTHENTICATE PLAIN': imap(async (session, login) => {
    session.send('a AUTHENTICATE PLAIN\r\n')
    await session.until(/^\+ .*\r\n/)
    session.send(line(plain(login)))
  }),
  'IMAP AUTHENTICATE PLAIN, initial response': imap((session, login) =>
    session.send(line(`a AUTHENTICATE PLAIN ${plain(login)}`)),
  ),
  'POP3 USER and PASS': pop3(async (session, { user, password }) => {
    session.send(line(`USER ${user}`))
    await session.until(/^\+OK.*\r\n/)
    session.send(line('PASS ', password))
  }),
  'POP3 AUTH PLAIN': pop3((session, login) => session.send(line(`AUTH PLAIN ${plain(login)}`))),
  'POP3 AUTH LOGIN': pop3(async (session, { user, password }) => {
    session.send('AUTH LOGIN\r\n')
    await session.until(/^\+ .*\r\n/)
    session.send(line(base64(user)))
    await session.until(/^\+ .*\r\n/)
    session.send(line(base64(password)))
  }),
  'SMTP AUTH PLAIN': smtp((session, login) => session.smtp(`AUTH PLAIN ${plain(login)}`)),
  'SMTP AUTH LOGIN': smtp(async (session, { user, password }) => {
    await session.smtp('AUTH LOGIN')
    await session.smtp(base64(user))
    return session.smtp(base64(password))
  }),
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
      for (const [way, logIn] of Object.entries(WAYS))
        for (const user of NAMES)
          assert.equal(await logIn(watari, { user, password }), 'ok', `${way} as ${user}`)
    })

  it('is set without a final LF just so, and never in part', async () => {
    const set = await watari.watari(['user', 'passwd', 'kana', '--password-stdin'], '終わり ')
    assert.equal(set.status, 0, set.stderr)
    for (const logIn of Object.values(WAYS))
      assert.equal(await logIn(watari, { user: 'kana', password: Buffer.from('終わり ') }), 'ok')
    for (const impossible of ['', '\n', 'a\nb', 'a\rb', 'a\0b', 'x'.repeat(1_001)]) {
      const refused = await watari.watari(
        ['user', 'passwd', 'kana', '--password-stdin'],
        impossible,
      )
      assert.equal(refused.status, 1, JSON.stringify(impossible))
      assert.match(refused.stderr, /cannot be a password/)
    }
    const [first] = Object.values(WAYS)
    assert.equal(await first?.(watari, { user: 'kana', password: Buffer.from('終わり ') }), 'ok')
  })

  for (const [way, logIn] of Object.entries(WAYS))
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
})

const REFUSED =
  /^(?:a NO \[AUTHENTICATIONFAILED\] |-ERR \[AUTH\] |535 5\.7\.8 )[A-Za-z ]+(?:\r\n)?$/
