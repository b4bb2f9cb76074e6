import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { memoryLog } from '#base/log.ts'
import { FakeAuthenticator } from '#test/fake/authenticator.ts'
import { FakeReception } from '#test/fake/reception.ts'
import { SmtpPeer } from '#test/fake/smtp-peer.ts'
import { serveForTest } from '#test/fake/smtp-serve.ts'
import type { MailDoor } from './options.ts'

const RUNS = 300
const DOORS: readonly MailDoor[] = ['mx', 'relay', 'submission', 'lmtp']
const LOGIN = `AUTH PLAIN ${Buffer.from('\0hanako\0渡り').toString('base64')}`

/** What a talk is made of: commands, content, halves of both, and anything. */
const piece = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom(
      'EHLO a\r\n',
      'EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<taro@campus.example>\r\n',
      `EHLO a\r\n${LOGIN}\r\nMAIL FROM:<>\r\nRCPT TO:<taro@campus.example>\r\nDATA\r\n`,
      'LHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<taro@campus.example>\r\nRCPT TO:<full@campus.example>\r\n',
      'LHLO a\r\n',
      'HELO a\r\n',
      'MAIL FROM:<a@b.example>\r\n',
      'MAIL FROM:<花@b.example> SMTPUTF8 SIZE=3\r\n',
      'RCPT TO:<taro@campus.example>\r\n',
      'RCPT TO:<unknown@campus.example>\r\n',
      'RCPT TO:<throws@campus.example>\r\n',
      'DATA\r\n',
      'BDAT 4\r\n',
      'BDAT 0 LAST\r\n',
      'BDAT 7 LAST\r\nQUIT\r\n.',
      'BDAT x\r\n',
      `${LOGIN}\r\n`,
      'AUTH LOGIN\r\n',
      '*\r\n',
      'RSET\r\n',
      'NOOP\r\n',
      'VRFY x\r\n',
      'HELP\r\n',
    ),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      '.\r\n',
      '\r\n.\r\n',
      '\n.\n',
      '\r\n.\n',
      '\r',
      '\n',
      '\r\n',
      '.',
      '\0',
      '本文',
      'QUIT\r\n',
      'STARTTLS',
      'x'.repeat(3_000),
      'GET / HTTP/1.1\r\n',
    ),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 12 }) },
)
type Piece = string | Uint8Array
const join = (pieces: readonly Piece[]): Buffer =>
  Buffer.concat(pieces.map((one) => (typeof one === 'string' ? Buffer.from(one) : one)))

/** One listener a door, and what its sessions say to octets that come in these segments. */
async function rooms() {
  const all = new Map<MailDoor, Awaited<ReturnType<typeof room>>>()
  for (const door of DOORS) all.set(door, await room(door))
  return {
    at: (door: MailDoor) => all.get(door)!,
    end: () => Promise.all([...all.values()].map((one) => one.end())),
  }
}

async function room(door: MailDoor) {
  const reception = new FakeReception()
  const log = memoryLog()
  const served = await serveForTest({
    door,
    reception,
    log,
    authenticator: new FakeAuthenticator({ hanako: '渡り' }),
    allowPlaintext: () => true,
    limits: { messageBytesMax: 5_000, errorsMax: 8, recipientsMax: 3 },
  })
  return {
    end: () => served.end(),
    /** All that is said, and all that is taken, until the peer has sent everything and ended. */
    async talk(segments: readonly Uint8Array[]) {
      reception.messages.length = 0
      log.lines.length = 0
      const peer = await SmtpPeer.open({ host: '127.0.0.1', port: served.listener.port })
      for (const segment of segments) if (segment.length > 0) await peer.writeAlone(segment)
      peer.finishWriting()
      const said = await peer.end()
      while (served.listener.connections() > 0) await new Promise(setImmediate)
      return {
        said,
        taken: reception.messages.map(({ content }) => content.toString('latin1')),
        errors: log.lines.filter(({ event, level, fields }) => {
          const isMeant = event === 'smtp.command' && fields['cause'] === 'a fault of the world'
          return level === 'error' && !isMeant
        }),
      }
    },
  }
}

/** Every reply is whole: code, enhanced status but for the few that have none, text of one line. */
const REPLIES = /^(?:(?:[2-5]\d\d-[^\r\n]*\r\n)*[2-5]\d\d [^\r\n]*\r\n)*$/

test('any octets, in any segments, are answered by whole replies, the same ones, without a fault', async () => {
  const all = await rooms()
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...DOORS),
      fc.array(piece, { maxLength: 25 }),
      fc.array(fc.nat(400), { maxLength: 10 }),
      async (door, pieces, cuts) => {
        const whole = join(pieces)
        const at = [0, ...cuts.map((cut) => Math.min(cut, whole.length)), whole.length]
        at.sort((a, b) => a - b)
        const segments = at.slice(1).map((end, i) => whole.subarray(at[i], end))
        const inOne = await all.at(door).talk([whole])
        assert.match(inOne.said, REPLIES)
        assert.deepEqual(inOne.errors, [])
        assert.deepEqual(await all.at(door).talk(segments), inOne)
      },
    ),
    { numRuns: RUNS },
  )
  await all.end()
})

test('a DATA that is not finished is never answered, and nothing of it is taken', async () => {
  const all = await rooms()
  const unfinished = fc
    .array(piece, { maxLength: 15 })
    .map((pieces) => join(pieces))
    .filter((content) => !content.toString('latin1').match(/^\.\r\n|\r\n\.\r\n/))
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...DOORS),
      unfinished,
      fc.nat(60),
      async (door, content, cut) => {
        const start = [
          door === 'lmtp' ? 'LHLO a' : 'EHLO a',
          ...(door === 'submission' ? [LOGIN] : []),
          'MAIL FROM:<a@b.example>',
          'RCPT TO:<taro@campus.example>',
          'DATA',
          '',
        ].join('\r\n')
        const segments = [Buffer.from(start), content.subarray(0, cut), content.subarray(cut)]
        for (const sent of [segments, [Buffer.concat(segments)]]) {
          const { said, taken, errors } = await all.at(door).talk(sent)
          assert.match(said, /^354 [^\r\n]*\r\n$/m, 'DATA is the last that is answered')
          assert.ok(said.endsWith(said.slice(said.lastIndexOf('354 '))))
          assert.doesNotMatch(said.slice(said.lastIndexOf('354 ')), /\r\n./)
          assert.deepEqual(taken, [])
          assert.deepEqual(errors, [])
        }
      },
    ),
    { numRuns: RUNS },
  )
  await all.end()
})

test('a chunk that is not finished is never answered either', async () => {
  const all = await rooms()
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom<MailDoor>('mx', 'relay', 'lmtp'),
      fc.array(piece, { maxLength: 10 }).map((pieces) => join(pieces)),
      fc.constantFrom('', ' LAST'),
      async (door, content, last) => {
        const start = `${door === 'lmtp' ? 'L' : 'E'}HLO a\r\nMAIL FROM:<>\r\nRCPT TO:<taro@campus.example>\r\n`
        const bdat = `BDAT ${content.length + 1}${last}\r\n`
        const { said, taken } = await all.at(door).talk([Buffer.from(start + bdat), content])
        assert.match(said, /250 2\.1\.5 recipient ok\r\n$/)
        assert.deepEqual(taken, [])
      },
    ),
    { numRuns: RUNS },
  )
  await all.end()
})
