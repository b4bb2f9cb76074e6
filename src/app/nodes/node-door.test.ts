import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { connect } from 'node:tls'

import { silentLog } from '#base/log.ts'
import { isFault } from '#base/outcome.ts'
import { FakeClock, HOUR_MS, systemClock } from '#base/time.ts'
import { joinControl } from '#client/node/join.ts'
import { openLmtp } from '#client/node/lmtp-tunnel.ts'
import { dialPinned } from '#client/node/pinned.ts'
import type { NodeIdentity } from '#client/node/pinned.ts'
import { askJson } from '#client/node/request.ts'
import type { Dial } from '#client/node/request.ts'
import { JOIN_PATH, parseToken } from '#contract/node/join.ts'
import { joinDoor } from '#server/node/join-door.ts'
import { NodeBook } from '#server/node/node-book.ts'
import { keyOf } from '#server/node/peer-key.ts'
import { SqliteNodeRegistry } from '#store/nodes/node-registry.ts'
import { fakeNode, openPinned } from '#test/fake/pinned-door.ts'
import type { PinnedDoor } from '#test/fake/pinned-door.ts'

import { cutRemoved, refuseUpgrade, takeUpgrade } from './node-door.ts'

const root = mkdtempSync(join(tmpdir(), 'watari-door-'))
after(() => rmSync(root, { recursive: true, force: true }))

describe('the door between machines', () => {
  const nodes = new Map<string, Awaited<ReturnType<typeof fakeNode>>>()
  let registry: SqliteNodeRegistry
  let clock: FakeClock
  let book: NodeBook
  let opened: PinnedDoor
  let count = 0
  before(async () => {
    for (const name of ['gw-1', 'gw-2']) nodes.set(name, await fakeNode(name))
  })
  beforeEach(async () => {
    registry = new SqliteNodeRegistry(join(root, `nodes-${++count}.db`))
    clock = new FakeClock()
    const own = await fakeNode('control')
    book = new NodeBook({ registry, clock, pin: own.pin })
    await book.load()
    opened = await openPinned(
      joinDoor({
        registry,
        clock,
        log: silentLog,
        domain: 'campus.example',
        joined: (node) => book.joined(node),
        next: (request, response) => {
          const key = keyOf(request)
          const holder = key === undefined ? undefined : book.holder(key)
          response.writeHead(holder === undefined ? 403 : 200).end('{}')
        },
      }),
      {
        onUpgrade: (key, _, socket, head) => {
          if (key === undefined || book.holder(key) === undefined) return refuseUpgrade(socket)
          takeUpgrade(socket, head).write('220 渡り\r\n')
        },
      },
    )
    book.onChange(cutRemoved([opened.door], () => book.nodes.map(({ pin }) => pin)))
  })
  afterEach(async () => {
    await opened.door.close(0)
    registry.close()
  })

  const identityOf = (name: string): NodeIdentity => nodes.get(name)!.identity
  const dialAs = (name: string): Dial => opened.dialAs(identityOf(name))
  const secretFor = async (name: string): Promise<string> =>
    parseToken((await book.issue({ name, role: 'gateway' })).token)!.secret
  const joinAs = (name: string, secret: string, port = 6443) =>
    joinControl({ dial: dialAs(name), clock: systemClock, request: { secret, port } })
  const alive = (dial: Dial): Promise<unknown> =>
    askJson({ dial, clock: systemClock, method: 'GET', path: '/x', timeoutMs: 30_000 })

  it('takes a machine in, and the same key again with the same token', async () => {
    const secret = await secretFor('gw-1')
    const answer = { name: 'gw-1', role: 'gateway', domain: 'campus.example' }
    assert.deepEqual(await joinAs('gw-1', secret), answer)
    assert.deepEqual(await joinAs('gw-1', secret), answer)
    assert.equal(book.nodes[0]!.address, '127.0.0.1')
    await alive(dialAs('gw-1'))
  })

  it('refuses a token that is forged, used by another key, expired or taken back', async () => {
    const refused = (name: string, secret: string, why: RegExp): Promise<void> =>
      assert.rejects(joinAs(name, secret), (thrown: Error) => why.test(thrown.message))
    await refused('gw-1', 'x'.repeat(32), /not known/)
    const used = await secretFor('gw-1')
    await joinAs('gw-1', used)
    await refused('gw-2', used, /used already/)
    const late = await secretFor('gw-2')
    clock.advance(25 * HOUR_MS)
    await refused('gw-2', late, /expired/)
    const back = await secretFor('gw-2')
    await book.remove('gw-2')
    await refused('gw-2', back, /not known/)
    assert.deepEqual(
      book.nodes.map(({ name }) => name),
      ['gw-1'],
    )
  })

  it('refuses a join that is too long, and says no more to a stranger than no', async () => {
    const body = JSON.stringify({ secret: '鍵'.repeat(100_000), port: 1 })
    const ask = { clock: systemClock, method: 'POST', path: JOIN_PATH, timeoutMs: 30_000 } as const
    // The connection may end before all of it was sent: then nobody hears the refusal.
    await assert.rejects(
      askJson({ ...ask, dial: dialAs('gw-1'), body }),
      (thrown) => isFault(thrown, 'limit') || isFault(thrown, 'unreachable'),
    )
    await assert.rejects(alive(dialAs('gw-1')), /403/)
    await assert.rejects(openLmtp(dialAs('gw-1'), systemClock), /answered 403/)
  })

  it('cuts off who was removed: idle connections, and LMTP that is open', async () => {
    await joinAs('gw-1', await secretFor('gw-1'))
    const dial = dialAs('gw-1')
    await alive(dial)
    const tunnel = await openLmtp(dial, systemClock)
    const [greeting] = (await once(tunnel, 'data')) as [Buffer]
    assert.equal(greeting.toString(), '220 渡り\r\n')
    tunnel.on('error', () => undefined)
    const ended = once(tunnel, 'close')
    await book.remove('gw-1')
    await ended
    // On a connection that is kept, or on a new one.
    await assert.rejects(alive(dial), (thrown) => isFault(thrown))
    await assert.rejects(alive(dial), /403/)
  })

  it('leaves the connections of the others, and of one that has moved', async () => {
    await joinAs('gw-1', await secretFor('gw-1'))
    await joinAs('gw-2', await secretFor('gw-2'))
    const tunnel = await openLmtp(dialAs('gw-1'), systemClock)
    tunnel.on('error', () => undefined)
    await book.remove('gw-2')
    await book.moved('gw-1', { address: '192.0.2.5', port: 7 })
    await book.moved('nobody', { address: '192.0.2.5', port: 7 })
    assert.equal(tunnel.destroyed, false)
    assert.deepEqual(
      book.places.map(({ name, address, port }) => `${name} ${address} ${port}`),
      ['gw-1 192.0.2.5 7'],
    )
    await book.load()
    assert.equal(book.places[0]!.address, '192.0.2.5')
    tunnel.destroy()
  })

  it('is spoken to by nobody who takes another key for the pinned one', async () => {
    const peer = { address: '127.0.0.1', port: opened.port, pin: nodes.get('gw-2')!.pin }
    await assert.rejects(
      alive(dialPinned(identityOf('gw-1'), peer)),
      /another key than the pinned one/,
    )
  })

  it('serves none without a certificate, with TLS 1.2, or with garbage', async () => {
    const bare = connect({ port: opened.port, host: '127.0.0.1', rejectUnauthorized: false })
    await once(bare, 'secureConnect')
    bare.write('GET /x HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')
    let answer = ''
    for await (const chunk of bare as AsyncIterable<Buffer>) answer += chunk.toString()
    assert.match(answer, /^HTTP\/1\.1 403 /)
    const old = connect({
      port: opened.port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      maxVersion: 'TLSv1.2',
    })
    await assert.rejects(once(old, 'secureConnect'), /protocol version/)
    const garbage = createConnection(opened.port, '127.0.0.1')
    garbage.on('error', () => undefined)
    garbage.end('渡り鳥\r\n\r\n'.repeat(100))
    garbage.resume()
    await once(garbage, 'close')
    await joinAs('gw-1', await secretFor('gw-1'))
    await alive(dialAs('gw-1'))
  })
})
