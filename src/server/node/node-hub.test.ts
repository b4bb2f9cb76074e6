import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, createServer, request } from 'node:http'
import type { IncomingMessage, Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'

import { silentLog } from '#base/log.ts'
import { DAY_MS, FakeClock, SECOND_MS } from '#base/time.ts'
import { NODE_HEADER, NODE_PATHS, ROLE_HEADER } from '#contract/node/wire.ts'
import { SqliteDirectoryLog } from '#store/directory/directory-log.ts'
import { SqliteEventIndex } from '#store/events/event-index.ts'
import { contentHash, FIRST_CONTENT } from '#store/settings/resolve.ts'

import { declaredNode, NodeHub } from './node-hub.ts'
import type { NodeStatus } from './node-hub.ts'

const BEAT = { state: 'ready', version: '0.1.0', pid: 1, seq: 0 }

describe('control and its nodes', () => {
  let dir: string
  let clock: FakeClock
  let log: SqliteDirectoryLog
  let index: SqliteEventIndex
  let hub: NodeHub
  let server: Server
  let agent: Agent
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'watari-hub-'))
    clock = new FakeClock()
    log = new SqliteDirectoryLog(join(dir, 'directory.db'))
    index = new SqliteEventIndex({ path: join(dir, 'index.db') })
    const snapshot = { generation: 0, hash: contentHash(FIRST_CONTENT), ...FIRST_CONTENT }
    hub = new NodeHub({
      settings: { snapshot, table: async () => undefined, onChange: () => () => undefined },
      directory: { directory: { seq: 0, size: 0 }, onChange: () => () => undefined },
      log,
      index,
      clock,
      trouble: silentLog,
      identify: declaredNode,
    })
    server = createServer(hub.listener).listen(join(dir, 'hub.sock'))
    await once(server, 'listening')
    agent = new Agent({ keepAlive: true })
  })
  afterEach(async () => {
    hub.close()
    agent.destroy()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    log.close()
    index.close()
    rmSync(dir, { recursive: true, force: true })
  })

  const ask = async (
    node: string,
    path: string,
    body?: unknown,
  ): Promise<{ readonly response: IncomingMessage; readonly text: () => Promise<string> }> => {
    const asked = request({
      socketPath: join(dir, 'hub.sock'),
      agent,
      path,
      method: body === undefined ? 'GET' : 'POST',
      headers: { [NODE_HEADER]: node, [ROLE_HEADER]: 'gateway' },
    })
    asked.end(body === undefined ? undefined : JSON.stringify(body))
    const [response] = (await once(asked, 'response')) as [IncomingMessage]
    return { response, text: async () => Buffer.concat(await response.toArray()).toString() }
  }
  const post = async (node: string, path: string, body: unknown): Promise<string> =>
    (await ask(node, path, body)).text()
  const beat = (node: string, more: object = {}): Promise<string> =>
    post(node, NODE_PATHS.heartbeat, { ...BEAT, ...more })
  const row = (name: string): NodeStatus => hub.nodes().find(({ node }) => node === name)!
  /** A node's stream; what it brings is read away. */
  const subscribed = async (node: string): Promise<{ readonly ended: Promise<unknown> }> => {
    const { response } = await ask(node, `${NODE_PATHS.subscribe}?generation=0&hash=x&seq=0`)
    response.resume()
    response.on('error', () => undefined)
    return { ended: new Promise((resolve) => response.once('close', resolve)) }
  }

  it('tells a node that has stopped its beats as away within 15 s, though its socket is open', async () => {
    const { ended } = await subscribed('gw-1')
    await subscribed('gw-2')
    await Promise.all([beat('gw-1'), beat('gw-2')])
    while (!(row('gw-1').connected && row('gw-2').connected)) await new Promise(setImmediate)
    // gw-2 beats on; of gw-1 nothing comes any more.
    for (let passed = 0; passed < 14 * SECOND_MS; passed += 2 * SECOND_MS) {
      clock.advance(2 * SECOND_MS)
      await beat('gw-2')
    }
    await ended
    while (row('gw-1').connected) await new Promise(setImmediate)
    assert.equal(row('gw-2').connected, true)
    assert.equal(row('gw-1').lastBeatMs, clock.nowMs() - 14 * SECOND_MS)
    // A write does not wait for it, and names it.
    const settled = hub.settled()
    await post('gw-2', NODE_PATHS.acks, {
      settings: { generation: 0, hash: contentHash(FIRST_CONTENT), status: 'applied' },
      seq: 0,
    })
    assert.deepEqual(await settled, [{ node: 'gw-1', reason: 'it is not connected' }])
  })

  it('takes a node that comes again at once, and ends the stream that it had', async () => {
    const first = await subscribed('gw-1')
    await beat('gw-1')
    const second = await subscribed('gw-1')
    await first.ended
    await beat('gw-1')
    assert.equal(row('gw-1').connected, true)
    hub.forget('gw-1')
    await second.ended
    assert.equal(hub.nodes().length, 0)
  })

  it('says whose clock is wrong, and puts its events in the order of ours', async () => {
    const nowMs = clock.nowMs()
    await beat('gw-1', { atMs: nowMs - 365 * DAY_MS })
    await beat('gw-2', { atMs: nowMs + 30 * SECOND_MS })
    await beat('gw-3', { atMs: nowMs + 3 * 3_600_000, state: 'stalled', reason: '止まっている' })
    await beat('gw-4')
    assert.deepEqual(
      ['gw-1', 'gw-2', 'gw-3', 'gw-4'].map((node) => row(node).reason),
      ["its clock is 365 days behind control's", undefined, '止まっている', undefined],
    )
    const record = (atMs: number, name: string) => ({
      epoch: 'e',
      records: [{ seq: 1, atMs, name, deliveryId: 'D1', fields: { subject: '渡り' } }],
    })
    await post('gw-4', NODE_PATHS.events, record(nowMs + 20, 'queue.delivered'))
    await post('gw-1', NODE_PATHS.events, record(nowMs - 365 * DAY_MS + 10, 'receive.accepted'))
    const { items } = await index.trace({ by: { kind: 'deliveryId', deliveryId: 'D1' }, limit: 1 })
    assert.deepEqual(
      items[0]!.events.map(({ name, atMs, fields }) => [name, atMs - nowMs, fields['nodeAtMs']]),
      [
        ['receive.accepted', 10, nowMs - 365 * DAY_MS + 10],
        ['queue.delivered', 20, undefined],
      ],
    )
  })
})
