import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock, SECOND_MS } from '#base/time.ts'
import { TlsIdentity } from '#net/tls.ts'
import { FakeAuthenticator } from '#test/fake/authenticator.ts'
import { fakeCertificate } from '#test/fake/identity.ts'
import { SmtpPeer } from '#test/fake/smtp-peer.ts'
import { serveForTest } from '#test/fake/smtp-serve.ts'
import type { ServedForTest } from '#test/fake/smtp-serve.ts'

const identity = new TlsIdentity(await fakeCertificate())
const TLS = { tls: 'starttls', identity: () => identity } as const
const MAIL = 'MAIL FROM:<evil@a.example>\r\nRCPT TO:<taro@campus.example>\r\nDATA\r\n'
const LOGIN = `AUTH PLAIN ${Buffer.from('\0hanako\0渡り').toString('base64')}`

async function greeted(served: ServedForTest): Promise<SmtpPeer> {
  const peer = await served.peer()
  await peer.reply()
  await peer.say('EHLO client.example')
  return peer
}

test('plain text behind STARTTLS in one segment ends the connection, unread (RFC 3207 §5)', async () => {
  const served = await serveForTest({ door: 'mx', ...TLS })
  for (const injected of [
    MAIL,
    'NOOP\r\n',
    'N',
    '\r\n',
    '\0',
    '\x16\x03\x01\x02\x00\x01',
    '件名',
  ]) {
    const peer = await greeted(served)
    peer.write(`STARTTLS\r\n${injected}`)
    assert.match(await peer.reply(), /^554 5\.5\.0 .*closing$/)
    assert.equal(await peer.end(), '')
  }
  assert.deepEqual(served.reception.events, [])
  await served.end()
})

test('plain text before the handshake in a later segment ends the connection, unanswered', async () => {
  const served = await serveForTest({ door: 'mx', ...TLS })
  for (const injected of [MAIL, 'NOOP\r\n', 'QUIT\r\nQUIT\r\n', 'EHLO 鳥.example\r\n']) {
    const peer = await greeted(served)
    assert.match(await peer.say('STARTTLS'), /^220 2\.0\.0 /)
    peer.write(injected)
    // At the most a TLS alert comes: nothing that is a reply.
    assert.doesNotMatch(await peer.end(), /\d{3}[ -]/)
  }
  assert.deepEqual(served.reception.events, [])
  await served.end()
})

test('what came before the handshake cannot live on behind it', async () => {
  const served = await serveForTest({ door: 'mx', ...TLS })
  const peer = await greeted(served)
  await peer.say('STARTTLS')
  peer.write('MAIL FROM:<evil@a.example>\r\n')
  await assert.rejects(peer.startTls())
  assert.deepEqual(served.reception.events, [])
  await served.end()
})

test('after the handshake nothing of before is known: greeting and login (RFC 3207 §4.2)', async () => {
  const authenticator = new FakeAuthenticator({ hanako: '渡り' })
  const served = await serveForTest({
    door: 'submission',
    ...TLS,
    authenticator,
    allowPlaintext: () => true,
  })
  const peer = await greeted(served)
  assert.match(await peer.say(LOGIN), /^235 /)
  assert.match(await peer.say('STARTTLS'), /^220 /)
  await peer.startTls()
  assert.match(await peer.say('MAIL FROM:<hanako@campus.example>'), /^503 5\.5\.1 say EHLO first$/)
  assert.match(await peer.say(LOGIN), /^503 5\.5\.1 say EHLO first$/)
  const extensions = await peer.say('EHLO client.example')
  assert.doesNotMatch(extensions, /STARTTLS/)
  assert.match(extensions, /^250[- ]AUTH PLAIN LOGIN$/m)
  assert.match(await peer.say('MAIL FROM:<hanako@campus.example>'), /^530 5\.7\.0 /)
  assert.match(await peer.say(LOGIN), /^235 /)
  assert.match(await peer.say('MAIL FROM:<hanako@campus.example>'), /^250 /)
  peer.destroy()
  await served.end()
})

test('failed logins are counted over the handshake', async () => {
  const authenticator = new FakeAuthenticator({})
  const served = await serveForTest({
    door: 'submission',
    ...TLS,
    authenticator,
    allowPlaintext: () => true,
    limits: { loginFailuresMax: 2 },
  })
  const peer = await greeted(served)
  assert.match(await peer.say(LOGIN), /^535 /)
  await peer.say('STARTTLS')
  await peer.startTls()
  await peer.say('EHLO client.example')
  assert.match(await peer.say(LOGIN), /^535 /)
  assert.match(await peer.say(LOGIN), /^421 4\.7\.0 /)
  await peer.end()
  await served.end()
})

test('STARTTLS is refused twice, amid a transaction, with operands, and where there is none', async () => {
  const served = await serveForTest({ door: 'mx', ...TLS })
  const peer = await greeted(served)
  assert.match(await peer.say('STARTTLS now'), /^501 5\.5\.4 /)
  await peer.say('MAIL FROM:<>')
  assert.match(await peer.say('STARTTLS'), /^503 5\.5\.1 .*transaction/)
  await peer.say('RSET')
  assert.match(await peer.say('STARTTLS'), /^220 /)
  await peer.startTls()
  assert.match(await peer.say('STARTTLS'), /^503 5\.5\.1 TLS is active already$/)
  assert.match(await peer.say('EHLO client.example'), /^250-/)
  peer.destroy()
  await served.end()
  const without = await serveForTest({ door: 'mx' })
  const bare = await without.peer()
  await bare.reply()
  assert.doesNotMatch(await bare.say('EHLO client.example'), /STARTTLS/)
  assert.match(await bare.say('STARTTLS'), /^502 5\.5\.1 /)
  bare.destroy()
  await without.end()
})

test('a port of implicit TLS speaks TLS at once, and says nothing to who does not', async () => {
  const served = await serveForTest({
    door: 'submission',
    tls: 'implicit',
    identity: () => identity,
  })
  const where = { host: '127.0.0.1', port: served.listener.port }
  const peer = await SmtpPeer.openTls(where)
  assert.match(await peer.reply(), /^220 /)
  assert.doesNotMatch(await peer.say('EHLO client.example'), /STARTTLS/)
  assert.match(await peer.say('STARTTLS'), /^503 /)
  peer.destroy()
  const plain = await served.peer()
  plain.write('EHLO client.example\r\n')
  assert.doesNotMatch(await plain.end(), /\d{3}[ -]/)
  await served.end()
})

test('a handshake that is not finished in 30 s ends the connection', async () => {
  for (const tls of ['starttls', 'implicit'] as const) {
    const clock = new FakeClock()
    const served = await serveForTest({ door: 'mx', tls, identity: () => identity, clock })
    const peer = await served.peer()
    if (tls === 'starttls') {
      await peer.reply()
      await peer.say('EHLO client.example')
      await peer.say('STARTTLS')
    }
    let seconds = 0
    for (; !peer.ended && seconds < 100; seconds++) {
      await new Promise((resolve) => setTimeout(resolve, 2))
      clock.advance(SECOND_MS)
    }
    assert.ok(seconds >= 30 && seconds < 100, `${tls}: ended after ${seconds} s`)
    assert.equal(await peer.end(), '')
    await served.end()
  }
})
