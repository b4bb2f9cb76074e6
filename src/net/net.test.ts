import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { isFault } from '#base/outcome.ts'
import { FakeClock, SECOND_MS, systemClock } from '#base/time.ts'
import { fakeCertificate } from '#test/fake/identity.ts'
import { closeSocket } from './close.ts'
import { OctetReader } from './lines.ts'
import { listen } from './listen.ts'
import type { ListenPlace } from './listen.ts'
import { canonicalIp, peerAddress, tlsOf } from './peer.ts'
import { startTls, TlsIdentity, UNREAD_BYTES_MAX } from './tls.ts'
import { OctetWriter } from './writer.ts'

const WAIT_MS = 30 * SECOND_MS
const hasIpv6 = Object.values(networkInterfaces()).some((all) =>
  all?.some((one) => one.address === '::1'),
)
const patient = { clock: systemClock, timeoutMs: WAIT_MS }

/** One accepted connection, both ends in hand. */
async function pair(
  place: ListenPlace,
): Promise<{ port: number; server: Socket; client: Socket; end(): Promise<void> }> {
  let accept: (socket: Socket) => void = () => undefined
  const accepted = new Promise<Socket>((resolve) => (accept = resolve))
  const listening = await listen({ ...place, onSocket: (socket) => accept(socket) })
  const client =
    'path' in place
      ? connect({ path: place.path })
      : connect({
          host: place.address === '::' ? '127.0.0.1' : place.address,
          port: listening.port,
        })
  client.on('error', () => undefined)
  const server = await accepted
  return {
    port: listening.port,
    server,
    client,
    end: async () => {
      client.destroy()
      server.destroy()
      await listening.close()
    },
  }
}

for (const place of [
  { address: '127.0.0.1', port: 0 },
  { address: '::1', port: 0 },
  { address: '::', port: 0 },
])
  test(
    `listens on ${place.address} and tells the peer's address in one form`,
    {
      skip: !hasIpv6 && place.address.includes(':'),
    },
    async () => {
      const both = await pair(place)
      assert.ok(both.port > 0)
      assert.equal(peerAddress(both.server).ip, place.address === '::1' ? '::1' : '127.0.0.1')
      both.client.write('こんにちは\r\n')
      const line = await new OctetReader(both.server, systemClock).line(100, WAIT_MS)
      assert.equal(Buffer.from(line as Uint8Array).toString(), 'こんにちは')
      await both.end()
    },
  )

test('an IPv4-mapped address is shown as IPv4, a zone is cut', () => {
  assert.equal(canonicalIp('::ffff:192.0.2.1'), '192.0.2.1')
  assert.equal(canonicalIp('fe80::1%eth0'), 'fe80::1')
  assert.equal(canonicalIp('2001:db8::1'), '2001:db8::1')
})

test('listens on a Unix socket, takes a dead one over, leaves a live one', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'watari-net-'))
  const path = join(folder, 'lmtp')
  const both = await pair({ path })
  assert.equal(peerAddress(both.server).ip, '127.0.0.1')
  await assert.rejects(listen({ path, onSocket: () => undefined }), (cause) =>
    isFault(cause, 'config'),
  )
  await both.end()
  assert.equal(existsSync(path), false)
  // A process that dies with the socket open leaves the file.
  spawnSync(
    process.execPath,
    [
      '-e',
      `require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`,
      path,
    ],
    { stdio: 'ignore', timeout: WAIT_MS },
  )
  assert.equal(existsSync(path), true)
  const again = await pair({ path })
  await again.end()
  await rm(folder, { recursive: true })
})

test('a taken port and an overlong socket path are told in one line', async () => {
  const first = await listen({ address: '127.0.0.1', port: 0, onSocket: () => undefined })
  await assert.rejects(
    listen({ address: '127.0.0.1', port: first.port, onSocket: () => undefined }),
    (cause) =>
      isFault(cause, 'config') &&
      cause.message === `cannot listen on 127.0.0.1 port ${first.port}: it is taken`,
  )
  await first.close()
  await assert.rejects(
    listen({ path: `/tmp/${'x'.repeat(120)}`, onSocket: () => undefined }),
    (cause) => isFault(cause, 'config'),
  )
})

test('a peer that reads nothing loses its connection at the deadline', async () => {
  const both = await pair({ address: '127.0.0.1', port: 0 })
  const clock = new FakeClock()
  both.client.pause()
  const writer = new OctetWriter(both.server, { clock, timeoutMs: 10 * SECOND_MS })
  const ends: string[] = []
  const writing = writer.write(Buffer.alloc(64 * 1024 * 1024, 'あ')).then((end) => ends.push(end))
  const closed = once(both.server, 'close')
  while (ends.length === 0) {
    clock.advance(SECOND_MS)
    await new Promise(setImmediate)
  }
  await writing
  assert.deepEqual(ends, ['gone'])
  await closed
  assert.equal(await writer.write('more'), 'gone')
  await both.end()
})

test('a peer that reads slowly but steadily gets everything', async () => {
  const both = await pair({ address: '127.0.0.1', port: 0 })
  let read = 0
  both.client.on('data', (chunk: Buffer) => (read += chunk.length))
  const writer = new OctetWriter(both.server, patient)
  assert.equal(await writer.write(Buffer.alloc(3_000_000)), 'ok')
  const ended = once(both.client, 'end')
  both.client.on('end', () => both.client.end())
  await closeSocket(both.server, patient)
  await ended
  assert.equal(read, 3_000_000)
  await both.end()
})

test('last words arrive though the peer goes on sending', async () => {
  const both = await pair({ address: '127.0.0.1', port: 0 })
  both.client.write(Buffer.alloc(1_000_000, 'x'))
  let heard = ''
  both.client.on('data', (chunk: Buffer) => (heard += chunk.toString()))
  await new OctetWriter(both.server, patient).write('421 混雑\r\n'.normalize())
  const ended = once(both.client, 'end')
  both.client.on('end', () => both.client.end())
  await closeSocket(both.server, patient)
  await ended
  assert.match(heard, /^421 /)
  await both.end()
})

test('speaks TLS from the next octet on, with the identity of the moment', async () => {
  const identity = new TlsIdentity(await fakeCertificate('mx.campus.example'))
  const both = await pair({ address: '127.0.0.1', port: 0 })
  const client = connectTls({ socket: both.client, rejectUnauthorized: false })
  const secured = await startTls(both.server, identity, { clock: systemClock })
  assert.ok(secured)
  client.write('日本語\r\n')
  const line = await new OctetReader(secured, systemClock).line(100, WAIT_MS)
  assert.equal(Buffer.from(line as Uint8Array).toString(), '日本語')
  assert.match(tlsOf(secured)?.version ?? '', /^TLSv1\.3$/)
  assert.equal(client.getPeerCertificate().subject.CN, 'mx.campus.example')
  client.destroy()
  secured.destroy()
  await both.end()
})

test('speaks TLS with who has begun already', async () => {
  const identity = new TlsIdentity(await fakeCertificate('mx.campus.example'))
  const both = await pair({ address: '127.0.0.1', port: 0 })
  const client = connectTls({ socket: both.client, rejectUnauthorized: false })
  await once(both.server, 'readable')
  assert.ok(both.server.readableLength > 0)
  const secured = await startTls(both.server, identity, { clock: systemClock })
  assert.ok(secured)
  client.write('渡り鳥')
  const got = await new OctetReader(secured, systemClock).exactly(9, WAIT_MS)
  assert.equal(Buffer.from(got as Uint8Array).toString(), '渡り鳥')
  client.destroy()
  secured.destroy()
  await both.end()
})

test('of a peer that sends each octet as a TLS record few are kept while nobody reads', async (t) => {
  const identity = new TlsIdentity(await fakeCertificate('mx.campus.example'))
  const both = await pair({ address: '127.0.0.1', port: 0 })
  t.after(() => both.end())
  const client = connectTls({ socket: both.client, rejectUnauthorized: false })
  const secured = await startTls(both.server, identity, { clock: systemClock })
  assert.ok(secured)
  const reader = new OctetReader(secured, systemClock)
  client.write('x')
  assert.equal((await reader.exactly(1, WAIT_MS)).length, 1)
  const octets = Buffer.alloc(12_000, '渡り鳥')
  let kept = 0
  for (const octet of octets) {
    // Written one by one: those that wait together become one record.
    await new Promise((resolve) => client.write(Buffer.of(octet), resolve))
    kept = Math.max(kept, secured.readableLength)
  }
  assert.ok(kept <= 2 * UNREAD_BYTES_MAX, `${kept} records are kept`)
  const all = await reader.exactly(octets.length, WAIT_MS)
  assert.ok(typeof all !== 'string' && octets.equals(all))
})

test('of a peer that sends octet by octet without TLS little is kept, too', async (t) => {
  const both = await pair({ address: '127.0.0.1', port: 0 })
  t.after(() => both.end())
  const reader = new OctetReader(both.server, systemClock)
  both.client.write('x')
  assert.equal((await reader.exactly(1, WAIT_MS)).length, 1)
  const octets = Buffer.alloc(1_000_000, '渡り鳥')
  both.client.write(octets)
  for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate)
  assert.ok(both.server.readableLength <= UNREAD_BYTES_MAX + 65_536)
  const all = await reader.exactly(octets.length, WAIT_MS)
  assert.ok(typeof all !== 'string' && octets.equals(all))
})

test('refuses TLS 1.1, plaintext where a handshake belongs, a peer that says nothing, and one that is gone', async () => {
  const identity = new TlsIdentity(await fakeCertificate())
  const old = await pair({ address: '127.0.0.1', port: 0 })
  const client = connectTls({
    socket: old.client,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.1',
    maxVersion: 'TLSv1.1',
    ciphers: 'DEFAULT@SECLEVEL=0',
  })
  client.on('error', () => undefined)
  assert.equal(await startTls(old.server, identity, { clock: systemClock }), undefined)
  await old.end()

  const plain = await pair({ address: '127.0.0.1', port: 0 })
  plain.client.write('EHLO injected.example\r\n')
  assert.equal(await startTls(plain.server, identity, { clock: systemClock }), undefined)
  assert.ok(plain.server.destroyed)
  await plain.end()

  const clock = new FakeClock()
  const silent = await pair({ address: '127.0.0.1', port: 0 })
  const waiting = startTls(silent.server, identity, { clock, timeoutMs: SECOND_MS })
  clock.advance(SECOND_MS)
  assert.equal(await waiting, undefined)
  await silent.end()

  const gone = await pair({ address: '127.0.0.1', port: 0 })
  gone.client.end()
  assert.equal(await startTls(gone.server, identity, { clock }), undefined)
  assert.ok(gone.server.destroyed)
  await gone.end()
})

test('a key that does not fit its certificate is a fault of settings', async () => {
  const one = await fakeCertificate()
  const other = await fakeCertificate()
  assert.throws(
    () => new TlsIdentity({ certificate: one.certificate, key: other.key }),
    (cause) => isFault(cause, 'config'),
  )
})
