import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromUtf8, toLatin1 } from '#base/octets.ts'
import { TlsIdentity } from '#net/tls.ts'
import { fakeCertificate } from '#test/fake/identity.ts'
import { fill, pop3Room } from '#test/fake/pop3-room.ts'
import type { Pop3RoomUnderTest } from '#test/fake/pop3-room.ts'

const WAYS = ['plain', 'implicit'] as const

async function room(
  t: Parameters<typeof pop3Room>[0],
  way: (typeof WAYS)[number],
): Promise<Pop3RoomUnderTest> {
  const identity = new TlsIdentity(await fakeCertificate())
  return pop3Room(t, way === 'plain' ? {} : { tls: 'implicit', identity: () => identity })
}

const TALK = 'USER hanako\r\nPASS h\r\nSTAT\r\nUIDL 1\r\nxyz\r\nLIST 1\r\nQUIT\r\n'
const ANSWERS = [/^\+OK/, /^\+OK/, /^\+OK 1 13$/, /^\+OK 1 /, /^-ERR/, /^\+OK 1 13$/, /^\+OK/]

test('a pipelining client that cuts its commands anywhere hears all whose line is whole (RFC 2449 §6.8)', async (t) => {
  for (const way of WAYS) {
    const { store, connect } = await room(t, way)
    await fill(store, [fromUtf8('Subject: 1\r\n\n')])
    for (let cut = 1; cut < TALK.length; cut++) {
      const client = await connect()
      const whole = TALK.slice(0, cut).split('\r\n').length - 1
      client.send(TALK.slice(0, cut))
      for (const answer of ANSWERS.slice(0, whole)) assert.match(await client.line(), answer)
      client.send(TALK.slice(cut))
      for (const answer of ANSWERS.slice(whole)) assert.match(await client.line(), answer)
      client.end()
      await client.closed() // the maildrop is open to the next
    }
  }
})

test('who sends one octet at a time, and takes answers a piece at a time, gets all of them', async (t) => {
  const mails = [900_000, 20_000, 15_000, 16_384, 100].map((size, n) =>
    fromUtf8(`Subject: ${n}\r\n\r\n${'渡り鳥が渡る。\r\n'.repeat(size / 23)}`),
  )
  for (const way of WAYS) {
    const { store, login } = await room(t, way)
    await fill(store, mails)
    const client = await login()
    const { socket } = client
    socket.on('data', () => {
      socket.pause()
      setImmediate(() => socket.resume())
    })
    for (const octet of mails.map((_, n) => `RETR ${n + 1}\r\n`).join('') + 'STAT\r\nQUIT\r\n') {
      client.send(octet)
      await new Promise(setImmediate)
    }
    const said = await client.closed()
    const wanted = mails.map((mail) => `+OK ${mail.length} octets\r\n${toLatin1(mail)}.\r\n`)
    assert.ok(said.startsWith(wanted.join('')), way)
    assert.match(said.slice(wanted.join('').length), /^\+OK 5 \d+\r\n\+OK .*\r\n$/)
  }
})
