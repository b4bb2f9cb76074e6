import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concatOctets, fromLatin1, fromUtf8 } from '#base/octets.ts'
import { imapRoom } from '#test/fake/imap-room.ts'
import type { LineClient } from '#test/fake/line-client.ts'

const jis = (text: string): string => Buffer.from(text, 'hex').toString('latin1')
/** 会議 in ISO-2022-JP and Shift_JIS. */
const KAIGI_JIS = jis('1b2442327135441b2842')
const KAIGI_SJIS = jis('89ef8b63')

const mails = [
  'From: =?UTF-8?B?6Iqx5a2Q?= <hanako@campus.example>\r\nTo: taro@campus.example\r\nSubject: =?UTF-8?B?5rih44KK?=\r\n =?UTF-8?B?6bOl?=\r\nDate: Sun, 1 Nov 2026 00:30:00 +0900\r\n\r\nHello World\r\n',
  `From: taro@campus.example\r\nSubject: jis\r\nContent-Type: text/plain; charset=ISO-2022-JP\r\n\r\n${KAIGI_JIS}\r\n`,
  `From: taro@campus.example\r\nSubject: b64\r\nContent-Type: text/plain; charset=Shift_JIS\r\nContent-Transfer-Encoding: base64\r\n\r\n${Buffer.from(KAIGI_SJIS, 'latin1').toString('base64')}\r\n`,
  'From: jiro@campus.example\r\nCc: Hanako <hanako@lab.campus.example>\r\nX-Tag: Alpha\r\nSubject: qp\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>=E4=BC=9A=\r\n<b>=E8=AD=B0</b> &amp; ABC</p>\r\n',
].map(fromLatin1)

async function filled(client: LineClient): Promise<void> {
  for (const octets of mails) await client.append('INBOX', octets)
  await client.append('INBOX (\\Seen $Work) " 5-Jan-2020 10:00:00 +0000"', Buffer.alloc(5_000, 'x'))
  await client.command('SELECT INBOX')
}

test('SEARCH finds by flags, numbers, dates and sizes (RFC 9051 §6.4.4)', async (t) => {
  const client = await (await imapRoom(t)).login()
  await filled(client)
  const found = async (keys: string): Promise<string> =>
    (await client.command(`SEARCH ${keys}`)).split('\r\n')[0]!.replace(/^\* SEARCH ?/, '')
  assert.equal(await found('ALL'), '1 2 3 4 5')
  assert.equal(await found('UNSEEN 2:*'), '2 3 4')
  assert.equal(await found('NOT 2:4'), '1 5')
  assert.equal(await found('OR SEEN UID 1'), '1 5')
  assert.equal(await found('KEYWORD $work'), '5')
  assert.equal(await found('UNKEYWORD $Work'), '1 2 3 4')
  assert.equal(await found('KEYWORD none'), '')
  assert.equal(await found('LARGER 4999 SMALLER 5001'), '5')
  assert.equal(await found('BEFORE 6-Jan-2020'), '5')
  assert.equal(await found('ON 5-Jan-2020'), '5')
  assert.equal(await found('SINCE 6-Jan-2020'), '1 2 3 4')
  assert.equal(await found('SENTON 1-Nov-2026'), '1')
  assert.equal(await found('SENTSINCE 2-Nov-2026'), '')
  assert.equal(await found('YOUNGER 3600'), '1 2 3 4')
  assert.equal(await found('RECENT'), '1 2 3 4 5')
  assert.equal(await found('NEW'), '1 2 3 4')
  assert.equal(await found('OLD'), '')
  assert.equal(await found('(FROM taro) (SUBJECT jis)'), '2')
  const ids = /EMAILID \((\w+)\)/.exec(await client.command('FETCH 2 EMAILID'))!
  assert.equal(await found(`EMAILID ${ids[1]!}`), '2')
})

test('SEARCH finds Japanese in headers and bodies, whatever carried it', async (t) => {
  const client = await (await imapRoom(t)).login()
  await filled(client)
  const found = async (keys: string): Promise<string> =>
    (await client.command(`SEARCH CHARSET UTF-8 ${keys}`))
      .split('\r\n')[0]!
      .replace(/^\* SEARCH ?/, '')
  assert.equal(await found('SUBJECT 渡り鳥'), '1')
  assert.equal(await found('FROM 花子'), '1')
  assert.equal(await found('CC hanako'), '4')
  assert.equal(await found('BODY 会議'), '2 3 4')
  assert.equal(await found('TEXT "会議"'), '2 3 4')
  assert.equal(await found('TEXT 渡り鳥'), '1')
  assert.equal(await found('BODY "hello wORLD"'), '1')
  assert.equal(await found('BODY ＡＢＣ'), '4')
  assert.equal(await found('HEADER X-Tag alpha'), '4')
  assert.equal(await found('HEADER X-Tag ""'), '4')
  assert.equal(await found('NOT BODY 会議'), '1 5')
  assert.equal(await found('TEXT 無い言葉'), '')
  const asked = `s SEARCH CHARSET ISO-2022-JP BODY {${KAIGI_JIS.length}+}\r\n`
  client.send(concatOctets([fromLatin1(asked), fromLatin1(KAIGI_JIS), fromUtf8('\r\n')]))
  assert.match(await client.response((line) => line.startsWith('s ')), /^\* SEARCH 2 3 4\r\ns OK/)
  assert.match(await client.command('SEARCH CHARSET KLINGON ALL'), /^NO \[BADCHARSET \(UTF-8 /)
})

test('ESEARCH returns what is asked for (RFC 4731 §3.1)', async (t) => {
  const client = await (await imapRoom(t)).login()
  await filled(client)
  const answer = async (text: string): Promise<string> =>
    (await client.command(text)).split('\r\n')[0]!.replace(/\(TAG "t\d+"\)/, 'TAG')
  assert.equal(
    await answer('SEARCH RETURN (MIN MAX COUNT) UNSEEN'),
    '* ESEARCH TAG MIN 1 MAX 4 COUNT 4',
  )
  assert.equal(await answer('UID SEARCH RETURN () NOT 3'), '* ESEARCH TAG UID ALL 1:2,4:5')
  assert.equal(await answer('SEARCH RETURN (ALL COUNT) DELETED'), '* ESEARCH TAG COUNT 0')
  await client.command('ENABLE CONDSTORE')
  assert.match(await answer('SEARCH RETURN (MIN) MODSEQ 1'), /^\* ESEARCH TAG MIN 1 MODSEQ \d+$/)
})

test('SEARCH BODY looks into delivery reports and the messages they carry', async (t) => {
  const client = await (await imapRoom(t)).login()
  const part = (type: string, text: string): string =>
    `--b\r\nContent-Type: ${type}\r\n\r\n${text}\r\n`
  const bounce = [
    'Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n',
    part('text/plain; charset=utf-8', '配送できません'),
    part(
      'message/delivery-status',
      'Final-Recipient: rfc822; jiro@other.example\r\nAction: failed',
    ),
    part('message/rfc822', 'Subject: =?UTF-8?B?5rih44KK?=\r\n\r\n本文'),
    '--b--\r\n',
  ]
  await client.append('INBOX', fromUtf8(bounce.join('')))
  await client.command('SELECT INBOX')
  for (const text of ['配送', 'jiro@other.example', '渡り', '本文'])
    assert.match(await client.command(`SEARCH CHARSET UTF-8 BODY "${text}"`), /^\* SEARCH 1\r\n/)
})

test('bodies of a mailbox are searched in batches', async (t) => {
  const client = await (await imapRoom(t)).login()
  for (let i = 0; i < 410; i++)
    await client.append(
      'INBOX',
      fromUtf8(`Subject: n\r\n\r\n${i % 100 === 7 ? '会議' : '日記'}\r\n`),
    )
  await client.command('SELECT INBOX')
  assert.match(await client.command('SEARCH BODY 会議'), /^\* SEARCH 8 108 208 308 408\r\n/)
})
