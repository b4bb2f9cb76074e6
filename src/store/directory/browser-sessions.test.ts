import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, test } from 'node:test'
import { Fault } from '#base/outcome.ts'
import { DAY_MS, FakeClock, MINUTE_MS } from '#base/time.ts'
import type { Account, AccountId } from '#model/account.ts'
import { BrowserSessions, isCsrfToken } from './browser-sessions.ts'
import { SqliteSessionShelf } from './session-shelf.ts'
import type { SessionShelf } from './session-shelf.ts'

const dir = mkdtempSync(join(tmpdir(), 'watari-sessions-'))
after(() => rmSync(dir, { recursive: true, force: true }))
const RULES = {
  cookie: '__Host-test',
  lifetimeMs: 120 * MINUTE_MS,
  idleMs: 30 * MINUTE_MS,
  perAccountMax: 2,
}
const account = { id: 'hanako' as AccountId, credentialVersion: 3 } as Account

let count = 0
let path: string
let shelf: SqliteSessionShelf
let clock: FakeClock
beforeEach(() => {
  path = join(dir, `${count++}.db`)
  shelf = new SqliteSessionShelf(path)
  clock = new FakeClock()
})

async function sessionsOf(kept: SessionShelf = shelf): Promise<BrowserSessions> {
  const sessions = new BrowserSessions({ rules: RULES, clock, shelf: kept })
  await sessions.load()
  return sessions
}
const cookieOf = (setCookie: string): string => setCookie.split(';')[0]!

test('a session and its token outlive a restart; the shelf holds nothing that would open one', async () => {
  const { session, setCookie } = (await sessionsOf()).open(account)
  const cookie = cookieOf(setCookie)
  const later = (await sessionsOf()).find(`other=1; ${cookie}`)
  assert.ok(later !== undefined)
  assert.deepEqual(later, session)
  assert.ok(isCsrfToken(later, session.csrfToken))
  assert.ok(!isCsrfToken(later, ''))
  const octets = Buffer.concat([readFileSync(path), readFileSync(`${path}-wal`)])
  assert.ok(octets.includes('hanako'))
  for (const secret of [cookie.split('=')[1]!, session.csrfToken])
    assert.ok(!octets.includes(secret))
})

test('what was closed, idle or too old stays so over a restart; use is known within minutes', async () => {
  const sessions = await sessionsOf()
  const closed = cookieOf(sessions.open(account).setCookie)
  const used = cookieOf(sessions.open(account).setCookie)
  sessions.close(closed)
  for (let minutes = 0; minutes < 50; minutes += 10) {
    clock.advance(10 * MINUTE_MS)
    assert.ok(sessions.find(used))
  }
  const again = await sessionsOf()
  assert.equal(again.find(closed), undefined)
  assert.ok(again.find(used, 'quiet'))
  clock.advance(29 * MINUTE_MS)
  assert.ok(again.find(used, 'quiet'), 'a quiet look sees it')
  clock.advance(MINUTE_MS)
  assert.equal(again.find(used), undefined, 'and did not keep it alive')
  assert.deepEqual((await shelf.all()).items, [])
})

test('the least used session of an account ends for a new one, on the shelf too', async () => {
  const sessions = await sessionsOf()
  const [first, second, third] = [1, 2, 3].map(() => {
    clock.advance(1)
    return cookieOf(sessions.open(account).setCookie)
  })
  const again = await sessionsOf()
  assert.deepEqual(
    [first, second, third].map((cookie) => again.find(cookie) !== undefined),
    [false, true, true],
  )
})

test('a storage that does not answer keeps nobody out', async () => {
  const stalled = (): Promise<never> => Promise.reject(new Fault('stalled', 'no answer'))
  const sessions = await sessionsOf({ all: stalled, put: stalled, drop: stalled })
  const { setCookie } = sessions.open(account)
  assert.ok(sessions.find(cookieOf(setCookie)))
  sessions.close(cookieOf(setCookie))
  assert.equal(sessions.find(cookieOf(setCookie)), undefined)
})

for (const byMs of [-3_652 * DAY_MS, 3_652 * DAY_MS]) {
  const how = `a clock that jumps by ${byMs < 0 ? '-10' : '+10'} years`

  test(`${how} ends no session that is in use, and lengthens none`, async () => {
    const sessions = await sessionsOf()
    const cookie = cookieOf(sessions.open(account).setCookie)
    const forgotten = cookieOf(sessions.open(account).setCookie)
    clock.jump(byMs)
    for (let minutes = 10; minutes < RULES.lifetimeMs / MINUTE_MS; minutes += 10) {
      clock.advance(10 * MINUTE_MS)
      assert.ok(sessions.find(cookie), `${minutes} minutes`)
    }
    assert.equal(sessions.find(forgotten), undefined, 'idle')
    clock.advance(10 * MINUTE_MS)
    assert.equal(sessions.find(cookie), undefined, 'over')
  })

  test(`${how} while nobody looks opens nothing and keeps nobody out; one that was used since goes on`, async () => {
    const sessions = await sessionsOf()
    const unused = cookieOf(sessions.open(account).setCookie)
    const used = cookieOf(sessions.open({ ...account, id: 'taro' as AccountId }).setCookie)
    clock.jump(byMs)
    clock.advance(MINUTE_MS)
    assert.ok(sessions.find(used))
    const again = await sessionsOf()
    assert.equal(again.find(unused), undefined, 'how old it is nobody can say')
    assert.ok(again.find(used))
    assert.ok(again.find(cookieOf(again.open(account).setCookie)), 'a new login')
    clock.jump(-byMs) // it was wrong
    const right = await sessionsOf()
    assert.equal(right.find(used), undefined)
    assert.ok(right.find(cookieOf(right.open(account).setCookie)))
  })
}
