import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { checkServerIdentity } from 'node:tls'
import type { PeerCertificate } from 'node:tls'
import { fileURLToPath } from 'node:url'

import { parse } from 'yaml'

import { install, runProgram, until } from './installation.ts'
import type { Installation } from './installation.ts'
import { imap } from './mail.ts'
import { descendants, pssMib } from './processes.ts'
import { plain, sendBy, wire } from './wire.ts'

const START = fileURLToPath(new URL('../../bin/start.mjs', import.meta.url))

describe('an installation', () => {
  let watari: Installation
  before(async () => {
    watari = await install()
  })
  after(() => watari.remove())

  it('tells its first accounts in a file of its owner, and no secret on the screen', () => {
    assert.equal(statSync(join(watari.dir, 'first-run.json')).mode & 0o777, 0o600)
    const { accounts, apiToken, domain } = watari.firstRun
    assert.equal(domain, 'campus.example')
    assert.deepEqual(
      accounts.map(({ username, admin }) => [username, admin]),
      [
        ['admin', true],
        ['hanako', false],
        ['taro', false],
      ],
    )
    for (const secret of [apiToken, ...accounts.map(({ password }) => password)])
      assert.equal(watari.output().includes(secret), false)
  })

  it('takes at most 400 MiB while it is idle, all processes together, also after some use', async (t) => {
    const processes = descendants(watari.pid())
    assert.ok(processes.length >= 7, 'a supervisor, three roles and their storage')
    const settled = async (when: string): Promise<void> => {
      // Idle is some time after work: what it took is given back.
      await until('400 MiB or less', () => pssMib(processes) <= 400)
      const mib = pssMib(processes)
      assert.ok(mib > 0)
      t.diagnostic(`${mib} MiB (Pss) in ${processes.length} processes ${when}`)
    }
    await settled('after the start')
    for (const args of [['status'], ['user', 'ls'], ['settings', 'show'], ['queue', 'ls']]) {
      const ran = await watari.watari(args)
      assert.equal(ran.status, 0, ran.stderr)
    }
    // Each is a hash of 19 MiB, in a thread of its own.
    const clients = await Promise.all(['admin', 'hanako', 'taro'].map((one) => imap(watari, one)))
    for (const client of clients) await client.logout()
    await settled('after use of the API and logins')
  })

  it('shows a certificate of its own authority for all its names, on every TLS port', async (t) => {
    const shown = new Map<number, PeerCertificate>()
    for (const port of [465, 993, 995, 443, 9443]) {
      const session = await wire(watari.port(port), { tlsCa: watari.ca })
      shown.set(port, session.certificate())
      session.close()
    }
    for (const [port, greeting, command] of [
      [25, /^220 .*\r\n/m, 'EHLO x\r\nSTARTTLS\r\n'],
      [26, /^220 .*\r\n/m, 'EHLO x\r\nSTARTTLS\r\n'],
      [587, /^220 .*\r\n/m, 'EHLO x\r\nSTARTTLS\r\n'],
      [24, /^220 .*\r\n/m, 'LHLO x\r\nSTARTTLS\r\n'],
      [143, /^\* OK .*\r\n/m, 'a STARTTLS\r\n'],
      [110, /^\+OK .*\r\n/m, 'STLS\r\n'],
      [4190, /^OK .*\r\n/m, 'STARTTLS\r\n'],
    ] as const) {
      const session = await wire(watari.port(port))
      await session.until(greeting)
      for (const line of command.split(/(?<=\n)/)) {
        session.send(line)
        await session.until(/^(?:220|250|a OK|\+?OK) .*\r\n/m)
      }
      await session.startTls(watari.ca)
      shown.set(port, session.certificate())
      session.close()
    }
    const hosts = ['mx', 'relay', 'smtp', 'imap', 'pop', 'mail']
    const names = [
      'localhost',
      '127.0.0.1',
      '::1',
      'campus.example',
      ...hosts.map((host) => `${host}.campus.example`),
    ]
    for (const [port, certificate] of shown)
      for (const name of names)
        assert.equal(checkServerIdentity(name, certificate), undefined, `${name} on port ${port}`)
    assert.ok(checkServerIdentity('other.example', shown.get(25)!) !== undefined)
    t.diagnostic(`${shown.size} ports, ${names.length} names each`)
  })

  it('takes passwords without TLS on loopback only where auth.allowPlaintext says so', async () => {
    const login = { user: 'hanako', password: watari.password('hanako') }
    const answers = async (): Promise<string[]> => {
      const words: string[] = []
      for (const [port, greeting, line] of [
        [143, /^\* OK .*\r\n/m, `a LOGIN ${login.user} ${login.password}\r\n`],
        [110, /^\+OK .*\r\n/m, `USER ${login.user}\r\nPASS ${login.password}\r\n`],
        [587, /^220 .*\r\n/m, `EHLO x\r\nAUTH PLAIN ${plain(login)}\r\n`],
        [4190, /^OK .*\r\n/m, `AUTHENTICATE "PLAIN" "${plain(login)}"\r\n`],
      ] as const) {
        const session = await wire(watari.port(port))
        await session.until(greeting)
        let word = ''
        for (const each of line.split(/(?<=\n)/)) {
          session.send(each)
          word = await session.until(/^(?:\d{3} |a |\+?OK|-ERR|NO).*\r\n/m)
        }
        words.push(/^(?:\d{3} |a |\+|-|NO \(|)\S+/m.exec(word)?.[0] ?? word)
        session.close()
      }
      return words
    }
    const set = async (value: string): Promise<void> => {
      const ran = await watari.watari(['settings', 'set', 'auth.allowPlaintext', value])
      assert.equal(ran.status, 0, ran.stderr)
    }
    assert.deepEqual(await answers(), ['a NO', '-ERR', '538 5.7.11', 'NO (ENCRYPT-NEEDED)'])
    await set('true')
    assert.deepEqual(await answers(), ['a OK', '+OK', '235 2.7.0', 'OK'])
    await set('false')
    assert.deepEqual(await answers(), ['a NO', '-ERR', '538 5.7.11', 'NO (ENCRYPT-NEEDED)'])
  })

  it('has after a restart what it had: mail by its UIDs, flags, passwords, settings, the queue', async () => {
    const run = async (args: readonly string[], input?: string): Promise<string> => {
      const ran = await watari.watari(args, input)
      assert.equal(ran.status, 0, ran.stderr)
      return ran.stdout
    }
    const password = '新しい pass&word'
    await run(['user', 'passwd', 'taro', '--password-stdin'], password)
    await run(['settings', 'set', 'smtp.recipientsMax', '321'])
    await run(['route', 'set', 'held.example', 'hold'])
    const way = { port: watari.port(465), tls: 'implicit', ca: watari.ca } as const
    const sent = await sendBy(
      { ...way, login: { user: 'taro', password } },
      { from: 'taro@campus.example', to: 'x@held.example', content: 'Subject: 会議\r\n\r\n' },
    )
    assert.match(sent, /^250/)
    const state = async (): Promise<unknown> => {
      const client = await imap(watari, 'taro', password)
      const { uidValidity, uidNext } = await client.mailboxOpen('INBOX')
      const mails = []
      for await (const mail of client.fetch('1:*', { uid: true, flags: true, source: true }))
        mails.push([mail.uid, [...(mail.flags ?? [])], mail.source?.toString()])
      await client.logout()
      const queue = JSON.parse(await run(['queue', 'ls', '--json'])) as {
        items: { queueId: string; recipients: { address: unknown; state: string }[] }[]
      }
      return {
        inbox: [Number(uidValidity), uidNext, mails],
        queue: queue.items.map(({ queueId, recipients }) => [
          queueId,
          recipients.map(({ state: one }) => one),
        ]),
        settings: await run(['settings', 'get', 'smtp.recipientsMax']),
      }
    }
    const client = await imap(watari, 'taro', password)
    for (const subject of ['一', '二', '三'])
      await client.append('INBOX', `Subject: ${subject}\r\n\r\n本文\r\n`, ['\\Flagged'])
    await client.mailboxOpen('INBOX')
    await client.messageDelete('1', { uid: true })
    await client.logout()
    await until('the mail is held', async () =>
      /"held"/.test((await watari.watari(['queue', 'ls', '--json'])).stdout),
    )
    const earlier = await state()
    assert.equal(await watari.stop(), 0)
    const host = join(watari.dir, 'host.yaml')
    const complete = readFileSync(host, 'utf8')
    // As it was written before there was ManageSieve: its listeners come of themselves.
    const older = complete
      .replaceAll(/ {2}- protocol: managesieve\n(?: {4}.*\n)+/g, '')
      .replace(/^later:\n(?: +- .*\n)+/m, '')
    assert.ok(!older.includes('managesieve'))
    writeFileSync(host, `${older}# 手で書いた行\n`)
    await watari.start()
    const completed = parse(readFileSync(host, 'utf8')) as { listeners: { protocol: string }[] }
    const listeners = (yaml: { listeners: { protocol: string }[] }) =>
      yaml.listeners.toSorted((a, b) => a.protocol.localeCompare(b.protocol))
    assert.deepEqual(
      { ...completed, listeners: listeners(completed) },
      { ...parse(complete), listeners: listeners(parse(complete) as typeof completed) },
    )
    assert.match(readFileSync(host, 'utf8'), /^# 手で書いた行$/m)
    assert.match(watari.output(), /^ {2}managesieve {2}/m)
    assert.deepEqual(await state(), earlier)
    assert.match(JSON.stringify(earlier), /"inbox":\[\d+,4,\[\[2,.*\[3,.*"held".*321/)
  })

  it('tells its options where they are asked for, and where there is no such one', async () => {
    const help = await runProgram(process.execPath, [START, '--help'])
    assert.equal(help.status, 0)
    assert.match(help.stdout, /--port-offset N/)
    const wrong = await runProgram(process.execPath, [START, '--prot-offset', '1'])
    assert.equal(wrong.status, 2)
    assert.match(wrong.stderr, /--prot-offset[^]*--port-offset N/)
  })

  it('refuses a second start on the same folder in one line', async () => {
    const second = await runProgram(process.execPath, [START, '--data', watari.dir])
    assert.equal(second.status, 1)
    assert.match(second.stderr.trim(), /^[^\n]*runs there already[^\n]*$/)
  })

  it('says in one line which port is taken, and leaves the folder as it was', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'watari-start-'))
    try {
      const args = [START, '--data', dir, '--port-offset', String(watari.offset)]
      const taken = await runProgram(process.execPath, args)
      assert.equal(taken.status, 1)
      assert.match(taken.stderr.trim(), /^cannot listen on [^\n]* port \d+: it is taken[^\n]*$/)
      assert.deepEqual(readdirSync(dir), [])
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  })

  it('says in one line that its folder cannot be made', async () => {
    const file = join(watari.dir, 'first-run.json')
    for (const dir of [file, join(file, 'below')]) {
      const ran = await runProgram(process.execPath, [START, '--data', dir])
      assert.equal(ran.status, 1)
      assert.match(ran.stderr.trim(), /^[^\n]*the data folder cannot be written[^\n]*$/)
    }
  })

  it('starts a killed role again while the others go on', async () => {
    const role = (name: string) =>
      descendants(watari.pid()).find(({ command }) => command.endsWith(`/${name}.ts`))?.pid
    const gateway = role('gateway')
    const store = role('store')
    assert.ok(gateway !== undefined && store !== undefined)
    process.kill(gateway, 'SIGKILL')
    await until('the gateway is back', () => {
      const now = role('gateway')
      return now !== undefined && now !== gateway
    })
    assert.equal(role('store'), store)
  })

  it('ends whole at SIGTERM and leaves no process behind', async () => {
    const processes = descendants(watari.pid())
    assert.equal(await watari.stop(), 0)
    const isAlive = (pid: number): boolean => {
      try {
        process.kill(pid, 0)
        return true
      } catch {
        return false
      }
    }
    await until('all have ended', () => !processes.some(({ pid }) => isAlive(pid)))
  })
})
