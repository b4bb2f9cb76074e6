import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import type { RequestListener, Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { silentLog } from '#base/log.ts'
import type { Octets } from '#base/octets.ts'
import { fromUtf8, toUtf8 } from '#base/octets.ts'
import { DAY_MS, systemClock } from '#base/time.ts'
import type { Clock } from '#base/time.ts'
import { NodeCaller } from '#client/node/node-caller.ts'
import type { Dial } from '#client/node/request.ts'
import { takesMail as takes } from '#model/account-life.ts'
import type { AccountId } from '#model/account.ts'
import type { NodeId } from '#model/event.ts'
import { declaredNode, NodeHub } from '#server/node/node-hub.ts'
import { nodeServer } from '#server/node/node-server.ts'
import { SqliteDirectoryLog } from '#store/directory/directory-log.ts'
import { DirectoryMaster } from '#store/directory/directory-master.ts'
import { SqliteReplica } from '#store/directory/replica.ts'
import { SqliteEventIndex } from '#store/events/event-index.ts'
import { SqliteEventLog } from '#store/events/event-log.ts'
import { SqliteSettingsStore } from '#store/settings/generations.ts'
import { FileSettingsCopy } from '#store/settings/settings-copy.ts'
import { SettingsMaster } from '#store/settings/settings-master.ts'
import { JoinedNode } from './joined-node.ts'

const by = { who: '管理者', from: 'test' }
const WAIT_MS = 20_000

let dir = ''
let ends: (() => unknown)[] = []
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'watari-node-'))
  ends = []
})
afterEach(async () => {
  for (const end of ends.toReversed()) await end()
  await rm(dir, { recursive: true, force: true })
})

/** Resolves once `is` holds; looks again soon. */
async function until(is: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = AbortSignal.timeout(WAIT_MS)
  while (!(await is())) {
    if (deadline.aborted) throw new Error('waited in vain')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

async function serve(path: string, listener: RequestListener): Promise<Server> {
  const server = createServer(listener)
  server.listen(path)
  await once(server, 'listening')
  return server
}

const dialTo =
  (socketPath: string): Dial =>
  (options) =>
    request({ ...options, socketPath })

/** Control as app wires it, on a Unix socket. */
async function startControl() {
  const log = new SqliteDirectoryLog(join(dir, 'directory.db'))
  const store = new SqliteSettingsStore(join(dir, 'settings.db'))
  const index = new SqliteEventIndex({ path: join(dir, 'index.db') })
  const directory = new DirectoryMaster({ log, clock: systemClock })
  const settings = new SettingsMaster({ store, clock: systemClock })
  await directory.load()
  await settings.load()
  const hub = new NodeHub({
    settings,
    directory,
    log,
    index,
    clock: systemClock,
    trouble: silentLog,
    identify: declaredNode,
  })
  const server = await serve(join(dir, 'control.sock'), hub.listener)
  const stop = async (): Promise<void> => {
    hub.close()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    log.close()
    store.close()
    index.close()
  }
  return { directory, settings, hub, index, stop }
}

async function startNode(name: string, clock: Clock = systemClock) {
  const replica = new SqliteReplica(join(dir, `${name}-replica.db`))
  const events = new SqliteEventLog({ path: join(dir, `${name}-events.db`), node: name as NodeId })
  const node = new JoinedNode({
    dial: dialTo(join(dir, 'control.sock')),
    clock,
    log: silentLog,
    node: name,
    role: 'gateway',
    replica,
    copy: new FileSettingsCopy(join(dir, `${name}-settings`)),
    events,
    beat: () => ({ state: 'ready', version: '0.1.0', pid: process.pid }),
  })
  await node.load()
  const running = node.link.run()
  let isStopped = false
  const stop = async (): Promise<void> => {
    if (isStopped) return
    isStopped = true
    node.link.stop()
    await running
    replica.close()
    events.close()
  }
  ends.push(stop)
  return { node, events, stop }
}

const account = (username: string) => ({
  kind: 'put' as const,
  row: {
    kind: 'account' as const,
    account: {
      id: `a-${username}` as AccountId,
      username,
      domain: 'campus.example',
      name: '山田 花子',
      admin: false,
      disabled: false,
      credentialVersion: 1,
      addresses: [],
      delegated: [],
    },
  },
})
const domain = {
  kind: 'put' as const,
  row: { kind: 'domain' as const, domain: { name: 'campus.example' } },
}

describe('a node that has joined', () => {
  test('goes by control’s day where its own clock is years off, also from the next start on', async () => {
    const control = await startControl()
    ends.push(control.stop)
    const expiring = account('hanako')
    const expiresOn = new Date(systemClock.nowMs() + 30 * DAY_MS).toISOString().slice(0, 10)
    Object.assign(expiring.row.account, { expiresOn })
    await control.directory.write([domain, expiring], by)
    await control.settings.set({ 'spam.spamScore': 33 }, { by })
    const wrong: Clock = {
      ...systemClock,
      nowMs: () => systemClock.nowMs() + 5 * 365 * DAY_MS,
    }
    const takesMail = ({ directory }: JoinedNode): boolean =>
      takes(directory.byLogin('hanako')!, directory.moment)
    const first = await startNode('gateway-1', wrong)
    await until(
      () => first.node.directory.seq === 2 && first.node.settings['spam.spamScore'] === 33,
    )
    assert.ok(takesMail(first.node))
    await first.stop()
    await control.stop()
    const again = await startNode('gateway-1', wrong)
    assert.equal(again.node.link.isUp, false)
    assert.ok(takesMail(again.node))
  })

  test(
    'gets what there is, then each change; a write waits for its ack',
    { timeout: 60_000 },
    async () => {
      const control = await startControl()
      ends.push(control.stop)
      await control.directory.write([domain, account('hanako')], by)
      await control.settings.set({ 'relay.access': ['192.0.2.0/24'] }, { by })
      const { node } = await startNode('gateway-1')
      await until(() => node.directory.seq === 2 && node.settings['relay.access'].has('192.0.2.9'))
      assert.equal(node.directory.byLogin('hanako')?.name, '山田 花子')
      const told: number[] = []
      node.onSettings((settings) => told.push(settings['spam.spamScore']))
      await control.directory.write([account('太郎')], by)
      await control.settings.set({ 'spam.spamScore': 33 }, { by })
      assert.deepEqual(await control.hub.settled(WAIT_MS), [])
      assert.equal(node.directory.byLogin('太郎')?.username, '太郎')
      assert.deepEqual(told, [33])
      await until(() => control.hub.nodes()[0]?.state === 'ready')
      const { lastBeatMs: _, ...status } = control.hub.nodes()[0]!
      assert.deepEqual(status, {
        node: 'gateway-1',
        role: 'gateway',
        connected: true,
        state: 'ready',
        version: '0.1.0',
        pid: process.pid,
        generation: 2,
        hash: control.settings.snapshot.hash,
        seq: 3,
      })
    },
  )

  test(
    'works from its last copy while control is away, and catches up',
    { timeout: 60_000 },
    async () => {
      const first = await startControl()
      await first.directory.write([domain, account('hanako')], by)
      await first.settings.set({ 'relay.access': ['10.0.0.0/8'] }, { by })
      const before = await startNode('gateway-1')
      await until(
        () => before.node.directory.seq === 2 && before.node.settings['relay.access'].rows === 1,
      )
      await before.stop()
      await first.stop()
      // Started while control is away: its own copies are all it has.
      const { node, events } = await startNode('gateway-1')
      assert.equal(node.directory.byLogin('hanako')?.username, 'hanako')
      assert.equal(node.settings['relay.access'].has('10.2.3.4'), true)
      await events.append({
        events: [
          {
            atMs: 1,
            name: 'queue.delivered',
            deliveryId: 'D1',
            fields: { to: 'hanako@campus.example' },
          },
        ],
      })
      const second = await startControl()
      ends.push(second.stop)
      await second.directory.write([account('taro')], by)
      await until(() => node.directory.seq === 3)
      await until(async () => (await events.status()).waiting === 0)
      const trace = await second.index.trace({
        by: { kind: 'address', address: 'hanako@campus.example' },
        limit: 5,
      })
      assert.deepEqual(
        trace.items.map(({ deliveryId }) => deliveryId),
        ['D1'],
      )
    },
  )

  test('stays up while control is started anew, again and again', { timeout: 60_000 }, async () => {
    let control = await startControl()
    await control.directory.write([domain], by)
    const { node } = await startNode('gateway-1')
    await until(() => node.directory.seq === 1)
    for (let round = 0; round < 3; round++) {
      await control.stop()
      await until(() => !node.link.isUp)
      assert.equal(node.directory.defaultDomain, 'campus.example')
      control = await startControl()
      await control.directory.write([account(`太郎${round}`)], by)
      await until(() => node.directory.byLogin(`太郎${round}`) !== undefined)
    }
    ends.push(control.stop)
  })

  test(
    'more rows than one line holds arrive in the order of their creation',
    { timeout: 60_000 },
    async () => {
      const control = await startControl()
      ends.push(control.stop)
      await control.directory.write(
        [domain, ...Array.from({ length: 1_200 }, (_, i) => account(`u${i}`))],
        by,
      )
      const { node } = await startNode('store-1')
      await until(() => node.directory.seq === 1_201)
      assert.equal(node.directory.counts.accounts, 1_200)
      assert.equal(node.directory.byLogin('u1199')?.username, 'u1199')
    },
  )

  test(
    'a generation that a node cannot take is named, and its old one stays',
    { timeout: 60_000 },
    async () => {
      const control = await startControl()
      ends.push(control.stop)
      const { node } = await startNode('gateway-1')
      await until(() => node.link.isUp)
      await rm(join(dir, 'gateway-1-settings.new'), { force: true })
      await mkdir(join(dir, 'gateway-1-settings.new'))
      await control.settings.set({ 'spam.spamScore': 44 }, { by })
      const late = await control.hub.settled(WAIT_MS)
      assert.equal(late.length, 1)
      assert.equal(late[0]?.node, 'gateway-1')
      assert.match(late[0].reason, /EISDIR/)
      assert.equal(node.settings['spam.spamScore'], 10)
    },
  )

  test('a node that does not answer is named after the deadline', { timeout: 60_000 }, async () => {
    const control = await startControl()
    ends.push(control.stop)
    const silent = request({
      socketPath: join(dir, 'control.sock'),
      path: '/node/v1/subscribe?generation=0&hash=&seq=0',
      headers: { 'watari-node': 'silent-1', 'watari-role': 'store' },
    })
    silent.on('error', () => undefined)
    silent.end()
    await once(silent, 'response')
    await control.settings.set({ 'spam.spamScore': 44 }, { by })
    assert.deepEqual(await control.hub.settled(50), [{ node: 'silent-1', reason: 'no answer yet' }])
    silent.destroy()
    await until(() => control.hub.nodes().every(({ connected }) => !connected))
    assert.deepEqual(await control.hub.settled(WAIT_MS), [
      { node: 'silent-1', reason: 'it is not connected' },
    ])
  })

  test('who has not joined is refused', { timeout: 60_000 }, async () => {
    const control = await startControl()
    ends.push(control.stop)
    const stranger = request({ socketPath: join(dir, 'control.sock'), path: '/node/v1/subscribe' })
    stranger.end()
    const [response] = (await once(stranger, 'response')) as [
      { statusCode: number; resume(): void },
    ]
    response.resume()
    assert.equal(response.statusCode, 403)
  })
})

describe('the node API of a gateway', () => {
  const head = {
    id: 'D1/redirect/1',
    kind: 'redirect',
    reversePath: null,
    recipients: [{ localpart: '太郎', domain: 'campus.example' }],
    body: '8bitmime',
    smtpUtf8: true,
  } as const

  async function* pieces(text: string): AsyncGenerator<Octets> {
    const octets = fromUtf8(text)
    for (let at = 0; at < octets.byteLength; at += 1_000) yield octets.subarray(at, at + 1_000)
  }

  test(
    'takes an outbox entry whole, refuses a short one, and joins a repetition',
    { timeout: 60_000 },
    async () => {
      const taken: string[] = []
      let release: () => void = () => undefined
      const gate = new Promise<void>((resolve) => {
        release = resolve
      })
      const server = await serve(
        join(dir, 'gateway.sock'),
        nodeServer({
          outbox: async ({ id, recipients }, octets) => {
            const parts: Octets[] = []
            for await (const part of octets) parts.push(part)
            await gate
            taken.push(`${id} ${recipients[0]?.localpart} ${toUtf8(Buffer.concat(parts)).length}`)
          },
        }),
      )
      ends.push(() => {
        server.closeAllConnections()
        server.close()
      })
      const caller = new NodeCaller({ dial: dialTo(join(dir, 'gateway.sock')), clock: systemClock })
      const text = '渡り鳥\r\n'.repeat(2_000)
      const sizeBytes = Buffer.byteLength(text)
      const both = [
        caller.outbox({ ...head, recipients: [...head.recipients], sizeBytes }, pieces(text)),
      ]
      both.push(
        caller.outbox({ ...head, recipients: [...head.recipients], sizeBytes }, pieces(text)),
      )
      setTimeout(release, 50)
      await Promise.all(both)
      assert.ok(taken.every((entry) => entry === `D1/redirect/1 太郎 ${text.length}`))
      assert.ok(taken.length >= 1)
      await assert.rejects(
        caller.outbox(
          { ...head, id: 'D2', recipients: [...head.recipients], sizeBytes: sizeBytes + 1 },
          pieces(text),
        ),
        { code: 'protocol' },
      )
      assert.ok(!taken.some((entry) => entry.startsWith('D2')))
    },
  )

  test('answers calls; faults keep their code over the wire', { timeout: 60_000 }, async () => {
    const server = await serve(
      join(dir, 'gateway.sock'),
      nodeServer({
        calls: {
          'queue.show': async ({ queueId }: { queueId: string }) => ({ queueId, subject: '件名' }),
        },
      }),
    )
    ends.push(() => {
      server.closeAllConnections()
      server.close()
    })
    const caller = new NodeCaller({ dial: dialTo(join(dir, 'gateway.sock')), clock: systemClock })
    assert.deepEqual(await caller.call('queue.show', { queueId: 'Q1' }), {
      queueId: 'Q1',
      subject: '件名',
    })
    await assert.rejects(caller.call('constructor', {}), { code: 'notFound' })
    const nobody = new NodeCaller({ dial: dialTo(join(dir, 'nobody.sock')), clock: systemClock })
    await assert.rejects(nobody.call('queue.show', {}), { code: 'unreachable' })
  })
})
