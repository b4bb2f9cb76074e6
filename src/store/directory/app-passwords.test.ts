import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fromLatin1, fromUtf8, toLatin1 } from '#base/octets.ts'
import { FakeClock, MINUTE_MS } from '#base/time.ts'
import type { Account } from '#model/account.ts'
import { fakeAccount } from '#test/fake/authenticator.ts'
import { ScramClient } from '#test/fake/scram-client.ts'
import { areKeysRight, basisOf, makeAppPassword } from './app-passwords.ts'
import type { LoginAttempt } from './authenticator.ts'
import { createAuthenticator } from './login.ts'
import { MemoryDirectory } from './memory-directory.ts'
import { hashPassword } from './password.ts'
import { exchangeScram } from './scram-exchange.ts'
import { makeScramKeys } from './scram-keys.ts'

const OWN = '渡り & 鳥'
const ITERATIONS = 4_096
const ASK = { name: '電話 📱', atMs: Date.UTC(2026, 10, 27), iterations: ITERATIONS }

async function setUp(more: Partial<Account> = {}) {
  const account: Account = {
    ...fakeAccount('hanako'),
    credential: await hashPassword(fromUtf8(OWN)),
    scram: (await makeScramKeys(fromUtf8(OWN), ITERATIONS))!,
    ...more,
  }
  const directory = new MemoryDirectory([
    { kind: 'domain', domain: { name: 'campus.example', saltKey: 'ひみつ' } },
    { kind: 'account', account },
  ])
  const asked: string[] = []
  const clock = new FakeClock()
  const authenticator = createAuthenticator({
    directory,
    clock,
    scram: () => ({ enabled: true, iterations: ITERATIONS }),
    binds: {
      bind: async ({ dn }) => {
        asked.push(dn)
        return false
      },
    },
  })
  const put = (change: Partial<Account>): Account => {
    const row = { ...directory.account(account.id)!, ...change }
    directory.apply([
      { seq: directory.seq + 1, key: `account:${row.id}`, row: { kind: 'account', account: row } },
    ])
    return row
  }
  let clients = 0
  const login = async (
    password: string,
    protocol: LoginAttempt['protocol'] = 'imap',
  ): Promise<string> => {
    const ip = `198.51.100.${++clients}`
    const answer = await authenticator.login({
      login: 'hanako',
      password: fromUtf8(password),
      ip,
      protocol,
    })
    return answer.ok ? 'ok' : answer.error
  }
  const byScram = async (password: string, protocol: LoginAttempt['protocol']): Promise<string> => {
    const client = new ScramClient({ login: 'hanako', password })
    let turn = 0
    const end = await exchangeScram(
      authenticator.scram!,
      {
        mechanism: 'SCRAM-SHA-256',
        channel: undefined,
        initial: undefined,
        ip: `203.0.113.${++clients}`,
        protocol,
      },
      async (challenge) => {
        const said = Buffer.from(toLatin1(challenge), 'base64').toString()
        if (turn === 2) client.trusts(said)
        const answer = turn === 0 ? client.first() : turn === 1 ? client.final(said) : ''
        turn++
        return fromLatin1(Buffer.from(answer).toString('base64'))
      },
    )
    return end.kind === 'loggedIn' ? 'ok' : end.kind === 'fault' ? end.fault : end.kind
  }
  return { account, directory, clock, asked, put, login, byScram, authenticator }
}

describe('passwords of single programs', () => {
  test('let in wherever programs log in, as they are shown or as people type them, and on no page', async () => {
    const { account, put, login } = await setUp()
    const { password, row } = await makeAppPassword(account, ASK)
    assert.match(password, /^(?:[a-km-np-z2-9]{5}-){3}[a-km-np-z2-9]{5}$/)
    assert.equal(await login(password), 'refused')
    put({ appPasswords: [row] })
    for (const protocol of ['imap', 'pop3', 'smtp', 'http', 'managesieve', 'ldap'] as const)
      assert.equal(await login(password, protocol), 'ok', protocol)
    assert.equal(await login(password, 'page'), 'refused')
    assert.equal(await login(password.replaceAll('-', '').toUpperCase()), 'ok')
    assert.equal(await login(password.replaceAll('-', ' ')), 'ok')
    assert.equal(await login(`${password.slice(0, -1)}!`), 'refused')
    assert.equal(await login(OWN, 'page'), 'ok')
  })

  test('are taken back one by one, let in only where they are for, and nobody who is disabled', async () => {
    const { account, put, login } = await setUp()
    const phone = await makeAppPassword(account, ASK)
    const printer = await makeAppPassword(
      { ...account, appPasswords: [phone.row] },
      { ...ASK, name: '複合機', protocols: ['smtp'] },
    )
    put({ appPasswords: [phone.row, printer.row] })
    assert.equal(await login(printer.password, 'smtp'), 'ok')
    assert.equal(await login(printer.password, 'imap'), 'refused')
    put({ disabled: true })
    assert.equal(await login(printer.password, 'smtp'), 'refused')
    put({ disabled: false, appPasswords: [printer.row] })
    assert.equal(await login(phone.password), 'refused')
    assert.equal(await login(printer.password, 'smtp'), 'ok')
  })

  test('are no matter of a source: it is asked about none of them', async () => {
    const bind = { source: 'campus', key: 'entryuuid=1', dn: 'uid=hanako' }
    const { account, put, login, asked } = await setUp()
    const { password, row } = await makeAppPassword(account, ASK)
    const { credential: _, scram: __, ...bound } = put({ appPasswords: [row], bind })
    const { directory, authenticator } = await setUp()
    directory.apply([
      {
        seq: directory.seq + 1,
        key: `account:${bound.id}`,
        row: { kind: 'account', account: bound },
      },
    ])
    const answer = await authenticator.login({
      login: 'hanako',
      password: fromUtf8(password),
      ip: '192.0.2.1',
      protocol: 'pop3',
    })
    assert.equal(answer.ok, true)
    assert.equal(await login(password), 'ok')
    assert.deepEqual(asked, [])
  })

  test('log in by SCRAM on the salt of their account, which is that of a new password too', async () => {
    const { account, directory, put, byScram } = await setUp()
    const phone = await makeAppPassword(account, { ...ASK, iterations: 10_000 })
    const printer = await makeAppPassword(account, { ...ASK, protocols: ['smtp'] })
    put({ appPasswords: [phone.row, printer.row] })
    assert.equal(directory.scram.lacking, 0)
    assert.equal(await byScram(OWN, 'imap'), 'ok')
    assert.equal(await byScram(phone.password, 'imap'), 'ok')
    assert.equal(await byScram(printer.password, 'smtp'), 'ok')
    assert.equal(await byScram(printer.password, 'imap'), 'refused')
    assert.equal(await byScram('wrong', 'imap'), 'refused')
    const now = directory.account(account.id)!
    const { salt, iterations } = basisOf(now)!
    put({
      scram: (await makeScramKeys(fromUtf8('新しい'), iterations, salt))!,
      credentialVersion: 2,
    })
    assert.equal(await byScram('新しい', 'imap'), 'ok')
    assert.equal(await byScram(phone.password, 'imap'), 'ok')
    assert.equal(await byScram(OWN, 'imap'), 'refused')
    put({ appPasswords: [printer.row] })
    assert.equal(await byScram(phone.password, 'imap'), 'refused')
  })

  test('while keys of an account are on two salts SCRAM is not offered, for it would lock programs out', async () => {
    const { account, directory, put, authenticator } = await setUp()
    const { row } = await makeAppPassword(account, ASK)
    const other = (await makeScramKeys(fromUtf8(OWN), ITERATIONS))!
    const mixed = put({ appPasswords: [row], scram: other })
    assert.equal(areKeysRight(mixed, ITERATIONS), false)
    assert.equal(directory.scram.lacking, 1)
    assert.equal(authenticator.scram!.offered, false)
    const { salt } = basisOf(mixed)!
    const mended = put({ scram: (await makeScramKeys(fromUtf8(OWN), ITERATIONS, salt))! })
    assert.equal(areKeysRight(mended, 10_000), true, 'whatever the setting says now')
    assert.equal(authenticator.scram!.offered, true)
  })

  test('guesses at them are slowed as all others are', async () => {
    const { account, put, authenticator, clock } = await setUp()
    const { password, row } = await makeAppPassword(account, ASK)
    put({ appPasswords: [row] })
    const ask = (text: string) =>
      authenticator.login({
        login: 'hanako',
        password: fromUtf8(text),
        ip: '192.0.2.9',
        protocol: 'imap',
      })
    for (let n = 0; n < 9; n++) {
      const answer = ask(`aaaaa-aaaaa-aaaaa-aaaa${'bcdefghij'[n]}`)
      await Promise.resolve()
      clock.advance(4_000)
      assert.equal((await answer).ok, false)
    }
    for (let n = 0; n < 3; n++) {
      const answer = ask(`ccccc-aaaaa-aaaaa-aaaa${'bcd'[n]}`)
      await Promise.resolve()
      clock.advance(4_000)
      await answer
    }
    assert.deepEqual(await ask(password), { ok: false, error: 'slowed' })
    clock.advance(90 * MINUTE_MS)
    assert.equal((await ask(password)).ok, true)
  })
})
