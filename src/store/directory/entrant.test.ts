import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromUtf8 } from '#base/octets.ts'
import { FakeClock } from '#base/time.ts'
import type { Account } from '#model/account.ts'
import { fakeAccount } from '#test/fake/authenticator.ts'
import { makeAppPassword } from './app-passwords.ts'
import type { AccountsListener } from './authenticator.ts'
import type { Entrant } from './entrant.ts'
import { createAuthenticator } from './login.ts'
import { MemoryDirectory } from './memory-directory.ts'
import { hashPassword } from './password.ts'
import { endFallen } from './standing.ts'

async function setUp() {
  const own = fakeAccount('hanako')
  const ask = { name: '電話', atMs: 0, iterations: 4_096 }
  const phone = await makeAppPassword(own, ask)
  const desk = await makeAppPassword({ ...own, appPasswords: [phone.row] }, ask)
  const first: Account = {
    ...own,
    credential: await hashPassword(fromUtf8('花')),
    appPasswords: [phone.row, desk.row],
  }
  const directory = new MemoryDirectory([
    { kind: 'domain', domain: { name: 'campus.example' } },
    { kind: 'account', account: first },
  ])
  let tell: AccountsListener = () => undefined
  const used: string[] = []
  const authenticator = createAuthenticator({
    directory,
    clock: new FakeClock(),
    changes: (listener) => (tell = listener),
    onAppPassword: ({ appPassword }, { protocol }) => used.push(`${appPassword} ${protocol}`),
  })
  const enter = async (password: string): Promise<Entrant> => {
    const ask = { login: 'hanako', password: fromUtf8(password), ip: '127.0.0.1' }
    const answer = await authenticator.login({ ...ask, protocol: 'imap' })
    assert.ok(answer.ok)
    return answer.value
  }
  const entrants = {
    own: await enter('花'),
    phone: await enter(phone.password),
    desk: await enter(desk.password),
  }
  const sessions = new Map(Object.entries(entrants))
  // The clock stands still: sessions end by what they are told alone.
  endFallen(
    { [Symbol.iterator]: () => sessions[Symbol.iterator]() },
    {
      clock: new FakeClock(),
      authenticator,
      accountOf: ([, entrant]) => entrant,
      end: ([name]) => sessions.delete(name),
    },
  )
  const put = (account: Account | null): readonly string[] => {
    const row = account && ({ kind: 'account', account } as const)
    directory.apply([{ seq: directory.seq + 1, key: `account:${own.id}`, row }])
    tell(new Set([own.id]))
    return [...sessions.keys()]
  }
  return { first, phone: phone.row, desk: desk.row, used, put }
}

test('an app password that is taken back ends what it has let in, and nothing else', async () => {
  const { first, phone, desk, used, put } = await setUp()
  assert.deepEqual(used, [`${phone.id} imap`, `${desk.id} imap`])
  assert.deepEqual(put({ ...first, name: '花子' }), ['own', 'phone', 'desk'])
  assert.deepEqual(put({ ...first, appPasswords: [desk] }), ['own', 'desk'])
  // Of the same password a hash is made anew.
  assert.deepEqual(put({ ...first, credential: 'other', appPasswords: [desk] }), ['own', 'desk'])
  const { appPasswords: _, ...none } = first
  assert.deepEqual(put(none), ['own'])
})

test('a new password ends what the old one has let in, suspension and deletion all of it', async () => {
  const changed = await setUp()
  const version = { credentialVersion: 2 }
  assert.deepEqual(changed.put({ ...changed.first, ...version }), ['phone', 'desk'])
  const suspended = await setUp()
  assert.deepEqual(suspended.put({ ...suspended.first, disabled: true }), [])
  const gone = await setUp()
  assert.deepEqual(gone.put(null), [])
})
