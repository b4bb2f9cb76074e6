import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fromLatin1, fromUtf8, toLatin1 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { FakeClock, MINUTE_MS } from '#base/time.ts'
import type { Account, AccountId } from '#model/account.ts'
import { ScramClient } from '#test/fake/scram-client.ts'
import type { ScramLogins } from './authenticator.ts'
import type { DirectoryRow } from './directory.ts'
import { createAuthenticator } from './login.ts'
import { MemoryDirectory } from './memory-directory.ts'
import { exchangeScram, scramOffered } from './scram-exchange.ts'
import type { Channel, ScramEnd } from './scram-exchange.ts'
import { checkProof, makeScramKeys, parseScramKeys } from './scram-keys.ts'

const REMOTE = '192.0.2.7'
const ITERATIONS = 4_096
const SSHA = '{SSHA}6g2/bPy+fNXgMVMqcRtlbmDYSBDVVxNnaXRzdW5l'

const accountOf = (username: string, more: Partial<Account> = {}): Account => ({
  id: `a-${username}` as AccountId,
  username,
  domain: 'campus.example',
  admin: false,
  disabled: false,
  credentialVersion: 1,
  addresses: [],
  delegated: [],
  ...more,
})
const rowOf = (account: Account): DirectoryRow => ({ kind: 'account', account })

async function keyed(username: string, password: string | Octets): Promise<Account> {
  const octets = typeof password === 'string' ? fromUtf8(password) : password
  const scram = await makeScramKeys(octets, ITERATIONS)
  return accountOf(username, { credential: 'x', ...(scram !== undefined && { scram }) })
}

async function setUp(passwords: Readonly<Record<string, string>>) {
  const accounts = await Promise.all(Object.entries(passwords).map(([n, p]) => keyed(n, p)))
  const directory = new MemoryDirectory([
    { kind: 'domain', domain: { name: 'campus.example', saltKey: 'ひみつ' } },
    ...accounts.map(rowOf),
  ])
  const clock = new FakeClock()
  const authenticator = createAuthenticator({
    directory,
    clock,
    scram: () => ({ enabled: true, iterations: ITERATIONS }),
  })
  const put = (account: Account): void => {
    const key = `account:${account.id}`
    directory.apply([{ seq: directory.seq + 1, key, row: rowOf(account) }])
  }
  const scram = authenticator.scram!
  const login = (client: ScramClient, more: Partial<Talk> = {}): Promise<string> =>
    talk(scram, client, more)
  return { directory, clock, authenticator, scram, put, login }
}

interface Talk {
  readonly ip: string
  readonly plus: boolean
  readonly channel: Channel
  /** Changes a message on its way to the server; undefined: the client is gone. */
  readonly onTheWay: (message: string, turn: number) => string | undefined
}

/** Plays a client out; `ok NAME` or how it ended. */
async function talk(scram: ScramLogins, client: ScramClient, how: Partial<Talk>): Promise<string> {
  const { ip = REMOTE, plus = false, channel, onTheWay = (message) => message } = how
  const wire = (text: string): Octets => fromLatin1(Buffer.from(text).toString('base64'))
  let turn = 0
  const end: ScramEnd = await exchangeScram(
    scram,
    {
      mechanism: plus ? 'SCRAM-SHA-256-PLUS' : 'SCRAM-SHA-256',
      channel,
      initial: undefined,
      ip,
      protocol: 'imap',
    },
    async (challenge) => {
      const said = Buffer.from(toLatin1(challenge), 'base64').toString()
      if (turn === 2) client.trusts(said)
      const answer = turn === 0 ? client.first() : turn === 1 ? client.final(said) : ''
      const sent = onTheWay(answer, turn++)
      return sent === undefined ? undefined : wire(sent)
    },
  )
  if (end.kind === 'loggedIn') return `ok ${end.account.username}`
  return end.kind === 'fault' ? end.fault : end.kind
}

describe('SCRAM-SHA-256', () => {
  test('checks the proof of RFC 7677 §3 and answers with its signature', async () => {
    const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64')
    const text = await makeScramKeys(fromUtf8('pencil'), 4_096, salt)
    const keys = parseScramKeys(text!)!
    const nonce = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0'
    const answer = {
      authMessage: `n=user,r=rOprNGfwEbeRWgbNEkqO,r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=${nonce}`,
      proof: Buffer.from('dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=', 'base64'),
    }
    const signature = '6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='
    assert.equal(checkProof(keys, answer)?.toString('base64'), signature)
    const wrong = Uint8Array.from(answer.proof)
    wrong[31]! ^= 1
    assert.equal(checkProof(keys, { ...answer, proof: wrong }), undefined)
    assert.equal(checkProof(keys, { ...answer, proof: answer.proof.subarray(1) }), undefined)
    assert.match(text!, /^SCRAM-SHA-256\$4096:W22ZaJ0SNY7soEsUEjb6gQ==\$[^:]{44}:[^:]{44}$/)
  })

  test('lets in with Japanese passwords, prepared by the client or not', async () => {
    const passwords = {
      hanako: '渡り鳥',
      taro: 'ｶﾀｶﾅ　１２',
      long: 'か'.repeat(333) + '!',
      comma: 'a,b=c & "d"',
    }
    const { login } = await setUp(passwords)
    for (const [name, password] of Object.entries(passwords)) {
      assert.equal(await login(new ScramClient({ login: name, password })), `ok ${name}`)
      const prepared = password.normalize('NFKC')
      const client = new ScramClient({ login: `${name}@CAMPUS.example`, password: prepared })
      assert.equal(await login(client), `ok ${name}`)
    }
    assert.equal(await login(new ScramClient({ login: 'hanako', password: '渡り' })), 'refused')
  })

  test('is offered only while every account that can log in has keys', async () => {
    const { authenticator, directory, put } = await setUp({ hanako: '花' })
    const offered = (): readonly string[] => scramOffered(authenticator, () => undefined)
    assert.deepEqual(offered(), ['SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS'])
    assert.deepEqual(scramOffered(authenticator, undefined), ['SCRAM-SHA-256'])
    put(accountOf('office')) // nobody logs in there
    assert.equal(offered().length, 2)
    put(accountOf('jiro', { credential: SSHA }))
    assert.deepEqual(offered(), [])
    put(accountOf('jiro', { credential: SSHA, disabled: true }))
    assert.equal(offered().length, 2)
    put(accountOf('jiro', { credential: SSHA }))
    put(await keyed('jiro', '二'))
    assert.equal(offered().length, 2)
    put(await keyed('emoji', '🐦'))
    put(await keyed('sjis', Uint8Array.of(0x83, 0x5c)))
    assert.equal(directory.scram.lacking, 2)
    for (const name of ['emoji', 'sjis'])
      directory.apply([{ seq: directory.seq + 1, key: `account:a-${name}`, row: null }])
    assert.deepEqual([...directory.scram.iterations], [[ITERATIONS, 2]])
    assert.equal(offered().length, 2)
  })

  test('tells nobody who exists: the salt of a name is its own, the same again and elsewhere', async () => {
    const { scram, login, put } = await setUp({ hanako: '花' })
    put(accountOf('office'))
    const other = await setUp({ taro: '太' })
    const saltOf = (from: ScramLogins, name: string): string => toLatin1(from.begin(name).salt)
    for (const name of ['nobody', 'office', '誰か', 'x@elsewhere.example']) {
      assert.equal(saltOf(scram, name), saltOf(scram, name))
      assert.equal(saltOf(scram, name), saltOf(other.scram, name))
      assert.equal(scram.begin(name).iterations, ITERATIONS)
      assert.equal(scram.begin(name).salt.length, scram.begin('hanako').salt.length)
      assert.equal(await login(new ScramClient({ login: name, password: '' })), 'refused')
    }
    assert.equal(saltOf(scram, 'NoBody'), saltOf(scram, 'nobody@campus.example'))
    assert.notEqual(saltOf(scram, 'nobody'), saltOf(scram, 'somebody'))
  })

  test('refuses a replay, another nonce, and a proof for another message', async () => {
    const { login } = await setUp({ hanako: '花' })
    const client = (): ScramClient =>
      new ScramClient({ login: 'hanako', password: '花', nonce: 'same' })
    let heard = ''
    const listen = (message: string, turn: number): string => {
      if (turn === 1) heard = message
      return message
    }
    assert.equal(await login(client(), { onTheWay: listen }), 'ok hanako')
    const replay = (message: string, turn: number): string => (turn === 1 ? heard : message)
    assert.equal(await login(client(), { onTheWay: replay }), 'refused')
    const extended = (message: string, turn: number): string =>
      turn === 1 ? message.replace(',p=', ',x=1,p=') : message
    assert.equal(await login(client(), { onTheWay: extended }), 'refused')
  })

  test('binds the channel: another one, a type that is not had, a flag that hides PLUS (RFC 5802 §6)', async () => {
    const { login } = await setUp({ hanako: '花' })
    const channel: Channel = (type) => (type === 'tls-exporter' ? fromUtf8('回線') : undefined)
    const by = (header: string, bound?: Octets): ScramClient =>
      new ScramClient({
        login: 'hanako',
        password: '花',
        header,
        ...(bound !== undefined && { channel: bound }),
      })
    const exporter = 'p=tls-exporter,,'
    const plus = { plus: true, channel }
    assert.equal(await login(by(exporter, fromUtf8('回線')), plus), 'ok hanako')
    assert.equal(await login(by(exporter, fromUtf8('別線')), plus), 'refused')
    assert.equal(await login(by(exporter), plus), 'refused')
    assert.equal(await login(by('p=tls-unique,,', fromUtf8('回線')), plus), 'malformed')
    assert.equal(await login(by('n,,'), plus), 'malformed')
    assert.equal(await login(by(exporter, fromUtf8('回線')), { channel }), 'malformed')
    assert.equal(await login(by('y,,'), { channel }), 'malformed', 'PLUS was offered')
    assert.equal(await login(by('n,,'), { channel }), 'ok hanako')
    assert.equal(await login(by('y,,'), {}), 'ok hanako', 'PLUS was not offered')
    const hidden = (message: string, turn: number): string =>
      turn === 0 ? message.replace('y,,', 'n,,') : message
    assert.equal(await login(by('y,,'), { channel, onTheWay: hidden }), 'refused')
  })

  test('acts as nobody else, and ends where the client cancels, breaks off or says too much', async () => {
    const { login } = await setUp({ hanako: '花' })
    const client = (header: string): ScramClient =>
      new ScramClient({ login: 'hanako', password: '花', header })
    assert.equal(await login(client('n,a=hanako,')), 'ok hanako')
    assert.equal(await login(client('n,a=admin,')), 'otherUser')
    for (const at of [0, 1, 2]) {
      const gone = (message: string, turn: number) => (turn === at ? undefined : message)
      assert.equal(await login(client('n,,'), { onTheWay: gone }), 'gone')
      const odd = (message: string, turn: number) => (turn === at ? 'よ' : message)
      assert.equal(await login(client('n,,'), { onTheWay: odd }), 'malformed')
    }
  })

  test('slows guessing as with other mechanisms, and counts with them', async () => {
    const { authenticator, clock, login } = await setUp({ hanako: '花' })
    const guess = (password: string): Promise<string> =>
      login(new ScramClient({ login: 'hanako', password }))
    let slowed = 0
    for (let i = 0; i < 14 && slowed === 0; i++) {
      const answer = guess(`推測 ${i}`)
      for (let step = 0; step < 5; step++) {
        await new Promise(setImmediate)
        clock.advance(1_000)
      }
      if ((await answer) === 'slowed') slowed = i
    }
    assert.ok(slowed >= 5, `after ${slowed}`)
    assert.equal(await guess('花'), 'slowed', 'the right one too')
    const plain = await authenticator.login({
      login: 'hanako',
      password: fromUtf8('花'),
      ip: REMOTE,
      protocol: 'imap',
    })
    assert.equal(plain.ok ? 'ok' : plain.error, 'slowed')
    clock.advance(15 * MINUTE_MS)
    assert.equal(await guess('花'), 'ok hanako')
  })

  test('believes no keys that were replaced, nor an account that was disabled, meanwhile', async () => {
    const { directory, login, put } = await setUp({ hanako: '花', taro: '太' })
    const during = (change: Account) => (message: string, turn: number) => {
      if (turn === 1) put(change)
      return message
    }
    const hanako = directory.account('a-hanako' as AccountId)!
    const client = (): ScramClient => new ScramClient({ login: 'hanako', password: '花' })
    const disabled = { ...hanako, disabled: true }
    assert.equal(await login(client(), { onTheWay: during(disabled) }), 'refused')
    put(hanako)
    const renewed = { ...(await keyed('hanako', '華')), credentialVersion: 2 }
    assert.equal(await login(client(), { onTheWay: during(renewed) }), 'refused')
    assert.equal(await login(new ScramClient({ login: 'hanako', password: '華' })), 'ok hanako')
  })
})
