import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'

import { install } from './installation.ts'
import type { Installation } from './installation.ts'
import { imap, messages } from './mail.ts'
import { sha256, utf8 } from './mails.ts'
import { rawImap } from './raw-imap.ts'
import type { RawImap } from './raw-imap.ts'
import { smtpSession } from './wire.ts'

/** The setting's default. */
const MESSAGE_BYTES_MAX = 52_428_800

const OK = /^t\d+ OK /m

describe('mailboxes of an account', () => {
  let watari: Installation
  let raw: RawImap
  before(async () => {
    watari = await install()
    raw = await rawImap(watari, 'hanako')
  })
  after(async () => {
    raw.close()
    await watari.remove()
  })

  const names = async (command: string): Promise<string[]> =>
    (await raw.command(command))
      .split('\n')
      .flatMap((line) => /^\* (?:LIST|LSUB) \([^)]*\) "\/" (.*)$/.exec(line)?.[1] ?? [])
      .toSorted()

  it('are there from the start with their special uses, subscribed', async () => {
    for (const username of ['admin', 'hanako', 'taro']) {
      const client = await rawImap(watari, username)
      const list = await client.command('LIST "" "*" RETURN (SUBSCRIBED SPECIAL-USE)')
      assert.deepEqual(list.split('\n').slice(0, -1).toSorted(), [
        '* LIST (\\HasChildren \\Subscribed \\Junk) "/" Junk',
        '* LIST (\\HasNoChildren \\Subscribed \\Archive) "/" Archive',
        '* LIST (\\HasNoChildren \\Subscribed \\Drafts) "/" Drafts',
        '* LIST (\\HasNoChildren \\Subscribed \\Sent) "/" Sent',
        '* LIST (\\HasNoChildren \\Subscribed \\Trash) "/" Trash',
        '* LIST (\\HasNoChildren \\Subscribed) "/" "Junk/Suspected SPAM"',
        '* LIST (\\HasNoChildren \\Subscribed) "/" INBOX',
        '* LIST (\\HasNoChildren \\Subscribed) "/" Junk/SPAM',
      ])
      assert.equal((await client.command('LSUB "" "*"')).split('\n').length, 9)
      client.close()
    }
    const client = await imap(watari, 'taro')
    const uses = (await client.list()).map(({ path, specialUse }) => `${path} ${specialUse ?? ''}`)
    await client.logout()
    assert.deepEqual(uses.toSorted(), [
      'Archive \\Archive',
      'Drafts \\Drafts',
      'INBOX \\Inbox',
      'Junk \\Junk',
      'Junk/SPAM ',
      'Junk/Suspected SPAM ',
      'Sent \\Sent',
      'Trash \\Trash',
    ])
  })

  it('have Japanese names, in modified UTF-7 or as UTF-8, that are one name', async () => {
    assert.match(await raw.command('CREATE &TxqLcA-/&i3BOi5My-'), /OK \[MAILBOXID \(\w+\)\]/)
    assert.match(await raw.command('CREATE "会議/議事録"'), /NO \[ALREADYEXISTS\]/)
    // A Macintosh takes kana apart: が as か and ゛.
    assert.match(await raw.command(`CREATE "${'学がく'.normalize('NFD')}"`), OK)
    assert.match(await raw.command('CREATE "学がく"'), /NO \[ALREADYEXISTS\]/)
    assert.match(await raw.append('"会議/議事録"', utf8('一\r\n')), /OK \[APPENDUID \d+ 1\]/)
    assert.match(await raw.command('STATUS &TxqLcA-/&i3BOi5My- (MESSAGES)'), /MESSAGES 1\)/)
    const client = await imap(watari, 'hanako')
    const paths = (await client.list()).map(({ path }) => path)
    assert.deepEqual((await messages(client, '会議/議事録')).map(String), [
      utf8('一\r\n').toString(),
    ])
    await client.logout()
    for (const path of ['会議', '会議/議事録', '学がく']) assert.ok(paths.includes(path), path)
  })

  it('have names with &, quotes, spaces and wildcards, and refuse what is no name', async () => {
    const client = await imap(watari, 'hanako')
    const odd = [
      'A & B',
      '"引用"',
      'back\\slash',
      'a.b',
      '100%',
      'st*r',
      '[x] (y) {3}',
      "'",
      '😀 🇯🇵',
      '~',
    ]
    try {
      for (const path of odd) assert.equal((await client.mailboxCreate(path)).created, true, path)
      const list = await client.list()
      for (const path of odd) {
        assert.ok(
          list.some((each) => each.path === path),
          path,
        )
        assert.equal(((await client.append(path, utf8(path))) as { uid?: number }).uid, 1)
        assert.equal(String((await messages(client, path))[0]), utf8(path).toString())
        await client.mailboxDelete(path)
      }
      assert.equal((await client.list()).length, list.length - odd.length)
    } finally {
      await client.logout()
    }
    const refused = [
      '""',
      '"a//b"',
      '"/a"',
      '&AAo-',
      '"&"',
      '&Jjo',
      `"${'か'.repeat(86)}"`,
      '"Shared/x"',
    ]
    for (const name of refused)
      assert.match(
        await raw.command(`CREATE ${name}`),
        /^t\d+ NO \[(?:CANNOT|LIMIT|NOPERM)\]/m,
        name,
      )
    assert.match(await raw.command('CREATE inbox'), /NO \[ALREADYEXISTS\]/)
    assert.match(await raw.command('DELETE INBOX'), /NO \[CANNOT\]/)
  })

  it('lie below one another: made, renamed, deleted and subscribed with their hierarchy', async () => {
    assert.match(await raw.command('CREATE "研究/渡り鳥/2026/"'), OK)
    await raw.append('"研究/渡り鳥/2026"', utf8('観察\r\n'), '(\\Flagged)')
    assert.match(await raw.command('SUBSCRIBE "研究/渡り鳥/2026"'), OK)
    const before = await raw.command('STATUS "研究/渡り鳥/2026" (UIDVALIDITY MAILBOXID MESSAGES)')
    assert.match(await raw.command('RENAME "研究/渡り鳥" "鳥類/渡り"'), OK)
    const [research, birds, migrating] = ['研究', '鳥類', '渡り'].map(utf7)
    assert.deepEqual(await names('LIST "" "研究*"'), [research])
    assert.deepEqual(await names('LIST "" "鳥類*"'), [
      birds,
      `${birds}/${migrating}`,
      `${birds}/${migrating}/2026`,
    ])
    assert.deepEqual(await names('LIST "鳥類/" "%"'), [`${birds}/${migrating}`])
    // Its numbers go with it: it is the same mailbox.
    const renamed = await raw.command('STATUS "鳥類/渡り/2026" (UIDVALIDITY MAILBOXID MESSAGES)')
    const shown = (status: string): string => /\(UIDV.*\)/.exec(status)?.[0] ?? 'none'
    assert.equal(shown(renamed), shown(before))
    assert.ok((await names('LSUB "" "*"')).includes(`${birds}/${migrating}/2026`))
    // A parent that is deleted stays as a name.
    assert.match(await raw.command('DELETE "鳥類"'), OK)
    assert.match(await raw.command('LIST "" "鳥類"'), /\(\\Noselect \\HasChildren\)/)
    assert.match(await raw.command('SELECT "鳥類"'), /NO \[NONEXISTENT\]/)
    assert.match(await raw.command('RENAME "鳥類/渡り" "鳥類/渡り/下"'), /NO \[CANNOT\]/)
    assert.match(await raw.command('DELETE "鳥類/渡り/2026"'), OK)
    assert.match(await raw.command('DELETE "鳥類/渡り"'), OK)
    assert.deepEqual(await names('LIST "" "鳥類*"'), [])
    // Subscriptions are names: unsubscribed when the client says so.
    assert.match(await raw.command('LIST (SUBSCRIBED) "" "鳥類*"'), /\\NonExistent/)
    assert.match(await raw.command('UNSUBSCRIBE "鳥類/渡り/2026"'), OK)
    assert.deepEqual(await names('LSUB "" "鳥類*"'), [])
    // INBOX stays when it is renamed; its messages go.
    await raw.append('INBOX', utf8('一\r\n'))
    assert.match(await raw.command('RENAME INBOX "古い受信箱"'), OK)
    assert.match(await raw.command('STATUS "古い受信箱" (MESSAGES)'), /MESSAGES 1\)/)
    assert.match(await raw.command('STATUS INBOX (MESSAGES)'), /MESSAGES 0\)/)
  })

  it('take by APPEND no octets, 50 MiB, and clearly refuse more', async (t) => {
    assert.match(await raw.append('INBOX', Buffer.alloc(0)), /OK \[APPENDUID \d+ \d+\]/)
    const start = utf8('')
    const line = Buffer.from('渡り鳥が海を渡る。.\r\n')
    const large = Buffer.concat([start, Buffer.alloc(MESSAGE_BYTES_MAX - start.length, line)])
    assert.match(await raw.append('INBOX', large), /OK \[APPENDUID/)
    await raw.command('SELECT INBOX')
    assert.match(await raw.command('FETCH 1:* (RFC822.SIZE)'), /\* 1 FETCH \(RFC822\.SIZE 0\)/)
    assert.match(await raw.command('FETCH 1 (BODY[])'), /\* 1 FETCH \(BODY\[\] (?:""|\{0\}\r\n)/)
    raw.send('f FETCH 2 (BODY.PEEK[])\r\n')
    const response = await raw.response()
    const announced = `* 2 FETCH (BODY[] {${large.length}}\r\n`
    assert.equal(response.subarray(0, announced.length).toString(), announced)
    assert.equal(sha256(response.subarray(announced.length, -1)), sha256(large))
    await raw.until(/^f OK/)
    // Over the limit: refused before it is sent, and after one that was sent unasked.
    assert.match(await raw.append('INBOX', Buffer.alloc(MESSAGE_BYTES_MAX + 1)), /NO \[TOOBIG\]/)
    raw.send(`b APPEND INBOX {${MESSAGE_BYTES_MAX + 1}+}\r\n`)
    raw.send(Buffer.alloc(MESSAGE_BYTES_MAX + 1, line))
    raw.send('\r\n')
    assert.match(await raw.until(/^b /), /b NO \[TOOBIG\]/)
    assert.match(await raw.command('STATUS INBOX (MESSAGES)'), /MESSAGES 2\)/)
    t.diagnostic(`${large.length} octets appended and read`)
  })

  it('are spared what is over the SIZE of the MX, announced or not', async () => {
    const session = await smtpSession({ port: watari.port(25) })
    try {
      assert.match(await session.smtp('EHLO a.example'), new RegExp(`SIZE ${MESSAGE_BYTES_MAX}`))
      const mail = 'MAIL FROM:<student@other.example>'
      const announced = await session.smtp(`${mail} SIZE=${MESSAGE_BYTES_MAX + 1}`)
      assert.match(announced, /^552 5\.3\.4 /)
      assert.match(await session.smtp(`${mail} SIZE=${MESSAGE_BYTES_MAX}`), /^250 /)
      assert.match(await session.smtp('RCPT TO:<hanako@campus.example>'), /^250 /)
      assert.match(await session.smtp('DATA'), /^354 /)
      session.send(Buffer.alloc(MESSAGE_BYTES_MAX + 20, '会議\r\n'))
      assert.match(await session.smtp('\r\n.'), /^552 5\.3\.4 /)
      assert.match(await session.smtp(mail), /^250 /)
    } finally {
      session.close()
    }
  })
})

/** Modified UTF-7 of text that has no ASCII in it. */
const utf7 = (text: string): string =>
  `&${Buffer.from(text, 'utf16le').swap16().toString('base64').replace(/=+$/, '').replaceAll('/', ',')}-`
