import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeUtf7 } from '#codec/imap/mailbox-name.ts'
import { fromUtf8 } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import { imapRoom } from '#test/fake/imap-room.ts'

process.env['TZ'] = 'UTC' // dates are told in the machine's zone

const mail = fromUtf8('Subject: =?UTF-8?B?5rih44KK?=\r\n\r\n渡り\r\n')

test('plain LIST shows the tree with its special uses (RFC 6154 §2)', async (t) => {
  const client = await (await imapRoom(t)).login()
  const listed = await client.command('LIST "" "*"')
  for (const line of [
    String.raw`* LIST (\HasNoChildren) "/" INBOX`,
    String.raw`* LIST (\HasNoChildren \Sent) "/" Sent`,
    String.raw`* LIST (\HasChildren \Junk) "/" Junk`,
    String.raw`* LIST (\HasNoChildren) "/" Junk/SPAM`,
    String.raw`* LIST (\HasNoChildren) "/" "Junk/Suspected SPAM"`,
  ])
    assert.ok(listed.includes(`${line}\r\n`), `${line} in ${listed}`)
  assert.doesNotMatch(await client.command('LIST "" %'), /Junk\//)
  assert.match(await client.command('LIST "" ""'), /^\* LIST \(\\Noselect\) "\/" ""\r\nOK/)
  assert.match(await client.command('LIST Junk/ %'), /Junk\/SPAM/)
  assert.match(await client.command('LIST "" inbox'), /INBOX\r\n/)
  const special = await client.command('LIST (SPECIAL-USE) "" * RETURN (SPECIAL-USE)')
  assert.equal(special.match(/\* LIST/g)?.length, 5)
  assert.match(special, /\\Archive/)
})

test('mailboxes with Japanese names are made, renamed, subscribed and deleted', async (t) => {
  const client = await (await imapRoom(t)).login()
  const minutes = encodeUtf7('議事録/令和８年')
  assert.match(await client.command(`CREATE "${minutes}"`), /^OK \[MAILBOXID \(/)
  assert.match(await client.command(`CREATE "${minutes}"`), /^NO \[ALREADYEXISTS\]/)
  assert.match(await client.command('CREATE 受信箱/'), /^OK/)
  const listed = await client.command('LIST "" *')
  assert.ok(listed.includes(encodeUtf7('議事録') + '\r\n'))
  assert.ok(listed.includes(`${encodeUtf7('受信箱')}\r\n`))
  const renamed = encodeUtf7('記録')
  assert.match(await client.command(`RENAME ${encodeUtf7('議事録')} ${renamed}`), /^OK/)
  const moved = await client.command('LIST "" *')
  assert.ok(moved.includes(encodeUtf7('記録/令和８年')), moved)

  assert.match(await client.command(`SUBSCRIBE ${renamed}`), /^OK/)
  assert.ok((await client.command('LSUB "" *')).includes(renamed))
  const both = await client.command('LIST (SUBSCRIBED) "" * RETURN (CHILDREN)')
  assert.match(
    both,
    new RegExp(`\\\\HasChildren \\\\Subscribed\\) "/" ${renamed.replace('+', '\\+')}`),
  )
  assert.match(await client.command(`UNSUBSCRIBE ${renamed}`), /^OK/)
  assert.ok(!(await client.command('LSUB "" *')).includes(renamed))
  assert.match(await client.command('SUBSCRIBE none'), /^NO \[NONEXISTENT\]/)
  assert.match(await client.command(`DELETE ${encodeUtf7('受信箱')}`), /^OK/)
  assert.match(await client.command('DELETE none'), /^NO \[NONEXISTENT\]/)
  assert.match(await client.command('DELETE INBOX'), /^NO \[CANNOT\]/)
  assert.match(await client.command('CREATE &broken'), /^NO \[CANNOT\]/)
  assert.match(await client.command('CREATE Shared/x'), /^NO \[NOPERM\]/)
  assert.match(await client.command('CREATE Alt (USE (\\Archive))'), /^NO \[USEATTR\]/)
  assert.match(await client.command('CREATE Alt (USE (\\Flagged))'), /^NO \[USEATTR\]/)
  await client.command('DELETE Archive')
  assert.match(await client.command('CREATE Alt (USE (\\Archive))'), /^OK/)
  assert.match(await client.command('LIST "" Alt'), /\\Archive/)
})

test('parents of subscribed names are told where asked (RFC 5258 §3.5)', async (t) => {
  const client = await (await imapRoom(t)).login()
  await client.command('UNSUBSCRIBE Junk')
  const listed = await client.command('LIST (SUBSCRIBED RECURSIVEMATCH) "" %')
  assert.match(listed, /"\/" Junk \("CHILDINFO" \("SUBSCRIBED"\)\)/)
  assert.match(await client.command('LSUB "" %'), /\* LSUB \(\\Noselect\) "\/" Junk\r\n/)
})

test('a parent is told for what the pattern leaves out (RFC 5258 §5 example 9)', async (t) => {
  const client = await (await imapRoom(t)).login()
  const names = ['foo2', 'foo2/bar1', 'foo2/bar2', 'baz2', 'baz2/bar2', 'baz2/bar22', 'eps2']
  for (const name of [...names, 'eps2/漢', 'qux2/bar2']) await client.command(`CREATE "${name}"`)
  const subscribed = ['foo2/bar1', 'foo2/bar2', 'baz2/bar2', 'baz2/bar22', 'eps2', 'eps2/漢']
  for (const name of [...subscribed, 'qux2/bar2']) await client.command(`SUBSCRIBE "${name}"`)
  const listed = async (pattern: string): Promise<string[]> =>
    (await client.command(`LIST (RECURSIVEMATCH SUBSCRIBED) "" ${pattern}`))
      .split('\r\n')
      .flatMap((line) => /"\/" (.*)/.exec(line)?.[1] ?? [])
  const info = '("CHILDINFO" ("SUBSCRIBED"))'
  assert.deepEqual((await listed('*2')).toSorted(), [
    'baz2/bar2',
    'baz2/bar22',
    `eps2 ${info}`,
    `foo2 ${info}`,
    'foo2/bar2',
    'qux2/bar2',
  ])
  assert.deepEqual((await listed('%2')).toSorted(), [
    `baz2 ${info}`,
    `eps2 ${info}`,
    `foo2 ${info}`,
    `qux2 ${info}`,
  ])
  // What two patterns have is told by itself alone.
  assert.deepEqual(await listed('(foo2 foo2/bar1 foo2/bar2)'), ['foo2/bar1', 'foo2/bar2'])
})

test('STATUS, alone and with LIST (RFC 5819 §2)', async (t) => {
  const client = await (await imapRoom(t)).login()
  assert.match(await client.append('INBOX', mail), / OK \[APPENDUID \d+ 1\]/)
  assert.match(
    await client.command('STATUS inbox (MESSAGES UNSEEN UIDNEXT RECENT SIZE DELETED)'),
    new RegExp(
      `^\\* STATUS INBOX \\(MESSAGES 1 UNSEEN 1 UIDNEXT 2 RECENT 1 SIZE ${mail.length} DELETED 0\\)`,
    ),
  )
  const listed = await client.command('LIST "" (INBOX S%) RETURN (STATUS (MESSAGES))')
  assert.match(listed, /STATUS INBOX \(MESSAGES 1\)\r\n.*\r\n\* STATUS Sent \(MESSAGES 0\)/)
  assert.match(await client.command('STATUS none (MESSAGES)'), /^NO \[NONEXISTENT\]/)
})

test('SELECT tells what rev1 asks for; EXAMINE changes nothing (RFC 3501 §6.3.1)', async (t) => {
  const room = await imapRoom(t)
  const client = await room.login()
  await client.append('INBOX (\\Seen)', mail)
  await client.append('INBOX ($Work)', mail)
  const selected = await client.command('SELECT INBOX')
  for (const line of [
    String.raw`* FLAGS (\Seen \Answered \Flagged \Deleted \Draft $Work)`,
    String.raw`* OK [PERMANENTFLAGS (\Seen \Answered \Flagged \Deleted \Draft $Work \*)] Flags`,
    '* 2 EXISTS',
    '* 2 RECENT',
    '* OK [UNSEEN 2] First unseen',
    '* OK [UIDNEXT 3] Next UID',
  ])
    assert.ok(selected.includes(`${line}\r\n`), `${line} in ${selected}`)
  assert.match(selected, /\[UIDVALIDITY \d+\].*\r\n.*\r\n\* OK \[HIGHESTMODSEQ \d+\]/s)
  assert.match(selected, /\r\nOK \[READ-WRITE\] Selected\r\n$/)
  const examined = await client.command('EXAMINE INBOX')
  assert.match(examined, /^\* OK \[CLOSED\]/)
  assert.match(examined, /\[PERMANENTFLAGS \(\)\]/)
  assert.match(examined, /OK \[READ-ONLY\]/)
  await client.command('FETCH 2 BODY[]')
  assert.match(await client.command('STORE 2 +FLAGS (\\Seen)'), /^NO \[READ-ONLY\]/)
  assert.match(await client.command('EXPUNGE'), /^NO \[READ-ONLY\]/)
  assert.match(await client.command('FETCH 2 FLAGS'), /FLAGS \(\$Work\)/)
  assert.match(await client.command('UNSELECT'), /^OK/)
  assert.match(await client.command('CHECK'), /^BAD/)
  assert.match(await client.command('SELECT none'), /^NO \[NONEXISTENT\]/)
})

test('APPEND takes any octets, small and large, and says where they are (RFC 4315 §3)', async (t) => {
  const room = await imapRoom(t)
  const client = await room.login()
  const odd = Uint8Array.from({ length: 256 }, (_, i) => i)
  const large = Buffer.alloc(700_001, '渡り鳥\n')
  for (const octets of [odd, large, Uint8Array.of(0)])
    assert.match(await client.append('INBOX', octets), / OK \[APPENDUID /)
  assert.equal(room.store.largeFiles, 0)
  await client.command('SELECT INBOX')
  assert.match(
    await client.command('FETCH 1:* RFC822.SIZE'),
    /1 FETCH .*256\).*2 FETCH .*700001\).*3 FETCH .* 1\)/s,
  )
  client.send('w APPEND INBOX (\\Seen) "01-Nov-2026 08:00:00 +0900" {3}\r\n')
  assert.match(await client.line(), /^\+ /)
  client.send('abc\r\n')
  assert.match(
    await client.response((line) => line.startsWith('w ')),
    /\* 4 EXISTS\r\n\* 4 RECENT\r\nw OK/,
  )
  assert.match(
    await client.command('FETCH 4 (FLAGS INTERNALDATE)'),
    /\\Seen\) INTERNALDATE "31-Oct-2026 23:00:00 \+0000"/,
  )
})

test('APPEND is refused before it is sent, or read and dropped (RFC 9051 §6.3.12)', async (t) => {
  const room = await imapRoom(t, { messageBytesMax: () => 1_000_000 })
  const client = await room.login()
  client.send('a APPEND none {10}\r\n')
  assert.match(await client.line(), /^a NO \[TRYCREATE\]/)
  assert.match(await client.append('none', Buffer.alloc(300_000, 'x')), /NO \[TRYCREATE\]/)
  client.send('b APPEND INBOX {2000000}\r\n')
  assert.match(await client.line(), /^b NO \[TOOBIG\]/)
  assert.match(await client.append('INBOX', Buffer.alloc(1_000_001, 'x')), /NO \[TOOBIG\]/)
  client.send('c APPEND INBOX {300000+}\r\n')
  client.send(Buffer.alloc(300_000, 'x'))
  client.send(' more\r\n')
  assert.match(await client.line(), /^c BAD/)
  assert.equal(room.store.largeFiles, 0)
  assert.match(await client.command('STATUS INBOX (MESSAGES)'), /MESSAGES 0/)
  client.send('d APPEND INBOX {300000+}\r\nshort')
  client.socket.end()
  await client.closed()
  assert.equal(room.store.largeFiles, 0)
  const other = await room.login()
  other.send('e APPEND INBOX {99999999+}\r\n')
  assert.match(await other.closed(), /^e NO \[TOOBIG\]/)
})

test('a message is never taken for commands, whatever is wrong with its APPEND', async (t) => {
  const room = await imapRoom(t)
  const client = await room.login()
  const mail = (length: number): Buffer =>
    Buffer.concat([Buffer.from('x DELETE Archive\r\n'), Buffer.alloc(length, '\r\ny DELETE Sent')])
  // What is wrong with the command itself is said in its own words.
  assert.match(await client.append('INBOX (\\Nonsense)', mail(300_000)), / BAD Unknown system flag/)
  assert.match(await client.append('INBOX "32-Foo-2026"', mail(100)), / BAD Bad date-time/)
  client.send('a APPEND INBOX (\\Nonsense) {300000}\r\n')
  assert.match(await client.line(), /^a BAD Unknown system flag/)
  // Storage that does not answer, before the message and once it is on its way.
  for (const length of [100, 300_000]) {
    room.store.fault = new Fault('stalled', 'frozen')
    assert.match(await client.append('INBOX', mail(length)), / NO \[UNAVAILABLE\]/)
    room.store.fault = undefined
  }
  const { openLarge } = room.store
  room.store.openLarge = () => Promise.reject(new Fault('stalled', 'frozen'))
  client.send('b APPEND INBOX {300000}\r\n')
  assert.match(await client.line(), /^\+ /)
  client.send(mail(400_000).subarray(0, 300_000))
  client.send('\r\n')
  assert.match(await client.line(), /^b NO \[UNAVAILABLE\]/)
  room.store.openLarge = openLarge
  assert.match(await client.command('LIST "" "*"'), /Sent.*Archive/s)
  // A second message, and one behind what is wrong.
  client.send('c APPEND INBOX {1+}\r\nx {20+}\r\ny DELETE Archive\r\n\r\n\r\n')
  assert.match(await client.line(), /^c OK \[APPENDUID \d+ \d+:\d+\]/)
  client.send('d APPEND INBOX {1+}\r\nx (\\Nonsense) {20+}\r\ny DELETE Archive\r\n\r\n\r\n')
  assert.match(await client.line(), /^d BAD Unexpected argument/)
  client.send('e APPEND INBOX {1+}\r\nx nonsense\r\n')
  assert.match(await client.line(), /^e BAD Unexpected argument/)
  assert.match(await client.command('LIST "" "*"'), /Sent.*Archive/s)
})
