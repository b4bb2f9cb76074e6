import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { connect as connectTcp } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { connect } from 'node:tls'
import type { TLSSocket } from 'node:tls'

import { systemClock } from '#base/time.ts'
import type { NodeIdentity } from '#client/node/pinned.ts'
import { askJson } from '#client/node/request.ts'
import { NODE_PATHS } from '#contract/node/wire.ts'
import { declaredNode, NodeHub } from '#server/node/node-hub.ts'
import type { HubParts } from '#server/node/hub-parts.ts'
import { keyOf } from '#server/node/peer-key.ts'
import { fakeNode, openPinned } from '#test/fake/pinned-door.ts'
import type { PinnedDoor } from '#test/fake/pinned-door.ts'

import { silentLog } from '#base/log.ts'
import type { NodeId } from '#model/event.ts'

const PER_ADDRESS = 8

/** Control's door, with deadlines that a test can wait for. */
describe('the node API under attack', () => {
  let opened: PinnedDoor
  let joined: NodeIdentity
  let stranger: NodeIdentity
  let hub: NodeHub
  before(async () => {
    const node = await fakeNode('門-1')
    joined = node.identity
    // Another key under the same name: what a certificate says of itself proves nothing.
    stranger = (await fakeNode('門-1')).identity
    const still = { onChange: () => () => undefined }
    hub = new NodeHub({
      settings: { snapshot: { generation: 1, hash: 'h' }, ...still },
      directory: { directory: { seq: 0, size: 0 }, ...still },
      clock: systemClock,
      trouble: silentLog,
      identify: (request: IncomingMessage) =>
        keyOf(request) === node.pin ? { node: 'gw-1' as NodeId, role: 'gateway' } : undefined,
    } as unknown as HubParts)
    opened = await openPinned(hub.listener, {
      perAddressMax: PER_ADDRESS,
      waits: { headMs: 1_000, requestMs: 2_000 },
    })
  })
  after(async () => {
    hub.close()
    await opened.door.close(0)
  })

  const open = async (identity: NodeIdentity): Promise<TLSSocket> => {
    const { certificate: cert, key } = identity
    const { port } = opened
    const at = { host: '127.0.0.1', port, rejectUnauthorized: false }
    const socket = connect({ ...at, cert, key, ALPNProtocols: ['http/1.1'] })
    socket.on('error', () => undefined)
    await once(socket, 'secureConnect')
    return socket
  }
  const alive = (identity = joined): Promise<unknown> =>
    askJson({
      dial: opened.dialAs(identity),
      clock: systemClock,
      method: 'GET',
      path: NODE_PATHS.alive,
      timeoutMs: 60_000,
    })
  /** All that is said until the connection ends. */
  const untilEnd = async (socket: TLSSocket): Promise<string> => {
    let text = ''
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
    if (!socket.closed) await new Promise<void>((resolve) => socket.once('close', () => resolve()))
    return text
  }

  it('ends a connection that says nothing, half a head, or a body that trickles, and serves others meanwhile', async () => {
    const [silent, half, slow] = await Promise.all([open(joined), open(joined), open(joined)])
    half.write(`GET ${NODE_PATHS.alive} HTTP/1.1\r\nhost: 渡`)
    slow.write(`POST ${NODE_PATHS.heartbeat} HTTP/1.1\r\nhost: a\r\ncontent-length: 100000\r\n\r\n`)
    const drip = setInterval(() => slow.write(' '), 50)
    const ended = Promise.all([silent, half, slow].map(untilEnd))
    await alive()
    const said = await ended
    clearInterval(drip)
    assert.match(said[1]!, /^(HTTP\/1\.1 408 |$)/)
    assert.match(said[2]!, /^(HTTP\/1\.1 408 |$)/)
    await alive()
  })

  it('refuses a head without end, and ten thousand fields', async () => {
    for (const head of [`x: ${'あ'.repeat(50_000)}\r\n`, 'x: 1\r\n'.repeat(10_000)]) {
      const socket = await open(joined)
      const said = untilEnd(socket)
      socket.write(`GET ${NODE_PATHS.alive} HTTP/1.1\r\nhost: a\r\n${head}\r\n`)
      assert.match(await said, /^(HTTP\/1\.1 431 |$)/)
    }
    await alive()
  })

  it('refuses a body that is longer than any, told or not', async () => {
    const socket = await open(joined)
    const said = untilEnd(socket)
    socket.write(
      `POST ${NODE_PATHS.heartbeat} HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n`,
    )
    const chunk = `10000\r\n${' '.repeat(0x10000)}\r\n`
    socket.setMaxListeners(0)
    for (let n = 0; n < 200 && !socket.destroyed; n++)
      if (!socket.write(chunk))
        await new Promise<void>((resolve) => {
          socket.once('drain', resolve)
          socket.once('close', () => resolve())
        })
    assert.doesNotMatch(await said, /^HTTP\/1\.1 200 /)
    await alive()
  })

  it('knows a node by its key alone: a certificate of its name, or a word in a field, is a stranger', async () => {
    await assert.rejects(alive(stranger), /this node has not joined/)
    const socket = await open(stranger)
    const said = untilEnd(socket)
    socket.write(
      `GET ${NODE_PATHS.subscribe} HTTP/1.1\r\nhost: a\r\nwatari-node: gw-1\r\nwatari-role: gateway\r\n\r\n`,
    )
    assert.match(await said, /^HTTP\/1\.1 403 /)
    const named = { headers: { 'watari-node': 'gw-1\r\n', 'watari-role': 'gateway' } }
    assert.equal(declaredNode(named as never), undefined)
  })

  it('gives one address its share of connections and no more, and again once they are gone', async () => {
    const { port } = opened
    const open = Array.from({ length: PER_ADDRESS + 4 }, () => connectTcp(port, '127.0.0.1'))
    let left = open.length
    const cut = new Promise<void>((resolve) => {
      for (const socket of open) {
        socket.on('error', () => undefined)
        socket.resume()
        socket.once('close', () => --left === PER_ADDRESS && resolve())
      }
    })
    await cut
    assert.equal(open.filter(({ destroyed }) => !destroyed).length, PER_ADDRESS)
    for (const socket of open) socket.destroy()
    // The door hears of it a moment later.
    for (let tries = 0; ; tries++)
      try {
        await alive()
        break
      } catch (thrown) {
        if (tries > 1_000) throw thrown
      }
  })
})
