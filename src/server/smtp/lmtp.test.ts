import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '#base/outcome.ts'
import { FakeReception } from '#test/fake/reception.ts'
import { serveForTest } from '#test/fake/smtp-serve.ts'
import type { ServedForTest } from '#test/fake/smtp-serve.ts'
import type { SmtpPeer } from '#test/fake/smtp-peer.ts'

const RCPTS = ['taro', 'full', 'unknown', 'hanako', 'taro'].map(
  (name) => `RCPT TO:<${name}@campus.example>`,
)
const TAKEN = [
  '250 2.1.5 taro@campus.example delivered',
  '452 4.2.2 full@campus.example is full',
  '250 2.1.5 hanako@campus.example delivered',
  '250 2.1.5 taro@campus.example delivered',
]

/** MAIL and the recipients above: four are accepted. */
async function begun(served: ServedForTest, mail = 'MAIL FROM:<>'): Promise<SmtpPeer> {
  const peer = await served.begun(mail)
  peer.write(`${RCPTS.join('\r\n')}\r\n`)
  const codes = (await peer.replies(RCPTS.length)).map((reply) => reply.slice(0, 3))
  assert.deepEqual(codes, ['250', '250', '550', '250', '250'])
  return peer
}

test('each accepted recipient has a reply of its own, in the order of RCPT (RFC 2033 §4.2)', async () => {
  const served = await serveForTest({ door: 'lmtp' })
  for (const send of [
    'DATA\r\n件名\r\n.\r\n',
    `BDAT ${Buffer.byteLength('件名\r\n')} LAST\r\n件名\r\n`,
    `BDAT 6\r\n件名BDAT 2 LAST\r\n\r\n`,
    'BDAT 8\r\n件名\r\nBDAT 0 LAST\r\n',
  ]) {
    const peer = await begun(served)
    peer.write(`${send}NOOP\r\n`)
    const before = send.startsWith('DATA')
      ? [/^354 /]
      : send.includes('LAST\r\n件')
        ? []
        : [/^250 /]
    for (const wanted of before) assert.match(await peer.reply(), wanted)
    assert.deepEqual(await peer.replies(5), [...TAKEN, '250 2.0.0 ok'], send)
    assert.equal(served.reception.messages.at(-1)?.content.toString(), '件名\r\n')
    peer.destroy()
  }
  await served.end()
})

test('a failure of the whole message is told to each recipient', async () => {
  const reception = new FakeReception()
  const served = await serveForTest({ door: 'lmtp', reception, limits: { messageBytesMax: 10 } })
  const long = await begun(served)
  await long.say('DATA')
  long.write('本文が長い\r\n.\r\nNOOP\r\n')
  const replies = await long.replies(5)
  for (const reply of replies.slice(0, 4)) assert.match(reply, /^552 5\.3\.4 .* 10 octets/)
  assert.match(replies[4]!, /^250 /)
  long.write('MAIL FROM:<>\r\nRCPT TO:<taro@campus.example>\r\nRCPT TO:<hanako@campus.example>\r\n')
  long.write('BDAT 11\r\n01234567890BDAT 0 LAST\r\nNOOP\r\n')
  const chunked = (await long.replies(7)).map((reply) => reply.slice(0, 3))
  assert.deepEqual(chunked, ['250', '250', '250', '552', '552', '552', '250'])
  long.destroy()
  const stalled = Promise.reject(new Fault('stalled', 'no disk'))
  stalled.catch(() => undefined)
  reception.gate = stalled
  const peer = await begun(served)
  await peer.say('DATA')
  peer.write('x\r\n.\r\nNOOP\r\n')
  const troubled = await peer.replies(5)
  for (const reply of troubled.slice(0, 4)) assert.match(reply, /^451 4\.3\.0 /)
  assert.match(troubled[4]!, /^250 /)
  peer.destroy()
  assert.equal(reception.messages.length, 0)
  await served.end()
})

test('octets are octets: bare CR, LF and NUL arrive as they are; BINARYMIME by BDAT only', async () => {
  const served = await serveForTest({ door: 'lmtp' })
  const content = Buffer.from('a\rb\nc\0\r\n.\r\n\xff..\r', 'latin1')
  const peer = await served.begun('MAIL FROM:<> BODY=BINARYMIME')
  await peer.say('RCPT TO:<taro@campus.example>')
  assert.match(await peer.say('DATA'), /^503 5\.5\.1 BINARYMIME goes by BDAT only$/)
  peer.write(Buffer.concat([Buffer.from(`BDAT ${content.length} LAST\r\n`), content]))
  assert.match(await peer.reply(), /^250 2\.1\.5 /)
  assert.ok(served.reception.messages[0]?.content.equals(content))
  assert.equal(served.reception.messages[0]?.command.body, 'binarymime')
  peer.destroy()
  const plain = await served.begun('MAIL FROM:<> BODY=8BITMIME')
  await plain.say('RCPT TO:<taro@campus.example>')
  await plain.say('DATA')
  plain.write('a\rb\nc\0\n.\n\r\n..\r\n.\r\n')
  assert.match(await plain.reply(), /^250 2\.1\.5 /)
  assert.equal(served.reception.messages[1]?.content.toString(), 'a\rb\nc\0\n.\n\r\n.\r\n')
  plain.destroy()
  await served.end()
})

test('without a recipient DATA is a wrong command, and RSET begins anew (RFC 2033 §4.2)', async () => {
  const served = await serveForTest({ door: 'lmtp' })
  const peer = await served.begun()
  await peer.say('RCPT TO:<unknown@campus.example>')
  assert.match(await peer.say('DATA'), /^503 5\.5\.1 no valid recipients$/)
  assert.match(await peer.say('RSET'), /^250 /)
  assert.match(await peer.say('DATA'), /^503 /)
  await peer.say('MAIL FROM:<>')
  await peer.say('RCPT TO:<taro@campus.example>')
  await peer.say('DATA')
  assert.equal(await peer.say('二通目\r\n.'), TAKEN[0])
  assert.equal(served.reception.messages.length, 1)
  peer.destroy()
  await served.end()
})

test('XWATARI is believed on the trusted listener of LMTP alone', async () => {
  const parseHanded = (text: string) => (text === 'bad' ? undefined : { deliveryId: text })
  for (const door of ['lmtp', 'mx', 'relay', 'submission'] as const)
    for (const trusted of [false, true]) {
      const believes = door === 'lmtp' && trusted
      const served = await serveForTest({
        door,
        parseHanded,
        trusted,
        // Submission asks for a login first: the parameter is not even looked at.
        limits: { errorsMax: 1_000 },
      })
      const peer = await served.peer()
      await peer.reply()
      const extensions = await peer.say(`${door === 'lmtp' ? 'LHLO' : 'EHLO'} gateway.example`)
      assert.equal(/XWATARI/.test(extensions), believes)
      const reply = await peer.say('MAIL FROM:<> XWATARI=D1')
      if (believes) assert.match(reply, /^250 /)
      else assert.match(reply, door === 'submission' ? /^530 / : /^555 5\.5\.4 .*XWATARI$/)
      assert.equal(served.reception.events.includes('mail'), believes)
      if (believes) {
        await peer.say('RSET')
        assert.match(await peer.say('MAIL FROM:<> XWATARI=bad'), /^501 5\.5\.4 malformed XWATARI$/)
        assert.match(await peer.say(`MAIL FROM:<> XWATARI=${'a'.repeat(60_000)}`), /^250 /)
        assert.match(await peer.say(`NOOP ${'a'.repeat(66_000)}`), /^500 5\.5\.2 /)
      } else {
        const long = await peer.say(`MAIL FROM:<> XWATARI=${'a'.repeat(3_000)}`)
        assert.match(long, /^500 5\.5\.2 .* 2048 octets/)
      }
      peer.destroy()
      await served.end()
    }
})

test('what a trusted peer hands over reaches the delivery', async () => {
  const served = await serveForTest({
    door: 'lmtp',
    trusted: true,
    parseHanded: (deliveryId) => ({ deliveryId }),
  })
  const peer = await begun(served, 'MAIL FROM:<> XWATARI=D42')
  await peer.say('DATA')
  await peer.say('x\r\n.')
  assert.deepEqual(served.reception.messages[0]?.command.handed, { deliveryId: 'D42' })
  peer.destroy()
  await served.end()
})

test('who has gone before the answer, or breaks off after it, has not heard it; who goes on or ends has', async () => {
  const mail = ['RCPT TO:<taro@campus.example>', 'DATA', '件名\r\n.'].join('\r\n')
  /** Whether the reception was told so of one mail; `then` ends the connection. */
  const isUnheard = async (
    then: (peer: SmtpPeer, release: () => void) => Promise<void> | void,
    more: { readonly trusted?: boolean } = {},
  ): Promise<boolean> => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const reception = new FakeReception()
    reception.gate = promise
    const parseHanded = (): undefined => undefined
    const served = await serveForTest({ door: 'lmtp', reception, parseHanded, ...more })
    const peer = await served.begun('MAIL FROM:<>')
    peer.write(`${mail}\r\n`)
    await reception.seen('finishing')
    await then(peer, resolve)
    resolve()
    await reception.seen('finish')
    await served.listener.close(30_000)
    return reception.events.includes('unheard')
  }
  const heard = async (peer: SmtpPeer, release: () => void): Promise<void> => {
    release()
    assert.deepEqual(
      (await peer.replies(3)).map((reply) => reply.slice(0, 3)),
      ['250', '354', '250'],
    )
  }
  const gone = async (peer: SmtpPeer): Promise<void> => {
    peer.vanish()
    await peer.end()
  }
  assert.equal(await isUnheard(gone), true)
  assert.equal(await isUnheard(gone, { trusted: true }), false, 'a gateway of ours has its ids')
  const broken = async (peer: SmtpPeer, release: () => void): Promise<void> => {
    await heard(peer, release)
    await gone(peer)
  }
  assert.equal(await isUnheard(broken), true)
  const goesOn = async (peer: SmtpPeer, release: () => void): Promise<void> => {
    await heard(peer, release)
    await peer.say('NOOP')
    await gone(peer)
  }
  assert.equal(await isUnheard(goesOn), false)
  const ends = async (peer: SmtpPeer, release: () => void): Promise<void> => {
    await heard(peer, release)
    peer.finishWriting()
  }
  assert.equal(await isUnheard(ends), false)
})
