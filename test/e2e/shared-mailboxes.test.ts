import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { encodeUtf7 } from '#codec/imap/mailbox-name.ts'
import { commandLine } from './command-line.ts'
import { install } from './installation.ts'
import type { Installation } from './installation.ts'
import { countOf, imap } from './mail.ts'
import { rawImap } from './raw-imap.ts'
import type { RawImap } from './raw-imap.ts'

const OK = /^t\d+ OK /m
const NOPERM = /^t\d+ NO \[NOPERM\]/m
const MAIL = Buffer.from('Subject: =?UTF-8?B?5Lya6K2w?=\r\n\r\n来週の会議の議事録です。\r\n')
/** As rev1 and as rev2 name it. */
const REV1 = `"Other Users/hanako/${encodeUtf7('総務/会議')}"`
const REV2 = '"Other Users/hanako/総務/会議"'

describe('a mailbox of hanako’s that taro writes and admin reads', () => {
  let watari: Installation
  let owner: RawImap
  let writer: RawImap
  let reader: RawImap
  before(async () => {
    watari = await install()
    ;[owner, writer, reader] = await Promise.all([
      rawImap(watari, 'hanako'),
      rawImap(watari, 'taro'),
      rawImap(watari, 'admin'),
    ])
    await owner.command('ENABLE IMAP4rev2')
    await owner.command('CREATE 総務/会議')
    for (let n = 0; n < 3; n++) assert.match(await owner.append('総務/会議', MAIL), OK)
  })
  after(async () => {
    for (const client of [owner, writer, reader]) client.close()
    await watari.remove()
  })

  it('is granted by IMAP and by the command line, and found by both', async () => {
    assert.match(await owner.command('CAPABILITY'), / ACL RIGHTS=kxte LIST-MYRIGHTS/)
    assert.match(await owner.command('SETACL 総務/会議 taro lrswite'), OK)
    const cli = commandLine(watari)
    const address = (name: string): string =>
      watari.firstRun.accounts.find(({ username }) => username === name)!.address
    const shown = await cli.run([
      'mailbox',
      'acl',
      'set',
      address('hanako'),
      '総務/会議',
      address('admin'),
      'lrs',
    ])
    assert.match(shown, /^taro@campus\.example\s+lrswite$/m)
    assert.match(shown, /^admin@campus\.example\s+lrs$/m)
    assert.match(
      await owner.command('GETACL 総務/会議'),
      /hanako lrswipkxteacd .*admin lrs|admin lrs.* taro lrswited/,
    )
    // Neither the levels above nor anything else of hanako's is named.
    assert.deepEqual((await writer.command('LIST "" "Other Users/*"')).split('\n').slice(0, -1), [
      `* LIST (\\HasNoChildren) "/" ${REV1}`,
    ])
    assert.match(await reader.command('ENABLE IMAP4rev2'), OK)
    assert.deepEqual(
      (await reader.command('LIST "" "Other Users/*" RETURN (MYRIGHTS)')).split('\n').slice(0, -1),
      [
        `* LIST (\\HasNoChildren) "/" ${Buffer.from(REV2).toString('latin1')}`,
        `* MYRIGHTS ${Buffer.from(REV2).toString('latin1')} lrs`,
      ],
    )
  })

  it('keeps what each has read, for each of their programs', async () => {
    const second = await rawImap(watari, 'admin')
    const third = await rawImap(watari, 'taro')
    await second.command('ENABLE QRESYNC')
    assert.match(await second.command(`SELECT ${REV1}`), /OK \[READ-ONLY\]/)
    assert.match(await reader.command(`SELECT ${REV2}`), /PERMANENTFLAGS \(\\Seen\)/)
    assert.match(await writer.command(`SELECT ${REV1}`), /OK \[READ-WRITE\]/)
    await owner.command('SELECT 総務/会議')
    second.send('i IDLE\r\n')
    await second.until(/^\+/)
    assert.match(await reader.command('UID FETCH 2 BODY[TEXT]'), /FLAGS \(\\Seen\)/)
    assert.match(await second.until(/FETCH/), /\* 2 FETCH \(UID 2 FLAGS \(\\Recent \\Seen\) MODSEQ/)
    second.send('DONE\r\n')
    await second.until(/^i OK/)
    assert.match(await writer.command('STORE 1,3 +FLAGS (\\Seen \\Flagged)'), OK)
    assert.match(await third.command(`STATUS ${REV1} (UNSEEN MESSAGES)`), /UNSEEN 1 MESSAGES 3/)
    assert.match(await reader.command(`STATUS ${REV2} (UNSEEN)`), /UNSEEN 2/)
    assert.match(await owner.command('STATUS 総務/会議 (UNSEEN)'), /UNSEEN 3/)
    const flags = await owner.command('FETCH 1:* FLAGS')
    assert.doesNotMatch(flags, /Seen/)
    assert.match(flags, /\* 1 FETCH \(FLAGS \(\\Flagged\)\)/)
    assert.match(await second.command('FETCH 1:* FLAGS'), /2 FETCH \(FLAGS \(\\Recent \\Seen\)\)/)
    second.close()
    third.close()
  })

  it('lets each do what they may, and no more', async () => {
    assert.match(await reader.command('STORE 1 +FLAGS (\\Deleted)'), NOPERM)
    assert.match(await reader.append(REV2, MAIL), NOPERM)
    assert.match(await reader.command('EXPUNGE'), NOPERM)
    assert.match(await reader.command('COPY 1 Archive'), OK)
    assert.match(await writer.append(REV1, MAIL, '(\\Seen)'), OK)
    assert.match(await owner.command('NOOP'), /\* 4 EXISTS/)
    assert.match(await writer.command('UID MOVE 3 Archive'), /COPYUID[^]*\* 3 EXPUNGE/)
    assert.match(await reader.command('NOOP'), /\* 3 EXPUNGE/)
    assert.match(await writer.command(`SETACL ${REV1} admin lr`), NOPERM)
    assert.match(await writer.command(`DELETE ${REV1}`), NOPERM)
  })

  it('is used by programs that know nothing of it', async () => {
    const client = await imap(watari, 'taro')
    const path = 'Other Users/hanako/総務/会議'
    assert.ok((await client.list()).some((each) => each.path === path))
    await client.mailboxOpen(path)
    await client.append(path, MAIL, ['\\Seen'])
    await client.messageFlagsAdd('*', ['\\Flagged'])
    assert.equal(await countOf(client, path), 4)
    const found = await client.search({ body: '議事録' })
    assert.deepEqual(found, [1, 2, 3, 4])
    await client.messageDelete('*')
    assert.equal(await countOf(client, path), 3)
    await client.mailboxSubscribe(path)
    await client.logout()
  })

  it('closes to who loses r', async () => {
    reader.send('i IDLE\r\n')
    await reader.until(/^\+/)
    assert.match(await owner.command('DELETEACL 総務/会議 admin'), OK)
    assert.match(await reader.until(/^\* BYE/), /^\* BYE/m)
    reader.close()
    reader = await rawImap(watari, 'admin')
    assert.doesNotMatch(await reader.command('LIST "" *'), /Other Users/)
    assert.match(await reader.command(`SELECT ${REV1}`), /NO \[NONEXISTENT\]/)
  })

  it('is the same after a restart', async () => {
    await watari.stop()
    await watari.start()
    writer.close()
    writer = await rawImap(watari, 'taro')
    assert.match(await writer.command(`STATUS ${REV1} (UNSEEN MESSAGES)`), /UNSEEN 1 MESSAGES 3/)
    assert.match(await writer.command('LSUB "" "Other Users/*"'), /Other Users\/hanako/)
  })
})
