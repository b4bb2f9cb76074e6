import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TlsIdentity } from '#net/tls.ts'
import { fakeCertificate } from '#test/fake/identity.ts'
import type { SmtpPeer } from '#test/fake/smtp-peer.ts'
import { serveForTest } from '#test/fake/smtp-serve.ts'

const MAIL = 'MAIL FROM:<>\r\nRCPT TO:<taro@campus.example>\r\nDATA\r\n本文\r\n.'

/** Sends one message, and hands back its last reply. */
async function send(peer: SmtpPeer): Promise<string> {
  peer.write(`${MAIL}\r\n`)
  for (const wanted of [/^250/, /^250/, /^354/]) assert.match(await peer.reply(), wanted)
  return peer.reply()
}

test('the reception learns by which command and name a peer greeted, and if under TLS', async () => {
  const identity = new TlsIdentity(await fakeCertificate())
  const served = await serveForTest({ door: 'mx', tls: 'starttls', identity: () => identity })
  const peer = await served.peer()
  await peer.reply()
  for (const [greeting, verb, helo] of [
    ['HELO old.example', 'HELO', 'old.example'],
    ['EHLO [192.0.2.7]', 'EHLO', '[192.0.2.7]'],
    ['helo 例え.example', 'HELO', '例え.example'],
  ] as const) {
    await peer.say(greeting)
    assert.match(await send(peer), /^250/)
    const { peer: seen } = served.reception.messages.at(-1)!.command
    assert.deepEqual([seen.greeting, seen.helo, seen.tls], [verb, helo, undefined])
  }
  await peer.say('STARTTLS')
  await peer.startTls()
  await peer.say('HELO old.example')
  await send(peer)
  const { peer: secured } = served.reception.messages.at(-1)!.command
  assert.equal(secured.greeting, 'HELO')
  assert.match(secured.tls?.version ?? '', /^TLSv1\.[23]$/)
  peer.destroy()
  await served.end()
})

test('HELO is answered by a name alone, EHLO by extensions too (RFC 5321 §4.1.1.1)', async () => {
  const served = await serveForTest({ door: 'relay' })
  const peer = await served.peer()
  await peer.reply()
  assert.equal(await peer.say('HELO old.example'), '250 mx.campus.example')
  assert.match(await peer.say('EHLO new.example'), /^250-mx\.campus\.example\n250-PIPELINING\n/)
  peer.destroy()
  await served.end()
})

test('a greeting in the middle of a transaction ends it, a wrong one leaves it (RFC 5321 §4.1.4)', async () => {
  const served = await serveForTest({ door: 'mx' })
  const peer = await served.begun()
  await peer.say('RCPT TO:<taro@campus.example>')
  assert.match(await peer.say('EHLO'), /^501 5\.5\.4 /)
  assert.match(await peer.say('HELO a b'), /^501 5\.5\.4 /)
  assert.match(await peer.say('RCPT TO:<hanako@campus.example>'), /^250/)
  assert.match(await peer.say('EHLO again.example'), /^250/)
  assert.match(await peer.say('DATA'), /^503 5\.5\.1 /)
  assert.deepEqual(served.reception.events.at(-1), 'abort')
  peer.destroy()
  await served.end()
})

test('LMTP is greeted by LHLO alone, SMTP never by it (RFC 2033 §4.1)', async () => {
  const lmtp = await serveForTest({ door: 'lmtp' })
  const peer = await lmtp.peer()
  assert.equal(await peer.reply(), '220 mx.campus.example LMTP Watari')
  for (const wrong of ['EHLO a', 'HELO a'])
    assert.match(await peer.say(wrong), /^500 5\.5\.1 .*LHLO/)
  assert.match(await peer.say('MAIL FROM:<>'), /^503 5\.5\.1 say LHLO first$/)
  const extensions = await peer.say('LHLO gateway.example')
  for (const word of ['PIPELINING', 'ENHANCEDSTATUSCODES', 'CHUNKING', 'BINARYMIME'])
    assert.match(extensions, new RegExp(`^250[- ]${word}$`, 'm'))
  await send(peer)
  assert.equal(lmtp.reception.messages[0]?.command.peer.greeting, 'LHLO')
  peer.destroy()
  await lmtp.end()
  for (const door of ['mx', 'relay', 'submission'] as const) {
    const smtp = await serveForTest({ door })
    const other = await smtp.peer()
    await other.reply()
    assert.match(await other.say('LHLO a'), /^500 5\.5\.1 .*EHLO/)
    assert.match(await other.say('MAIL FROM:<>'), /^503 5\.5\.1 say EHLO first$/)
    other.destroy()
    await smtp.end()
  }
})

test('a PC that says its name in a charset of its own is let in, and nothing else of that kind', async () => {
  const served = await serveForTest({ door: 'relay' })
  const peer = await served.peer()
  await peer.reply()
  const inShiftJis = Buffer.from('EHLO \x89\xd4\x8eq-PC\r\n', 'latin1')
  peer.write(inShiftJis)
  assert.match(await peer.reply(), /^250-mx\.campus\.example\n/)
  peer.write(Buffer.from('MAIL FROM:<\x89\xd4@far.example>\r\n', 'latin1'))
  assert.match(await peer.reply(), /^500 5\.5\.2 /)
  assert.match(await send(peer), /^250 /)
  assert.match(served.reception.messages[0]?.command.peer.helo ?? '', /^\ufffd.*-PC$/)
  peer.destroy()
  await served.end()
})
