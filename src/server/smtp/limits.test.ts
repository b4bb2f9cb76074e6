import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock, HOUR_MS, MINUTE_MS, SECOND_MS } from '#base/time.ts'
import { FakeAuthenticator } from '#test/fake/authenticator.ts'
import { FakeReception } from '#test/fake/reception.ts'
import type { SmtpPeer } from '#test/fake/smtp-peer.ts'
import { serveForTest } from '#test/fake/smtp-serve.ts'
import type { ServedForTest } from '#test/fake/smtp-serve.ts'

const RCPT = 'RCPT TO:<taro@campus.example>'

/** Resolves once `count` connections are counted. */
async function connections(served: ServedForTest, count: number): Promise<void> {
  while (served.listener.connections() !== count) await new Promise(setImmediate)
}

test('connections over the limit of one address and of all hear 421, and why', async () => {
  for (const [limits, text] of [
    [{ connectionsMax: 2 }, 'too many connections; try again later'],
    [{ connectionsPerIpMax: 2 }, 'too many connections from 127.0.0.1; try again later'],
  ] as const) {
    const served = await serveForTest({ door: 'mx', limits })
    const [first, second] = [await served.peer(), await served.peer()]
    assert.match(await first.reply(), /^220 /)
    assert.match(await second.reply(), /^220 /)
    const third = await served.peer()
    assert.equal(await third.reply(), `421 4.7.0 ${text}`)
    assert.equal(await third.end(), '')
    assert.match(await first.say('EHLO client.example'), /^250/, 'who is in stays in')
    assert.match(await second.say('QUIT'), /^221 /)
    await second.end()
    await connections(served, 1)
    const fourth = await served.peer()
    assert.match(await fourth.reply(), /^220 /)
    first.destroy()
    fourth.destroy()
    await connections(served, 0)
    await served.end()
  }
})

test('limits are those of the moment a connection begins', async () => {
  let connectionsMax = 0
  const served = await serveForTest({ door: 'mx', limits: () => ({ connectionsMax }) })
  const early = await served.peer()
  assert.match(await early.reply(), /^421 /)
  await early.end()
  connectionsMax = 1
  const late = await served.peer()
  assert.match(await late.reply(), /^220 /)
  late.destroy()
  await served.end()
})

test('a command line has its limit to the octet, and what is over it is dropped', async () => {
  const served = await serveForTest({ door: 'mx' })
  const peer = await served.begun('NOOP')
  const noop = (length: number): string => `NOOP ${'x'.repeat(length - 5)}`
  assert.match(await peer.say(noop(2_048)), /^250 /)
  const tooLong = /^500 5\.5\.2 line is longer than the 2048 octets allowed$/
  for (const length of [2_049, 12_288, 12_289, 100_000])
    assert.match(await peer.say(noop(length)), tooLong)
  assert.match(await peer.say(`MAIL FROM:<${'花'.repeat(700)}@b.example> SMTPUTF8`), tooLong)
  peer.write(`${noop(20_000)}\nMAIL FROM:<>\r\nNOOP\r\n`)
  assert.match(await peer.reply(), tooLong)
  assert.match(await peer.reply(), /^250 2\.0\.0 /)
  assert.deepEqual(served.reception.events, [])
  peer.destroy()
  await served.end()
})

test('a size that is told beforehand is judged at MAIL (RFC 1870 §6.1)', async () => {
  const served = await serveForTest({ door: 'mx', limits: { messageBytesMax: 1_000 } })
  const peer = await served.begun('NOOP')
  assert.match(
    await peer.say('MAIL FROM:<> SIZE=1001'),
    /^552 5\.3\.4 .* 1000 octets allowed here$/,
  )
  assert.match(await peer.say('MAIL FROM:<> SIZE=99999999999999999999'), /^552 5\.3\.4 /)
  assert.match(await peer.say('MAIL FROM:<> SIZE=x'), /^501 5\.5\.4 /)
  assert.match(await peer.say('MAIL FROM:<> SIZE=1000'), /^250 /)
  await peer.say(RCPT)
  await peer.say('DATA')
  // Who told too little is measured all the same; dots that are only stuffing do not count.
  assert.match(await peer.say(`${'x'.repeat(996)}\r\n..\r\n.`), /^552 5\.3\.4 /)
  for (const line of ['MAIL FROM:<> SIZE=1', RCPT, 'DATA']) await peer.say(line)
  assert.match(await peer.say(`${'x'.repeat(995)}\r\n..\r\n.`), /^250 /)
  assert.equal(served.reception.messages[0]?.content.length, 1_000)
  peer.destroy()
  await served.end()
})

test('of very many recipients the first ones get their mail, each other one hears 452', async () => {
  const served = await serveForTest({ door: 'mx', limits: { recipientsMax: 150 } })
  const peer = await served.begun()
  peer.write(Array.from({ length: 400 }, (_, i) => `RCPT TO:<u${i}@campus.example>\r\n`).join(''))
  const replies = await peer.replies(400)
  assert.ok(replies.slice(0, 150).every((reply) => reply.startsWith('250 2.1.5 ')))
  assert.ok(replies.slice(150).every((reply) => reply.startsWith('452 4.5.3 too many recipients')))
  await peer.say('DATA')
  assert.match(await peer.say('件名\r\n.'), /^250 /)
  const { recipients } = served.reception.messages[0]!
  assert.deepEqual(
    recipients.map(({ address }) => address.localpart),
    Array.from({ length: 150 }, (_, i) => `u${i}`),
  )
  peer.destroy()
  await served.end()
})

test('wrong commands are counted over transactions and greetings', async () => {
  const served = await serveForTest({ door: 'mx', limits: { errorsMax: 5 } })
  const peer = await served.peer()
  await peer.reply()
  for (const line of ['FOO', 'EHLO', 'DATA', 'EHLO a.example', 'BAR', 'MAIL FROM:<>', 'RSET'])
    assert.doesNotMatch(await peer.say(line), /^421/)
  peer.write('BAZ\r\nNOOP\r\nNOOP\r\n')
  assert.match(await peer.reply(), /^500 5\.5\.1 /)
  assert.equal(await peer.reply(), '421 4.7.0 too many errors; closing')
  assert.equal(await peer.end(), '')
  await served.end()
})

test('a crowd of refusals leaves a mail already begun behind', async () => {
  const served = await serveForTest({ door: 'mx', limits: { refusedRecipientsMax: 3 } })
  const peer = await served.begun()
  await peer.say(RCPT)
  for (let i = 0; i < 3; i++)
    assert.match(await peer.say('RCPT TO:<unknown@campus.example>'), /^550 5\.1\.1 /)
  assert.match(await peer.reply(), /^421 4\.7\.0 /)
  await peer.end()
  await served.reception.seen('abort')
  assert.equal(served.reception.messages.length, 0)
  await served.end()
})

/**
 * Sends `octet` once each `everyMs` of the clock until the server ends; how long that took. What
 * was said is left to be read.
 */
async function untilEnd(
  peer: SmtpPeer,
  clock: FakeClock,
  way: { readonly octet?: string; readonly everyMs: number },
): Promise<number> {
  const startMs = clock.nowMs()
  for (let i = 0; i < 20_000 && !peer.ended; i++) {
    if (way.octet !== undefined) await peer.writeAlone(way.octet)
    // Some turns of the loop, for the octet's way through the kernel and into the session.
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
    clock.advance(way.everyMs)
  }
  assert.ok(peer.ended, 'the connection is still open')
  return clock.nowMs() - startMs
}

test('a silent peer has five minutes for a command, three amid a message (RFC 5321 §4.5.3.2)', async () => {
  const clock = new FakeClock()
  const served = await serveForTest({ door: 'mx', clock })
  for (const [talk, limitMs] of [
    [[], 5 * MINUTE_MS],
    [['EHLO a.example'], 5 * MINUTE_MS],
    [['EHLO a.example', 'MAIL FROM:<>', RCPT], 5 * MINUTE_MS],
    [['EHLO a.example', 'MAIL FROM:<>', RCPT, 'DATA'], 3 * MINUTE_MS],
    [['EHLO a.example', 'MAIL FROM:<>', RCPT, 'BDAT 0'], 5 * MINUTE_MS],
  ] as const) {
    const peer = await served.peer()
    await peer.reply()
    for (const line of talk) await peer.say(line)
    const tookMs = await untilEnd(peer, clock, { everyMs: SECOND_MS })
    assert.ok(tookMs >= limitMs && tookMs < limitMs + MINUTE_MS, `${talk.at(-1)}: ${tookMs} ms`)
    assert.equal(await peer.reply(), '421 4.4.2 time is up; closing')
    assert.equal(await peer.end(), '')
  }
  assert.equal(served.reception.messages.length, 0)
  await served.end()
})

test('one octet a second makes a command no longer', async () => {
  const clock = new FakeClock()
  const served = await serveForTest({ door: 'mx', clock })
  const peer = await served.begun('NOOP')
  const tookMs = await untilEnd(peer, clock, { octet: 'x', everyMs: SECOND_MS })
  assert.ok(tookMs >= 5 * MINUTE_MS && tookMs < 6 * MINUTE_MS, `${tookMs} ms`)
  assert.match(await peer.reply(), /^421 4\.4\.2 /)
  await peer.end()
  await served.end()
})

test('one octet now and then, in a message or in commands without end, ends with the session', async () => {
  const clock = new FakeClock()
  const served = await serveForTest({ door: 'mx', clock })
  for (const [talk, octet] of [
    [['DATA'], 'x'],
    [[], 'NOOP\r\n'],
    [[], 'BDAT 1\r\nx'],
  ] as const) {
    const peer = await served.begun()
    await peer.say(RCPT)
    for (const line of talk) await peer.say(line)
    const tookMs = await untilEnd(peer, clock, { octet, everyMs: MINUTE_MS })
    assert.ok(tookMs >= 2 * HOUR_MS - MINUTE_MS && tookMs < 2.2 * HOUR_MS, `${octet}: ${tookMs}`)
    let last = ''
    for (let said = ''; !said.startsWith('(end)'); said = await peer.reply()) last = said
    assert.match(last, /^421 4\.4\.2 /)
    await peer.end()
  }
  assert.equal(served.reception.messages.length, 0)
  await served.end()
})

test('on submission the time before a login is short, whatever is said in it', async () => {
  const clock = new FakeClock()
  const served = await serveForTest({
    door: 'submission',
    clock,
    authenticator: new FakeAuthenticator({ hanako: '渡り' }),
    allowPlaintext: () => true,
    limits: { loginFailuresMax: 1_000, errorsMax: 10_000 },
  })
  const plain = (password: string): string =>
    `AUTH PLAIN ${Buffer.from(`\0hanako\0${password}`).toString('base64')}\r\n`
  for (const octet of ['NOOP\r\n', 'RSET\r\nEHLO a\r\n', plain('wrong'), 'AUTH LOGIN\r\n*\r\n']) {
    const peer = await served.begun('NOOP')
    const tookMs = await untilEnd(peer, clock, { octet, everyMs: 10 * SECOND_MS })
    assert.ok(tookMs >= 5 * MINUTE_MS - 10 * SECOND_MS && tookMs < 6 * MINUTE_MS, `${tookMs} ms`)
    assert.match(await peer.end(), /421 4\.4\.2 time is up; closing\r\n$/)
  }
  const inside = await served.begun('NOOP')
  inside.write(plain('渡り'))
  assert.match(await inside.reply(), /^235 /)
  const tookMs = await untilEnd(inside, clock, { octet: 'NOOP\r\n', everyMs: MINUTE_MS })
  assert.ok(tookMs >= 2 * HOUR_MS - MINUTE_MS, `${tookMs} ms`)
  await inside.end()
  await served.end()
})

test('a session in full flow ends as well', async () => {
  const clock = new FakeClock()
  const served = await serveForTest({ door: 'mx', clock })
  const peer = await served.begun('NOOP')
  clock.advance(2 * HOUR_MS)
  peer.write('NOOP\r\n'.repeat(20))
  // The line that was waited for when time ran out is the last one, whatever lies ready behind it.
  let said = ''
  for (let reply = ''; !reply.startsWith('(end)'); reply = await peer.reply()) said += `${reply}\n`
  assert.match(said, /^\n(?:250 .*\n)?421 4\.4\.2 time is up; closing\n$/)
  await peer.end()
  await served.end()
})

test('a peer that reads no replies is slowed, then let go, and costs no others', async () => {
  const clock = new FakeClock()
  const served = await serveForTest({ door: 'mx', clock })
  const peer = await served.begun('NOOP')
  peer.pause()
  const flood = Buffer.from('HELP\r\n'.repeat(10_000))
  let isFull = false
  for (let i = 0; i < 1_000 && !isFull; i++) isFull = !(await peer.writeOrFull(flood))
  assert.ok(isFull, 'the server takes no more commands')
  const other = await served.begun('NOOP')
  assert.match(await other.say('NOOP'), /^250 /)
  other.destroy()
  await connections(served, 1)
  for (let i = 0; i < 1_000 && served.listener.connections() > 0; i++) {
    clock.advance(SECOND_MS)
    await new Promise(setImmediate)
  }
  assert.equal(served.listener.connections(), 0)
  peer.destroy()
  await served.end()
})

test('a peer that vanishes gives its place back, wherever it was', async () => {
  const reception = new FakeReception()
  const served = await serveForTest({ door: 'mx', reception, limits: { connectionsMax: 1 } })
  const opened = (): number => reception.events.filter((event) => event === 'data').length
  for (const [start, sinks] of [
    ['', 0],
    ['RCPT', 0],
    [`${RCPT}\r\nDATA\r\n半分`, 1],
    [`${RCPT}\r\nBDAT 9\r\n半`, 2],
  ] as const) {
    const peer = await served.begun()
    await peer.writeAlone(start)
    while (opened() < sinks) await new Promise(setImmediate)
    peer.vanish()
    await connections(served, 0)
  }
  assert.equal(reception.messages.length, 0)
  assert.deepEqual(
    reception.events.filter((event) => event.endsWith('abort')),
    ['abort', 'abort', 'sink.abort', 'sink.abort'],
  )
  await served.end()
})
