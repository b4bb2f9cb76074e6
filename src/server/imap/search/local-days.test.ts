import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromUtf8 } from '#base/octets.ts'
import { imapRoom } from '#test/fake/imap-room.ts'

process.env['TZ'] = 'Europe/Helsinki'

test('days of INTERNALDATE are those of the machine, over changes of its zone too (RFC 9051 §6.4.4)', async (t) => {
  const client = await (await imapRoom(t)).login()
  for (const date of [
    '24-Mar-2007 23:00:00 +0200',
    '25-Mar-2007 00:00:00 +0200',
    '25-Mar-2007 04:00:00 +0300',
    '25-Mar-2007 23:00:00 +0300',
    '26-Mar-2007 00:00:00 +0300',
    '28-Oct-2007 03:00:00 +0300',
    '28-Oct-2007 03:00:00 +0200',
    '29-Oct-2007 07:00:00 +0900', // midnight there
  ])
    await client.append(`INBOX "${date}"`, fromUtf8('Subject: 渡り\r\n\r\n'))
  await client.command('SELECT INBOX')
  const found = async (key: string): Promise<string> =>
    (await client.command(`SEARCH ${key}`)).split('\r\n')[0]!
  assert.equal(await found('BEFORE 25-Mar-2007'), '* SEARCH 1')
  assert.equal(await found('ON 25-Mar-2007'), '* SEARCH 2 3 4')
  assert.equal(await found('SINCE 26-Mar-2007'), '* SEARCH 5 6 7 8')
  assert.equal(await found('ON 28-Oct-2007'), '* SEARCH 6 7')
  assert.equal(await found('SINCE 29-Oct-2007'), '* SEARCH 8')
  assert.equal(await found('SAVEDON 25-Nov-2026'), '* SEARCH 1 2 3 4 5 6 7 8')
  const dates = await client.command('FETCH 1:8 (UID INTERNALDATE)')
  for (const date of ['24-Mar-2007 23:00:00 +0200', '25-Mar-2007 04:00:00 +0300'])
    assert.ok(dates.includes(`INTERNALDATE "${date}"`), dates)
  assert.match(dates, /UID 6 INTERNALDATE "28-Oct-2007 03:00:00 \+0300"/)
  assert.match(dates, /UID 7 INTERNALDATE "28-Oct-2007 03:00:00 \+0200"/)
  assert.match(
    await client.command('FETCH 8 (INTERNALDATE BODY.PEEK[])'),
    /"29-Oct-2007 00:00:00 \+0200"/,
  )
})
