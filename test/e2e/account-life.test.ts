import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'

import { dayAt } from '#model/account-life.ts'
import { FAKETIME, restartAfter } from './days-later.ts'
import { install, until } from './installation.ts'
import type { Installation } from './installation.ts'
import { imap, lineClient, messages } from './mail.ts'
import { rawImap } from './raw-imap.ts'

const WAIT_MS = 60_000
const DAY_MS = 86_400_000
const PASSWORD = 'パスワード&1'

/** By the calendar of this machine, which the installation goes by as well. */
const dayFromNow = (days: number): string => dayAt(Date.now() + days * DAY_MS, '')

describe('the life of accounts', { skip: FAKETIME === undefined && 'needs faketime' }, () => {
  let watari: Installation
  const env: Record<string, string> = {}
  before(async () => {
    watari = await install({ bind: ['127.0.0.1'], env })
  })
  after(() => watari.remove())

  const run = async (args: readonly string[], input?: string): Promise<string> => {
    const ran = await watari.watari(args, input)
    assert.equal(ran.status, 0, `${args.join(' ')}: ${ran.stderr}`)
    return ran.stdout
  }
  /** What MX says to a recipient. */
  const rcpt = async (address: string): Promise<string> => {
    const client = await lineClient(watari.port(25))
    await client.reply()
    await client.command('EHLO else.example')
    await client.command('MAIL FROM:<x@else.example> SMTPUTF8')
    const reply = await client.command(`RCPT TO:<${address}>`)
    client.close()
    return reply.slice(0, 3)
  }
  const mayLogIn = async (user: string, password: string): Promise<boolean> => {
    try {
      const client = await imap(watari, user, password)
      await client.logout()
      return true
    } catch {
      return false
    }
  }

  it('today: notices, a new name beside the old one, suspension amid a session, deletion', async () => {
    await run(['settings', 'set', 'account.graceDays', '0'])
    await run(['settings', 'set', 'account.undeleteDays', '5'])
    for (const [name, ...more] of [
      ['umeko', '--expires-on', dayFromNow(1), '--tag', '1年'],
      ['momo', '--starts-on', dayFromNow(2), '--tag', '1年'],
      ['sakura', '--tag', '1年'],
    ])
      await run(['user', 'add', name!, '--password-stdin', ...more], PASSWORD)
    assert.equal(await mayLogIn('umeko', PASSWORD), true)
    assert.equal(await mayLogIn('momo', PASSWORD), false)
    assert.equal(await rcpt('momo@campus.example'), '250')

    assert.match(await run(['directory', 'upkeep', '--run']), /1 told/)
    assert.match(await run(['directory', 'upkeep', '--run']), /0 told/)
    const umeko = await imap(watari, 'umeko', PASSWORD)
    await until(
      'the notice has come',
      async () => (await messages(umeko, 'INBOX')).length === 1,
      WAIT_MS,
    )
    const [notice] = await messages(umeko, 'INBOX')
    const body = notice!.toString().split('\r\n\r\n')[1]!
    assert.match(
      Buffer.from(body, 'base64').toString(),
      new RegExp(`有効期限は ${dayFromNow(1)} です`),
    )
    await umeko.logout()

    await run(['user', 'rename', 'hanako', '山田'])
    for (const address of ['hanako@campus.example', 'hanako+渡り@lab.campus.example'])
      assert.equal(await rcpt(address), '250')
    const hanako = await rawImap(watari, 'hanako') // programs go on with the login that they know
    assert.match(await hanako.command('SELECT INBOX'), / OK /)
    hanako.send('i IDLE\r\n')
    await hanako.until(/^\+ /)
    await run(['user', 'disable', '山田'])
    assert.match(await hanako.until(/^\* BYE /), /may not be used any longer/)
    hanako.close()
    await run(['user', 'enable', '山田'])

    const taro = await rawImap(watari, 'taro')
    await taro.append('INBOX', Buffer.from('Subject: 残る\r\n\r\n残る\r\n'))
    await run(['user', 'rm', 'taro'])
    assert.match(await taro.until(/^\* BYE /), /may not be used any longer/)
    taro.close()
    assert.equal(await rcpt('taro@campus.example'), '550')
    await run(['user', 'rm', 'sakura'])

    const plan = ['directory', 'plans', 'add', '進級', '--on', dayFromNow(2), '--tag', '1年']
    assert.match(await run([...plan, '--add-tag', '2年', '--remove-tag', '1年']), /2 users changed/)
  })

  it('days later: who has expired has left, who has begun is in, a plan was made, who was deleted comes back', async () => {
    await restartAfter(watari, env, 3)
    assert.equal(await mayLogIn('umeko', PASSWORD), false)
    assert.equal(await rcpt('umeko@campus.example'), '550')
    assert.equal(await mayLogIn('momo', PASSWORD), true)
    assert.match(await run(['user', 'show', 'umeko']), /state: +left\n/)
    await run(['directory', 'upkeep', '--run'])
    assert.match(await run(['user', 'show', 'momo']), /tags: +2年\n/)
    assert.match(await run(['directory', 'plans', 'ls']), /2 changed, 0 refused/)
    await run(['user', 'undelete', 'taro'])
    const back = (): Promise<boolean> => mayLogIn('taro', watari.password('taro'))
    await until('taro is back on every node', back, WAIT_MS)
    const taro = await imap(watari, 'taro', watari.password('taro'))
    assert.match((await messages(taro, 'INBOX'))[0]!.toString(), /残る/)
    await taro.logout()
  })

  it('a clock that has jumped deletes nobody for good, and lets nobody in, until somebody says that it is right', async () => {
    await run(['user', 'set', 'momo', '--starts-on', dayFromNow(40)])
    await restartAfter(watari, env, 60)
    assert.match(await run(['status']), /clock: +\S+ is 5[67] days ahead: accounts go by /)
    assert.equal(await mayLogIn('momo', PASSWORD), false)
    assert.match(await run(['directory', 'upkeep']), /held: +the clock has jumped/)
    assert.match(await run(['directory', 'upkeep', '--run']), /^held/)
    assert.match(await run(['user', 'ls', '--deleted']), /sakura@campus\.example/)
    assert.match(await run(['directory', 'upkeep', '--accept-clock']), /^1 deleted for good/)
    assert.doesNotMatch(await run(['status']), /clock:/)
    await until('momo is in on every node', () => mayLogIn('momo', PASSWORD), WAIT_MS)
    assert.doesNotMatch(await run(['user', 'ls', '--deleted']), /sakura@/)
    const history = await run(['directory', 'history', '--limit', '100'])
    assert.match(history, /account:\S+ +removed/)
    assert.doesNotMatch(history, /argon2/)
  })
})
