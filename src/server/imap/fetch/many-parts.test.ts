import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromUtf8 } from '#base/octets.ts'
import { PARTS_MAX } from '#codec/mime/indexer.ts'
import { METAS_BYTES_MAX } from '#store/mailbox/meta-records.ts'
import { imapRoom } from '#test/fake/imap-room.ts'

const MAILS = 8

/** A mail of more parts than are looked at; the first of them says so in Japanese. */
const manyParts = (n: number): Uint8Array =>
  fromUtf8(
    `Subject: 部品 ${n}\r\nX-Number: 番号${n}\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n` +
      `--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n渡り鳥${n}\r\n` +
      '--b\r\n\r\nx\r\n'.repeat(PARTS_MAX) +
      '--b--\r\n',
  )

/** Turns of the loop that others had while `work` ran. */
async function turnsOf(work: () => Promise<unknown>): Promise<number> {
  let turns = 0
  let isOver = false
  const count = (): void => {
    turns++
    if (!isOver) setImmediate(count)
  }
  setImmediate(count)
  await work()
  isOver = true
  return turns
}

test('metas of many mails of 10,000 parts are read in runs, and others have a turn after each', async (t) => {
  const room = await imapRoom(t)
  const client = await room.login()
  for (let n = 0; n < MAILS; n++) await client.append('INBOX', manyParts(n))
  await client.command('SELECT INBOX')
  const answers: number[] = []
  const { metas } = room.store
  room.store.metas = async (ask) => {
    const answer = await metas(ask)
    answers.push(answer.octets.length)
    return answer
  }
  for (const [command, told] of [
    ['FETCH 1:* (ENVELOPE PREVIEW)', /PREVIEW \{10\}\r\n渡り鳥7\)\r\nOK/],
    ['FETCH 1:* BODYSTRUCTURE', /^\* 8 FETCH \(BODYSTRUCTURE \(\("text" "plain" .*\r\nOK/m],
    ['FETCH 1:* (BODY.PEEK[1] BODYSTRUCTURE)', /渡り鳥7/],
    ['FETCH 1:* BINARY.PEEK[1]', /渡り鳥7/],
    ['SORT (SUBJECT) UTF-8 ALL', /^\* SORT 1 2 3 4 5 6 7 8\r\n/],
    ['THREAD REFERENCES UTF-8 ALL', /^\* THREAD \(/],
    ['SEARCH CHARSET UTF-8 HEADER X-Number "番号7"', /^\* SEARCH 8\r\n/m],
    ['SEARCH CHARSET UTF-8 NOT BODY "渡り鳥7"', /^\* SEARCH 1 2 3 4 5 6 7\r\n/m],
  ] as const) {
    answers.length = 0
    let answer = ''
    const turns = await turnsOf(async () => (answer = await client.command(command)))
    assert.match(Buffer.from(answer, 'latin1').toString(), told, command)
    assert.ok(answers.length >= 2, `${command}: ${answers.length} answers`)
    for (const bytes of answers) assert.ok(bytes <= METAS_BYTES_MAX, `${bytes} octets of metas`)
    assert.ok(turns >= MAILS, `${command}: ${turns} turns`)
  }
})

test('hundreds of encoded parts in one FETCH are decoded one after the other', async (t) => {
  const room = await imapRoom(t)
  const client = await room.login()
  const text = '渡り鳥が海を渡る\r\n'.repeat(4_000)
  const base64 = Buffer.from(text).toString('base64').replace(/.{76}/g, '$&\r\n')
  await client.append(
    'INBOX',
    fromUtf8(`Subject: x\r\nContent-Transfer-Encoding: base64\r\n\r\n${base64}\r\n`),
  )
  await client.command('SELECT INBOX')
  const bytes = Buffer.byteLength(text)
  const items = Array.from({ length: 300 }, (_, n) =>
    n % 3 === 0 ? 'BINARY.SIZE[1]' : `BINARY.PEEK[1]<${n}.20>`,
  )
  const answer = await client.command(`FETCH 1 (${items.join(' ')})`)
  assert.equal(answer.split(`BINARY.SIZE[1] ${bytes}`).length, 101)
  assert.ok(answer.includes(Buffer.from(text).toString('latin1', 299, 319)))
  assert.ok(room.store.readsAtOnceMax <= 2, `${room.store.readsAtOnceMax} reads at once`)
  const whole = await client.command(`FETCH 1 (${'BINARY.PEEK[1] '.repeat(20).trim()})`)
  assert.equal(
    whole.split(Buffer.from(text).toString('latin1')).length,
    21,
    'kept or decoded again',
  )
  assert.match(await client.command(`FETCH 1 (${'BODY.PEEK[] '.repeat(1_001).trim()})`), /^BAD/)
  assert.match(await client.command('NOOP'), /^OK/)
})

test('fields are picked out of a header of megabytes piece by piece', async (t) => {
  const room = await imapRoom(t)
  const client = await room.login()
  const flood = Array.from({ length: 40_000 }, (_, n) => `X-Flood: ${n} ${'渡り'.repeat(12)}\r\n`)
  const header = `Subject: 先頭\r\n${flood.join('')}X-Last: 末尾\r\n`
  await client.append('INBOX', fromUtf8(`${header}\r\n本文`))
  await client.command('SELECT INBOX')
  let answer = ''
  const turns = await turnsOf(async () => {
    answer = await client.command('FETCH 1 BODY.PEEK[HEADER.FIELDS (X-LAST SUBJECT)]')
  })
  const picked = 'Subject: 先頭\r\nX-Last: 末尾\r\n\r\n'
  assert.ok(
    Buffer.from(answer, 'latin1')
      .toString()
      .includes(`{${Buffer.byteLength(picked)}}\r\n${picked})`),
  )
  assert.ok(turns > 10, `${turns} turns`)
  const others = await client.command('FETCH 1 BODY.PEEK[HEADER.FIELDS.NOT (X-LAST)]<7.6>')
  assert.ok(Buffer.from(others, 'latin1').toString().includes('<7> {6}\r\n: 先\ufffd)'))
})
