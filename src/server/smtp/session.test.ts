import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '#base/outcome.ts'
import { FakeReception } from '#test/fake/reception.ts'
import { SmtpPeer } from '#test/fake/smtp-peer.ts'
import { serveForTest } from '#test/fake/smtp-serve.ts'

test('a message goes in, with what the sender asked for (RFC 5321 appendix D)', async () => {
  const served = await serveForTest({ door: 'mx' })
  const peer = await served.peer()
  assert.equal(await peer.reply(), '220 mx.campus.example ESMTP Watari')
  const extensions = await peer.say('EHLO client.example')
  for (const word of [
    'PIPELINING',
    'SIZE 52428800',
    '8BITMIME',
    'SMTPUTF8',
    'ENHANCEDSTATUSCODES',
    'DSN',
    'CHUNKING',
  ])
    assert.match(extensions, new RegExp(`^250[- ]${word}$`, 'm'))
  assert.doesNotMatch(extensions, /AUTH|BINARYMIME|STARTTLS|XWATARI/)
  assert.match(
    await peer.say('MAIL FROM:<a..b@docomo.example> SIZE=20 BODY=8BITMIME RET=HDRS ENVID=q1'),
    /^250 2\.1\.0 /,
  )
  assert.match(
    await peer.say('RCPT TO:<hanako@campus.example> NOTIFY=DELAY ORCPT=rfc822;h@x.example'),
    /^250 2\.1\.5 /,
  )
  assert.match(await peer.say('RCPT TO:<unknown@campus.example>'), /^550 5\.1\.1 /)
  assert.match(await peer.say('RCPT TO:<Postmaster>'), /^250 2\.1\.5 /)
  assert.match(await peer.say('DATA'), /^354 /)
  assert.match(await peer.say('Subject: 件名\r\n\r\n..こんにちは\r\n.'), /^250 2\.0\.0 taken$/)
  assert.match(await peer.say('QUIT'), /^221 2\.0\.0 /)
  await peer.end()
  const [message] = served.reception.messages
  assert.equal(message?.content.toString(), 'Subject: 件名\r\n\r\n.こんにちは\r\n')
  assert.deepEqual(message.command.reversePath, { localpart: 'a..b', domain: 'docomo.example' })
  assert.equal(message.command.body, '8bitmime')
  assert.equal(message.command.ret, 'hdrs')
  assert.equal(message.command.envid, 'q1')
  assert.equal(message.command.sizeBytes, 20)
  assert.equal(message.command.peer.helo, 'client.example')
  assert.equal(message.command.peer.ip, '127.0.0.1')
  assert.deepEqual(message.recipients, [
    {
      address: { localpart: 'hanako', domain: 'campus.example' },
      original: 'rfc822;h@x.example',
      notify: ['delay'],
    },
    { address: { localpart: 'postmaster', domain: 'mx.campus.example' } },
  ])
  await served.end()
})

test('a whole session in one segment is answered in order (RFC 2920 §3)', async () => {
  const served = await serveForTest({ door: 'mx' })
  const peer = await served.peer()
  await peer.reply()
  peer.write(
    'EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<unknown@campus.example>\r\nRCPT TO:<taro@campus.example>\r\nDATA\r\n一通\r\n.\r\nMAIL FROM:<b@c.example>\r\nRSET\r\nQUIT\r\n',
  )
  const codes = []
  for (let i = 0; i < 9; i++) codes.push((await peer.reply()).slice(0, 3))
  assert.deepEqual(codes, ['250', '250', '550', '250', '354', '250', '250', '250', '221'])
  await peer.end()
  assert.equal(served.reception.messages[0]?.content.toString(), '一通\r\n')
  await served.end()
})

test('a peer that ends its own side after QUIT still hears every reply', async () => {
  const served = await serveForTest({ door: 'mx' })
  const peer = await served.peer()
  peer.write(
    'EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<taro@campus.example>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n',
  )
  peer.finishWriting()
  const codes = []
  for (let i = 0; i < 7; i++) codes.push((await peer.reply()).slice(0, 3))
  assert.deepEqual(codes, ['220', '250', '250', '250', '354', '250', '221'])
  await served.end()
})

test('commands out of order, unknown and malformed ones are told apart', async () => {
  const served = await serveForTest({ door: 'mx', limits: { errorsMax: 100 } })
  const peer = await served.peer()
  await peer.reply()
  const told: readonly (readonly [string, RegExp])[] = [
    ['MAIL FROM:<a@b.example>', /^503 5\.5\.1 /],
    ['EHLO', /^501 5\.5\.4 /],
    ['LHLO a', /^500 5\.5\.1 /],
    ['HELO client.example', /^250 mx\.campus\.example$/],
    ['RCPT TO:<a@b.example>', /^503 /],
    ['DATA', /^503 /],
    ['BDAT 0 LAST', /^503 /],
    ['FROBNICATE', /^500 5\.5\.1 /],
    ['', /^500 5\.5\.2 /],
    ['花', /^500 5\.5\.2 /],
    ['NOOP\0', /^500 5\.5\.2 /],
    ['NOOP a\nMAIL FROM:<x@y.example>', /^500 5\.5\.2 /],
    [`NOOP ${'x'.repeat(3_000)}`, /^500 5\.5\.2 .*2048/],
    [`NOOP ${'x'.repeat(300_000)}`, /^500 5\.5\.2 /],
    ['VRFY hanako', /^252 2\.5\.0 /],
    ['EXPN list', /^502 /],
    ['HELP', /^214 .*mail\.campus\.example port 587/],
    ['NOOP x', /^250 2\.0\.0 /],
    ['AUTH PLAIN', /^502 5\.5\.1 .*mail\.campus\.example port 587 \(STARTTLS\) or 465 \(TLS\)/],
    ['STARTTLS', /^502 /],
    ['MAIL FROM:a b', /^501 5\.1\.7 /],
    ['MAIL FROM:<a@b.example> SIZE=99999999999', /^552 5\.3\.4 /],
    ['MAIL FROM:<a@b.example> FOO=1', /^555 5\.5\.4 /],
    ['MAIL FROM:<a@b.example> XWATARI=e30', /^555 /],
    ['MAIL FROM:<a@b.example> BODY=BINARYMIME', /^555 /],
    ['MAIL FROM:<太郎@b.example>', /^550 5\.6\.7 /],
    ['MAIL FROM:<a@b.example>', /^250 /],
    ['MAIL FROM:<a@b.example>', /^503 /],
    ['RCPT TO:<太郎@b.example>', /^553 5\.6\.7 /],
    ['RCPT TO:<>', /^501 5\.1\.3 /],
    ['RCPT TO:<throws@b.example>', /^451 4\.3\.0 /],
    ['DATA', /^503 /],
    ['MAIL FROM:<a@b.example> SMTPUTF8', /^250 /],
    ['DATA', /^554 5\.5\.1 /],
    ['RCPT TO:<unknown@例え.example>', /^550 5\.1\.1 no such mailbox: unknown@例え\.example$/],
    ['DATA now', /^501 /],
    ['RSET', /^250 /],
  ]
  for (const [line, wanted] of told) assert.match(await peer.say(line), wanted, line.slice(0, 60))
  peer.destroy()
  await served.end()
})

test('too many errors end the session, and so does a browser', async () => {
  const served = await serveForTest({ door: 'mx', limits: { errorsMax: 3 } })
  const peer = await served.peer()
  await peer.reply()
  peer.write('A\r\nB\r\nC\r\nNOOP\r\n')
  for (const wanted of [/^500/, /^500/, /^500/, /^421 4\.7\.0 too many errors/, /^\(end\)$/])
    assert.match(await peer.reply(), wanted)
  const browser = await served.peer()
  browser.write('POST / HTTP/1.1\r\nHost: mx\r\n\r\nMAIL FROM:<a@b.example>\r\n')
  for (const wanted of [/^220/, /^421/, /^\(end\)$/]) assert.match(await browser.reply(), wanted)
  await served.end()
})

test('a dictionary of refused recipients ends the session', async () => {
  const served = await serveForTest({ door: 'mx', limits: { refusedRecipientsMax: 2 } })
  const peer = await served.begun()
  assert.match(await peer.say('RCPT TO:<unknown@campus.example>'), /^550/)
  assert.match(await peer.say('RCPT TO:<unknown@campus.example>'), /^550/)
  assert.match(await peer.reply(), /^421 4\.7\.0/)
  await peer.end()
  await served.end()
})

test('recipients over the limit are put off, the others get their mail (RFC 5321 §4.5.3.1.10)', async () => {
  const served = await serveForTest({ door: 'mx', limits: { recipientsMax: 2 } })
  const peer = await served.begun()
  for (const wanted of [/^250/, /^250/, /^452 4\.5\.3 /])
    assert.match(await peer.say('RCPT TO:<taro@campus.example>'), wanted)
  await peer.say('DATA')
  assert.match(await peer.say('x\r\n.'), /^250/)
  assert.equal(served.reception.messages[0]?.recipients.length, 2)
  peer.destroy()
  await served.end()
})

test('a message that grows over the limit is read to its end and refused (RFC 1870 §6.3)', async () => {
  const served = await serveForTest({ door: 'mx', limits: { messageBytesMax: 1_000 } })
  for (const [size, wanted] of [
    [998, /^250/],
    [999, /^552 5\.3\.4 /],
    [400_000, /^552 5\.3\.4 /],
  ] as const) {
    const peer = await served.begun()
    await peer.say('RCPT TO:<taro@campus.example>')
    await peer.say('DATA')
    assert.match(await peer.say(`${'x'.repeat(size)}\r\n.`), wanted)
    assert.match(await peer.say('NOOP'), /^250/)
    peer.destroy()
  }
  assert.equal(served.reception.messages.length, 1)
  assert.equal(served.reception.events.filter((event) => event === 'sink.abort').length, 2)
  await served.end()
})

test('refusals of the reception reach the peer, and its troubles are 4xx', async () => {
  const reception = new FakeReception()
  const served = await serveForTest({ door: 'mx', reception })
  const begin = async (): Promise<SmtpPeer> => {
    const peer = await served.begun()
    await peer.say('RCPT TO:<taro@campus.example>')
    return peer
  }
  reception.dataRefusal = { code: 452, status: '4.3.1', text: 'full' }
  const refused = await begin()
  assert.equal(await refused.say('DATA'), '452 4.3.1 full')
  refused.write(
    'MAIL FROM:<>\r\nRCPT TO:<taro@campus.example>\r\nBDAT 4\r\nQUITBDAT 4 LAST\r\nQUITNOOP\r\n',
  )
  for (const wanted of [/^250/, /^250/, /^452/, /^452/, /^250/])
    assert.match(await refused.reply(), wanted)
  refused.destroy()
  reception.dataRefusal = undefined
  for (const [fault, wanted] of [
    [new Fault('stalled', 'no disk'), /^451 4\.3\.0/],
    [new Fault('full', 'no room'), /^452 4\.3\.1/],
  ] as const) {
    reception.writeFails = fault
    const failed = await begin()
    await failed.say('DATA')
    assert.match(await failed.say('x\r\n.'), wanted)
    failed.destroy()
  }
  reception.refusal = { code: 452, status: '4.3.1', text: 'full' }
  const late = await served.peer()
  assert.equal(await late.reply(), '421 4.3.1 full')
  await late.end()
  assert.equal(reception.messages.length, 0)
  await served.end()
})

test('a peer that vanishes leaves nothing behind', async () => {
  const served = await serveForTest({ door: 'mx' })
  const { reception } = served
  const early = await served.begun()
  early.vanish()
  await reception.seen('abort')
  for (const start of ['DATA\r\nhalf a', 'BDAT 100\r\nhalf a', 'BDAT 3\r\nabc']) {
    reception.events.length = 0
    const peer = await served.begun()
    await peer.say('RCPT TO:<taro@campus.example>')
    peer.write(start)
    await reception.seen('write').catch(() => undefined)
    peer.vanish()
    await reception.seen('sink.abort')
  }
  assert.equal(reception.messages.length, 0)
  await served.end()
})

test('a peer that stays away is told and let go; a session has an end', async () => {
  const idle = await serveForTest({ door: 'mx', limits: { commandTimeoutMs: 50 } })
  const peer = await idle.peer()
  await peer.reply()
  assert.match(await peer.reply(), /^421 4\.4\.2 /)
  await peer.end()
  await idle.end()
  const slow = await serveForTest({ door: 'mx', limits: { dataTimeoutMs: 50 } })
  const half = await slow.begun()
  await half.say('RCPT TO:<taro@campus.example>')
  await half.say('DATA')
  half.write('half a line')
  assert.match(await half.reply(), /^421 4\.4\.2 /)
  await half.end()
  assert.ok(slow.reception.events.includes('sink.abort'))
  await slow.end()
})
