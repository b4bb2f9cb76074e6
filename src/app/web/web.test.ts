import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { connect } from 'node:tls'
import type { TLSSocket } from 'node:tls'
import { memoryLog } from '#base/log.ts'
import { sleep, systemClock } from '#base/time.ts'
import { createServer } from '#net/http.ts'
import { endInPieces } from '#net/end-in-pieces.ts'
import type { Jmap } from '#server/jmap/serve.ts'
import { fakeCertificate } from '#test/fake/identity.ts'
import { serveWeb, WEB_TIMEOUTS } from './web.ts'

async function door(
  t: TestContext,
  load: () => Promise<Jmap>,
  more: Partial<Parameters<typeof serveWeb>[0]> = {},
) {
  const dir = mkdtempSync(join(tmpdir(), 'watari-web-'))
  mkdirSync(join(dir, 'tls'))
  const { certificate, key } = await fakeCertificate()
  writeFileSync(join(dir, 'tls/server.pem'), certificate)
  writeFileSync(join(dir, 'tls/server.key'), key)
  const log = memoryLog()
  const web = await serveWeb({
    dir,
    listener: { protocol: 'https', address: '127.0.0.1', port: 0, hostname: 'localhost' },
    adminSocket: join(dir, 'admin.sock'),
    pages: join(dir, 'pages'),
    jmap: { load, log },
    ...more,
  })
  t.after(async () => {
    await web.close(0)
    rmSync(dir, { recursive: true, force: true })
  })
  const open = async (): Promise<TLSSocket> => {
    const socket = connect({
      port: web.port,
      host: '127.0.0.1',
      ca: certificate,
      servername: 'localhost',
    })
    await once(socket, 'secureConnect')
    socket.on('error', () => undefined)
    return socket
  }
  return { open, log }
}

/** What comes until the other side ends the connection. */
async function rest(socket: TLSSocket): Promise<string> {
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
  if (!socket.destroyed) await once(socket, 'close')
  return text
}

const echo: Jmap = {
  handle: (incoming, response) => {
    incoming.resume()
    incoming.once('end', () => response.end('渡り'))
    return true
  },
  upgrade: (_, socket) => socket.end('HTTP/1.1 101 渡り\r\n\r\n'),
  close: () => undefined,
}

test('who dribbles a header or a body is sent away', async (t) => {
  const { open } = await door(t, () => Promise.resolve(echo), {
    timeouts: {
      ...WEB_TIMEOUTS,
      headersTimeout: 300,
      requestTimeout: 600,
      connectionsCheckingInterval: 50,
    },
  })
  const header = await open()
  header.write('POST /jmap/api HTTP/1.1\r\nHost: x\r\nX-')
  assert.match(await rest(header), /^HTTP\/1\.1 408 /)
  const body = await open()
  body.write('POST /jmap/api HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{')
  assert.match(await rest(body), /^HTTP\/1\.1 408 /)
})

test('one path alone becomes another protocol; elsewhere the wish is not heard', async (t) => {
  const { open } = await door(t, () => Promise.resolve(echo))
  const ask = async (path: string): Promise<string> => {
    const socket = await open()
    const upgrade = 'Upgrade: websocket\r\nConnection: upgrade, close'
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n${upgrade}\r\n\r\n`)
    return rest(socket)
  }
  assert.match(await ask('/jmap/ws'), /^HTTP\/1\.1 101 /)
  assert.match(await ask('/jmap/ws?x'), /^HTTP\/1\.1 101 /)
  assert.match(await ask('/jmap/session'), /^HTTP\/1\.1 200 /)
})

test('who takes nothing of an answer loses it; who reads slowly, or waits for events, does not', async (t) => {
  const octets = Buffer.alloc(24 * 1024 * 1024, '渡り鳥')
  const answers = new EventEmitter()
  const jmap: Jmap = {
    handle: (incoming, response) => {
      const url = incoming.url ?? ''
      response.once('close', () => answers.emit(url, response.writableFinished))
      if (url === '/jmap/events') response.write('event')
      else endInPieces(response, octets)
      return true
    },
    upgrade: () => undefined,
    close: () => undefined,
  }
  const { open } = await door(t, () => Promise.resolve(jmap), {
    timeouts: { ...WEB_TIMEOUTS, takingTimeout: 500 },
  })
  const ask = async (path: string): Promise<TLSSocket> => {
    const socket = await open()
    t.after(() => socket.destroy())
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
    return socket
  }
  const events = await ask('/jmap/events')
  await once(events, 'data')
  const cut = once(answers, '/jmap/idle')
  const idle = await ask('/jmap/idle')
  idle.pause()
  assert.deepEqual(await cut, [false])
  // Much longer than the deadline in all, in pieces with pauses that are shorter.
  let taken = 0
  for await (const piece of await ask('/jmap/slow')) {
    taken += (piece as Buffer).length
    await sleep(systemClock, 3)
  }
  assert.ok(taken > octets.length, `${taken} octets`)
  assert.equal(events.destroyed, false)
})

test('that a client closes its connection is no matter of control, nor the other way round', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'watari-admin-'))
  const adminSocket = join(dir, 'admin.sock')
  const told: unknown[] = []
  const control = createServer((incoming, response) => {
    told.push(incoming.headers.connection)
    incoming.resume()
    response.writeHead(200, { 'content-length': 6, connection: 'close' }).end('渡り')
  })
  control.listen(adminSocket)
  await once(control, 'listening')
  t.after(() => {
    control.close()
    rmSync(dir, { recursive: true, force: true })
  })
  const { open } = await door(t, () => Promise.resolve(echo), { adminSocket })
  const socket = await open()
  const ask = 'POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n'
  socket.write(`${ask}\r\n{}`)
  let answer = ''
  while (!answer.includes('渡り')) answer += String((await once(socket, 'data'))[0])
  assert.doesNotMatch(answer, /connection: close/i)
  socket.write(`${ask}Connection: close\r\n\r\n{}`)
  assert.match(await rest(socket), /^HTTP\/1\.1 200 /)
  assert.deepEqual(told, ['keep-alive', 'keep-alive'])
})

test('JMAP is loaded when it is first asked, and again where that failed', async (t) => {
  let loads = 0
  const { open, log } = await door(t, () =>
    ++loads === 1 ? Promise.reject(new Error('no file')) : Promise.resolve(echo),
  )
  const ask = async (path: string): Promise<string> => {
    const socket = await open()
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
    return (await rest(socket)).split('\r\n')[0]!
  }
  assert.match(await ask('/jmapping'), / [34]\d\d /)
  assert.equal(loads, 0)
  assert.match(await ask('/jmap/session'), / 503 /)
  assert.deepEqual(
    log.lines.map(({ event }) => event),
    ['jmap.failed'],
  )
  for (const path of ['/jmap/session', '/.well-known/jmap', '/auth/session'])
    assert.match(await ask(path), / 200 /)
  assert.equal(loads, 4, 'whose load is told once is the role’s business')
})

test('one client has so many connections at once, and no more', async (t) => {
  const { open } = await door(t, () => Promise.resolve(echo), { connectionsPerClientMax: 2 })
  const [first, second] = [await open(), await open()]
  await assert.rejects(open(), 'the third is closed before its handshake')
  second.end()
  await once(second, 'close')
  // The other side learns of the end a little later.
  let third: TLSSocket | undefined
  while (third === undefined) third = await open().catch(() => undefined)
  third.destroy()
  first.destroy()
})
