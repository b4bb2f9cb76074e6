import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'

import { install, until } from './installation.ts'
import type { Installation } from './installation.ts'
import { jmap } from './jmap.ts'
import { imap, lineClient, messages } from './mail.ts'
import { descendants } from './processes.ts'
import { rawImap } from './raw-imap.ts'

const LIMIT = 40_000
const TO = ['hanako', 'taro', 'jiro'].map((name) => `${name}@campus.example`)
const mailOf = (subject: string, sizeBytes: number): string =>
  `From: 学生 <student@other.example>\r\nSubject: ${subject}\r\n\r\n`.padEnd(sizeBytes, '- ') +
  '\r\n'

describe('an installation whose users may hold so much', () => {
  let watari: Installation
  before(async () => {
    watari = await install({ bind: ['127.0.0.1'] })
    for (const address of TO) {
      const ran = await watari.watari(['user', 'show', address, '--json'])
      if (ran.status !== 0) await run('user', 'add', address, '--password-stdin')
    }
    await run('user', 'set', 'hanako', '--quota', String(LIMIT))
  })
  after(() => watari.remove())

  const run = async (...args: readonly string[]): Promise<string> => {
    const ran = await watari.watari(args, 'パスワード')
    assert.equal(ran.status, 0, ran.stderr)
    return ran.stdout
  }
  /** One mail for all by LMTP: replies at RCPT, then one for each recipient that was taken. */
  const deliver = async (subject: string, sizeBytes: number): Promise<string[]> => {
    const client = await lineClient(watari.port(24))
    try {
      await client.reply()
      await client.command('LHLO mx.other.example')
      await client.command('MAIL FROM:<student@other.example>')
      const told: string[] = []
      let taken = 0
      for (const to of TO) {
        const reply = await client.command(`RCPT TO:<${to}>`)
        if (reply.startsWith('250')) taken++
        else told.push(`RCPT ${reply.slice(0, 9)}`)
      }
      assert.match(await client.command('DATA'), /^354/)
      client.send(Buffer.from(`${mailOf(subject, sizeBytes)}.\r\n`))
      for (; taken > 0; taken--) told.push((await client.reply()).slice(0, 9))
      return told
    } finally {
      client.close()
    }
  }
  const used = async (): Promise<{ bytes: number; messages: number }> => {
    const { used: now } = JSON.parse(await run('mailbox', 'ls', 'hanako', '--json')) as {
      used: { bytes: number; messages: number }
    }
    return now
  }
  const texts = async (name = 'hanako'): Promise<string[]> => {
    const client = await imap(watari, name)
    try {
      return (await messages(client, 'INBOX')).map((octets) => octets.toString())
    } finally {
      await client.logout()
    }
  }

  it('of three receivers the full one alone is told 452, then 552 as policy says, and is warned once', async () => {
    assert.deepEqual(await deliver('会議', 37_000), ['250 2.1.5', '250 2.1.5', '250 2.1.5'])
    await until('the warning has come', async () => (await texts()).length === 2)
    assert.match((await texts())[1]!, /^From: Postmaster <postmaster@campus\.example>\r$/m)
    assert.deepEqual(await deliver('資料', 9_000), ['452 4.2.2', '250 2.1.5', '250 2.1.5'])
    await run('settings', 'set', 'policy.overQuota', 'reject')
    assert.deepEqual(await deliver('資料二', 9_000), ['552 5.2.2', '250 2.1.5', '250 2.1.5'])
    await until('it is told that mail was refused', async () => (await texts()).length === 3)
    assert.match(await run('user', 'show', 'hanako'), /^quota: +39\.1 KiB, any number \(its own/m)
  })

  it('IMAP and JMAP say the same of it', async () => {
    const client = await rawImap(watari, 'hanako')
    const quota = await client.command('GETQUOTAROOT INBOX')
    const [, kib] = /\* QUOTA "" \(STORAGE (\d+) 39\)/.exec(quota) ?? []
    const { bytes } = await used()
    assert.equal(Number(kib), Math.ceil(bytes / 1024), quota)
    assert.match(
      await client.append('INBOX', Buffer.from(mailOf('控え', 9_000))),
      / NO \[OVERQUOTA\]/,
    )
    client.close()
    const { list } = await (
      await jmap(watari, 'hanako')
    ).call('Quota/get', { properties: ['used', 'hardLimit'] })
    assert.deepEqual(list, [{ id: 'bytes', used: bytes, hardLimit: LIMIT }])
  })

  it('20 deliveries at once do not pass the limit, and a kill in between keeps the sums true', async () => {
    await run('user', 'set', 'hanako', '--quota', '200000')
    const all = await Promise.all(Array.from({ length: 20 }, (_, n) => deliver(`連絡${n}`, 17_000)))
    const taken = all.filter(([first]) => first === '250 2.1.5').length
    const now = await used()
    assert.ok(taken > 5 && taken < 12, `${taken} were taken`)
    assert.ok(now.bytes > 183_000, 'it is full')
    assert.ok(now.bytes < 200_000 + 2 * 4_000, `${now.bytes}: only mail about the quota is beyond`)
    assert.deepEqual(now, await counted())

    await run('user', 'set', 'hanako', '--quota', 'none')
    const later = Array.from({ length: 20 }, (_, n) => deliver(`再開${n}`, 5_000))
    await Promise.race(later)
    const child = descendants(watari.pid()).find(({ command }) =>
      /^watari storage .*mailbox/.test(command),
    )
    assert.ok(child !== undefined, watari.output())
    process.kill(child.pid, 'SIGKILL')
    await Promise.allSettled(later)
    await until('the store is back', async () => {
      const { status } = await watari.watari(['mailbox', 'ls', 'hanako', '--json'])
      return status === 0
    })
    assert.deepEqual(await used(), await counted())
  })

  /** The messages themselves, of the one mailbox that has any. */
  async function counted(): Promise<{ bytes: number; messages: number }> {
    const client = await imap(watari, 'hanako')
    try {
      const found = await messages(client, 'INBOX')
      return { bytes: found.reduce((sum, { length }) => sum + length, 0), messages: found.length }
    } finally {
      await client.logout()
    }
  }
})
