import { test } from 'node:test'
import { memoryLog } from '#base/log.ts'
import { answersAlike } from '#test/fake/line-strangers.ts'
import { pop3Room } from '#test/fake/pop3-room.ts'

const USUAL = [
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
]
const ODD = [
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
]

test('any octets, in any segments, get the same answers, and no session fails', async (t) => {
  const log = memoryLog()
  const { listener, port } = await pop3Room(t, { log, limits: { errorsMax: 12 } })
  await answersAlike(
    { listener, port, log },
    {
      usual: USUAL,
      odd: ODD,
      greeting: /^\+OK (?:[^\r\n]*\r\n)+$/,
    },
  )
})
