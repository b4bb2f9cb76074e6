import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'

import { install, until } from './installation.ts'
import type { Installation } from './installation.ts'
import { utf8 } from './mails.ts'
import { ask, pop3 } from './pop3.ts'
import { descendants, pssMib } from './processes.ts'
import type { Process } from './processes.ts'
import { rawImap } from './raw-imap.ts'
import type { RawImap } from './raw-imap.ts'
import { wire } from './wire.ts'
import type { Wire } from './wire.ts'

const OK = /^t\d+ OK /m
const MIB = 1_048_576

describe('several clients of one account', () => {
  let watari: Installation
  let one: RawImap
  let other: RawImap
  before(async () => {
    watari = await install()
  })
  after(() => watari.remove())
  /** Both have a mailbox of three messages selected that no other test has. */
  let mailbox = ''
  let turn = 0
  beforeEach(async () => {
    one = await rawImap(watari, 'hanako')
    other = await rawImap(watari, 'hanako')
    mailbox = `"会議 ${++turn}"`
    assert.match(await one.command(`CREATE ${mailbox}`), OK)
    for (const text of ['一\r\n', '二\r\n', '三\r\n'])
      assert.match(await one.append(mailbox, utf8(text)), OK)
    for (const client of [one, other])
      assert.match(await client.command(`SELECT ${mailbox} (CONDSTORE)`), /\* 3 EXISTS/)
    return () => [one, other].forEach((client) => client.close())
  })

  it('IDLE tells what the other does: new mail, flags, expunges', async () => {
    one.send('i IDLE\r\n')
    await one.until(/^\+ /)
    assert.match(await other.append(mailbox, utf8('四\r\n'), '(\\Flagged)'), OK)
    await one.until(/^\* 4 EXISTS$/)
    assert.match(await other.command('STORE 2 +FLAGS.SILENT (\\Seen $Label1)'), OK)
    await one.until(/^\* 2 FETCH \(.*FLAGS \(\\Recent \\Seen \$Label1\)/)
    assert.match(await other.command('STORE 1,3 +FLAGS (\\Deleted)'), OK)
    await one.until(/^\* 3 FETCH \(.*FLAGS \(\\Recent \\Deleted\)/)
    assert.match(await other.command('EXPUNGE'), /\* 3 EXPUNGE\n\* 1 EXPUNGE\n/)
    assert.match(await one.until(/^\* 1 EXPUNGE$/), /^\* 3 EXPUNGE\n\* 1 EXPUNGE$/)
    // Also mail from outside.
    one.send('DONE\r\n')
    await one.until(/^i OK/)
    assert.match(await one.command('SELECT INBOX'), OK)
    one.send('i IDLE\r\n')
    await one.until(/^\+ /)
    const lmtp = await wire(watari.port(24))
    await lmtp.smtp()
    for (const line of ['LHLO a.example', 'MAIL FROM:<>', 'RCPT TO:<hanako@campus.example>'])
      assert.match(await lmtp.smtp(line), /^250/)
    await lmtp.smtp('DATA')
    assert.match(await lmtp.smtp('Subject: x\r\n\r\n会議\r\n.'), /^250 /)
    lmtp.close()
    await one.until(/^\* 1 EXISTS$/)
  })

  it('a conditional STORE fails where the other was first (RFC 7162 §3.1.3)', async () => {
    const answer = await one.command('FETCH 1:3 (MODSEQ)')
    const seen = [...answer.matchAll(/MODSEQ \((\d+)\)/g)].map((match) => Number(match[1]))
    const newest = Math.max(...seen)
    assert.match(await other.command('STORE 2 +FLAGS (\\Answered)'), OK)
    const stored = await one.command(`STORE 1:3 (UNCHANGEDSINCE ${newest}) +FLAGS (\\Flagged)`)
    assert.match(stored, /^t\d+ OK \[MODIFIED 2\]/m)
    const flags = await one.command('FETCH 1:3 (FLAGS)')
    assert.match(flags, /\* 2 FETCH \([^\n]*FLAGS \(\\Recent \\Answered\)/)
    assert.match(flags, /\* 3 FETCH \([^\n]*FLAGS \(\\Recent \\Flagged\)/)
    await other.command('NOOP')
    const changed = await other.command(`FETCH 1:* (FLAGS) (CHANGEDSINCE ${newest})`)
    assert.equal(changed.match(/^\* \d FETCH/gm)?.length, 3)
    const uids = await other.command(`UID STORE 1:3 (UNCHANGEDSINCE ${newest}) FLAGS.SILENT ()`)
    assert.match(uids, /^t\d+ OK \[MODIFIED 1:3\]/m)
  })

  it('COPY and MOVE say where messages went, octets unchanged', async () => {
    const target = mailbox.replace('会議', '控え')
    assert.match(await one.command(`COPY 1 ${target}`), /NO \[TRYCREATE\]/)
    assert.match(await one.command(`CREATE ${target}`), OK)
    const status = await one.command(`STATUS ${target} (UIDVALIDITY)`)
    const validity = /UIDVALIDITY (\d+)/.exec(status)?.[1]
    assert.match(await one.command('STORE 3 +FLAGS (\\Flagged)'), OK)
    const copied = await one.command(`COPY 1,3 ${target}`)
    assert.match(copied, new RegExp(`^t\\d+ OK \\[COPYUID ${validity} 1,3 1:2\\]`, 'm'))
    const moved = await one.command(`UID MOVE 2:3 ${target}`)
    assert.match(moved, new RegExp(`^\\* OK \\[COPYUID ${validity} 2:3 3:4\\]`, 'm'))
    assert.match(moved, /\* 3 EXPUNGE\n\* 2 EXPUNGE\nt/)
    assert.match(await other.command('NOOP'), /\* 3 EXPUNGE\n\* 2 EXPUNGE\n/)
    await other.command(`SELECT ${target}`)
    for (const [uid, text] of ['一', '三', '二', '三'].entries()) {
      const found = await other.command(`UID FETCH ${uid + 1} (FLAGS BODY.PEEK[])`)
      assert.ok(Buffer.from(found, 'latin1').includes(utf8(`${text}\r\n)`)), found)
      assert.equal(/\\Flagged/.test(found), text === '三')
    }
  })

  it('one that stops reading amid 50 MB costs only itself', async (t) => {
    const large = Buffer.concat([utf8(''), Buffer.alloc(50_000_000, '渡り鳥が海を渡る\r\n')])
    assert.match(await one.append(mailbox, large), OK)
    const processes = storeProcesses(watari)
    const mib = (): number => pssMib(processes)
    const slow = await Promise.all(Array.from({ length: 8 }, () => rawImap(watari, 'hanako')))
    const before = mib()
    for (const client of slow) {
      await client.command(`EXAMINE ${mailbox}`)
      client.send('f FETCH 4 (BODY.PEEK[])\r\n')
      await new Promise((resolve) => client.socket.once('data', resolve))
      client.socket.pause()
    }
    let mostMib = mib()
    for (let round = 0; round < 30; round++) {
      assert.match(await other.command('NOOP'), OK)
      assert.match(await other.append(mailbox, utf8(`${round}\r\n`)), OK)
      mostMib = Math.max(mostMib, mib())
    }
    t.diagnostic(`8 stopped amid 50 MB: ${before} MiB before, at most ${mostMib} MiB then`)
    assert.ok(mostMib - before < 100, `${before} to ${mostMib} MiB`)
    for (const client of slow) {
      assert.ok(client.socket.bytesRead < large.length / 2)
      client.close()
    }
  })

  it('one that searches 50 MB of text lets the others have their turn', async (t) => {
    const large = Buffer.concat([
      utf8(''),
      Buffer.alloc(50_000_000, '渡り鳥が海を渡る\r\n'),
      utf8('終'),
    ])
    assert.match(await one.append(mailbox, large), OK)
    const processes = storeProcesses(watari)
    const before = pssMib(processes)
    let mostMib = before
    let turns = 0
    const done = new AbortController()
    const searching = one.command('SEARCH BODY "無い言葉"').finally(() => done.abort())
    while (!done.signal.aborted) {
      assert.match(await other.command('STATUS INBOX (MESSAGES)'), OK)
      if (++turns % 20 === 1) mostMib = Math.max(mostMib, pssMib(processes))
    }
    assert.match(await searching, /^\* SEARCH\nt\d+ OK/)
    assert.match(await one.command('SEARCH BODY "終"'), /^\* SEARCH 4\n/)
    t.diagnostic(`${turns} turns; ${before} MiB before, at most ${mostMib} MiB then`)
    assert.ok(turns > 20 && mostMib - before < 100, `${turns} turns, ${before} to ${mostMib} MiB`)
  })

  it('one that vanishes amid an APPEND leaves nothing behind', async () => {
    const folder = join(watari.dir, 'store', 'large')
    const files = readdirSync(folder)
    for (const sent of [100_000, 10 * MIB]) {
      const client = await rawImap(watari, 'hanako')
      client.send(`a APPEND ${mailbox} {${20 * MIB}}\r\n`)
      await client.until(/^\+ /)
      await new Promise((resolve) => client.socket.write(Buffer.alloc(sent, '会議\r\n'), resolve))
      if (sent > MIB)
        await until('it is being written', () => readdirSync(folder).length > files.length)
      client.close()
      await until('nothing is left', () => readdirSync(folder).length === files.length)
    }
    assert.match(await one.command('NOOP'), /^t\d+ OK/)
    assert.match(await one.command(`STATUS ${mailbox} (MESSAGES UIDNEXT)`), /MESSAGES 3 UIDNEXT 4/)
  })

  it('by POP3 nothing is deleted without QUIT', async () => {
    await one.command('SELECT INBOX')
    await one.append('INBOX', utf8('残る\r\n'))
    const count = Number(/\* (\d+) EXISTS/.exec(await one.command('EXAMINE INBOX'))?.[1])
    const cut = await pop3(watari)
    for (let number = 1; number <= count; number++) await ask(cut, `DELE ${number}`)
    cut.close()
    // A session that is gone no longer has the maildrop open.
    let again: Wire | undefined
    await until('POP3 lets in again', async () => {
      again = await pop3(watari).catch(() => undefined)
      return again !== undefined
    })
    assert.ok(again !== undefined)
    assert.match(await ask(again, 'STAT'), new RegExp(`^\\+OK ${count} `))
    assert.match(await ask(again, 'QUIT'), /^\+OK/)
    again.close()
    assert.match(await one.command('STATUS INBOX (MESSAGES)'), new RegExp(`MESSAGES ${count}\\)`))
  })

  it('POP3 and IMAP at once: the maildrop stays, and what goes at QUIT is told to IMAP', async () => {
    await one.command('SELECT INBOX')
    await one.command('STORE 1:* +FLAGS.SILENT (\\Deleted)')
    await one.command('EXPUNGE')
    for (const text of ['一', '二', '三']) await one.append('INBOX', utf8(`${text}\r\n`))
    const pop = await pop3(watari)
    assert.match(await ask(pop, 'STAT'), /^\+OK 3 /)
    await one.command('STORE 2 +FLAGS (\\Deleted)')
    assert.match(await one.command('EXPUNGE'), /\* 2 EXPUNGE/)
    await one.append('INBOX', utf8('四\r\n'))
    // The maildrop is as it was at login (RFC 1939 §5), also what IMAP has expunged.
    assert.match(await ask(pop, 'STAT'), /^\+OK 3 /)
    for (const [index, text] of ['一', '二', '三'].entries()) {
      assert.match(await ask(pop, `RETR ${index + 1}`), /^\+OK/)
      const read = Buffer.from(await pop.until(/\r\n\.\r\n/), 'latin1')
      assert.equal(read.toString(), `${utf8(`${text}\r\n`).toString()}.\r\n`)
    }
    assert.match(await ask(pop, 'DELE 1'), /^\+OK/)
    assert.match(await ask(pop, 'DELE 2'), /^\+OK/)
    one.send('i IDLE\r\n')
    await one.until(/^\+ /)
    assert.match(await ask(pop, 'QUIT'), /^\+OK/)
    pop.close()
    await one.until(/^\* 1 EXPUNGE$/)
    one.send('DONE\r\n')
    await one.until(/^i OK/)
    const left = await one.command('FETCH 1:* (BODY.PEEK[TEXT])')
    assert.match(
      Buffer.from(left, 'latin1').toString(),
      /\* 1 FETCH .*\r\n三\r\n\)\n\* 2 FETCH .*\r\n四/,
    )
  })
})

function storeProcesses(watari: Installation): Process[] {
  const processes = descendants(watari.pid()).filter(({ command }) =>
    /\/store\.ts$|^watari storage mailbox/.test(command),
  )
  assert.equal(processes.length, 2)
  return processes
}
