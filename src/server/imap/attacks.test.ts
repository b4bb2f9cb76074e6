import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromUtf8 } from '#base/octets.ts'
import { imapRoom } from '#test/fake/imap-room.ts'

const PARENTHESES = 1_000_000

test('literals of 4 GB, of less than nothing and of no number are refused before an octet of them', async (t) => {
  const room = await imapRoom(t)
  for (const [announced, answer] of [
    ['{4294967295}', /^a BAD/],
    ['{4294967295+}', /^\* BYE/],
    ['{4294967296+}', /^(?:\* BYE|a BAD)/],
    ['{99999999999999999999}', /^a BAD/],
    ['{-1}', /^a BAD/],
    ['{-1+}', /^a BAD/],
    ['{0x10}', /^a BAD/],
    ['{}', /^a BAD/],
    ['{ 3}', /^a BAD/],
    ['~{4294967295+}', /^(?:\* BYE|a BAD)/],
  ] as const) {
    const client = await room.connect()
    client.send(`a LOGIN hanako ${announced}\r\n`)
    assert.match(await client.line(), answer, announced)
    client.end()
  }
  const client = await room.connect()
  client.send('a LOGIN {0}\r\n')
  assert.match(await client.line(), /^\+ /)
  client.send(' {0+}\r\n\r\n')
  assert.match(await client.line(), /^a (?:NO|BAD)/)
  assert.match(await client.command('LOGIN taro taro'), /^OK/)
})

test('a million parentheses before login, in a line or many, cost their sender only', async (t) => {
  const room = await imapRoom(t)
  const beside = await room.login()
  for (const flood of [
    `a FETCH 1 ${'('.repeat(PARENTHESES)}\r\n`,
    `a SEARCH ${'NOT '.repeat(PARENTHESES / 4)}ALL\r\n`,
    `a LIST ${'('.repeat(8_000)}\r\n`.repeat(PARENTHESES / 8_000),
  ]) {
    const client = await room.connect()
    client.send(flood)
    assert.match(await client.line(), /^(?:\*|a) BAD/)
    assert.match(await beside.command('NOOP'), /^OK/)
    client.end()
  }
  assert.match(await beside.command(`SEARCH ${'('.repeat(20_000)}ALL${')'.repeat(20_000)}`), /^BAD/)
  assert.match(await beside.command(`SEARCH ${'NOT '.repeat(12_000)}ALL`), /^BAD/)
  assert.match(await beside.command('NOOP'), /^OK/)
})

test('huge sets and search programs are merged or refused', async (t) => {
  const room = await imapRoom(t)
  const client = await room.login()
  for (const text of ['一', '二', '三'])
    await client.append('INBOX', fromUtf8(`Subject: ${text}\r\n\r\n${text}\r\n`))
  await client.command('SELECT INBOX')
  const all = Array.from({ length: 12_000 }, () => '1:*').join(',')
  const answer = await client.command(`FETCH ${all} (UID)`)
  assert.equal(answer.match(/^\* \d FETCH/gm)?.length, 3, 'each once')
  assert.match(answer, /OK Fetched/)
  assert.match(await client.command(`STORE ${all} +FLAGS (\\Seen)`), /OK/)
  assert.match(await client.command(`SEARCH ${all}`), /^\* SEARCH 1 2 3\r\n/)
  assert.match(await client.command(`SEARCH ${'OR SEEN '.repeat(900)}ALL`), /OK|BAD/)
  assert.match(await client.command(`SEARCH ${'ALL '.repeat(10_000)}`), /^BAD/)
  const texts = Array.from({ length: 400 }, (_, n) => `BODY x${n}`).join(' ')
  assert.match(await client.command(`SEARCH ${texts}`), /OK/)
  assert.match(await client.command('FETCH 4294967295:* UID'), /OK|BAD/)
  assert.match(await client.command('NOOP'), /^OK/)
})

test('many who send bad base64 keep nobody from logging in', async (t) => {
  const room = await imapRoom(t)
  const bad = async (text: string): Promise<string> => {
    const client = await room.connect()
    client.send(`a AUTHENTICATE PLAIN ${text}\r\n`)
    const answer = await client.line()
    client.send(`b AUTHENTICATE PLAIN\r\n`)
    await client.line()
    client.send(`${text}\r\n`)
    const second = await client.line()
    client.end()
    return `${answer.slice(0, 5)} ${second.slice(0, 5)}`
  }
  const garbage = ['!!!!', 'AAA', '====', 'AGhhbmFrb', 'AA=A', 'A'.repeat(4_001), '渡り']
  const floods = Array.from({ length: 140 }, (_, n) => bad(garbage[n % garbage.length]!))
  const logins = Array.from({ length: 10 }, async () => (await room.login()).command('NOOP'))
  for (const answer of await Promise.all(logins)) assert.match(answer, /^OK/)
  for (const answers of await Promise.all(floods))
    assert.match(answers, /^a (?:BAD|NO) ?.* b (?:BAD|NO)/)
  assert.equal(room.authenticator.attempts.length, 10, 'no garbage was taken for a password')
})
