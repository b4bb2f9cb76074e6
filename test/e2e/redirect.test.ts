import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'

import type { ImapFlow } from 'imapflow'

import { commandLine } from './command-line.ts'
import type { CommandLine } from './command-line.ts'
import { install, until } from './installation.ts'
import type { Installation } from './installation.ts'
import { copiesOf, imap, messages } from './mail.ts'
import { sendBy } from './wire.ts'

const USERS = ['admin', 'hanako', 'taro']

describe("mail that users' scripts redirect to people here", () => {
  let watari: Installation
  let cli: CommandLine
  const clients = new Map<string, ImapFlow>()
  before(async () => {
    watari = await install({ bind: ['127.0.0.1'] })
    cli = commandLine(watari)
    for (const user of USERS) clients.set(user, await imap(watari, user))
  })
  after(async () => {
    for (const client of clients.values()) await client.logout()
    await watari.remove()
  })

  const script = (user: string, ...lines: string[]): Promise<string> =>
    cli.run(['sieve', 'put', user, '転送', '-', '--activate'], `${lines.join('\n')}\n`)
  const redirect = (to: string): string => `redirect "${to}@lab.campus.example";`

  let count = 0
  /** Sends a mail of admin's; where its copies are in the end. */
  const places = async (to: string, copies: number): Promise<string[]> => {
    const id = `<redirect-${++count}@campus.example>`
    const from = 'admin@campus.example'
    const head = `From: ${from}\r\nTo: ${to}\r\nSubject: 会議\r\nMessage-ID: ${id}\r\n`
    const content = `${head}Date: Wed, 25 Nov 2026 10:00:00 +0900\r\n\r\n渡り廊下で。\r\n`
    const login = { user: 'admin', password: watari.password('admin') }
    const way = { port: watari.port(465), tls: 'implicit', ca: watari.ca, login } as const
    assert.match(await sendBy(way, { from, to, content }), /^250 /)
    const found = async (): Promise<string[]> => {
      const all: string[] = []
      for (const [user, client] of clients)
        for (const { mailbox, source } of await copiesOf(client, id)) {
          assert.ok(source.toString().endsWith(content), source.toString())
          all.push(`${user}: ${mailbox}`)
        }
      return all
    }
    await until(`${copies} copies of ${id}`, async () => (await found()).length === copies)
    await until('the queue is empty', async () => {
      return (await cli.json<{ items: unknown[] }>(['queue', 'ls'])).items.length === 0
    })
    return found()
  }

  it('arrives once, directly or through an alias, with or without a copy', async () => {
    await script('hanako', redirect('taro'))
    assert.deepEqual(await places('hanako@campus.example', 1), ['taro: INBOX'])
    await cli.run(['alias', 'add', 'kyoumu', 'taro', 'admin'])
    await script('hanako', 'require "copy";', redirect('kyoumu').replace(' ', ' :copy '))
    const all = ['admin: INBOX', 'hanako: INBOX', 'taro: INBOX']
    assert.deepEqual(await places('hanako@campus.example', 3), all)
  })

  it('is traced from hand to hand, by the Message-ID that its sender knows', async () => {
    await script('hanako', redirect('taro'))
    await places('hanako@campus.example', 1)
    await until('both deliveries are told', async () => {
      const { stdout } = await cli.call(['trace', `<redirect-${count}@campus.example>`])
      const filed = [...stdout.matchAll(/store\.filed +recipient=(\w+)/g)].map(([, who]) => who)
      return filed.join(' ') === 'hanako taro'
    })
  })

  it('ends in a mailbox where scripts redirect to each other, or to themselves', async () => {
    await script('hanako', redirect('hanako+メモ'))
    assert.deepEqual(await places('hanako@campus.example', 1), ['hanako: INBOX'])
    await script('hanako', redirect('taro'))
    await script('taro', redirect('admin+x'))
    await script('admin', redirect('hanako'))
    assert.deepEqual(await places('hanako@campus.example', 1), ['hanako: INBOX'])
    assert.deepEqual(await places('taro+y@campus.example', 1), ['taro: INBOX'])
    await cli.run(['forward', 'set', 'hanako', 'taro'])
    assert.deepEqual(await places('hanako@campus.example', 1), ['taro: INBOX'])
    await cli.run(['forward', 'rm', 'hanako'])
  })

  it('does not multiply without end where each redirects twice', async () => {
    await script('hanako', redirect('taro'), redirect('taro+x'))
    await script('taro', redirect('hanako'), redirect('hanako+x'))
    const four = Array.from({ length: 4 }, () => 'hanako: INBOX')
    assert.deepEqual(await places('hanako@campus.example', 4), four)
    await cli.run(['sieve', 'activate', 'taro', '--none'])
  })

  it('comes back to its sender where nobody has the address', async () => {
    await cli.run(['sieve', 'activate', 'admin', '--none'])
    await script('hanako', redirect('nobody'))
    assert.deepEqual(await places('hanako@campus.example', 0), [])
    const notice = /Final-Recipient: rfc822; nobody@campus\.example\r\n[^]*Status: 5\.1\.1\r\n/
    await until('the notice is there', async () => {
      await clients.get('admin')!.noop()
      const mails = await messages(clients.get('admin')!, 'INBOX')
      return mails.some((mail) => notice.test(mail.toString()))
    })
  })
})
