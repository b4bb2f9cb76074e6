import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'

import type { KeyPin } from '#base/pin.ts'
import { pinOf } from '#base/pin.ts'
import { systemClock } from '#base/time.ts'
import { openLmtp } from '#client/node/lmtp-tunnel.ts'
import { dialPinned } from '#client/node/pinned.ts'
import { askJson } from '#client/node/request.ts'

import { Fleet } from './fleet.ts'
import { until } from './installation.ts'
import type { Installation } from './installation.ts'
import { countOf, imap, lineClient, messages, smtpSend } from './mail.ts'
import { network, noNetwork } from './network.ts'
import type { Machine, Network } from './network.ts'

/** In place of the hour that control may be away. */
const AWAY_S = Number(process.env['WATARI_AWAY_S'] ?? 5)
const YEAR_MS = 365 * 24 * 3_600_000
const NAMES = ['control', 'gw-1', 'gw-2', 'serve-1', 'deliver-1'] as const
type Name = (typeof NAMES)[number]

const missing = await noNetwork()
if (missing !== undefined) it('machines of their own', { skip: missing }, () => undefined)
else
  describe('two gateways, deliver, serve and control, each on a network of its own', () => {
    let net: Network
    let fleet: Fleet
    const machines = new Map<Name, Machine>()
    const nodes = new Map<Name, Installation>()
    let sent = 0

    before(async () => {
      net = await network()
      for (const name of NAMES) machines.set(name, await net.machine(name))
      fleet = await Fleet.begin({ role: 'control', ...machines.get('control')!.place })
      nodes.set('control', fleet.control)
      for (const name of NAMES.slice(1)) {
        const role = { gw: 'gateway', serve: 'serve', deliver: 'deliver' }[name.split('-')[0]!]!
        // This one's clock is a year behind.
        const env = name === 'gw-2' ? { WATARI_CLOCK_OFFSET_MS: String(-YEAR_MS) } : {}
        nodes.set(name, await fleet.join(role, name, { ...machines.get(name)!.place, env }))
      }
    })
    after(async () => {
      for (const machine of machines.values()) await machine.heal().catch(() => undefined)
      await fleet?.remove()
      await net?.remove()
    })

    const mail = async (gateway: Name, subject: string): Promise<void> => {
      const node = nodes.get(gateway)!
      const reply = await smtpSend(node.port(25), {
        host: node.host,
        from: 'student@other.example',
        to: ['hanako@campus.example'],
        content: `From: student@other.example\r\nTo: hanako@campus.example\r\nSubject: ${subject}\r\n\r\n渡り鳥。\r\n`,
      })
      assert.match(reply, /^250 /)
      sent++
    }
    /** From this machine, which is none of ours, by LMTP. */
    const foreignMail = async (subject: string): Promise<void> => {
      const deliver = nodes.get('deliver-1')!
      const { host } = deliver
      const own = host.replace(/\d+$/, '1')
      await fleet.cli.run(['settings', 'set', 'lmtp.foreign', own])
      const client = await lineClient(deliver.port(24), { host })
      await client.reply()
      for (const line of [
        'LHLO foreign.example',
        'MAIL FROM:<student@other.example>',
        'RCPT TO:<hanako@campus.example>',
      ])
        assert.match(await client.command(line), /^250/)
      assert.match(await client.command('DATA'), /^354/)
      assert.match(await client.command(`Subject: ${subject}\r\n\r\n渡り鳥。\r\n.`), /^250/)
      client.close()
      sent++
    }
    const retry = async (): Promise<void> => {
      const ran = await fleet.cli.call(['queue', 'ls', '--state', 'ready', '--json'])
      if (ran.status !== 0) return
      const { items } = JSON.parse(ran.stdout) as { items: { queueId: string }[] }
      if (items.length > 0)
        await fleet.cli.call(['queue', 'retry', ...items.map(({ queueId }) => queueId)])
    }
    /** All mail that was taken is in the mailbox, each once. */
    const allArrived = async (): Promise<void> => {
      const client = await imap(nodes.get('serve-1')!, 'hanako')
      try {
        await until(`${sent} mails are in INBOX`, async () => {
          if ((await countOf(client, 'INBOX')) >= sent) return true
          await retry()
          return false
        })
        const found = (await messages(client, 'INBOX')).map(
          (octets) => /^Subject: (.*)\r$/m.exec(octets.toString())?.[1],
        )
        assert.equal(found.length, sent)
        assert.equal(new Set(found).size, sent)
      } finally {
        await client.logout()
      }
    }
    const rowOf = async (name: Name) => (await fleet.nodes()).find(({ node }) => node === name)!
    const sameGeneration = async (): Promise<string[]> => [
      ...new Set((await fleet.nodes()).map(({ generation, hash }) => `${generation} ${hash}`)),
    ]
    const backAgain = (name: Name): Promise<void> =>
      until(`${name} is back`, async () => {
        const { connected, state } = await rowOf(name)
        return connected && state === 'ready'
      })

    it('takes mail at both gateways, though the clock of one is a year behind', async () => {
      await fleet.allReady()
      for (const gateway of ['gw-1', 'gw-2'] as const) await mail(gateway, `first at ${gateway}`)
      await allArrived()
      const year = new Date(Date.now() - YEAR_MS).getFullYear()
      const client = await imap(nodes.get('serve-1')!, 'hanako')
      const all = (await messages(client, 'INBOX')).map(String)
      await client.logout()
      assert.ok(all.some((text) => new RegExp(`^\\s[^\\r]* ${year} \\d\\d:`, 'm').test(text)))
    })

    it('acks one setting, set once, from all with generation and hash', async () => {
      await fleet.cli.run(['settings', 'set', 'spam.spamScore', '9'])
      await until('all have it', async () => (await sameGeneration()).length === 1)
      assert.doesNotMatch((await sameGeneration())[0]!, /undefined/)
    })

    it('lets a node that was cut off catch up', async () => {
      await machines.get('gw-2')!.cut()
      const set = await fleet.cli.call(['settings', 'set', 'spam.spamScore', '8'])
      assert.equal(set.status, 0, set.stderr)
      assert.match(set.stderr, /gw-2 has not taken it yet/)
      await fleet.cli.call(['user', 'add', 'jiro@campus.example', '--password-stdin'], '次郎の鍵')
      await machines.get('gw-2')!.heal()
      await backAgain('gw-2')
      await until('it has what the others have', async () => (await sameGeneration()).length === 1)
      await mail('gw-2', 'after it was cut off')
      await allArrived()
    })

    it(`loses no mail, no login and no event while control is away (${AWAY_S} s for an hour)`, async (t) => {
      await machines.get('control')!.silence()
      const end = Date.now() + AWAY_S * 1_000
      do {
        for (const gateway of ['gw-1', 'gw-2'] as const) await mail(gateway, `away ${sent}`)
        const client = await imap(nodes.get('serve-1')!, 'hanako')
        await client.logout()
      } while (Date.now() < end)
      await machines.get('control')!.heal()
      await fleet.allReady()
      await allArrived()
      const trace = async (): Promise<number> => {
        const ran = await fleet.cli.call([
          'trace',
          'hanako@campus.example',
          '--limit',
          '1000',
          '--json',
        ])
        return ran.stdout.match(/"store\.filed"/g)?.length ?? 0
      }
      await until('each mail is in the trace', async () => (await trace()) === sent)
      const { eventGaps } = await fleet.cli.json<{ eventGaps: unknown[] }>(['status'])
      assert.deepEqual(eventGaps, [])
      t.diagnostic(`${sent} mails filed and traced, ${sent - 3} of them taken without control`)
    })

    for (const [way, how] of [
      ['answers nothing any more, its connections half open', 'silence'],
      ['loses its address', 'vanish'],
    ] as const)
      it(`notices that serve ${way}, and heals`, async (t) => {
        const serve = machines.get('serve-1')!
        const began = Date.now()
        await serve[how]()
        const seconds = (): number => Math.round((Date.now() - began) / 100) / 10
        const noticed: string[] = []
        await until('control knows', async () => !(await rowOf('serve-1')).connected)
        noticed.push(`control after ${seconds()} s`)
        await until('deliver knows', async () => (await rowOf('deliver-1')).state === 'degraded')
        noticed.push(`deliver after ${seconds()} s at the latest`)
        await mail('gw-1', `while serve ${how}`)
        // What a foreign gateway brings waits at deliver; ours keeps its own.
        await foreignMail(`by LMTP while serve ${how}`)
        const { items } = await fleet.cli.json<{ items: { node: string; door: string }[] }>([
          'queue',
          'ls',
        ])
        const queues = items.map(({ node, door }) => `${node} ${door}`)
        assert.deepEqual(queues.toSorted(), ['deliver-1 lmtp', 'gw-1 mx'])
        await serve.heal()
        await backAgain('serve-1')
        await backAgain('deliver-1')
        await allArrived()
        t.diagnostic(noticed.join(', '))
      })

    it('notices that deliver is half open amid a connection of a gateway', async (t) => {
      const identity = identityOf('gw-1')
      const node = nodes.get('deliver-1')!
      const pin = pinAt('deliver-1')
      const peer = { address: node.host, port: node.port(6443), pin }
      const tunnel = await openLmtp(dialPinned(identity, peer), systemClock)
      tunnel.on('error', () => undefined)
      tunnel.resume()
      const ended = new Promise<void>((resolve) => tunnel.once('close', () => resolve()))
      await machines.get('deliver-1')!.silence()
      const began = Date.now()
      await ended
      t.diagnostic(`the tunnel ended after ${Math.round((Date.now() - began) / 100) / 10} s`)
      await machines.get('deliver-1')!.heal()
      await backAgain('deliver-1')
      await mail('gw-1', 'after the tunnel')
      await allArrived()
    })

    const identityOf = (name: Name) => {
      const tls = join(nodes.get(name)!.dir, 'tls')
      return {
        certificate: readFileSync(join(tls, 'node.pem'), 'utf8'),
        key: readFileSync(join(tls, 'node.key'), 'utf8'),
      }
    }
    const pinAt = (name: Name): KeyPin => pinOf(identityOf(name).certificate)

    it('gives a key that was removed nothing at any door: 403, no data, no hang', async () => {
      const identity = identityOf('gw-2')
      const dialTo = (name: Name) =>
        dialPinned(identity, {
          address: nodes.get(name)!.host,
          port: nodes.get(name)!.port(6443),
          pin: pinAt(name),
        })
      const open = await openLmtp(dialTo('deliver-1'), systemClock)
      const ended = new Promise<void>((resolve) => open.once('close', () => resolve()))
      open.on('error', () => undefined)
      open.resume()
      await fleet.cli.run(['node', 'remove', 'gw-2'])
      await ended
      const ask = (name: Name, method: 'GET' | 'POST', path: string): Promise<unknown> =>
        askJson({
          dial: dialTo(name),
          clock: systemClock,
          method,
          path,
          ...(method === 'POST' && { body: '{}' }),
          timeoutMs: 30_000,
        })
      for (const [name, method, path] of [
        ['control', 'GET', '/node/v1/subscribe'],
        ['control', 'POST', '/node/v1/events'],
        ['control', 'POST', '/node/v1/heartbeat'],
        ['deliver-1', 'GET', '/node/v1/alive'],
        ['gw-1', 'POST', '/node/v1/calls/queue.list'],
        ['gw-1', 'POST', '/node/v1/outbox'],
        ['serve-1', 'POST', '/node/v1/mailboxes/script'],
        ['serve-1', 'POST', '/node/v1/calls/sieve.list'],
      ] as const)
        await assert.rejects(
          ask(name, method, path),
          /403|has not joined/,
          `${name} ${method} ${path}`,
        )
      await assert.rejects(openLmtp(dialTo('deliver-1'), systemClock), /answered 403/)
    })
  })
