import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromUtf8, toLatin1 } from '#base/octets.ts'
import { imapRoom } from '#test/fake/imap-room.ts'

process.env['TZ'] = 'UTC' // dates are told in the machine's zone

const fold = (text: string): string => text.replace(/.{1,76}/g, '$&\r\n')
const pdf = Buffer.alloc(700_000, 'PDF\0渡り鳥の群れ')

const mail = fromUtf8(
  [
    'Subject: =?UTF-8?B?5rih44KK?=',
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary=b',
    '',
    '--b',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: quoted-printable',
    '',
    '=E6=B8=A1=E3=82=8A=',
    '鳥',
    '--b',
    'Content-Type: application/pdf',
    'Content-Transfer-Encoding: BASE64',
    '',
    fold(pdf.toString('base64')),
    '--b',
    'Content-Transfer-Encoding: x-secret',
    '',
    'abc',
    '--b',
    'Content-Transfer-Encoding: base64',
    '',
    Buffer.from('短い\0').toString('base64'),
    '--b--',
    '',
  ].join('\r\n'),
)

/** The octets of the one literal8 of an answer. */
function octetsOf(answer: string): string {
  const match = /~\{(\d+)\}\r\n/.exec(answer)
  assert.ok(match, answer.slice(0, 200))
  const from = match.index + match[0].length
  return answer.slice(from, from + Number(match[1]))
}

test('BINARY gives parts without their transfer encoding (RFC 3516 §4.2)', async (t) => {
  const client = await (await imapRoom(t)).login()
  await client.append('INBOX', mail)
  await client.command('SELECT INBOX')
  const text = toLatin1(fromUtf8('渡り鳥'))
  assert.equal(octetsOf(await client.command('FETCH 1 BINARY.PEEK[1]')), text)
  const whole = octetsOf(await client.command('FETCH 1 BINARY.PEEK[2]'))
  assert.ok(whole === toLatin1(pdf))
  // Longer than one read: skipped and cut while it is decoded.
  const some = await client.command('FETCH 1 BINARY.PEEK[2]<500000.70000>')
  assert.match(some, /BINARY\[2\]<500000> ~\{70000\}/)
  assert.ok(octetsOf(some) === toLatin1(pdf.subarray(500_000, 570_000)))
  assert.equal(octetsOf(await client.command('FETCH 1 BINARY.PEEK[2]<800000.5>')), '')
  assert.equal(octetsOf(await client.command('FETCH 1 BINARY.PEEK[1]<3.3>')), text.slice(3, 6))
  // Without a length, as other servers take it: all from there on.
  for (const [section, whole] of [
    ['1', text],
    ['2', toLatin1(pdf)],
  ] as const)
    assert.equal(
      octetsOf(await client.command(`FETCH 1 BINARY.PEEK[${section}]<5>`)),
      whole.slice(5),
    )
  assert.match(await client.command('FETCH 1 BODY.PEEK[1]<5>'), /^BAD/)
  assert.equal(
    octetsOf(await client.command('FETCH 1 BINARY.PEEK[4]')),
    toLatin1(fromUtf8('短い\0')),
  )
  assert.equal(octetsOf(await client.command('FETCH 1 BINARY.PEEK[]')), toLatin1(mail))
  assert.match(
    await client.command('FETCH 1 (BINARY.SIZE[1] BINARY.SIZE[2] BINARY.SIZE[4])'),
    /^\* 1 FETCH \(BINARY\.SIZE\[1\] 9 BINARY\.SIZE\[2\] 700000 BINARY\.SIZE\[4\] 7\)\r\nOK/,
  )
  assert.match(await client.command('FETCH 1 BINARY.PEEK[7]'), /\(BINARY\[7\] NIL\)\r\nOK/)
  assert.match(await client.command('FETCH 1 BINARY.PEEK[3]'), /^NO \[UNKNOWN-CTE\]/)
  assert.match(await client.command('FETCH 1 FLAGS'), /FLAGS \(\\Recent\)/)
  assert.match(await client.command('FETCH 1 BINARY[1]'), /FLAGS \(\\Recent \\Seen\)/)
  for (const wrong of ['BINARY', 'BINARY[MIME]', 'BINARY[1.]', 'BINARY.SIZE[1]<0.5>', 'BINARY[0]'])
    assert.match(await client.command(`FETCH 1 ${wrong}`), /^BAD/, wrong)
})

test('PREVIEW is the text to see at once (RFC 8970 §3), SAVEDATE the day of coming here (RFC 8514)', async (t) => {
  const client = await (await imapRoom(t)).login()
  await client.append('INBOX "01-Feb-2020 09:00:00 +0900"', mail)
  await client.append('INBOX', fromUtf8('Subject: empty\r\n\r\n'))
  await client.command('SELECT INBOX')
  const preview = toLatin1(fromUtf8('渡り鳥'))
  assert.match(
    await client.command('FETCH 1:2 (PREVIEW (LAZY) UID)'),
    new RegExp(
      `1 FETCH \\(PREVIEW \\{9\\}\r\n${preview} UID 1\\)\r\n\\* 2 FETCH \\(PREVIEW "" UID 2`,
    ),
  )
  assert.match(
    await client.command('UID FETCH 1 PREVIEW (CHANGEDSINCE 1)'),
    /PREVIEW \{9\}[^]*MODSEQ/,
  )
  const shown = await client.command('FETCH 1 (INTERNALDATE SAVEDATE)')
  assert.match(shown, /INTERNALDATE " 1-Feb-2020 00:00:00 \+0000" SAVEDATE "/)
  const [, day] = /SAVEDATE " ?([\w-]+) /.exec(shown)!
  assert.match(await client.command(`SEARCH SAVEDON ${day!}`), /^\* SEARCH 1 2\r\n/)
  assert.match(await client.command(`SEARCH SAVEDBEFORE ${day!}`), /^\* SEARCH\r\n/)
  assert.match(
    await client.command(`SEARCH SAVEDSINCE ${day!} SAVEDATESUPPORTED`),
    /^\* SEARCH 1 2\r/,
  )
  // A copy enters its mailbox when it is made.
  await client.command('STORE 1 +FLAGS.SILENT (\\Flagged)')
  assert.match(await client.command('UID SEARCH NOT SAVEDBEFORE 2-Feb-2020'), /^\* SEARCH 1 2\r/)
})

test('BINARY tells headers and texts as BODY does, and their lengths', async (t) => {
  const client = await (await imapRoom(t)).login()
  await client.append('INBOX', mail)
  await client.command('SELECT INBOX')
  const subject = 'Subject: =?UTF-8?B?5rih44KK?=\r\n\r\n'
  for (const [section, value] of [
    ['HEADER.FIELDS (Subject)', subject],
    [
      '1.MIME',
      'Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n',
    ],
  ] as const) {
    assert.equal(
      await client.command(`FETCH 1 BINARY.PEEK[${section}]`),
      `* 1 FETCH (BINARY[${section}] {${value.length}}\r\n${value})\r\nOK Fetched\r\n`,
    )
    assert.equal(
      await client.command(`FETCH 1 BINARY.SIZE[${section}]`),
      `* 1 FETCH (BINARY.SIZE[${section}] ${value.length})\r\nOK Fetched\r\n`,
    )
  }
  assert.match(await client.command('FETCH 1 BINARY.PEEK[1.MIME]<8.4>'), /<8> \{4\}\r\nType\)/)
  assert.match(await client.command('FETCH 1 BINARY.SIZE[9.MIME]'), /\[9\.MIME\] 0\)/)
  assert.match(await client.command('FETCH 1 BINARY[MIME]'), /^BAD/)
})
