import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toUtf8 } from '#base/octets.ts'
import { TlsIdentity } from '#net/tls.ts'
import { FakeAuthenticator, fakeAccount } from '#test/fake/authenticator.ts'
import { fakeCertificate } from '#test/fake/identity.ts'
import type { SmtpPeer } from '#test/fake/smtp-peer.ts'
import { serveForTest } from '#test/fake/smtp-serve.ts'
import type { SmtpLimits } from './options.ts'

const WHERE = /mail\.campus\.example port 587 \(STARTTLS\) or 465 \(TLS\)/
const base64 = (text: string): string => Buffer.from(text, 'utf8').toString('base64')
const plain = (login: string, password: string, authzid = ''): string =>
  base64(`${authzid}\0${login}\0${password}`)
const PASSWORDS: Readonly<Record<string, string>> = {
  hanako: '渡り鳥 &"\\',
  taro: ' lead and trail ',
  kana: 'か'.repeat(333) + '!',
  花子: 'x',
}
const RIGHT = `AUTH PLAIN ${plain('hanako', PASSWORDS['hanako']!)}`
const WRONG = `AUTH PLAIN ${plain('hanako', 'wrong')}`

/** A submission door that takes passwords as it is. */
async function door(limits: Partial<SmtpLimits> = {}) {
  const authenticator = new FakeAuthenticator(PASSWORDS)
  const served = await serveForTest({
    door: 'submission',
    authenticator,
    allowPlaintext: () => true,
    limits,
  })
  const peer = async (): Promise<SmtpPeer> => {
    const opened = await served.peer()
    await opened.reply()
    await opened.say('EHLO client.example')
    return opened
  }
  return { authenticator, peer, served }
}

test('a session whose account may be in no longer sends nothing more', async () => {
  const { authenticator, peer, served } = await door()
  const at = await peer()
  assert.match(await at.say(RIGHT), /^235/)
  assert.match(await at.say('MAIL FROM:<hanako@campus.example>'), /^250/)
  await at.say('RSET')
  authenticator.fallen.add(fakeAccount('hanako').id)
  assert.match(await at.say('MAIL FROM:<hanako@campus.example>'), /^550 5\.7\.1 this login/)
  await served.end()
})

test('passwords are opaque octets by each mechanism, with and without an initial response', async () => {
  const { authenticator, peer, served } = await door()
  for (const [login, password] of Object.entries(PASSWORDS)) {
    const talks: readonly (readonly string[])[] = [
      [`AUTH PLAIN ${plain(login, password)}`],
      [`auth plain ${plain(login, password, login)}`],
      ['AUTH PLAIN', plain(login, password)],
      ['AUTH LOGIN', base64(login), base64(password)],
      [`AUTH login ${base64(login)}`, base64(password)],
    ]
    for (const talk of talks) {
      const at = await peer()
      let reply = ''
      for (const [i, line] of talk.entries()) {
        reply = await at.say(line)
        if (i < talk.length - 1) assert.match(reply, /^334(?: [A-Za-z0-9+/=]+)?$/)
      }
      assert.equal(reply, '235 2.7.0 logged in', `${login}: ${talk[0]}`)
      assert.equal(toUtf8(authenticator.attempts.at(-1)!.password), password)
      at.destroy()
    }
  }
  assert.equal(authenticator.attempts.length, 20)
  await served.end()
})

test('the prompts are those that programs know (RFC 4616, and LOGIN as it is in the wild)', async () => {
  const { peer, served } = await door()
  const at = await peer()
  assert.equal(await at.say('AUTH PLAIN'), '334')
  assert.match(await at.say('*'), /^501 5\.5\.2 .*cancelled$/)
  assert.equal(await at.say('AUTH LOGIN'), `334 ${base64('Username:')}`)
  assert.equal(await at.say(base64('花子')), `334 ${base64('Password:')}`)
  assert.match(await at.say('*'), /^501 5\.5\.2 .*cancelled$/)
  assert.match(await at.say('MAIL FROM:<>'), /^530 /)
  assert.match(await at.say(RIGHT), /^235 /)
  at.destroy()
  await served.end()
})

test('what is no response is 501 and no guess; the session goes on (RFC 4954 §4)', async () => {
  const { authenticator, peer, served } = await door({ errorsMax: 1_000 })
  const at = await peer()
  for (const initial of [
    '=', // empty
    '==',
    '!!!',
    'AB',
    'AAA=B',
    'AA=A',
    base64('hanako'),
    base64('hanako\0password'),
    base64('\0\0password'),
    base64('\0hanako\0pass\0word'),
    'AGhhbmFrbwBx/w', // padding is missing
    '花子',
  ]) {
    assert.match(await at.say(`AUTH PLAIN ${initial}`), /^501 5\.5\.2 /, initial)
    assert.equal(await at.say('AUTH PLAIN'), '334')
    assert.match(await at.say(initial === '=' ? '' : initial), /^501 5\.5\.2 /, initial)
  }
  assert.match(await at.say('AUTH LOGIN ='), /^501 5\.5\.2 /)
  await at.say('AUTH LOGIN')
  assert.match(await at.say(base64('a\0b')), /^501 5\.5\.2 /)
  assert.match(await at.say('AUTH'), /^501 5\.5\.4 /)
  assert.match(await at.say('AUTH PLAIN AAAA AAAA'), /^501 5\.5\.4 /)
  for (const mechanism of ['CRAM-MD5', 'SCRAM-SHA-256', 'XOAUTH2', '花'])
    assert.match(await at.say(`AUTH ${mechanism}`), /^504 5\.5\.4 .*PLAIN LOGIN$/)
  assert.equal(authenticator.attempts.length, 0)
  assert.match(await at.say(RIGHT), /^235 /)
  at.destroy()
  await served.end()
})

test('lines of an exchange have 12,288 octets (RFC 4954 §4), whatever commands have', async () => {
  const { authenticator, peer, served } = await door({ commandBytesMax: 512 })
  const at = await peer()
  const initial = (length: number): string => 'A'.repeat(length)
  assert.match(await at.say(`AUTH PLAIN ${initial(12_288 - 12)}`), /^501 5\.5\.2 malformed/)
  assert.match(await at.say(`AUTH PLAIN ${initial(12_292)}`), /^500 5\.5\.2 line is longer/)
  await at.say('AUTH PLAIN')
  assert.match(await at.say(initial(12_288)), /^501 5\.5\.2 malformed/)
  await at.say('AUTH PLAIN')
  assert.match(await at.say(initial(12_292)), /^500 5\.5\.6 authentication line is too long$/)
  await at.say('AUTH PLAIN')
  assert.match(await at.say(initial(1_000_000)), /^500 5\.5\.6 /)
  assert.match(await at.say(`NOOP ${'x'.repeat(600)}`), /^500 5\.5\.2 .* 512 /)
  assert.equal(authenticator.attempts.length, 0)
  assert.match(await at.say(RIGHT), /^235 /)
  at.destroy()
  await served.end()
})

test('after so many failures the connection ends, without another guess', async () => {
  const { authenticator, peer, served } = await door({ loginFailuresMax: 3 })
  const at = await peer()
  for (const line of [WRONG, `AUTH PLAIN ${plain('nobody', 'x')}`, WRONG])
    assert.equal(await at.say(line), '535 5.7.8 login refused')
  assert.match(await at.say(RIGHT), /^421 4\.7\.0 too many failed logins; closing$/)
  assert.equal(await at.end(), '')
  assert.equal(authenticator.attempts.length, 3)
  await served.end()
})

test('many guesses in one segment are no more than others', async () => {
  const { authenticator, peer, served } = await door({ loginFailuresMax: 3 })
  const at = await peer()
  at.write(`${WRONG}\r\n`.repeat(50))
  for (let i = 0; i < 3; i++) assert.match(await at.reply(), /^535 /)
  assert.match(await at.reply(), /^421 /)
  assert.equal(await at.end(), '')
  assert.equal(authenticator.attempts.length, 3)
  await served.end()
})

test('nobody acts as another, and is told no more than with a wrong password (RFC 4616 §2)', async () => {
  const { peer, served } = await door()
  const at = await peer()
  const other = `AUTH PLAIN ${plain('hanako', PASSWORDS['hanako']!, 'taro')}`
  assert.equal(await at.say(other), await at.say(WRONG))
  assert.match(await at.say('MAIL FROM:<>'), /^530 /)
  at.destroy()
  await served.end()
})

test('trouble of ours is 454, no failure, and never a wrong password (RFC 4954 §6)', async () => {
  const { authenticator, peer, served } = await door({ loginFailuresMax: 1 })
  const at = await peer()
  for (const fault of ['unavailable', 'slowed'] as const) {
    authenticator.fault = fault
    assert.match(await at.say(RIGHT), /^454 4\.7\.0 .*try again later$/)
  }
  authenticator.fault = undefined
  assert.match(await at.say(RIGHT), /^235 /)
  at.destroy()
  await served.end()
})

test('a login is made once, after EHLO and outside transactions, and stays (RFC 4954 §4)', async () => {
  const { peer, served } = await door()
  const early = await served.peer()
  await early.reply()
  assert.match(await early.say(RIGHT), /^503 5\.5\.1 say EHLO first$/)
  early.destroy()
  const at = await peer()
  assert.match(await at.say(RIGHT), /^235 /)
  assert.match(await at.say(RIGHT), /^503 5\.5\.1 you are logged in already$/)
  for (const line of ['RSET', 'EHLO again.example', 'MAIL FROM:<hanako@campus.example>'])
    assert.match(await at.say(line), /^250/)
  assert.match(await at.say('AUTH LOGIN'), /^503 /)
  assert.match(await at.say('RCPT TO:<taro@campus.example>'), /^250/)
  assert.match(await at.say('DATA'), /^354/)
  assert.match(await at.say('件名\r\n.'), /^250/)
  const [message] = served.reception.messages
  assert.equal(message?.command.account?.username, 'hanako')
  assert.equal(message.command.peer.accountId, message.command.account.id)
  at.destroy()
  await served.end()
})

test('a peer that leaves amid the exchange has made no attempt', async () => {
  const { authenticator, peer, served } = await door()
  for (const talk of ['AUTH PLAIN\r\n', `AUTH LOGIN\r\n${base64('hanako')}\r\n`]) {
    const at = await peer()
    at.write(`${talk}${base64('渡り')}`)
    at.finishWriting()
    await at.end()
  }
  assert.equal(authenticator.attempts.length, 0)
  await served.end()
})

test('before TLS no password is taken, but from where it is allowed; the text says where to go', async () => {
  const identity = new TlsIdentity(await fakeCertificate())
  const authenticator = new FakeAuthenticator(PASSWORDS)
  const asked: string[] = []
  let allowed = false
  const served = await serveForTest({
    door: 'submission',
    tls: 'starttls',
    identity: () => identity,
    authenticator,
    allowPlaintext: (ip) => {
      asked.push(ip)
      return allowed
    },
  })
  const at = await served.peer()
  await at.reply()
  assert.doesNotMatch(await at.say('EHLO client.example'), /AUTH/)
  for (const line of [RIGHT, 'AUTH PLAIN', 'AUTH LOGIN', 'AUTH X']) {
    const reply = await at.say(line)
    assert.match(reply, /^538 5\.7\.11 .*STARTTLS/)
    assert.match(reply, WHERE)
  }
  assert.equal(authenticator.attempts.length, 0)
  allowed = true
  assert.match(await at.say('EHLO client.example'), /^250[- ]AUTH PLAIN LOGIN$/m)
  assert.match(await at.say(RIGHT), /^235 /)
  assert.deepEqual(new Set(asked), new Set(['127.0.0.1']))
  at.destroy()
  await served.end()
})

test('no other door knows logins, and each names the one that does', async () => {
  for (const door of ['mx', 'relay', 'lmtp'] as const) {
    const authenticator = new FakeAuthenticator(PASSWORDS)
    const served = await serveForTest({ door, authenticator, allowPlaintext: () => true })
    const at = await served.peer()
    await at.reply()
    assert.doesNotMatch(await at.say(`${door === 'lmtp' ? 'L' : 'E'}HLO a.example`), /AUTH/)
    for (const line of [RIGHT, 'AUTH LOGIN', 'AUTH']) {
      const reply = await at.say(line)
      assert.match(reply, /^502 5\.5\.1 /)
      assert.match(reply, WHERE)
    }
    assert.equal(authenticator.attempts.length, 0)
    at.destroy()
    await served.end()
  }
})
