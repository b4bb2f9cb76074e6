import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { fromUtf8 } from '#base/octets.ts'
import { encodeUtf7 } from '#codec/imap/mailbox-name.ts'
import { fakeAccount } from '#test/fake/authenticator.ts'
import type { LineClient } from '#test/fake/line-client.ts'
import { imapRoom } from '#test/fake/imap-room.ts'

const MAIL = fromUtf8('Subject: =?UTF-8?B?5Lya6K2w?=\r\n\r\n議事録\r\n')
const PASSWORDS = { hanako: '渡り 鳥&"1', taro: 'taro', jiro: 'jiro' }
const OWN = encodeUtf7('会議')
const OTHERS = `"Other Users/hanako/${OWN}"`

async function append(client: LineClient, mailbox: string, flags = ''): Promise<string> {
  client.send(`a APPEND ${mailbox} ${flags}{${MAIL.length}+}\r\n`)
  client.send(MAIL)
  client.send('\r\n')
  return (await client.response((line) => line.startsWith('a '))).replace(/^a /m, '')
}

/** hanako with 会議, in which taro has rights. */
async function sharing(t: TestContext, rights: string, messages = 3) {
  const room = await imapRoom(t, { passwords: PASSWORDS })
  const owner = await room.login()
  await owner.command(`CREATE ${OWN}`)
  for (let n = 0; n < messages; n++) assert.match(await append(owner, OWN), /^OK/)
  if (rights !== '') assert.match(await owner.command(`SETACL ${OWN} taro ${rights}`), /^OK/)
  const other = await room.login('taro')
  const grant = async (text: string, who = 'taro'): Promise<void> =>
    assert.match(await owner.command(`SETACL ${OWN} ${who} "${text}"`), /^OK/)
  return { room, owner, other, grant }
}

test('ACL is offered with the rights that came with RFC 4314 (§2.2)', async (t) => {
  const client = await (await imapRoom(t)).login()
  assert.match(await client.command('CAPABILITY'), / ACL RIGHTS=kxte LIST-MYRIGHTS/)
})

test('SETACL, DELETEACL, GETACL, LISTRIGHTS and MYRIGHTS (RFC 4314 §3)', async (t) => {
  const { owner, other, grant } = await sharing(t, 'lr')
  const acl = async (): Promise<string> =>
    /^\* ACL \S+ (.*)\r\n/.exec(await owner.command(`GETACL ${OWN}`))?.[1] ?? ''
  assert.equal(await acl(), 'hanako lrswipkxteacd taro lr')
  await grant('+si')
  await grant('-l')
  await grant('lrs', 'anyone')
  await grant('i', '-jiro')
  assert.equal(await acl(), 'hanako lrswipkxteacd -jiro i taro rsi anyone lrs')
  // Obsolete rights stand for those that took their place (RFC 4314 §2.1.1).
  await grant('lrcd')
  assert.match(await acl(), /taro lrkxtecd/)
  assert.match(await other.command(`MYRIGHTS ${OTHERS}`), /^\* MYRIGHTS \S+ \S+ lrskxtecd\r\nOK/)
  assert.equal(
    await owner.command(`MYRIGHTS ${OWN}`),
    `* MYRIGHTS ${OWN} lrswipkxteacd\r\nOK Done\r\n`,
  )
  assert.match(
    await owner.command(`LISTRIGHTS ${OWN} taro`),
    /^\* LISTRIGHTS \S+ taro "" l r s w i p k x t e a c d\r\nOK/,
  )
  assert.match(
    await owner.command(`LISTRIGHTS ${OWN} hanako`),
    /^\* LISTRIGHTS \S+ hanako lrswipkxteacd\r\nOK/,
  )
  for (const who of ['taro', '-jiro', 'anyone', 'nobody'])
    assert.match(await owner.command(`DELETEACL ${OWN} ${who}`), /^OK/)
  assert.equal(await acl(), 'hanako lrswipkxteacd')
  assert.match(await owner.command(`SETACL ${OWN} nobody lr`), /^NO \[CANNOT\]/)
  assert.match(await owner.command(`SETACL ${OWN} taro lrz`), /^BAD/)
  assert.match(await owner.command(`SETACL ${OWN} hanako lr`), /^NO \[CANNOT\]/)
  assert.match(await owner.command(`SETACL ${OWN} hanako lrswikxtea`), /^OK/)
  assert.match(await owner.command('SETACL none taro lr'), /^NO \[NONEXISTENT\]/)
  assert.match(await owner.command(`SETACL ${OWN} taro`), /^BAD/)
})

test('each command wants its rights, and says NOPERM without them (RFC 4314 §4)', async (t) => {
  const { other, grant, owner } = await sharing(t, 'l', 1)
  const box = `"Other Users/hanako/${OWN}`
  const selected = (command: string) => async (): Promise<string> => {
    assert.match(await other.command(`SELECT ${OTHERS}`), /OK \[READ-/)
    const answer = await other.command(command)
    await other.command('UNSELECT')
    return answer
  }
  const plain = (command: string) => () => other.command(command)
  const opened = (command: string) => async (): Promise<string> => {
    const answer = await other.command(`${command} ${OTHERS}`)
    await other.command('UNSELECT')
    return answer
  }
  let made = 0
  /** Each command with all that it wants beside l, and what SELECT wants before it. */
  const matrix: readonly (readonly [rights: string, first: string, run: () => Promise<string>])[] =
    [
      ['r', '', plain(`STATUS ${OTHERS} (MESSAGES UNSEEN)`)],
      ['r', '', opened('SELECT')],
      ['r', '', opened('EXAMINE')],
      ['r', '', plain(`GETQUOTAROOT ${OTHERS}`)],
      ['i', '', () => append(other, OTHERS)],
      ['s', 'r', selected('STORE 1 +FLAGS (\\Seen)')],
      ['t', 'r', selected('STORE 1 +FLAGS (\\Deleted)')],
      ['w', 'r', selected('STORE 1 +FLAGS (\\Flagged $Label1)')],
      ['e', 'r', selected('EXPUNGE')],
      ['e', 'r', selected('UID EXPUNGE 999')],
      ['i', 'r', selected(`COPY 1 ${OTHERS}`)],
      ['tei', 'r', selected(`MOVE 1 ${OTHERS}`)],
      ['te', 'r', selected('MOVE 1 Archive')],
      ['k', '', () => other.command(`CREATE ${box}/x${made++}"`)],
      ['a', '', plain(`GETACL ${OTHERS}`)],
      ['a', '', plain(`SETACL ${OTHERS} jiro lr`)],
      ['a', '', plain(`DELETEACL ${OTHERS} jiro`)],
      ['a', '', plain(`LISTRIGHTS ${OTHERS} jiro`)],
      ['x', '', () => other.command(`DELETE ${OTHERS}`)],
    ]
  for (const [rights, first, run] of matrix) {
    await append(owner, OWN)
    for (const lacking of rights) {
      await grant(`l${first}${rights.replace(lacking, '')}`)
      const denied = await run()
      assert.match(denied, /^NO \[NOPERM\]/m, `${rights} without ${lacking}: ${denied}`)
      await grant(`${first}${rights.replace(lacking, '')}`)
      const hidden = await run()
      // Who may not look it up learns nothing (RFC 4314 §6), but by what rights they have all the same.
      assert.match(hidden, /^NO \[(NONEXISTENT|TRYCREATE|NOPERM)\]/m, `${rights}: ${hidden}`)
    }
    await grant(`l${first}${rights}`)
    assert.match(await run(), /^OK/m, rights)
  }
  assert.match(await other.command(`STATUS ${OTHERS} (MESSAGES)`), /^NO \[NONEXISTENT\]/)
})

test('without any right nothing tells a mailbox of others from none (RFC 4314 §6)', async (t) => {
  const { other, owner } = await sharing(t, '')
  const answers = async (name: string): Promise<string[]> => {
    const all: string[] = []
    await other.command('UNSELECT')
    for (const command of [
      `SELECT ${name}`,
      `STATUS ${name} (MESSAGES)`,
      `MYRIGHTS ${name}`,
      `GETACL ${name}`,
      `DELETE ${name}`,
      `SUBSCRIBE ${name}`,
      `CREATE ${name}`,
      `RENAME ${name} "Other Users/hanako/y"`,
      `GETQUOTAROOT ${name}`,
      `GETMETADATA ${name} /private/comment`,
      `LIST "" ${name}`,
    ])
      all.push(await other.command(command))
    await other.command('SELECT INBOX')
    await append(other, 'INBOX')
    all.push(await other.command(`COPY 1 ${name}`), await append(other, name))
    return all
  }
  const there = await answers(OTHERS)
  assert.deepEqual(there, await answers('"Other Users/hanako/none"'))
  assert.deepEqual(there, await answers('"Other Users/nobody/none"'))
  assert.doesNotMatch(await other.command('LIST "" *'), /Other/)
  assert.doesNotMatch(await other.command('LIST "" %'), /Other/)
  assert.match(await owner.command('LIST "" "Other Users/*"'), /^OK/)
})

test('LIST shows what may be looked up, and the levels above it to who asks for levels', async (t) => {
  const { owner, other, grant } = await sharing(t, '')
  await owner.command(`CREATE ${encodeUtf7('会議/議事録')}`)
  await owner.command(`CREATE ${encodeUtf7('会議/人事')}`)
  const minutes = `Other Users/hanako/${encodeUtf7('会議/議事録')}`
  await owner.command(`SETACL ${encodeUtf7('会議/議事録')} taro lr`)
  // RFC 4314 §4, LIST: as if the mailbox above did not exist.
  const all = await other.command('LIST "" *')
  assert.match(all, /\* LIST \(\\HasNoChildren\) "\/" "Other Users\/hanako\/&[^"]*\/&[^"]*"/)
  assert.equal(all.match(/Other Users/g)?.length, 1, all)
  assert.ok(all.includes(`"${minutes}"`))
  const levels = async (pattern: string): Promise<string> => other.command(`LIST "" "${pattern}"`)
  assert.match(await levels('%'), /\* LIST \(\\Noselect \\HasChildren\) "\/" "Other Users"/)
  assert.match(
    await levels('Other Users/%'),
    /\(\\Noselect \\HasChildren\) "\/" "Other Users\/hanako"/,
  )
  assert.match(await levels('Other Users/hanako/%'), new RegExp(`Noselect .*${OWN}"`))
  assert.doesNotMatch(await levels('Other Users/hanako/%'), /INBOX|Trash/)
  assert.match(
    await other.command('LIST "" (%) RETURN (CHILDREN)'),
    /\(\\NonExistent \\HasChildren\) "\/" "Other Users"/,
  )
  // r alone lets one read what one knows of, and shows it to nobody.
  await grant('r')
  assert.match(await levels('Other Users/hanako/%'), new RegExp(`Noselect .*${OWN}"`))
  assert.match(await other.command(`STATUS ${OTHERS} (MESSAGES)`), /MESSAGES 3/)
  await grant('l')
  const listed = await levels('Other Users/hanako/*')
  assert.match(listed, /\(\\HasChildren\) "\/" "Other Users\/hanako\/&[^/"]*"\r\n/)
  assert.match(listed, /^OK/m)
  // RFC 8440: rights with the names; RFC 5819: no STATUS without r.
  const both = await other.command('LIST "" "Other Users/*" RETURN (MYRIGHTS STATUS (MESSAGES))')
  assert.match(both, /\* MYRIGHTS "Other Users\/hanako\/&[^/"]*" l\r\n/)
  assert.match(
    both,
    new RegExp(`\\* MYRIGHTS "${minutes.replaceAll('+', '\\+')}" lr\r\n\\* STATUS`),
  )
  assert.equal(both.match(/\* STATUS/g)?.length, 1)
  assert.match(
    await other.command('LIST "" INBOX RETURN (MYRIGHTS)'),
    /MYRIGHTS INBOX lrswipkxteacd/,
  )
  // Names of rev2 are UTF-8.
  await other.command('ENABLE IMAP4rev2')
  assert.ok(
    (await other.command('LIST "" "Other Users/*"')).includes(
      Buffer.from('"Other Users/hanako/会議/議事録"').toString('latin1'),
    ),
  )
})

test('subscriptions of others’ mailboxes are one’s own (RFC 4314 §4)', async (t) => {
  const { owner, other, grant } = await sharing(t, 'lr')
  assert.match(await other.command(`SUBSCRIBE ${OTHERS}`), /^OK/)
  assert.match(await other.command('LSUB "" *'), /Other Users\/hanako/)
  const subscribed = await other.command('LIST (SUBSCRIBED) "" *')
  assert.match(subscribed, /\\Subscribed\) "\/" "Other Users\/hanako/)
  assert.doesNotMatch(await owner.command('LSUB "" *'), /Other Users/)
  assert.match(await other.command(`UNSUBSCRIBE ${OTHERS}`), /^OK/)
  assert.doesNotMatch(await other.command('LSUB "" *'), /Other Users/)
  assert.match(await other.command(`SUBSCRIBE ${OTHERS}`), /^OK/)
  assert.doesNotMatch(await owner.command(`LIST (SUBSCRIBED) "" ${OWN}`), /LIST/)
  await grant('')
  // The name stays, without a word on whether there is anything.
  assert.match(await other.command('LIST (SUBSCRIBED) "" "Other*"'), /NonExistent/)
  assert.match(await other.command(`UNSUBSCRIBE ${OTHERS}`), /^OK/)
  assert.doesNotMatch(await other.command('LSUB "" *'), /Other Users/)
})

test('each change of an ACL is an event: whose mailbox, by whom, for whom, what it was and is', async (t) => {
  const room = await imapRoom(t, { passwords: PASSWORDS })
  const owner = await room.login()
  await owner.command(`CREATE ${OWN}`)
  const [hanako, taro] = [fakeAccount('hanako').id, fakeAccount('taro').id]
  assert.match(await owner.command(`SETACL ${OWN} taro lrsa`), /^OK/)
  const other = await room.login('taro')
  assert.match(await other.command(`SETACL ${OTHERS} anyone lr`), /^OK/)
  assert.match(await owner.command(`SETACL ${OWN} taro -a`), /^OK/)
  assert.match(await other.command(`SETACL ${OTHERS} anyone ""`), /^NO/)
  assert.match(await owner.command(`DELETEACL ${OWN} taro`), /^OK/)
  const changed = (who: string, before: string, rights: string, by: string) => ({
    name: 'store.granted',
    fields: { accountId: hanako, mailbox: '会議', who, before, rights, by },
  })
  assert.deepEqual(
    room.events.map(({ name, fields }) => ({ name, fields })),
    [
      changed(taro, '', 'lrsa', hanako),
      changed('anyone', '', 'lr', taro),
      changed(taro, 'lrsa', 'lrs', hanako),
      changed(taro, 'lrs', '', hanako),
    ],
  )
})

test('what a script filed below a name of others’ is still read, and renamed away', async (t) => {
  const room = await imapRoom(t, { passwords: PASSWORDS })
  const client = await room.login()
  const path = ['Other Users', '案件']
  const changes = [{ kind: 'create', path }] as const
  await room.store.commit({
    contents: [],
    commits: [{ accountId: fakeAccount('hanako').id, changes }],
  })
  const name = `"Other Users/${encodeUtf7('案件')}"`
  assert.match(await client.command(`SELECT ${name}`), /OK \[READ-WRITE\]/)
  assert.match(await client.command(`RENAME ${name} ${encodeUtf7('案件')}`), /^OK/)
})

test('SELECT says what can be kept: READ-ONLY, and PERMANENTFLAGS by rights (RFC 4314 §5)', async (t) => {
  const { other, grant } = await sharing(t, 'lr')
  const select = (): Promise<string> => other.command(`SELECT ${OTHERS}`)
  assert.match(await select(), /PERMANENTFLAGS \(\)\][^]*OK \[READ-ONLY\]/)
  await grant('lrs')
  assert.match(await select(), /PERMANENTFLAGS \(\\Seen\)\][^]*OK \[READ-ONLY\]/)
  await grant('lrst')
  assert.match(await select(), /PERMANENTFLAGS \(\\Seen \\Deleted\)\][^]*OK \[READ-WRITE\]/)
  await grant('lrswt')
  assert.match(
    await select(),
    /PERMANENTFLAGS \(\\Seen \\Answered \\Flagged \\Deleted \\Draft \\\*\)\][^]*OK \[READ-WRITE\]/,
  )
  await grant('lri')
  assert.match(await select(), /PERMANENTFLAGS \(\)\][^]*OK \[READ-WRITE\]/)
})

test('each has their own \\Seen, told to their other programs, counted apart', async (t) => {
  const { room, owner, other, grant } = await sharing(t, 'lrs')
  await grant('lrs', 'jiro')
  const [second, jiro] = [await room.login('taro'), await room.login('jiro')]
  await owner.command(`SELECT ${OWN}`)
  for (const client of [other, second, jiro]) {
    await client.command('ENABLE QRESYNC')
    assert.match(await client.command(`SELECT ${OTHERS}`), /\[UNSEEN 1\]/)
  }
  assert.match(await other.command('FETCH 1 BODY[]'), /FLAGS \(\\Seen\)/)
  assert.match(await other.command('STORE 2 +FLAGS (\\Seen)'), /FLAGS \(\\Seen\)/)
  assert.match(await second.command('NOOP'), /1 FETCH [^\r]*FLAGS \(\\Seen\)[^]*2 FETCH/)
  assert.equal(await second.command('SEARCH UNSEEN'), '* SEARCH 3\r\nOK Searched\r\n')
  assert.match(await jiro.command('SEARCH SEEN'), /^\* SEARCH\r\n/)
  assert.doesNotMatch(await jiro.command('FETCH 1:* FLAGS'), /Seen/)
  assert.doesNotMatch(await owner.command('FETCH 1:* FLAGS'), /Seen/)
  const unseen = async (client: LineClient, name: string): Promise<string | undefined> =>
    /UNSEEN (\d+)/.exec(await client.command(`STATUS ${name} (UNSEEN)`))?.[1]
  assert.deepEqual(
    [await unseen(second, OTHERS), await unseen(jiro, OTHERS), await unseen(owner, OWN)],
    ['1', '3', '3'],
  )
  // A program that comes back is told by MODSEQ (RFC 7162 §3.2.5).
  const state = await second.command(`STATUS ${OTHERS} (UIDVALIDITY HIGHESTMODSEQ)`)
  const [, validity, modSeq] = /UIDVALIDITY (\d+) HIGHESTMODSEQ (\d+)/.exec(state)!
  await second.command('UNSELECT')
  await other.command('STORE 1 -FLAGS (\\Seen)')
  const resynced = await second.command(`SELECT ${OTHERS} (QRESYNC (${validity} ${modSeq}))`)
  assert.match(resynced, /1 FETCH \(UID 1 FLAGS \(\) MODSEQ/)
  assert.doesNotMatch(resynced, /2 FETCH/)
  // The owner's \Seen is none of theirs.
  await owner.command('STORE 3 +FLAGS (\\Seen)')
  assert.match(await second.command('SEARCH UNSEEN'), /^\* SEARCH 1 3\r\n/)
})

test('flags without their right are left out, and no command fails by them (RFC 4314 §4)', async (t) => {
  const { owner, other } = await sharing(t, 'lrsi')
  assert.match(await append(other, OTHERS, '(\\Seen \\Deleted \\Flagged $x) '), /^OK \[APPENDUID/)
  await owner.command(`SELECT ${OWN}`)
  await other.command(`SELECT ${OTHERS}`)
  assert.match(await other.command('FETCH 4 FLAGS'), /FLAGS \(\\Seen\)/)
  assert.match(
    await other.command('STORE 1 +FLAGS (\\Seen \\Flagged \\Deleted)'),
    /1 FETCH \(FLAGS \(\\Seen\)\)\r\nOK/,
  )
  // RFC 4314 §4: CLOSE without e expunges nothing, and is no fault.
  await owner.command('STORE 2 +FLAGS (\\Deleted)')
  assert.match(await other.command('CLOSE'), /^OK/)
  assert.match(await other.command(`STATUS ${OTHERS} (MESSAGES DELETED)`), /MESSAGES 4 DELETED 1/)
  // EXAMINE keeps nothing at all.
  await other.command(`EXAMINE ${OTHERS}`)
  assert.match(await other.command('STORE 3 +FLAGS (\\Seen)'), /^NO \[READ-ONLY\]/)
})

test('copies and moves go from one to another, each with the rights of both', async (t) => {
  const { owner, other, grant } = await sharing(t, 'lrs')
  await other.command(`SELECT ${OTHERS}`)
  await other.command('STORE 1 +FLAGS (\\Seen)')
  assert.match(await other.command('COPY 1:2 INBOX'), /^OK \[COPYUID \d+ 1:2 1:2\]/)
  assert.match(await other.command('STATUS INBOX (MESSAGES UNSEEN)'), /MESSAGES 2 UNSEEN 1/)
  await grant('lrsite')
  assert.match(
    await other.command('MOVE 3 Archive'),
    /^\* OK \[COPYUID \d+ 3 1\] Moved\r\n\* 3 EXPUNGE\r\nOK/,
  )
  await other.command('SELECT INBOX')
  await other.command('STORE 2 +FLAGS (\\Seen \\Flagged)')
  assert.match(await other.command(`MOVE 1:2 ${OTHERS}`), /COPYUID \d+ 1:2 4:5/)
  assert.match(await other.command(`STATUS ${OTHERS} (MESSAGES UNSEEN)`), /MESSAGES 4 UNSEEN 1/)
  await owner.command(`SELECT ${OWN}`)
  const flags = await owner.command('FETCH 1:* FLAGS')
  assert.doesNotMatch(flags, /Seen|Flagged/)
  assert.match(await owner.command('FETCH 4 BODY.PEEK[]'), /=\?UTF-8/)
  await other.command(`SELECT ${OTHERS}`)
  assert.match(await other.command(`COPY 1:* "Other Users/hanako/none"`), /^NO \[TRYCREATE\]/)
})

test('what others change is told to all, by NOOP and in IDLE', async (t) => {
  const { owner, other } = await sharing(t, 'lrswite')
  await owner.command(`SELECT ${OWN}`)
  owner.send('i IDLE\r\n')
  await owner.line()
  await other.command(`SELECT ${OTHERS}`)
  await other.command('STORE 1 +FLAGS (\\Flagged)')
  assert.match(await owner.line(), /1 FETCH \(UID 1 FLAGS \(\\Recent \\Flagged\)\)/)
  await append(other, OTHERS)
  assert.match(await owner.line(), /4 EXISTS/)
  await other.command('STORE 2 +FLAGS (\\Deleted)')
  await other.command('EXPUNGE')
  assert.match(await owner.response((line) => line.includes('EXPUNGE')), /2 FETCH [^]*\* 2 EXPUNGE/)
  owner.send('DONE\r\n')
  await owner.response((line) => line.startsWith('i '))
  await owner.command('STORE 1 +FLAGS (\\Answered)')
  assert.match(await other.command('NOOP'), /1 FETCH \(UID 1 FLAGS \(\\Answered \\Flagged\)\)/)
})

test('who loses r while the mailbox is open is told BYE; other rights end with the next command', async (t) => {
  const { other, grant, owner } = await sharing(t, 'lrsw')
  await other.command(`SELECT ${OTHERS}`)
  await grant('lrs')
  assert.match(await other.command('STORE 1 +FLAGS (\\Flagged)'), /^NO \[NOPERM\]/)
  assert.match(await other.command('STORE 1 +FLAGS (\\Seen)'), /OK/)
  other.send('i IDLE\r\n')
  assert.match(await other.line(), /idling/)
  await owner.command(`DELETEACL ${OWN} taro`)
  assert.match(await other.response((line) => line.startsWith('* BYE')), /^\* BYE/m)
})

test('mailboxes below others’ are made, renamed and deleted by rights, and stay theirs', async (t) => {
  const { owner, other } = await sharing(t, 'lrkx')
  const below = (name: string): string => `"Other Users/hanako/${OWN}/${encodeUtf7(name)}"`
  assert.match(await other.command(`CREATE ${below('四月')}`), /^OK \[MAILBOXID/)
  assert.match(await other.command(`RENAME ${below('四月')} ${below('五月')}`), /^OK/)
  assert.ok((await owner.command('LIST "" *')).includes(`${OWN}/${encodeUtf7('五月')}`))
  assert.match(await other.command(`MYRIGHTS ${below('五月')}`), /lrkxc/)
  assert.match(await other.command(`RENAME ${below('五月')} Mine`), /^NO \[CANNOT\]/)
  assert.match(await other.command(`RENAME Archive ${below('六月')}`), /^NO \[CANNOT\]/)
  assert.match(
    await other.command(`RENAME ${below('五月')} "Other Users/hanako/top"`),
    /^NO \[NOPERM\]/,
  )
  assert.match(await other.command(`DELETE ${below('五月')}`), /^OK/)
  for (const name of ['"Other Users"', '"Other Users/hanako"', 'Shared/x', '"Other Users/taro/x"'])
    assert.match(await other.command(`CREATE ${name}`), /^NO \[NOPERM\]/, name)
})

test('room is the owner’s, and is told to who may read (RFC 9208 §4.1)', async (t) => {
  const room = await imapRoom(t, {
    passwords: PASSWORDS,
    quota: () => ({ bytes: 10_240, messages: 2 }),
  })
  const [owner, other] = [await room.login(), await room.login('taro')]
  await append(owner, 'INBOX')
  assert.match(await owner.command('SETACL INBOX taro lri'), /^OK/)
  const inbox = '"Other Users/hanako/INBOX"'
  assert.equal(
    await other.command(`GETQUOTAROOT ${inbox}`),
    `* QUOTAROOT ${inbox} "Other Users/hanako"\r\n` +
      '* QUOTA "Other Users/hanako" (STORAGE 1 10 MESSAGE 1 2)\r\nOK Done\r\n',
  )
  assert.match(await other.command('GETQUOTA "Other Users/hanako"'), /MESSAGE 1 2/)
  assert.match(await owner.command('GETQUOTA "Other Users/taro"'), /^NO \[NONEXISTENT\]/)
  assert.match(await append(other, inbox), /^OK/)
  assert.match(await append(other, inbox), /^NO \[OVERQUOTA\]/)
  await other.command('SELECT INBOX')
  await append(other, 'INBOX')
  assert.match(await other.command(`COPY 1 ${inbox}`), /^NO \[OVERQUOTA\]/)
})

test('notes on others’ mailboxes are one’s own, or for all; how long it is kept is theirs (RFC 5464 §3.3)', async (t) => {
  const { owner, other, grant } = await sharing(t, 'lra')
  assert.match(await other.command(`SETMETADATA ${OTHERS} (/private/comment "mine")`), /^OK/)
  assert.match(await other.command(`GETMETADATA ${OTHERS} /private/comment`), /"mine"/)
  assert.match(await owner.command(`GETMETADATA ${OWN} /private/comment`), /NIL/)
  for (const entry of ['/shared/comment', '/private/vendor/watari/retain'])
    assert.match(await other.command(`SETMETADATA ${OTHERS} (${entry} "7")`), /^NO \[NOPERM\]/)
  // What all see takes the right to flag, and is kept with the mailbox.
  await owner.command(`SETMETADATA ${OWN} (/shared/comment "first" /private/comment "hers")`)
  assert.match(
    await other.command(`GETMETADATA (DEPTH infinity) ${OTHERS} (/shared /private)`),
    /\(\/shared\/comment "first" \/private\/comment "mine"\)/,
  )
  await grant('lrw')
  const both = '(/shared/comment "2" /private/comment "2")'
  assert.match(await other.command(`SETMETADATA ${OTHERS} ${both}`), /^NO \[CANNOT\]/)
  assert.match(await other.command(`SETMETADATA ${OTHERS} (/shared/comment "second")`), /^OK/)
  const shown = await owner.command(`GETMETADATA ${OWN} (/shared/comment /private/comment)`)
  assert.match(shown, /"second" \/private\/comment "hers"/)
  assert.match(await other.command(`SETMETADATA ${OTHERS} (/shared/comment NIL)`), /^OK/)
  assert.match(await owner.command(`GETMETADATA ${OWN} /shared/comment`), /NIL/)
  await grant('r')
  assert.match(await other.command(`GETMETADATA ${OTHERS} /private/comment`), /^NO \[NONEXISTENT\]/)
})
