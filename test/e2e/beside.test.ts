import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'

import { Fleet } from './fleet.ts'
import { until } from './installation.ts'
import type { Installation } from './installation.ts'
import { countOf, imap, messages, smtpSend } from './mail.ts'

const MAILS = 12

describe('a machine with all roles beside a gateway that has joined', () => {
  let fleet: Fleet
  let gateway: Installation
  before(async () => {
    fleet = await Fleet.begin({})
    gateway = await fleet.join('gateway', 'gw-1')
  })
  after(() => fleet.remove())

  const send = (at: Installation, subject: string): Promise<string> =>
    smtpSend(at.port(25), {
      from: 'student@other.example',
      to: ['hanako@campus.example'],
      content: `From: student@other.example\r\nTo: hanako@campus.example\r\nSubject: ${subject}\r\n\r\n渡り鳥。\r\n`,
    })
  const arrived = async (count: number): Promise<readonly string[]> => {
    const client = await imap(fleet.control, 'hanako')
    try {
      await until(`${count} mails are in INBOX`, async () => {
        return (await countOf(client, 'INBOX')) === count
      })
      return (await messages(client, 'INBOX')).map(String)
    } finally {
      await client.logout()
    }
  }

  it('files mail that came through the joined gateway, with its verdict', async () => {
    await fleet.allReady()
    assert.match(await send(gateway, 'through gw-1'), /^250 /)
    assert.match(await send(fleet.control, 'through its own'), /^250 /)
    for (const text of await arrived(2)) assert.match(text, /X-Watari-Verdict: clean/)
  })

  it('hands what its deliveries send out to both gateways, each entry once', async (t) => {
    await fleet.cli.run(['route', 'set', 'held.example', 'hold'])
    const script = 'require "copy"; redirect :copy "花子@held.example";\n'
    await fleet.cli.run(['sieve', 'put', 'hanako', '転送', '-', '--activate'], script)
    for (let number = 0; number < MAILS; number++)
      assert.match(await send(gateway, `no ${number}`), /^250 /)
    await arrived(2 + MAILS)
    const held = async (): Promise<readonly { node: string }[]> =>
      (await fleet.cli.json<{ items: { node: string }[] }>(['queue', 'ls', '--state', 'held']))
        .items
    await until('all are held', async () => (await held()).length === MAILS)
    const at = new Set((await held()).map(({ node }) => node))
    t.diagnostic(`${MAILS} entries at ${[...at].join(' and ')}`)
    assert.equal((await held()).length, MAILS)
  })

  it('cuts off a gateway that was removed', async () => {
    await fleet.cli.run(['node', 'remove', 'gw-1'])
    assert.match(await send(gateway, 'not ours any more'), /^250 /)
    assert.match(await send(fleet.control, 'the last'), /^250 /)
    const found = await arrived(3 + MAILS)
    assert.ok(!found.some((text) => text.includes('not ours any more')))
  })
})
