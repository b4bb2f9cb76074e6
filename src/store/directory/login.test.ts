import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fromUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { FakeClock, HOUR_MS, MINUTE_MS } from '#base/time.ts'
import type { Account, AccountId } from '#model/account.ts'
import { LIFE_RULES, momentAt } from '#model/account-life.ts'
import { createAuthenticator } from './login.ts'
import { MemoryDirectory } from './memory-directory.ts'
import { hashPassword, isPassword, verifyPassword } from './password.ts'

const REMOTE = '192.0.2.7'

function accountRow(username: string, credential?: string, more: Partial<Account> = {}) {
  return {
    kind: 'account' as const,
    account: {
      id: `a-${username}` as AccountId,
      username,
      domain: 'campus.example',
      admin: false,
      disabled: false,
      ...(credential !== undefined && { credential }),
      credentialVersion: 1,
      addresses: [],
      delegated: [],
      ...more,
    },
  }
}

async function setUp(passwords: Readonly<Record<string, Octets>>, more: Partial<Account> = {}) {
  const rows = await Promise.all(
    Object.entries(passwords).map(async ([name, password]) =>
      accountRow(name, await hashPassword(password), more),
    ),
  )
  const directory = new MemoryDirectory([
    { kind: 'domain', domain: { name: 'campus.example' } },
    ...rows,
    accountRow('nopassword'),
  ])
  const clock = new FakeClock()
  const authenticator = createAuthenticator({ directory, clock })
  const login = async (name: string, password: string | Octets, ip = REMOTE): Promise<string> => {
    const octets = typeof password === 'string' ? fromUtf8(password) : password
    const result = await authenticator.login({
      login: name,
      password: octets,
      ip,
      protocol: 'imap',
    })
    return result.ok ? `ok ${result.value.username}` : result.error
  }
  return { directory, clock, login }
}

describe('passwords', () => {
  test('octets are opaque: ampersands, blanks, quotes, kana, 8-bit, 1 and 1,000 of them', async () => {
    for (const password of [
      fromUtf8('a&b'),
      fromUtf8('&amp;'),
      fromUtf8(' lead and trail '),
      fromUtf8(`'"\\`),
      fromUtf8('パスワード渡り'),
      fromUtf8('x'),
      new Uint8Array([0xff, 0x80, 0xfe]),
      new Uint8Array(1_000).fill(0x61),
    ]) {
      const hash = await hashPassword(password)
      assert.match(hash, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
      assert.equal(await verifyPassword(password, hash), true)
      assert.equal(await verifyPassword(new Uint8Array([...password, 0x21]), hash), false)
    }
  })

  test('none, too long, NUL, CR and LF are no passwords', () => {
    assert.equal(isPassword(fromUtf8('')), false)
    assert.equal(isPassword(new Uint8Array(1_001).fill(0x61)), false)
    for (const octet of [0, 10, 13]) assert.equal(isPassword(new Uint8Array([0x61, octet])), false)
    assert.equal(isPassword(new Uint8Array(1_000).fill(0x20)), true)
  })

  test('a hash of other costs is understood; one that is none matches nothing', async () => {
    // RFC 9106 has no PHC vector; made by the reference implementation (argon2 -id -t 2 -m 16 -p 1).
    const password = fromUtf8('password')
    for (const bad of [
      '',
      '$argon2id$v=19$m=1,t=1,p=1$AAAA$AAAA',
      '$2b$10$abcdefghijklmnopqrstuv',
      '{PLAIN}password',
    ])
      assert.equal(await verifyPassword(password, bad), false, bad)
    assert.equal(await verifyPassword(password, undefined), false)
  })
})

describe('logins', () => {
  test('the right password opens; wrong, unknown, disabled and passwordless are refused alike', async () => {
    const { directory, login } = await setUp({ hanako: fromUtf8('渡り & 鳥') })
    assert.equal(await login('hanako', '渡り & 鳥'), 'ok hanako')
    assert.equal(await login('HANAKO@Campus.Example', '渡り & 鳥'), 'ok hanako')
    assert.equal(await login('hanako', '渡り &  鳥'), 'refused')
    assert.equal(await login('nobody', '渡り & 鳥'), 'refused')
    assert.equal(await login('nopassword', 'x'), 'refused')
    assert.equal(await login('hanako', ''), 'refused')
    const row = directory.byLogin('hanako')!
    directory.apply([
      {
        seq: 10,
        key: `account:${row.id}`,
        row: { kind: 'account', account: { ...row, disabled: true } },
      },
    ])
    assert.equal(
      await login('hanako', '渡り & 鳥'),
      'refused',
      'also though the check is remembered',
    )
  })

  test('nobody enters before the first day, after the grace, or deleted; sessions end; the login of before goes on', async () => {
    let today = '2027-03-31'
    const rules = { ...LIFE_RULES, zone: 'UTC', graceDays: 1 }
    const row = accountRow('hanako', await hashPassword(fromUtf8('渡り')), {
      startsOn: '2027-04-01',
      expiresOn: '2031-03-31',
      formerAddresses: [
        {
          address: { localpart: 'yamada', domain: 'campus.example' },
          keptUntil: '2028-01-01T00:00:00.000Z',
          reservedUntil: '2030-01-01T00:00:00.000Z',
        },
      ],
    })
    const domain = { kind: 'domain', domain: { name: 'campus.example' } } as const
    const directory = new MemoryDirectory([domain, row], 2, {
      get moment() {
        return momentAt(Date.parse(`${today}T12:00:00Z`), rules)
      },
    })
    const authenticator = createAuthenticator({ directory, clock: new FakeClock() })
    const login = async (name: string): Promise<boolean> => {
      const password = fromUtf8('渡り')
      return (
        await authenticator.login({ login: name, password, ip: '127.0.0.1', protocol: 'imap' })
      ).ok
    }
    const tried: Record<string, readonly boolean[]> = {}
    for (today of ['2027-03-31', '2027-04-01', '2028-01-01', '2031-04-01', '2031-04-02'])
      tried[today] = [
        await login('hanako'),
        await login('yamada'),
        authenticator.mayStay!(row.account),
      ]
    assert.deepEqual(tried, {
      '2027-03-31': [false, false, false],
      '2027-04-01': [true, true, true],
      '2028-01-01': [true, false, true],
      '2031-04-01': [true, false, true],
      '2031-04-02': [false, false, false],
    })
    const gone = accountRow('hanako', row.account.credential, {
      deletedAt: '2027-05-01T00:00:00.000Z',
    })
    today = '2027-05-01'
    directory.apply([{ seq: 3, key: `account:${row.account.id}`, row: gone }])
    assert.equal(await login('hanako'), false)
    assert.equal(authenticator.mayStay!(row.account), false)
  })

  test('a new password ends what was remembered of the old one', async () => {
    const { directory, login } = await setUp({ hanako: fromUtf8('old') })
    assert.equal(await login('hanako', 'old'), 'ok hanako')
    const row = directory.byLogin('hanako')!
    const credential = await hashPassword(fromUtf8('new'))
    directory.apply([
      {
        seq: 10,
        key: `account:${row.id}`,
        row: { kind: 'account', account: { ...row, credential, credentialVersion: 2 } },
      },
    ])
    assert.equal(await login('hanako', 'old'), 'refused')
    assert.equal(await login('hanako', 'new'), 'ok hanako')
  })

  test('without a copy of the directory the answer is unavailable, never refused', async () => {
    const authenticator = createAuthenticator({
      directory: new MemoryDirectory(),
      clock: new FakeClock(),
    })
    const result = await authenticator.login({
      login: 'x',
      password: fromUtf8('x'),
      ip: REMOTE,
      protocol: 'pop3',
    })
    assert.deepEqual(result, { ok: false, error: 'unavailable' })
  })

  test('more questions than the pool holds are unavailable', async () => {
    const authenticator = createAuthenticator({
      directory: new MemoryDirectory([{ kind: 'domain', domain: { name: 'campus.example' } }]),
      clock: new FakeClock(),
      poolLimit: 1,
      waitingMax: 3,
    })
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        authenticator.login({
          login: `user${i}`,
          password: fromUtf8('guess'),
          ip: `198.51.100.${i}`,
          protocol: 'smtp',
        }),
      ),
    )
    const count = (fault: string) => answers.filter((a) => !a.ok && a.error === fault).length
    assert.deepEqual([count('refused'), count('unavailable')], [4, 6])
  })
})

describe('guessing', () => {
  const guess = async (
    login: (n: string, p: string, ip?: string) => Promise<string>,
    name: string,
    count: number,
    ip?: string,
  ) => {
    for (let i = 0; i < count; i++) await login(name, `guess ${i}`, ip)
  }

  test('guesses at one name are slowed whether it exists or not, and the owner is not', async () => {
    const { clock, login } = await setUp({ hanako: fromUtf8('right') })
    assert.equal(await login('hanako', 'right', '203.0.113.1'), 'ok hanako')
    for (const name of ['hanako', 'nobody']) {
      const answers: string[] = []
      for (let i = 0; i < 14; i++) {
        // Another client each time, so that only the name can be what is slowed.
        const answer = login(name, `guess ${i}`, `198.51.100.${i}`)
        if (i < 10) clock.advance(4_000)
        answers.push(await answer)
        if (answers.at(-1) === 'slowed') break
      }
      assert.equal(answers[0], 'refused')
      assert.equal(answers.at(-1), 'slowed', name)
      if (name === 'hanako') {
        assert.equal(await login(name, 'right', '198.51.100.99'), 'slowed')
        assert.equal(await login(name, 'right', '203.0.113.1'), 'ok hanako')
      }
    }
    clock.advance(2 * HOUR_MS)
    assert.equal(await login('hanako', 'right', '198.51.100.99'), 'ok hanako')
  })

  test('one client that tries many names is slowed, all of an IPv6 /64 alike', async () => {
    const { clock, login } = await setUp({ hanako: fromUtf8('right') })
    for (let i = 0; i < 12; i++) {
      const answer = login(`name${i}`, 'spring', `2001:db8:0:1::${i.toString(16)}`)
      await Promise.resolve()
      clock.advance(4_000)
      await answer
    }
    assert.equal(await login('hanako', 'right', '2001:db8:0:1:aaaa::1'), 'slowed')
    assert.equal(await login('hanako', 'right', '2001:db8:0:2::1'), 'ok hanako')
  })

  test('of many guesses sent at once only the free ones are tried', async () => {
    const { login } = await setUp({ hanako: fromUtf8('right') })
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, i) => login('hanako', `guess ${i}`, `198.51.100.${i}`)),
    )
    assert.ok(answers.filter((answer) => answer === 'refused').length <= 8)
    assert.ok(answers.filter((answer) => answer === 'slowed').length >= 52)
  })

  test('a program that repeats its old password counts once', async () => {
    const { login } = await setUp({ hanako: fromUtf8('right') })
    for (let i = 0; i < 20; i++) assert.equal(await login('hanako', 'old'), 'refused')
    assert.equal(await login('hanako', 'right'), 'ok hanako')
  })

  test('loopback is slowed, never sent away', async () => {
    const { clock, login } = await setUp({ hanako: fromUtf8('right') })
    await guess(login, 'hanako', 5, '127.0.0.1')
    for (let i = 0; i < 15; i++) {
      const answer = login('hanako', `more ${i}`, '127.0.0.1')
      await Promise.resolve()
      clock.advance(2_000)
      assert.equal(await answer, 'refused')
    }
    const answer = login('hanako', 'right', '127.0.0.1')
    await Promise.resolve()
    clock.advance(MINUTE_MS)
    assert.equal(await answer, 'ok hanako')
  })
})
