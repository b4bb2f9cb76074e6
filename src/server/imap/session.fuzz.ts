import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { memoryLog } from '#base/log.ts'
import { imapRoom } from '#test/fake/imap-room.ts'
import { LineClient } from '#test/fake/line-client.ts'

const RUNS = 300
const MAIL = 'Subject: =?UTF-8?B?5rih44KK?=\r\n\r\n渡り鳥\r\n'

/** What a talk is made of: commands, halves of commands, and anything. */
const piece = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom(
      'a LOGIN taro taro\r\n',
      'b SELECT INBOX\r\n',
      'b2 EXAMINE "Sent"\r\n',
      'c FETCH 1:* (FLAGS UID BODYSTRUCTURE ENVELOPE BODY.PEEK[]<1.9>)\r\n',
      'd UID FETCH *:1 (BODY[HEADER.FIELDS (Subject)] BODY[1.MIME] RFC822.SIZE)\r\n',
      'e STORE 1 +FLAGS (\\Seen $Work)\r\n',
      'f SEARCH RETURN (ALL COUNT) OR TEXT "渡" NOT 1\r\n',
      'f2 SEARCH CHARSET UTF-8 SUBJECT {6+}\r\n渡り\r\n',
      'g COPY 1 Sent\r\n',
      'h MOVE 1:3 "Trash"\r\n',
      'i EXPUNGE\r\n',
      'j CREATE {6+}\r\n議事\r\n',
      'k RENAME "&i3BOiw-" 議事録\r\n',
      'l LIST "" (% "*") RETURN (STATUS (MESSAGES UNSEEN))\r\n',
      'm STATUS INBOX (MESSAGES UIDNEXT HIGHESTMODSEQ)\r\n',
      'n IDLE\r\n',
      'DONE\r\n',
      `o APPEND INBOX (\\Draft) {${Buffer.byteLength(MAIL)}+}\r\n${MAIL}\r\n`,
      'p APPEND INBOX {5}\r\n',
      'q UNSELECT\r\n',
      'r CLOSE\r\n',
      's ENABLE CONDSTORE\r\n',
      's2 ENABLE QRESYNC\r\n',
      's5 ENABLE IMAP4rev2 UTF8=ACCEPT\r\n',
      's12 SETMETADATA INBOX (/private/comment {6+}\r\n渡り)\r\n',
      's13 GETMETADATA (DEPTH infinity) "" /private/comment\r\n',
      's6 UNAUTHENTICATE\r\n',
      's7 FETCH 1:* (BINARY[1]<1.9> BINARY.SIZE[1] PREVIEW SAVEDATE)\r\n',
      's8 UID SEARCH RETURN (SAVE PARTIAL -1:-5) SAVEDSINCE 1-Jan-2020\r\n',
      's9 STORE $ +FLAGS (\\Deleted)\r\n',
      's10 APPEND INBOX (\\Seen) {3+}\r\na\r\n UTF8 (~{4+}\r\na\r\n\0)\r\n',
      's11 UID REPLACE 1 Sent {3+}\r\na\r\n\r\n',
      's3 SELECT INBOX (QRESYNC (1 1 1:9 (1 1)))\r\n',
      's4 UID FETCH 1:* FLAGS (CHANGEDSINCE 1 VANISHED)\r\n',
      't AUTHENTICATE PLAIN\r\n',
      'AHRhcm8AdGFybw==\r\n',
      'u NOOP\r\n',
      'v ID ("name" "鳥")\r\n',
    ),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      'w LOGOUT\r\n',
      'x LOGIN ',
      'y ',
      '{3}\r\n',
      '{3+}\r\n',
      '{99999}\r\n',
      '{99999999999}\r\n',
      '"',
      '\\',
      '(',
      ')',
      '\r\n',
      '\n',
      '\r',
      '\0',
      '*',
      '+',
      '鳥',
      '1:*',
      'x'.repeat(9_000),
    ),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 12 }) },
)

test('any octets, in any segments, are answered by lines, and no session fails', async (t) => {
  const log = memoryLog()
  // One room for all: what earlier talks have left in the mailboxes is there for later ones.
  const room = await imapRoom(t, { log, limits: { errorsMax: 12, loginFailuresMax: 3 } })
  const talk = async (segments: readonly Uint8Array[]): Promise<string> => {
    const client = LineClient.plain(room.port)
    for (const segment of segments) {
      client.send(segment)
      await new Promise(setImmediate)
    }
    client.socket.end()
    const said = await client.closed()
    client.end()
    return said
  }
  await fc.assert(
    fc.asyncProperty(
      fc.boolean(),
      fc.array(piece, { maxLength: 25 }),
      fc.array(fc.nat(400), { maxLength: 8 }),
      async (isLoggedIn, pieces, cuts) => {
        const start = isLoggedIn ? ['0 LOGIN taro taro\r\n1 SELECT INBOX\r\n'] : []
        const whole = Buffer.concat(
          [...start, ...pieces].map((one) => (typeof one === 'string' ? Buffer.from(one) : one)),
        )
        const at = [0, ...cuts.map((cut) => Math.min(cut, whole.length)), whole.length]
        at.sort((a, b) => a - b)
        const said = await talk(at.slice(1).map((end, i) => whole.subarray(at[i], end)))
        assert.match(said, /^\* OK \[CAPABILITY /)
        assert.ok(said.endsWith('\r\n'), said.slice(-100))
        const failed = log.lines.filter(({ level }) => level === 'error')
        assert.deepEqual(failed, [])
      },
    ),
    { numRuns: RUNS },
  )
  assert.equal(log.lines.filter(({ event }) => event === 'imap.unavailable').length, 0)
})
