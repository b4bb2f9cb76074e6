import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { memoryLog } from '#base/log.ts'
import { LineClient } from '#test/fake/line-client.ts'
import { manageSieveRoom, plain } from '#test/fake/managesieve-room.ts'

const RUNS = 300

const piece = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom(
      `AUTHENTICATE "PLAIN" "${plain('hanako', 'h')}"\r\n`,
      'AUTHENTICATE "LOGIN"\r\n',
      '"*"\r\n',
      'CAPABILITY\r\n',
      'HAVESPACE "鳥" 10\r\n',
      'PUTSCRIPT "鳥" "keep;"\r\n',
      'PUTSCRIPT {3+}\r\n渡 {7+}\r\n# 一\n\r\n',
      'CHECKSCRIPT {4+}\r\noops\r\n',
      'LISTSCRIPTS\r\n',
      'SETACTIVE "鳥"\r\n',
      'SETACTIVE ""\r\n',
      'GETSCRIPT "鳥"\r\n',
      'DELETESCRIPT "鳥"\r\n',
      'RENAMESCRIPT "鳥" "渡"\r\n',
      'NOOP {2+}\r\n\r\n\r\n',
      'UNAUTHENTICATE\r\n',
      'LOGOUT\r\n',
    ),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      'PUTSCRIPT "a" {5+}\r\n',
      'PUTSCRIPT "a',
      'NOOP {99999999999+}\r\n',
      'NOOP {3}\r\n',
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
  const { listener, port, store } = await manageSieveRoom(t, { log, limits: { errorsMax: 12 } })
  const talk = async (segments: readonly Uint8Array[]): Promise<string> => {
    store.spoil('DELETE FROM script')
    const client = LineClient.plain(port)
    for (const segment of segments) {
      client.send(segment)
      await new Promise(setImmediate)
    }
    client.socket.end()
    const said = await client.closed()
    client.end()
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
        assert.match(said, /^"IMPLEMENTATION" "Watari"\r\n[^]*\r\n$/)
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
