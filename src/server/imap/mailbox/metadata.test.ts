import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromUtf8, toLatin1 } from '#base/octets.ts'
import { imapRoom } from '#test/fake/imap-room.ts'

const bird = toLatin1(fromUtf8('渡り鳥'))

test('entries of a mailbox and of the server are set, read and taken away (RFC 5464 §4)', async (t) => {
  const room = await imapRoom(t)
  const client = await room.login()
  assert.match(await client.command('CAPABILITY'), / METADATA /)
  assert.match(
    await client.command(
      'SETMETADATA Sent (/private/comment {9+}\r\n渡り鳥 /SHARED/Comment "two")',
    ),
    /^OK/,
  )
  assert.match(await client.command('SETMETADATA "" (/private/vendor/x/y "1")'), /^OK/)
  assert.equal(
    await client.command('GETMETADATA Sent (/private/comment /shared/comment /private/other)'),
    `* METADATA Sent (/private/comment {9}\r\n${bird} /shared/comment two /private/other NIL)\r\nOK Done\r\n`.replace(
      'two',
      '"two"',
    ),
  )
  assert.match(
    await client.command('GETMETADATA "" /private/vendor/x/y'),
    /^\* METADATA "" \(\/private\/vendor\/x\/y "1"\)/,
  )
  assert.match(
    await client.command('GETMETADATA Drafts /private/comment'),
    /\(\/private\/comment NIL\)/,
  )
  // Another session and another account.
  assert.match(await (await room.login()).command('GETMETADATA Sent /shared/comment'), /"two"/)
  assert.match(await (await room.login('taro')).command('GETMETADATA Sent /shared/comment'), /NIL/)
  // Renamed with its mailbox, gone with it.
  await client.command('CREATE 鳥')
  await client.command('SETMETADATA 鳥 (/private/comment ~{4+}\r\na\0bc)')
  await client.command('RENAME 鳥 雁')
  assert.match(await client.command('GETMETADATA 雁 /private/comment'), /~\{4\}\r\na\0bc\)/)
  await client.command('DELETE 雁')
  await client.command('CREATE 雁')
  assert.match(await client.command('GETMETADATA 雁 /private/comment'), /NIL/)
  assert.match(await client.command('SETMETADATA Sent (/shared/comment NIL)'), /^OK/)
  assert.match(await client.command('GETMETADATA Sent /shared/comment'), /NIL/)
})

test('the script of a mailbox is told in the capabilities, and set by its owner alone (RFC 6785)', async (t) => {
  const url = 'sieve://sieve.campus.example:14190'
  const room = await imapRoom(t, { sieveUrl: url })
  const client = await room.login()
  assert.match(await client.command('CAPABILITY'), new RegExp(` IMAPSIEVE=${url}(?: |\\r)`))
  const set = 'SETMETADATA "INBOX" (/Shared/IMAPSieve/Script "main")'
  assert.match(await client.command(set), /^OK/)
  assert.match(await client.command('SETMETADATA "" (/shared/imapsieve/script "all")'), /^OK/)
  await client.command('SETACL INBOX taro lrswite')
  const taro = await room.login('taro')
  const others = '"Other Users/hanako/INBOX" (/shared/imapsieve/script "main")'
  assert.match(await taro.command(`SETMETADATA ${others}`), /^NO \[NOPERM\]/)
  const without = await (await imapRoom(t)).login()
  assert.doesNotMatch(await without.command('CAPABILITY'), /IMAPSIEVE/)
})

test('GETMETADATA goes deep, and leaves out what is long (RFC 5464 §4.2)', async (t) => {
  const client = await (await imapRoom(t)).login()
  await client.command(
    'SETMETADATA INBOX (/private/v "0" /private/v/a "1" /private/v/a/b "22" /private/vv "x")',
  )
  const get = async (options: string): Promise<string> => client.command(`GETMETADATA ${options}`)
  assert.match(
    await get('(DEPTH 1) INBOX /private/v'),
    /\(\/private\/v "0" \/private\/v\/a "1"\)\r\nOK/,
  )
  assert.match(
    await get('(DEPTH infinity) INBOX (/private/v)'),
    /\/private\/v "0" \/private\/v\/a "1" \/private\/v\/a\/b "22"\)/,
  )
  assert.match(
    await get('INBOX (MAXSIZE 1 DEPTH infinity) (/private/v)'),
    /"0" \/private\/v\/a "1"\)\r\nOK \[METADATA LONGENTRIES 2\]/,
  )
  assert.match(await get('(DEPTH 1) INBOX /private/none'), /^OK/)
})

test('DEPTH goes down from a whole kind of entries too (RFC 5464 §4.2.2)', async (t) => {
  const client = await (await imapRoom(t)).login()
  await client.command('SETMETADATA INBOX (/private/comment "a" /private/vendor/x/y "b")')
  const all = await client.command('GETMETADATA (DEPTH infinity) INBOX /private')
  assert.match(all, /^\* METADATA INBOX \(\/private\/comment "a" \/private\/vendor\/x\/y "b"\)/)
  const near = await client.command('GETMETADATA (DEPTH 1) INBOX (/private)')
  assert.match(near, /^\* METADATA INBOX \(\/private\/comment "a"\)/)
})

test('what cannot be an entry or a value is refused whole', async (t) => {
  const client = await (await imapRoom(t)).login()
  for (const wrong of [
    '/other/a "1"',
    '/private "1"',
    '/private/ "1"',
    '/private//a "1"',
    '"/private/a*" "1"',
    '',
    '/private/a',
  ])
    assert.match(await client.command(`SETMETADATA INBOX (${wrong})`), /^BAD/, wrong)
  const long = 'x'.repeat(32_769)
  assert.match(
    await client.command(`SETMETADATA INBOX (/private/a "1" /private/b {32769+}\r\n${long})`),
    /^NO \[METADATA MAXSIZE 32768\]/,
  )
  assert.match(await client.command('GETMETADATA INBOX /private/a'), /NIL/)
  assert.match(await client.command('SETMETADATA "" (/shared/admin "x")'), /^NO/)
  assert.match(await client.command('SETMETADATA Nowhere (/private/a "x")'), /^NO \[NONEXISTENT\]/)
  assert.match(await client.command('GETMETADATA Nowhere /private/a'), /^NO \[NONEXISTENT\]/)
  for (let block = 0; block < 20; block++) {
    const entries = Array.from({ length: 100 }, (_, n) => `/private/n/${block}x${n} "1"`).join(' ')
    assert.match(await client.command(`SETMETADATA "" (${entries})`), /^OK/)
  }
  assert.match(
    await client.command('SETMETADATA "" (/private/more "1")'),
    /^NO \[METADATA TOOMANY\]/,
  )
  assert.match(await client.command('SETMETADATA "" (/private/n/0x0 "2")'), /^OK/)
})

test('how long a mailbox keeps its mail is an entry of it', async (t) => {
  const room = await imapRoom(t)
  const client = await room.login()
  const entry = '/private/vendor/watari/retain'
  assert.match(await client.command(`GETMETADATA Junk ${entry}`), /retain "30"\)/)
  assert.match(await client.command(`GETMETADATA Junk/SPAM ${entry}`), /retain NIL\)/)
  assert.match(await client.command(`SETMETADATA Archive (${entry} "365")`), /^OK/)
  const account = room.shared.store
  const { mailboxes } = await account.mailboxes({ accountId: 'account-hanako' as never })
  assert.equal(mailboxes.find(({ path }) => path[0] === 'Archive')?.retention, 365)
  assert.match(await client.command(`SETMETADATA Archive (${entry} forever)`), /^BAD/)
  assert.match(await client.command(`SETMETADATA Archive (${entry} "forever")`), /^OK/)
  assert.match(await client.command(`GETMETADATA Archive ${entry}`), /"forever"/)
  assert.match(await client.command(`SETMETADATA Archive (${entry} NIL)`), /^OK/)
  assert.match(await client.command(`GETMETADATA Archive ${entry}`), /NIL/)
  for (const wrong of ['0', '-1', '99999999', 'x'])
    assert.match(
      await client.command(`SETMETADATA Archive (${entry} "${wrong}")`),
      /^NO \[CANNOT\]/,
    )
})
