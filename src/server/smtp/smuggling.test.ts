import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SmtpPeer } from '#test/fake/smtp-peer.ts'
import { serveForTest } from '#test/fake/smtp-serve.ts'
import type { MailDoor } from './options.ts'

/** What somebody's server may have let through as an end of DATA; only CRLF.CRLF is one. */
const FAKE_ENDS = [
  '\n.\n',
  '\n.\r\n',
  '\r\n.\n',
  '\r.\r',
  '\r.\r\n',
  '\r\n.\r',
  '\n.\r',
  '\r.\n',
  '\r\n\0.\r\n',
  '\r\n.\0\r\n',
  '\r\r\n.\r\r\n',
  '\n\r.\n\r',
  '\r\n. \r\n',
]
const BEFORE = 'Subject: 件名\r\n\r\n一通目'
const SMUGGLED = 'MAIL FROM:<evil@a.example>\r\nRCPT TO:<hanako@campus.example>\r\nDATA\r\n二通目'

const crlf = (text: string): string => text.replace(/\r(?!\n)|(?<!\r)\n/g, '\r\n')
const unstuffed = (text: string): string => text.replace(/(^|\r\n)\./g, '$1')

/** Sends the message cut in two at `cut`; the replies up to that of NOOP. */
async function send(peer: SmtpPeer, whole: Buffer, cut: number): Promise<readonly string[]> {
  await peer.say('MAIL FROM:<a@b.example>')
  await peer.say('RCPT TO:<taro@campus.example>')
  assert.match(await peer.say('DATA'), /^354 /)
  await peer.writeAlone(whole.subarray(0, cut))
  await peer.writeAlone(whole.subarray(cut))
  peer.write('NOOP\r\n')
  return peer.replies(2)
}

const DOORS: readonly MailDoor[] = ['mx', 'relay', 'lmtp']
for (const door of DOORS)
  test(`${door}: no fake end of DATA lets a second message in, wherever TCP cuts it`, async () => {
    const served = await serveForTest({ door })
    const peer = await served.begun('NOOP')
    for (const fake of FAKE_ENDS) {
      const content = `${BEFORE}${fake}${SMUGGLED}\r\n`
      const whole = Buffer.from(`${content}.\r\n`)
      const start = Buffer.byteLength(BEFORE)
      for (let cut = start - 1; cut <= start + fake.length + 1; cut++) {
        const what = JSON.stringify({ door, fake, cut: cut - start })
        const before = served.reception.messages.length
        const [answer, noop] = await send(peer, whole, cut)
        assert.equal(noop, '250 2.0.0 ok', what)
        const taken = served.reception.messages.slice(before)
        // A dot line with a blank behind its dot is text without any bare octet: it is simply mail.
        const isClean = crlf(fake) === fake && !fake.includes('\0')
        if (door === 'mx' && !isClean) {
          assert.match(answer!, /^550 5\.6\.0 (?:bare CR|bare LF|NUL)/, what)
          assert.equal(taken.length, 0, what)
          continue
        }
        assert.match(answer!, /^250 /, what)
        const wanted = door === 'lmtp' ? unstuffed(content) : crlf(unstuffed(content))
        assert.deepEqual(
          taken.map((message) => message.content.toString()),
          [wanted],
          what,
        )
        assert.equal(taken[0]!.command.reversePath?.localpart, 'a', what)
      }
    }
    assert.ok(!served.reception.events.includes('rcpt hanako@campus.example'))
    peer.destroy()
    await served.end()
  })

test('a message cut octet by octet is the same message', async () => {
  const served = await serveForTest({ door: 'mx' })
  const peer = await served.begun()
  await peer.say('RCPT TO:<taro@campus.example>')
  await peer.say('DATA')
  for (const octet of Buffer.from('..鳥\r\n...\r\n\r\n.x\r\n.\r\nNOOP\r\n'))
    await peer.writeAlone(Uint8Array.of(octet))
  assert.deepEqual(await peer.replies(2), ['250 2.0.0 taken', '250 2.0.0 ok'])
  assert.equal(served.reception.messages[0]?.content.toString(), '.鳥\r\n..\r\n\r\nx\r\n')
  peer.destroy()
  await served.end()
})

test('line ends inside commands are no commands of their own', async () => {
  const served = await serveForTest({ door: 'mx' })
  const peer = await served.begun('NOOP')
  for (const sneaky of [
    'NOOP\nMAIL FROM:<evil@a.example>',
    'NOOP\rMAIL FROM:<evil@a.example>',
    'MAIL FROM:<a@b.example>\nRCPT TO:<hanako@campus.example>',
    'MAIL FROM:<"\r"@b.example>',
    'RSET\0',
    'EHLO a\vb',
  ])
    assert.match(await peer.say(sneaky), /^500 5\.5\.2 this is no command$/, JSON.stringify(sneaky))
  assert.deepEqual(served.reception.events, [])
  peer.destroy()
  await served.end()
})
