import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'

import { install } from './installation.ts'
import type { Installation } from './installation.ts'
import { MAIL_WAYS } from './login-ways.ts'

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
})

const REFUSED =
  /^(?:a NO \[AUTHENTICATIONFAILED\] |-ERR \[AUTH\] |535 5\.7\.8 )[A-Za-z ]+(?:\r\n)?$/
