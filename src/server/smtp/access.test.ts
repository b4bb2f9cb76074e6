import assert from 'node:assert/strict'
import { networkInterfaces } from 'node:os'
import { test } from 'node:test'
import { NetworkSet } from '#store/settings/network-set.ts'
import { FakeAuthenticator } from '#test/fake/authenticator.ts'
import { SmtpPeer } from '#test/fake/smtp-peer.ts'
import { serveForTest } from '#test/fake/smtp-serve.ts'

const WHERE = 'mail.campus.example port 587 (STARTTLS) or 465 (TLS)'
const hasIpv6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === '::1'),
)

async function greeted(port: number, host = '127.0.0.1'): Promise<SmtpPeer> {
  const peer = await SmtpPeer.open({ host, port })
  await peer.reply()
  await peer.say('EHLO client.example')
  return peer
}

test('the relay serves listed networks alone, of IPv4 and IPv6, and names where others log in', async () => {
  for (const [host, listed, unlisted] of [
    ['127.0.0.1', ['127.0.0.0/8'], ['127.0.0.2', '10.0.0.0/8', '::1', '::/96']],
    ['::1', ['::1/128'], ['::2', '2001:db8::/32', '127.0.0.0/8']],
  ] as const) {
    if (host === '::1' && !hasIpv6) continue
    let networks = NetworkSet.empty
    const served = await serveForTest({
      door: 'relay',
      listen: { address: host, port: 0 },
      allow: (ip) => networks.has(ip),
    })
    const peer = await greeted(served.listener.port, host)
    const refusal = `554 5.7.1 ${host} may not relay here; log in and send by ${WHERE}`
    assert.equal(await peer.say('MAIL FROM:<a@b.example>'), refusal)
    networks = await NetworkSet.build(unlisted)
    assert.equal(await peer.say('MAIL FROM:<a@b.example>'), refusal)
    assert.match(await peer.say('RCPT TO:<x@far.example>'), /^503 /)
    networks = await NetworkSet.build(listed)
    assert.match(await peer.say('MAIL FROM:<a@b.example>'), /^250 /, 'a change is in force at once')
    peer.destroy()
    await served.end()
  }
})

test('a relay that listens on both families sees IPv4 as IPv4', { skip: !hasIpv6 }, async () => {
  const networks = await NetworkSet.build(['127.0.0.1'])
  const served = await serveForTest({
    door: 'relay',
    listen: { address: '::', port: 0 },
    allow: (ip) => networks.has(ip),
  })
  const four = await greeted(served.listener.port, '127.0.0.1')
  assert.match(await four.say('MAIL FROM:<>'), /^250 /)
  const six = await greeted(served.listener.port, '::1')
  assert.match(await six.say('MAIL FROM:<>'), /^554 5\.7\.1 ::1 may not relay here/)
  four.destroy()
  six.destroy()
  await served.end()
})

test('submission takes no mail without a login, from nowhere, and says where to log in', async () => {
  const served = await serveForTest({
    door: 'submission',
    authenticator: new FakeAuthenticator({}),
    allow: () => true,
    allowPlaintext: () => true,
  })
  const peer = await greeted(served.listener.port)
  const refusal = `530 5.7.0 authentication required: log in at ${WHERE}`
  for (const mail of ['MAIL FROM:<hanako@campus.example>', 'MAIL FROM:<>', 'MAIL nonsense'])
    assert.equal(await peer.say(mail), refusal)
  // A whole message in one segment: nothing of it is taken, and its text is no command that works.
  peer.write('MAIL FROM:<a@b.example>\r\nRCPT TO:<x@far.example>\r\nDATA\r\n本文\r\n.\r\nNOOP\r\n')
  const replies = await peer.replies(6)
  assert.deepEqual(
    replies.map((reply) => reply.slice(0, 3)),
    ['530', '503', '503', '500', '500', '250'],
  )
  assert.deepEqual(served.reception.events, [])
  peer.destroy()
  await served.end()
})

test('LMTP on a network serves listed gateways alone', async () => {
  const served = await serveForTest({ door: 'lmtp', allow: () => false })
  const peer = await served.peer()
  await peer.reply()
  await peer.say('LHLO gateway.example')
  assert.equal(await peer.say('MAIL FROM:<>'), '554 5.7.1 127.0.0.1 may not deliver here')
  peer.destroy()
  await served.end()
})

test('a refusal of its own goes out as it is', async () => {
  const busy = { code: 451, status: '4.3.0', text: '混雑: try later' }
  const served = await serveForTest({ door: 'relay', allow: () => busy })
  const peer = await greeted(served.listener.port)
  assert.equal(await peer.say('MAIL FROM:<>'), '451 4.3.0 ??: try later')
  peer.destroy()
  await served.end()
})
