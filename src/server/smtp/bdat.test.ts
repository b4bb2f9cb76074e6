import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '#base/outcome.ts'
import { FakeReception } from '#test/fake/reception.ts'
import type { SmtpPeer } from '#test/fake/smtp-peer.ts'
import { serveForTest } from '#test/fake/smtp-serve.ts'
import type { ServedForTest } from '#test/fake/smtp-serve.ts'

const RCPT = 'RCPT TO:<taro@campus.example>'
/** What looks like commands and is content. */
const COMMANDS = 'RSET\r\nMAIL FROM:<evil@a.example>\r\nQUIT\r\n'

async function begun(served: ServedForTest): Promise<SmtpPeer> {
  const peer = await served.begun()
  await peer.say(RCPT)
  return peer
}
const chunk = (text: string, last = ''): string =>
  `BDAT ${Buffer.byteLength(text)}${last}\r\n${text}`
const codes = (replies: readonly string[]): string =>
  replies.map((one) => one.slice(0, 9)).join(' ')

test('chunks are joined octet by octet, each is answered, the last ends the message (RFC 3030 §2)', async () => {
  const served = await serveForTest({ door: 'mx' })
  for (const [chunks, content] of [
    [[chunk('件名\r\n'), chunk('.\r\n..\r\n'), chunk('', ' LAST')], '件名\r\n.\r\n..\r\n'],
    [[chunk('a\r'), chunk('\nb\r\n', ' last')], 'a\r\nb\r\n'],
    [[chunk(''), chunk(''), chunk(COMMANDS, ' LAST')], COMMANDS],
    [[chunk('', ' LAST')], ''],
    [[chunk('no line end', '   LAST')], 'no line end'],
  ] as const) {
    const peer = await begun(served)
    peer.write(`${chunks.join('')}NOOP\r\n`)
    const replies = await peer.replies(chunks.length + 1)
    for (const reply of replies) assert.match(reply, /^250 2\.0\.0 /)
    assert.equal(replies.at(-2), '250 2.0.0 taken')
    assert.equal(served.reception.messages.at(-1)?.content.toString(), content)
    peer.destroy()
  }
  await served.end()
})

test('a chunk may be cut anywhere, and what follows it is a command again', async () => {
  const served = await serveForTest({ door: 'mx' })
  const whole = Buffer.from(`${chunk('鳥\r\n')}${chunk('QUIT\r\n', ' LAST')}`)
  const peer = await served.begun('NOOP')
  for (let cut = 1; cut < whole.length; cut++) {
    await peer.say('MAIL FROM:<>')
    await peer.say(RCPT)
    await peer.writeAlone(whole.subarray(0, cut))
    await peer.writeAlone(whole.subarray(cut))
    assert.equal(codes(await peer.replies(2)), '250 2.0.0 250 2.0.0', `cut at ${cut}`)
  }
  for (const { content } of served.reception.messages)
    assert.equal(content.toString(), '鳥\r\nQUIT\r\n')
  assert.equal(served.reception.messages.length, whole.length - 1)
  peer.destroy()
  await served.end()
})

test('a chunk nobody asked for is read and dropped: nothing of it is obeyed', async () => {
  const served = await serveForTest({ door: 'mx' })
  const peer = await served.begun('NOOP')
  peer.write(`${chunk(COMMANDS)}${chunk(COMMANDS, ' LAST')}NOOP\r\n`)
  assert.equal(codes(await peer.replies(3)), '503 5.5.1 503 5.5.1 250 2.0.0')
  await peer.say('MAIL FROM:<>')
  await peer.say('RCPT TO:<unknown@campus.example>')
  peer.write(`${chunk(COMMANDS)}${chunk(COMMANDS, ' LAST')}NOOP\r\n`)
  assert.equal(codes(await peer.replies(3)), '554 5.5.1 554 5.5.1 250 2.0.0')
  assert.equal(served.reception.messages.length, 0)
  peer.destroy()
  await served.end()
})

test('BDAT and DATA do not mix, and no recipient comes late', async () => {
  const served = await serveForTest({ door: 'mx' })
  const peer = await begun(served)
  peer.write(chunk('一\r\n'))
  assert.match(await peer.reply(), /^250 /)
  assert.match(await peer.say('DATA'), /^503 5\.5\.1 BDAT has begun/)
  assert.match(await peer.say(RCPT), /^503 5\.5\.1 the message has begun$/)
  assert.match(await peer.say('MAIL FROM:<>'), /^503 /)
  assert.match(await peer.say('NOOP'), /^250 /)
  peer.write(chunk('二\r\n', ' LAST'))
  assert.equal(await peer.reply(), '250 2.0.0 taken')
  assert.equal(served.reception.messages[0]?.content.toString(), '一\r\n二\r\n')
  peer.write(chunk('三\r\n', ' LAST'))
  assert.match(await peer.reply(), /^503 5\.5\.1 say MAIL first$/)
  peer.destroy()
  await served.end()
})

test('RSET and a new greeting throw away what chunks have brought', async () => {
  const served = await serveForTest({ door: 'mx' })
  const peer = await served.begun('NOOP')
  for (const ending of ['RSET', 'EHLO again.example', 'HELO again.example']) {
    await peer.say('MAIL FROM:<>')
    await peer.say(RCPT)
    peer.write(chunk('捨てる\r\n'))
    await peer.reply()
    assert.match(await peer.say(ending), /^250/)
    assert.equal(served.reception.events.at(-1), 'sink.abort')
  }
  await peer.say('MAIL FROM:<>')
  await peer.say(RCPT)
  peer.write(chunk('残す\r\n', ' LAST'))
  await peer.reply()
  assert.deepEqual(
    served.reception.messages.map(({ content }) => content.toString()),
    ['残す\r\n'],
  )
  peer.destroy()
  await served.end()
})

test('a size that cannot be read ends the connection: nobody knows where the chunk ends', async () => {
  const served = await serveForTest({ door: 'mx' })
  for (const bad of [
    '',
    'x',
    '-1',
    '1.5',
    '1 LAST 2',
    '1LAST',
    '99999999999999999',
    '0x10',
    '１',
  ]) {
    const peer = await begun(served)
    peer.write(`BDAT ${bad}\r\n${COMMANDS}`)
    assert.match(await peer.reply(), /^501 5\.5\.4 .*closing$/, bad)
    assert.equal(await peer.end(), '')
  }
  assert.equal(served.reception.events.filter((event) => event === 'mail').length, 9)
  await served.end()
})

test('more octets than are taken: this chunk and all later ones say so, the session goes on', async () => {
  const served = await serveForTest({ door: 'mx', limits: { messageBytesMax: 1_000 } })
  for (const [chunks, wanted] of [
    [[chunk('x'.repeat(1_000), ' LAST')], ['250']],
    [[chunk('x'.repeat(1_001), ' LAST')], ['552']],
    [
      [chunk('x'.repeat(999)), chunk('xx'), chunk('x'), chunk('', ' LAST')],
      ['250', '552', '552', '552'],
    ],
    [
      [chunk('x'.repeat(700_000)), chunk('x', ' LAST')],
      ['552', '552'],
    ],
  ] as const) {
    const peer = await begun(served)
    peer.write(`${chunks.join('')}NOOP\r\n`)
    const replies = await peer.replies(chunks.length + 1)
    assert.deepEqual(
      replies.map((reply) => reply.slice(0, 3)),
      [...wanted, '250'],
    )
    for (const reply of replies.filter((one) => one.startsWith('552')))
      assert.match(reply, /^552 5\.3\.4 .* 1000 octets/)
    peer.destroy()
  }
  assert.equal(served.reception.messages.length, 1)
  await served.end()
})

test('the MX refuses bare CR, LF and NUL in chunks too, wherever the chunks end', async () => {
  const served = await serveForTest({ door: 'mx' })
  for (const [parts, text] of [
    [['a\nb\r\n', ''], 'bare LF'],
    [['a\r', 'b\r\n'], 'bare CR'],
    [['a', '\nb'], 'bare LF'],
    [['a', 'b\r'], 'bare CR'],
    [['a\0b', ''], 'NUL'],
  ] as const) {
    const peer = await begun(served)
    peer.write(`${chunk(parts[0])}${chunk(parts[1], ' LAST')}NOOP\r\n`)
    const replies = await peer.replies(3)
    assert.match(replies[1]!, new RegExp(`^550 5\\.6\\.0 ${text}`))
    assert.match(replies[2]!, /^250 /)
    peer.destroy()
  }
  assert.equal(served.reception.messages.length, 0)
  await served.end()
})

test('relay and submission repair them, over the border of two chunks as well', async () => {
  const served = await serveForTest({ door: 'relay' })
  const peer = await begun(served)
  peer.write(`${chunk('a\nb\r')}${chunk('\nc\r')}${chunk('d\r', ' LAST')}`)
  await peer.replies(3)
  assert.equal(served.reception.messages[0]?.content.toString(), 'a\r\nb\r\nc\r\nd\r\n')
  peer.destroy()
  await served.end()
})

test('a refusal and a fault of ours are told chunk by chunk, as 4xx', async () => {
  const reception = new FakeReception()
  const served = await serveForTest({ door: 'mx', reception })
  reception.dataRefusal = { code: 452, status: '4.3.1', text: '満杯 full' }
  const full = await begun(served)
  full.write(`${chunk(COMMANDS)}${chunk(COMMANDS, ' LAST')}NOOP\r\n`)
  assert.equal(codes(await full.replies(3)), '452 4.3.1 452 4.3.1 250 2.0.0')
  full.destroy()
  reception.dataRefusal = undefined
  reception.writeFails = new Fault('stalled', 'no disk')
  const stalled = await begun(served)
  stalled.write(`${chunk(COMMANDS)}${chunk('')}${chunk(COMMANDS, ' LAST')}NOOP\r\n`)
  assert.equal(codes(await stalled.replies(4)), '451 4.3.0 451 4.3.0 451 4.3.0 250 2.0.0')
  stalled.destroy()
  assert.equal(reception.messages.length, 0)
  await served.end()
})
