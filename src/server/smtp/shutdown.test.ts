import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '#base/time.ts'
import { FakeReception } from '#test/fake/reception.ts'
import { serveForTest } from '#test/fake/smtp-serve.ts'

const RCPT = 'RCPT TO:<taro@campus.example>'
const GRACE_MS = 10_000
const GONE = '421 4.3.2 mx.campus.example is shutting down; try again later'

test('at shutdown who idles hears 421, and nobody comes in', async () => {
  const served = await serveForTest({ door: 'mx' })
  const idle = await served.begun('NOOP')
  const fresh = await served.peer()
  await fresh.reply()
  const closing = served.listener.close(GRACE_MS)
  for (const peer of [idle, fresh]) {
    assert.equal(await peer.reply(), GONE)
    assert.equal(await peer.end(), '')
  }
  const late = await served.peer()
  assert.equal(await late.end(), '')
  await closing
  assert.equal(served.listener.connections(), 0)
})

test('a transaction may finish, and 421 follows its reply', async () => {
  const reception = new FakeReception()
  let open = (): void => undefined
  reception.gate = new Promise((resolve) => (open = resolve))
  const served = await serveForTest({ door: 'mx', reception })
  const open1 = await served.begun()
  const inData = await served.begun()
  const finishing = await served.begun()
  for (const peer of [inData, finishing]) {
    await peer.say(RCPT)
    await peer.say('DATA')
  }
  finishing.write('終わる\r\n.\r\n')
  await reception.seen('finishing')
  const closing = served.listener.close(GRACE_MS)
  assert.match(await open1.say(RCPT), /^250 /)
  assert.match(await open1.say('DATA'), /^354 /)
  open1.write('続ける\r\n.\r\n')
  inData.write('間に合う\r\n.\r\n')
  open()
  for (const peer of [open1, inData, finishing]) {
    assert.equal(await peer.reply(), '250 2.0.0 taken')
    assert.equal(await peer.reply(), GONE)
    assert.equal(await peer.end(), '')
  }
  await closing
  assert.equal(reception.messages.length, 3)
})

test('RSET ends the grace of a transaction', async () => {
  const served = await serveForTest({ door: 'mx' })
  const peer = await served.begun()
  const closing = served.listener.close(GRACE_MS)
  assert.match(await peer.say('RSET'), /^250 /)
  assert.equal(await peer.reply(), GONE)
  await peer.end()
  await closing
})

test('when the grace is over, what is left is cut off and nothing of it is kept', async () => {
  const clock = new FakeClock()
  const reception = new FakeReception()
  const served = await serveForTest({ door: 'mx', clock, reception })
  const peer = await served.begun()
  await peer.say(RCPT)
  await peer.say('DATA')
  peer.write('半分')
  await reception.seen('write')
  const closing = served.listener.close(GRACE_MS)
  await new Promise(setImmediate)
  clock.advance(GRACE_MS)
  await closing
  assert.equal(await peer.end(), '')
  assert.ok(reception.events.includes('sink.abort'))
  assert.equal(reception.messages.length, 0)
})
