import { test } from 'node:test'
import { memoryLog } from '#base/log.ts'
import { answersAlike } from '#test/fake/line-strangers.ts'
import { manageSieveRoom, plain } from '#test/fake/managesieve-room.ts'

const USUAL = [
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
]
const ODD = [
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
]

test('any octets, in any segments, get the same answers, and no session fails', async (t) => {
  const log = memoryLog()
  const { listener, port, store } = await manageSieveRoom(t, { log, limits: { errorsMax: 12 } })
  await answersAlike(
    { listener, port, log },
    {
      usual: USUAL,
      odd: ODD,
      greeting: /^"IMPLEMENTATION" "Watari"\r\n[^]*\r\n$/,
      anew: () => store.spoil('DELETE FROM script'),
    },
  )
})
