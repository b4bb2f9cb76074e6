import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { fromUtf8 } from '#base/octets.ts'
import { isFault } from '#base/outcome.ts'
import { systemClock } from '#base/time.ts'
import { TlsIdentity } from '#net/tls.ts'
import { fakeCertificate } from '#test/fake/identity.ts'
import { ask, literal, manageSieveRoom } from '#test/fake/managesieve-room.ts'
import { fetchScripts } from './client.ts'

const login = { user: 'hanako', password: fromUtf8('h') }

test('all scripts of an account come as they are, and which one is active, inside TLS', async (t) => {
  const certificate = await fakeCertificate()
  const identity = new TlsIdentity(certificate)
  const room = await manageSieveRoom(t, { identity: () => identity })
  const client = await room.login()
  const script = '\ufeff# 会議\r\nkeep;\n{5}\r\nOK\r\n'.replace('{5}\r\nOK', '/* {5}\r\nOK */')
  assert.match(await ask(client, `PUTSCRIPT "振り\\"分け" ${literal(script)}`), /^OK/)
  assert.match(await ask(client, 'PUTSCRIPT "空" ""'), /^OK/)
  await ask(client, 'SETACTIVE "空"')
  const server = { host: 'localhost', port: room.port, ca: certificate.certificate }
  const expected = [
    { name: '振り"分け', active: false, text: script },
    { name: '空', active: true, text: '' },
  ]
  for (const tls of ['starttls', 'none'] as const)
    assert.deepEqual(await fetchScripts({ ...server, tls }, login, systemClock), expected)
  await assert.rejects(
    fetchScripts(
      { ...server, tls: 'starttls' },
      { ...login, password: fromUtf8('x') },
      systemClock,
    ),
    (thrown) => isFault(thrown, 'invalid') && /Wrong user name or password/.test(thrown.message),
  )
  await assert.rejects(
    fetchScripts({ host: 'localhost', port: room.port, tls: 'starttls' }, login, systemClock),
    (thrown) => isFault(thrown, 'protocol') && thrown.message.startsWith('TLS: '),
  )
})

test('a password is not sent where there is no TLS', async (t) => {
  const room = await manageSieveRoom(t)
  const server = { host: '127.0.0.1', port: room.port, tls: 'starttls' } as const
  await assert.rejects(
    fetchScripts(server, login, systemClock),
    (thrown) => isFault(thrown, 'protocol') && /offers no TLS/.test(thrown.message),
  )
  assert.equal(room.authenticator.attempts.length, 0)
})

/** A server that says what a test wants to each line of the client. */
async function liar(t: TestContext, greeting: string, says: (line: string) => string) {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.write(greeting)
    socket.on('data', (chunk: Buffer) => {
      for (const line of chunk.toString().split('\r\n').slice(0, -1)) socket.write(says(line))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port, tls: 'none' } as const
}

test('what servers say amiss ends it as a fault, and never as no scripts', async (t) => {
  const ready = '"SASL" "PLAIN"\r\nOK\r\n'
  const cases: readonly (readonly [string, (line: string) => string, RegExp])[] = [
    ['220 ESMTP\r\n', () => '', /no ManageSieve/],
    ['BYE "満員"\r\n', () => '', /BYE 満員/],
    [ready, () => '{99999999}\r\n', /99999999 octets/],
    [
      ready,
      (line) => (line.startsWith('AUTH') ? 'OK\r\n' : `${'x'.repeat(70_000)}\r\n`),
      /too long/,
    ],
    [ready, () => '"a"\r\n'.repeat(10_001), /more than 10000 lines/],
    [ready, (line) => (line.startsWith('AUTH') ? 'OK\r\n' : 'NO (TRYLATER) "x"\r\n'), /TRYLATER/],
  ]
  for (const [greeting, says, message] of cases) {
    const server = await liar(t, greeting, says)
    await assert.rejects(
      fetchScripts(server, login, systemClock),
      (thrown) => isFault(thrown) && message.test(thrown.message),
      String(message),
    )
  }
})
