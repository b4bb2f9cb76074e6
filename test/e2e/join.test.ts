import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'

import { Fleet } from './fleet.ts'
import { until } from './installation.ts'
import type { Installation } from './installation.ts'
import { countOf, imap, messages, smtpSend } from './mail.ts'

describe('roles on machines of their own', () => {
  let fleet: Fleet
  let control: Installation
  let store: Installation
  const gateways: Installation[] = []

  const mailTo = (gateway: Installation, subject: string): Promise<string> =>
    smtpSend(gateway.port(25), {
      from: 'student@other.example',
      to: ['hanako@campus.example'],
      content: `From: student@other.example\r\nTo: hanako@campus.example\r\nSubject: ${subject}\r\n\r\n会議は水曜日です。\r\n`,
    })
  const arrived = async (count: number): Promise<readonly Buffer[]> => {
    const client = await imap(store, 'hanako')
    try {
      await until(`${count} mails are in INBOX`, async () => {
        return (await countOf(client, 'INBOX')) === count
      })
      return await messages(client, 'INBOX')
    } finally {
      await client.logout()
    }
  }

  before(async () => {
    fleet = await Fleet.begin()
    control = fleet.control
    store = await fleet.join('store', 'store-1')
    gateways.push(await fleet.join('gateway', 'gw-1'), await fleet.join('gateway', 'gw-2'))
  })
  after(() => fleet.remove())

  it('joins two gateways and a store; each shows its name, role and generation', async () => {
    await fleet.allReady()
    assert.deepEqual((await fleet.nodes()).map(({ node, role }) => `${node} ${role}`).toSorted(), [
      'gw-1 gateway',
      'gw-2 gateway',
      'store-1 store',
    ])
  })

  it('takes mail at either gateway into the store, with the verdict that the gateway made', async () => {
    for (const [at, gateway] of gateways.entries())
      assert.match(await mailTo(gateway, `gateway ${at}`), /^250 /)
    const found = await arrived(2)
    for (const message of found) assert.match(message.toString(), /X-Watari-Verdict: clean/)
    const trace = await control.watari(['trace', 'hanako@campus.example'])
    assert.match(trace.stdout, /gw-1[\s\S]*store-1|store-1[\s\S]*gw-1/)
    assert.match(trace.stdout, /gw-2/)
  })

  it('acks one setting, set once, from all nodes with the same generation and hash', async () => {
    const set = await control.watari(['settings', 'set', 'spam.spamScore', '9'])
    assert.equal(set.status, 0, set.stderr)
    assert.doesNotMatch(set.stdout, /waiting/i)
    const rows = await fleet.nodes()
    assert.equal(new Set(rows.map(({ generation, hash }) => `${generation} ${hash}`)).size, 1)
  })

  it('goes on without control, over restarts too: mail, login and events', async () => {
    await control.stop()
    await gateways[0]!.stop()
    await gateways[0]!.start()
    await store.stop()
    await store.start()
    assert.match(await mailTo(gateways[0]!, 'control is away'), /^250 /)
    await arrived(3)
    await control.start()
    await until('the trace knows what happened meanwhile', async () => {
      const { stdout } = await control.watari(['trace', 'hanako@campus.example', '--json'])
      return (stdout.match(/store\.filed/g) ?? []).length === 3
    })
  })

  it('drains a gateway, lets it go, and gives its key nothing any more', async () => {
    await fleet.allReady()
    const drained = await control.watari(['node', 'drain', 'gw-2'])
    assert.equal(drained.status, 0, drained.stderr)
    const row = (await fleet.nodes()).find(({ node }) => node === 'gw-2')
    assert.equal(row?.queued, 0)
    assert.match(row?.lastBeat ?? '', /^\d{4}-/)
    assert.equal(row?.eventGaps, undefined)
    assert.match(
      (await control.watari(['node', 'ls'])).stdout,
      /gw-2 +gateway .* ready, draining +0 /,
    )
    const removed = await control.watari(['node', 'remove', 'gw-2'])
    assert.equal(removed.status, 0, removed.stderr)
    assert.deepEqual((await fleet.nodes()).map(({ node }) => node).toSorted(), ['gw-1', 'store-1'])
    // It still answers at its own door, since that is its own; what it took is not believed by the store.
    assert.match(await mailTo(gateways[1]!, 'from a node that was let go'), /^250 /)
    await until('it cannot hand it on', async () => {
      const log = gateways[1]!.output()
      return /control\.away/.test(log)
    })
    assert.match(await mailTo(gateways[0]!, 'after it'), /^250 /)
    const subjects = (await arrived(4)).map(
      (octets) => /Subject: (.*)/.exec(octets.toString())?.[1],
    )
    assert.ok(!subjects.includes('from a node that was let go\r'), subjects.join())
  })

  it('takes a token once, for its role, and no forged one', async () => {
    const used = join(control.dir, 'gw-1.token')
    const fresh = await fleet.token('gateway', 'gw-3')
    const forged = join(control.dir, 'forged.token')
    const text = readFileSync(fresh, 'utf8').trim().slice('watari-join-'.length)
    const body = JSON.parse(Buffer.from(text, 'base64url').toString()) as object
    writeFileSync(
      forged,
      `watari-join-${Buffer.from(JSON.stringify({ ...body, pin: '00'.repeat(32) })).toString('base64url')}`,
    )
    const refused = (role: string, tokenFile: string, why: RegExp): Promise<void> =>
      assert.rejects(fleet.start(role, tokenFile), (thrown: Error) => why.test(thrown.message))
    await refused('gateway', used, /used already/)
    await refused('store', fresh, /for the role gateway, not store/)
    await refused('gateway', forged, /another key than the pinned one/)
  })
})
