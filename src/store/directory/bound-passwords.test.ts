import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { fromUtf8, toUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import { DAY_MS, FakeClock, MINUTE_MS, SECOND_MS } from '#base/time.ts'
import type { Account, AccountId } from '#model/account.ts'
import { fakeAccount } from '#test/fake/authenticator.ts'
import { SqliteBindShelf } from './bind-shelf.ts'
import type { BindShelf } from './bind-shelf.ts'
import { createAuthenticator } from './login.ts'
import { MemoryDirectory } from './memory-directory.ts'
import { hashPassword } from './password.ts'

const HANAKO = '渡り & "鳥" '
const folder = mkdtempSync(join(tmpdir(), 'watari-binds-'))
after(() => rmSync(folder, { recursive: true }))
let shelves = 0

/** A source with passwords, which can be away, and what it was asked. */
class FakeSource {
  passwords: Record<string, string> = { 'uid=hanako': HANAKO }
  isAway = false
  readonly asked: string[] = []

  readonly bind = async (origin: { readonly dn: string }, password: Octets): Promise<boolean> => {
    this.asked.push(toUtf8(password))
    if (this.isAway) throw new Fault('unreachable', 'no host answers')
    return this.passwords[origin.dn] === toUtf8(password)
  }
}

const bound = (username: string, more: Partial<Account> = {}): Account => ({
  ...fakeAccount(username),
  bind: { source: 'campus', key: `entryuuid=${username}`, dn: `uid=${username}` },
  ...more,
})

/** A shelf on the disk that says when something has been put there. */
class WatchedShelf implements BindShelf {
  readonly #shelf: SqliteBindShelf
  readonly #waiting: { readonly times: number; readonly tell: () => void }[] = []
  puts = 0

  constructor(path: string) {
    this.#shelf = new SqliteBindShelf(path)
  }

  get: BindShelf['get'] = (ask) => this.#shelf.get(ask)
  drop: BindShelf['drop'] = (ask) => this.#shelf.drop(ask)
  forget: BindShelf['forget'] = (ask) => this.#shelf.forget(ask)
  put: BindShelf['put'] = async (kept) => {
    await this.#shelf.put(kept)
    this.puts++
    for (const { times, tell } of this.#waiting) if (this.puts >= times) tell()
  }

  /** Resolves once something has been put so many times. */
  kept(times: number): Promise<void> {
    if (this.puts >= times) return Promise.resolve()
    return new Promise((tell) => this.#waiting.push({ times, tell }))
  }

  close(): void {
    this.#shelf.close()
  }
}

/** Passes each wait at once, and tells how long it was to be. */
class HastyClock extends FakeClock {
  readonly waitsMs: number[] = []

  override after(delayMs: number, run: () => void): () => void {
    this.waitsMs.push(delayMs)
    queueMicrotask(run)
    return () => undefined
  }
}

async function setUp(
  options: {
    readonly days?: number
    readonly wrongMax?: number
    readonly clock?: FakeClock
    /** How long the source thinks about each. */
    readonly bindMs?: number
  } = {},
) {
  const path = join(folder, `${shelves++}.db`)
  const source = new FakeSource()
  const { clock = new FakeClock() } = options
  const directory = new MemoryDirectory([
    { kind: 'domain', domain: { name: 'campus.example' } },
    { kind: 'account', account: bound('hanako') },
    { kind: 'account', account: bound('taro') },
    {
      kind: 'account',
      account: { ...fakeAccount('local'), credential: await hashPassword(fromUtf8('here')) },
    },
  ])
  let shelf = new WatchedShelf(path)
  /** The process is started anew: what it had in memory is gone. */
  const start = () => {
    const authenticator = createAuthenticator({
      directory,
      clock,
      binds: {
        bind: (origin, password) => {
          clock.advance(options.bindMs ?? 0)
          return source.bind(origin, password)
        },
        remembering: { shelf, days: () => options.days ?? 5 },
        wrongMax: () => options.wrongMax ?? 1_000,
      },
    })
    return async (name: string, password: string, ip = '192.0.2.7'): Promise<string> => {
      const answer = await authenticator.login({
        login: name,
        password: fromUtf8(password),
        ip,
        protocol: 'imap',
      })
      return answer.ok ? 'ok' : answer.error
    }
  }
  const restart = () => {
    shelf.close()
    shelf = new WatchedShelf(path)
    return start()
  }
  let seq = 100
  const edit = (username: string, change: Partial<Account>): void => {
    const account = { ...directory.byLogin(username)!, ...change }
    directory.apply([
      { seq: ++seq, key: `account:${account.id}`, row: { kind: 'account', account } },
    ])
  }
  return {
    source,
    clock,
    login: start(),
    restart,
    edit,
    kept: (n: number) => shelf.kept(n),
    puts: () => shelf.puts,
  }
}

describe('a bind that was right', () => {
  test('lets its owner in while the source is away, also after a restart, and nobody else', async () => {
    const { source, login, restart, kept } = await setUp()
    assert.equal(await login('hanako', HANAKO), 'ok')
    await kept(1)
    source.isAway = true
    const later = restart()
    assert.equal(await later('hanako', HANAKO), 'ok')
    assert.equal(await later('hanako', HANAKO.trim()), 'unavailable', 'never called wrong')
    assert.equal(await later('taro', HANAKO), 'unavailable')
    assert.equal(source.asked.length, 4, 'the source was asked each time')
  })

  test('counts only while the source is away: what that calls wrong is forgotten', async () => {
    const { source, login, restart, kept, clock } = await setUp()
    await login('hanako', HANAKO)
    await kept(1)
    source.passwords = { 'uid=hanako': '新しい' }
    assert.equal(await restart()('hanako', 'a wrong guess'), 'refused')
    source.isAway = true
    assert.equal(await restart()('hanako', HANAKO), 'ok', 'a guess of others forgets nothing')
    source.isAway = false
    assert.equal(await restart()('hanako', HANAKO), 'refused')
    source.isAway = true
    assert.equal(await restart()('hanako', HANAKO), 'unavailable')
    source.isAway = false
    clock.advance(MINUTE_MS)
    const again = restart()
    assert.equal(await again('hanako', '新しい'), 'ok')
  })

  test('counts for the days that are set, whatever the clock does, and not at all where none are', async () => {
    for (const [ageMs, answer] of [
      [5 * DAY_MS - SECOND_MS, 'ok'],
      [5 * DAY_MS + SECOND_MS, 'unavailable'],
      [-4_000 * DAY_MS, 'unavailable'],
    ] as const) {
      const { source, login, restart, kept, clock } = await setUp()
      await login('hanako', HANAKO)
      await kept(1)
      source.isAway = true
      clock.jump(ageMs)
      assert.equal(await restart()('hanako', HANAKO), answer, String(ageMs))
    }
    const never = await setUp({ days: 0 })
    assert.equal(await never.login('hanako', HANAKO), 'ok')
    never.source.isAway = true
    assert.equal(await never.restart()('hanako', HANAKO), 'unavailable')
    assert.equal(never.puts(), 0)
  })

  test('lets in nobody who is disabled, is another person at the source, or has got a password since', async () => {
    const { source, login, restart, kept, edit } = await setUp()
    await login('hanako', HANAKO)
    await kept(1)
    source.isAway = true
    const origin = { source: 'campus', key: 'entryuuid=hanako', dn: 'uid=hanako' }
    edit('hanako', { disabled: true })
    assert.equal(await restart()('hanako', HANAKO), 'refused')
    edit('hanako', { disabled: false, bind: { ...origin, key: 'entryuuid=other' } })
    assert.equal(await restart()('hanako', HANAKO), 'unavailable')
    edit('hanako', { bind: { ...origin, source: 'older' } })
    assert.equal(await restart()('hanako', HANAKO), 'unavailable')
    edit('hanako', { bind: origin, credentialVersion: 2 })
    assert.equal(await restart()('hanako', HANAKO), 'unavailable')
    edit('hanako', { bind: { ...origin, dn: 'uid=hanako,ou=moved' }, credentialVersion: 1 })
    assert.equal(await restart()('hanako', HANAKO), 'ok', 'the same person under another name')
  })

  test('is written once a day for each password, however often somebody logs in', async () => {
    const { login, kept, clock, puts } = await setUp()
    for (let quarter = 0; quarter < 40; quarter++) {
      assert.equal(await login('hanako', HANAKO), 'ok')
      clock.advance(15 * MINUTE_MS)
    }
    await kept(1)
    assert.equal(puts(), 1)
    clock.advance(DAY_MS)
    await login('hanako', HANAKO)
    await kept(2)
    assert.equal(puts(), 2)
  })

  test('whose disk does not answer costs the login nothing', async () => {
    const source = new FakeSource()
    const stalled = async (): Promise<never> => {
      throw new Fault('stalled', 'the disk does not answer')
    }
    const authenticator = createAuthenticator({
      directory: new MemoryDirectory([
        { kind: 'domain', domain: { name: 'campus.example' } },
        { kind: 'account', account: bound('hanako') },
      ]),
      clock: new FakeClock(),
      binds: {
        bind: source.bind,
        remembering: {
          shelf: { get: stalled, put: stalled, drop: stalled, forget: stalled },
          days: () => 5,
        },
      },
    })
    const ask = (password: string) =>
      authenticator.login({
        login: 'hanako',
        password: fromUtf8(password),
        ip: '192.0.2.7',
        protocol: 'smtp',
      })
    assert.equal((await ask(HANAKO)).ok, true)
    assert.deepEqual(await ask('wrong'), { ok: false, error: 'refused' })
    source.isAway = true
    assert.deepEqual(await ask('another'), { ok: false, error: 'unavailable' })
  })
})

describe('wrong passwords of those who are bound', () => {
  test('the same one again is not asked about, each time for twice as long', async () => {
    const { source, login, clock } = await setUp()
    for (let minute = 0; minute < 16; minute++) {
      assert.equal(await login('hanako', 'old'), 'refused')
      clock.advance(MINUTE_MS)
    }
    assert.equal(source.asked.length, 5) // after 0, 1, 3, 7, 15 minutes
    source.passwords = { 'uid=hanako': 'new' }
    assert.equal(await login('hanako', 'new'), 'ok')
  })

  test('so many different ones are asked about, and then only what was right before', async () => {
    const { source, login, kept, clock } = await setUp({ wrongMax: 3 })
    assert.equal(await login('hanako', HANAKO, '198.51.100.200'), 'ok')
    await kept(1)
    clock.advance(11 * MINUTE_MS) // it is remembered in memory no longer
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => login('hanako', `guess ${n}`, `198.51.100.${n}`)),
    )
    assert.equal(answers.filter((answer) => answer === 'refused').length, 3)
    assert.equal(answers.filter((answer) => answer === 'slowed').length, 17)
    assert.equal(source.asked.length, 4)
    assert.equal(await login('hanako', HANAKO, '198.51.100.200'), 'ok')
    assert.equal(source.asked.length, 5)
  })

  test('who exists shows neither while the source answers nor while it is away', async () => {
    const { source, login } = await setUp()
    for (const name of ['hanako', 'local', 'nobody', 'taro'])
      assert.equal(await login(name, 'wrong'), 'refused', name)
    source.isAway = true
    for (const name of ['hanako', 'local', 'nobody', 'taro', 'hanako'])
      assert.equal(await login(name, 'other', '198.51.100.1'), 'unavailable', name)
    assert.equal(await login('local', 'here'), 'ok')
  })

  test('a refusal takes as long as the source takes to say no, whether it was asked or not', async () => {
    const clock = new HastyClock()
    const { login } = await setUp({ clock, bindMs: 80 })
    assert.equal(await login('hanako', 'wrong', '198.51.100.1'), 'refused')
    assert.deepEqual(clock.waitsMs, [])
    // Asked just now, known by a hash here, and nobody at all.
    for (const name of ['hanako', 'local', 'nobody'])
      assert.equal(await login(name, 'wrong', '198.51.100.1'), 'refused', name)
    assert.deepEqual(clock.waitsMs, [80, 80, 80])
    assert.equal(await login('local', 'here', '198.51.100.1'), 'ok')
    assert.deepEqual(clock.waitsMs, [80, 80, 80], 'who is right does not wait')
  })

  test('guesses at what is remembered are slowed as all others are', async () => {
    const { source, login, kept } = await setUp()
    await login('hanako', HANAKO, '203.0.113.1')
    await kept(1)
    source.isAway = true
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, n) => login('hanako', `guess ${n}`, `198.51.100.${n}`)),
    )
    assert.equal(answers.includes('refused'), false)
    assert.equal(await login('hanako', 'one more', '198.51.100.99'), 'slowed')
    assert.equal(await login('hanako', HANAKO, '203.0.113.1'), 'ok')
  })
})

describe('hashes under a flood of guesses', () => {
  test('who was let in before does not wait behind strangers, however many', async () => {
    const clock = new FakeClock()
    const accounts = await Promise.all(
      ['hanako', 'taro'].map(async (name) => ({
        kind: 'account' as const,
        account: { ...fakeAccount(name), credential: await hashPassword(fromUtf8(HANAKO)) },
      })),
    )
    const directory = new MemoryDirectory([
      { kind: 'domain', domain: { name: 'campus.example' } },
      ...accounts,
    ])
    const authenticator = createAuthenticator({ directory, clock, poolLimit: 1, waitingMax: 20 })
    const ask = (name: string, password: string, ip: string) =>
      authenticator.login({ login: name, password: fromUtf8(password), ip, protocol: 'imap' })
    assert.equal((await ask('hanako', HANAKO, '203.0.113.1')).ok, true)
    clock.advance(11 * MINUTE_MS) // it is remembered in memory no longer
    const ends: string[] = []
    const strangers = Array.from({ length: 40 }, async (_, n) => {
      const answer = await ask(`name${n}`, 'guess', `198.51.${n}.1`)
      if (!answer.ok && answer.error === 'refused') ends.push('stranger')
    })
    const owner = ask('hanako', HANAKO, '203.0.113.1').then((answer) => {
      ends.push(answer.ok ? 'owner' : answer.error)
    })
    await Promise.all([...strangers, owner])
    assert.equal(ends.length, 22)
    assert.ok(ends.indexOf('owner') <= 1, `behind ${ends.indexOf('owner')} strangers`)
  })
})

test('the shelf keeps one password an account, and forgets what is out of its time', async () => {
  const shelf = new SqliteBindShelf(join(folder, 'shelf.db'))
  const kept = { accountId: '花子' as AccountId, mark: 'campus 花子 1', hash: 'a', atMs: 1_000 }
  await shelf.put(kept)
  await shelf.put({ ...kept, hash: 'b', atMs: 2_000 })
  assert.deepEqual(await shelf.get({ accountId: kept.accountId }), {
    kept: { ...kept, hash: 'b', atMs: 2_000 },
  })
  await shelf.drop({ accountId: kept.accountId, hash: 'a' })
  assert.equal((await shelf.get({ accountId: kept.accountId })).kept?.hash, 'b')
  await shelf.forget({ beforeMs: 2_000, afterMs: 2_000 })
  assert.equal((await shelf.get({ accountId: kept.accountId })).kept?.hash, 'b')
  await shelf.forget({ beforeMs: 2_001, afterMs: 3_000 })
  assert.deepEqual(await shelf.get({ accountId: kept.accountId }), {})
  await shelf.put({ ...kept, atMs: 9_000 })
  await shelf.forget({ beforeMs: 0, afterMs: 8_999 })
  assert.deepEqual(await shelf.get({ accountId: kept.accountId }), {})
  await shelf.put(kept)
  await shelf.drop({ accountId: kept.accountId, hash: 'a' })
  assert.deepEqual(await shelf.get({ accountId: kept.accountId }), {})
  shelf.close()
})
