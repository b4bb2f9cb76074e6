import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { memoryLog } from '#base/log.ts'
import { LineClient } from '#test/fake/line-client.ts'
import { pop3Room } from '#test/fake/pop3-room.ts'

const RUNS = 300

const piece = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom(
      'USER hanako\r\n',
      'PASS h\r\n',
      'USER hanako\r\nPASS h\r\n',
      'AUTH PLAIN AGhhbmFrbwBo\r\n',
      'AUTH LOGIN\r\n',
      '*\r\n',
      'CAPA\r\n',
      'STAT\r\n',
      'LIST\r\n',
      'LIST 1\r\n',
      'UIDL\r\n',
      'RETR 1\r\n',
      'TOP 1 0\r\n',
      'DELE 1\r\n',
      'RSET\r\n',
      'NOOP\r\n',
      'QUIT\r\n',
    ),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      'PASS ',
      'RETR 99999999999999999999\r\n',
      'TOP 1 -1\r\n',
      'USER\r\n',
      '\r\n',
      '\n',
      '\r',
      '\0',
      '鳥\r\n',
      'x'.repeat(9_000),
    ),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 12 }) },
)

test('any octets, in any segments, get the same answers, and no session fails', async (t) => {
  const log = memoryLog()
  const { listener, port } = await pop3Room(t, { log, limits: { errorsMax: 12 } })
  const talk = async (segments: readonly Uint8Array[]): Promise<string> => {
    const client = LineClient.plain(port)
    for (const segment of segments) {
      client.send(segment)
      await new Promise(setImmediate)
    }
    client.socket.end()
    const said = await client.closed()
    client.end()
    // The maildrop is free again once the session is gone.
    while (listener.connections() > 0) await new Promise(setImmediate)
    return said
  }
  await fc.assert(
    fc.asyncProperty(
      fc.array(piece, { maxLength: 25 }),
      fc.array(fc.nat(400), { maxLength: 8 }),
      async (pieces, cuts) => {
        const whole = Buffer.concat(
          pieces.map((one) => (typeof one === 'string' ? Buffer.from(one) : one)),
        )
        const at = [0, ...cuts.map((cut) => Math.min(cut, whole.length)), whole.length]
        at.sort((a, b) => a - b)
        const said = await talk([whole])
        assert.match(said, /^\+OK (?:[^\r\n]*\r\n)+$/)
        assert.equal(await talk(at.slice(1).map((end, i) => whole.subarray(at[i], end))), said)
        assert.deepEqual(
          log.lines.filter(({ level }) => level === 'error'),
          [],
        )
      },
    ),
    { numRuns: RUNS },
  )
})
