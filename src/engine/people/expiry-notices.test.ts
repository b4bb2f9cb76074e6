import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { memoryLog } from '#base/log.ts'
import { toUtf8 } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import { DAY_MS, FakeClock } from '#base/time.ts'
import { LIFE_RULES } from '#model/account-life.ts'
import { AccountClock } from '#store/directory/account-clock.ts'
import { SqliteDirectoryLog } from '#store/directory/directory-log.ts'
import { DirectoryMaster } from '#store/directory/directory-master.ts'
import { fakeAccount } from '#test/fake/directory.ts'
import { ExpiryNotices } from './expiry-notices.ts'

it('people are told before their last day, each notice once, also over a restart and a queue that was away', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'watari-notices-'))
  const clock = new FakeClock(Date.parse('2031-02-01T00:00:00Z'))
  const log = new SqliteDirectoryLog(join(dir, 'directory.db'))
  const lives = new AccountClock({ clock, rules: () => ({ ...LIFE_RULES, zone: 'UTC' }) })
  const sent: { id: string; to: string; text: string; day: string }[] = []
  let isAway = false
  const begin = async () => {
    const directory = new DirectoryMaster({ log, clock, lives })
    await directory.load()
    const notices = new ExpiryNotices({
      directory,
      log: memoryLog(),
      days: () => [30, 7, 1],
      send: async ({ id, to, octets }) => {
        if (isAway) throw new Fault('unavailable', '居ない')
        const [, body = ''] = toUtf8(octets).split('\r\n\r\n')
        const text = Buffer.from(body, 'base64').toString('utf8')
        sent.push({ id, to: to.localpart, text, day: lives.moment.today })
      },
    })
    return { directory, notices }
  }
  let { directory, notices } = await begin()
  const row = (name: string, expiresOn: string, disabled = false) =>
    ({
      kind: 'put',
      row: {
        kind: 'account',
        account: { ...fakeAccount(`${name}@campus.example`), expiresOn, disabled },
      },
    }) as const
  await directory.write(
    [
      { kind: 'put', row: { kind: 'domain', domain: { name: 'campus.example' } } },
      row('花子', '2031-03-31'),
      row('suspended', '2031-03-31', true),
      row('late', '2031-02-04'),
    ],
    { who: 'admin', from: 'test' },
  )
  for (let day = 0; day < 80; day++) {
    // Away on the day of the first notice: told when it is there again.
    isAway = lives.moment.today === '2031-03-01'
    await notices.run(directory.directory.accounts())
    if (day % 10 === 0) ({ directory, notices } = await begin())
    clock.advance(DAY_MS)
  }
  assert.deepEqual(
    sent.map(({ to, day }) => `${day} ${to}`),
    ['2031-02-01 late', '2031-02-03 late', '2031-03-02 花子', '2031-03-24 花子', '2031-03-30 花子'],
  )
  assert.equal(new Set(sent.map(({ id }) => id)).size, sent.length)
  assert.match(sent[2]!.text, /有効期限は 2031-03-31 です。.*2031-04-14 まで/s)
  assert.match(sent[2]!.text, /The last day of this account is 2031-03-31\./)
  log.close()
  await rm(dir, { recursive: true, force: true })
})
