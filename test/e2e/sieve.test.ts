import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'

import { startSink } from '#test/fake/smtp-sink.ts'
import type { Sink } from '#test/fake/smtp-sink.ts'
import { install, until } from './installation.ts'
import type { Installation, Ran } from './installation.ts'
import { countOf, imap, messages } from './mail.ts'
import { descendants } from './processes.ts'
import { rawImap } from './raw-imap.ts'
import { sendBy } from './wire.ts'

// Written backwards, so that no scanner takes this file for what it tests.
const GTUBE = Array.from('X43.C*LIAME-TSET-EBU-ITNA-DRADNATS-EBUTG*NENDI2*3NBSN.1NDAQBDJ4C*SJX')
  .toReversed()
  .join('')

const USER = 'hanako@campus.example'
const SENDER = 'someone@sink.example'
const SCRIPT = `\ufeffrequire ["fileinto", "mailbox", "reject", "copy", "imap4flags", "envelope"];\r
# 振り分け — 花子\r
if header :contains "subject" "会議" { addflag "\\\\Flagged"; fileinto :create "会議/来週"; }
elsif header :is "subject" "断" { reject "受け取れません。事務室へどうぞ。"; }
elsif header :is "subject" "転送" { redirect "away@sink.example"; }
elsif header :is "subject" "写し" { redirect :copy "copy@sink.example"; }
`

const subjectOf = (text: string): string => `=?utf-8?B?${Buffer.from(text).toString('base64')}?=`

const mailOf = (id: string, subject: string, body: string): string =>
  [
    `From: ${SENDER}`,
    `To: ${USER}`,
    `Subject: ${subjectOf(subject)}`,
    `Date: ${new Date().toUTCString().replace('GMT', '+0000')}`,
    `Message-ID: <${id}@sink.example>`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: 8bit',
    '',
    body,
    '',
  ].join('\r\n')

describe("a user's own Sieve script", () => {
  let watari: Installation
  let sink: Sink
  before(async () => {
    watari = await install({ bind: ['127.0.0.1'] })
    sink = await startSink()
    await done(['route', 'set', 'sink.example', `smtp:127.0.0.1:${sink.port}`])
  })
  after(async () => {
    await watari.remove()
    await sink.close()
  })

  const done = async (args: readonly string[], input?: string): Promise<string> => {
    const { status, stdout, stderr } = await watari.watari(args, input)
    assert.equal(status, 0, stderr)
    return stdout
  }
  const refused = async (args: readonly string[], input?: string): Promise<Ran> => {
    const ran = await watari.watari(args, input)
    assert.equal(ran.status, 1, ran.stdout)
    return ran
  }
  const send = async (
    id: string,
    subject: string,
    body = '本文です。',
    to = USER,
  ): Promise<void> => {
    const content = mailOf(id, subject, body)
    const reply = await sendBy({ port: watari.port(25) }, { from: SENDER, to, content })
    assert.match(reply, /^250 2\.0\.0 /)
  }
  /** The Message-IDs in a mailbox, once there are so many. */
  const arrived = async (mailbox: string, count: number, user = 'hanako'): Promise<string[]> => {
    const client = await imap(watari, user)
    try {
      const there = () => countOf(client, mailbox).catch(() => 0)
      await until(`${count} in ${mailbox}`, async () => (await there()) >= count)
      return (await messages(client, mailbox)).map(
        (message) => /^Message-ID: <(.*)@sink/m.exec(message.toString())?.[1] ?? '',
      )
    } finally {
      await client.logout()
    }
  }
  const atSink = async (to: string, count: number): Promise<Buffer[]> => {
    const find = () =>
      sink.mails.filter(({ rcpts }) => rcpts.some((line) => line.startsWith(`RCPT TO:<${to}>`)))
    await until(`${count} to ${to}`, () => find().length >= count)
    return find().map(({ content }) => content)
  }

  it('is stored by the command line and comes back octet for octet', async () => {
    await done(['sieve', 'put', USER, '振り分け', '-'], SCRIPT)
    assert.equal(await done(['sieve', 'get', USER, '振り分け']), SCRIPT)
    await send('before', '会議')
    assert.deepEqual(await arrived('INBOX', 1), ['before'])
    await done(['sieve', 'activate', USER, '振り分け'])
    assert.deepEqual(JSON.parse(await done(['sieve', 'ls', USER, '--json'])), {
      items: [{ name: '振り分け', active: true, sizeBytes: Buffer.byteLength(SCRIPT) }],
    })
  })

  it('files into a Japanese mailbox that it makes, with its flag', async () => {
    await send('filed', '来週の会議')
    assert.deepEqual(await arrived('会議/来週', 1), ['filed'])
    const client = await imap(watari, 'hanako')
    try {
      await client.mailboxOpen('会議/来週')
      const message = await client.fetchOne('1', { flags: true })
      assert.ok(message !== false && message.flags?.has('\\Flagged'))
    } finally {
      await client.logout()
    }
  })

  it('rejects, and the report to the sender says why in Japanese', async () => {
    await send('rejected', '断')
    const [report, ...more] = await atSink(SENDER, 1)
    assert.deepEqual(more, [])
    const text = report!.toString()
    assert.match(text, /^Content-Type: multipart\/report; report-type=delivery-status;/m)
    assert.match(text, /^Status: 5\.7\.1\r$/m)
    const forPeople =
      /^Content-Transfer-Encoding: base64\r\n\r\n([^]*?)\r\n--/m.exec(text)?.[1] ?? ''
    assert.match(Buffer.from(forPeople, 'base64').toString(), /受け取れません。事務室へどうぞ。/)
  })

  it('redirects through the outbox exactly once, past a peer that first says 451', async () => {
    let times = 0
    sink.act = (step, line) => {
      if (step === 'rcpt' && line.includes('away@') && ++times === 1)
        return { say: '451 4.7.1 later' }
      return undefined
    }
    await send('away', '転送')
    await sink.seen(/RCPT TO:<away@/)
    await until('the queue has heard the 451', async () =>
      (await done(['queue', 'ls', '--address', 'away@sink.example'])).includes('451 4.7.1 later'),
    )
    const listed = JSON.parse(await done(['queue', 'ls', '--json'])) as {
      items: { queueId: string }[]
    }
    assert.equal(listed.items.length, 1)
    await done(['queue', 'retry', listed.items[0]!.queueId])
    const [redirected] = await atSink('away@sink.example', 1)
    const original = mailOf('away', '転送', '本文です。')
    const [, body] = original.split('\r\n\r\n')
    assert.ok(redirected!.toString().endsWith(`\r\n\r\n${body}`), redirected!.toString())
    await send('copied', '写し')
    const [copy] = await atSink('copy@sink.example', 1)
    assert.match(copy!.toString(), /^Message-ID: <copied@/m)
    assert.deepEqual(await arrived('INBOX', 2), ['before', 'copied'])
    // Whatever was in the outbox has been handed on before the later mail's copy.
    assert.equal((await atSink('away@sink.example', 1)).length, 1)
    assert.equal((await atSink('copy@sink.example', 1)).length, 1)
    const mails = sink.mails.filter(({ rcpts }) => rcpts.includes('RCPT TO:<away@sink.example>'))
    assert.match(mails[0]!.mail, /^MAIL FROM:<someone@sink\.example>/)
  })

  it('is refused with its lines where it is wrong, and the old one goes on', async () => {
    const wrong = await refused(['sieve', 'put', USER, '振り分け', '-'], 'keep;\nfilinto "会議";\n')
    assert.match(
      wrong.stderr,
      /^watari: line 2: there is no command "filinto"\. Nothing was stored/,
    )
    assert.equal(wrong.stderr.trimEnd().split('\n').length, 1)
    const missing = await refused(
      ['sieve', 'put', USER, '新', '-', '--json'],
      '\n\nfileinto "会議";',
    )
    const { error } = JSON.parse(missing.stderr) as { error: { code: string; message: string } }
    assert.deepEqual(
      [error.code, error.message],
      ['invalid', 'line 3: fileinto needs: require "fileinto"'],
    )
    assert.equal(await done(['sieve', 'get', USER, '振り分け']), SCRIPT)
    assert.doesNotMatch(await done(['sieve', 'ls', USER]), /新/)
    await send('filed-2', '会議の後')
    assert.deepEqual(await arrived('会議/来週', 2), ['filed', 'filed-2'])
  })

  it('is replaced in its place and stays active', async () => {
    const script = 'require ["fileinto", "mailbox"]; fileinto :create "全部";'
    await done(['sieve', 'put', USER, '振り分け', '-'], script)
    await send('all', '会議')
    assert.deepEqual(await arrived('全部', 1), ['all'])
  })

  it('files and sends what an included script has made of the mail', async () => {
    const old = await done(['sieve', 'get', USER, '振り分け'])
    const part = `require ["editheader", "variables", "include"]; global "tag";
      addheader "X-Tag" "\${tag}"; deleteheader "mime-version";`
    const script = `require ["include", "variables", "fileinto", "mailbox", "copy"]; global "tag";
      if header :matches "subject" "*の札" { set "tag" "\${1}"; include "部品"; }
      redirect :copy "tagged@sink.example"; fileinto :create "札";`
    await done(['sieve', 'put', USER, '部品', '-'], part)
    await done(['sieve', 'put', USER, '振り分け', '-'], script)
    await send('tagged', '渡りの札')
    assert.deepEqual(await arrived('札', 1), ['tagged'])
    const [sent] = await atSink('tagged@sink.example', 1)
    const client = await imap(watari, 'hanako')
    try {
      const [filed] = await messages(client, '札')
      for (const mail of [filed!.toString(), sent!.toString()]) {
        const [head = '', body] = mail.split('\r\n\r\n')
        assert.match(head, /^X-Tag: =\?UTF-8\?B\?5rih44KK\?=\r$/m)
        assert.match(head, /^Received: /m)
        assert.doesNotMatch(head, /^MIME-Version/im)
        assert.equal(body?.trimEnd(), '本文です。')
      }
    } finally {
      await client.logout()
    }
    await done(['sieve', 'put', USER, '振り分け', '-'], old)
    await done(['sieve', 'rm', USER, '部品'])
  })

  it("does not touch what the administrator's script has filed as spam", async () => {
    await send('spam', '会議', GTUBE)
    assert.deepEqual(await arrived('Junk/SPAM', 1), ['spam'])
    assert.deepEqual(await arrived('全部', 1), ['all'])
  })

  it('files by class alone once it is switched off, and can then be removed', async () => {
    const active = await refused(['sieve', 'rm', USER, '振り分け'])
    assert.match(active.stderr, /振り分け is the active script\. Switch it off first/)
    await done(['sieve', 'activate', USER, '--none'])
    await send('default', '会議')
    assert.deepEqual(await arrived('INBOX', 3), ['before', 'copied', 'default'])
    await done(['sieve', 'rename', USER, '振り分け', '旧い'])
    await done(['sieve', 'rm', USER, '旧い'])
    assert.deepEqual(JSON.parse(await done(['sieve', 'ls', USER, '--json'])), { items: [] })
    assert.match((await refused(['sieve', 'get', USER, '振り分け'])).stderr, /there is no script/)
  })

  it('files by what its owner has chosen, told as data', async () => {
    const patch = {
      junk: { spam: 'junk', suspected: 'inbox' },
      blocked: ['@ads.example'],
      filters: [
        {
          name: '選んだもの',
          match: 'all',
          conditions: [{ field: 'subject', is: 'contains', value: '選' }],
          folder: '選/択',
          stop: true,
        },
      ],
    }
    const shown = await done(['user', 'choices', USER, '--set', '-'], JSON.stringify(patch))
    assert.match(shown, /^spam goes to: +Junk$/m)
    assert.match(shown, /^filters: +選んだもの$/m)
    assert.match(await done(['user', 'choices', USER, '--script']), /fileinto :create "選\/択";/)
    await send('chosen', '選んで')
    assert.deepEqual(await arrived('選/択', 1), ['chosen'])
    await send('spam-2', '会議', GTUBE)
    assert.deepEqual(await arrived('Junk', 1), ['spam-2'])
    const odd = JSON.stringify({ blocked: ['誰 か'] })
    const wrong = await refused(['user', 'choices', USER, '--set', '-'], odd)
    assert.match(wrong.stderr, /'誰 か' is neither an address nor a domain/)
    await done(['user', 'choices', USER, '--set', '-'], '{"filters": null, "junk": null}')
    await send('spam-3', '選んで', GTUBE)
    assert.deepEqual(await arrived('Junk/SPAM', 2), ['spam', 'spam-3'])
  })

  it('answers a sender once while its owner is away, and never its own answer', async () => {
    const before = (await atSink(SENDER, 1)).length
    const away = 'require "vacation"; vacation :subject "不在" "12月1日に戻ります。";'
    await done(['sieve', 'put', USER, '振り分け', '-', '--activate'], away)
    const inInbox = (await arrived('INBOX', 2)).length
    await send('away-1', '相談')
    await send('away-2', '相談')
    const answers = (await atSink(SENDER, before + 1)).slice(before)
    assert.equal((await arrived('INBOX', inInbox + 2)).length, inInbox + 2)
    // What a later mail sends out comes behind all that these could have sent.
    await done(['sieve', 'put', USER, '振り分け', '-'], SCRIPT)
    await send('copied-2', '写し')
    await atSink('copy@sink.example', 2)
    assert.equal((await atSink(SENDER, before + 1)).length, before + 1)
    const [answer] = answers
    assert.match(answer!.toString(), /^Auto-Submitted: auto-replied\r$/m)
    assert.match(answer!.toString(), /^In-Reply-To: <away-[12]@sink\.example>\r$/m)
    const mail = sink.mails.findLast(({ content }) => content === answer)
    assert.match(mail!.mail, /^MAIL FROM:<>/)
  })

  it("runs the administrator's script before it, which must be right", async () => {
    const wrong = await refused(['settings', 'set', 'sieve.before', 'bogus;'])
    assert.match(wrong.stderr, /sieve\.before: line 1: there is no command "bogus"/)
    const before =
      'require ["fileinto", "mailbox"]; if header "subject" "監査" { fileinto :create "監査"; }'
    await done(['settings', 'set', 'sieve.before', before])
    await send('audited', '監査')
    assert.deepEqual(await arrived('監査', 1), ['audited'])
    await done(['settings', 'set', 'sieve.before', ''])
  })

  it('that fails keeps the mail, and tells its owner', async () => {
    await done(['sieve', 'put', USER, '振り分け', '-'], 'require "reject";\nkeep;\nreject "x";')
    const inInbox = (await arrived('INBOX', 2)).length
    await send('failed', '相談')
    const found = await arrived('INBOX', inInbox + 2)
    assert.ok(found.includes('failed'))
    assert.ok(found.includes(''), 'a mail of our own')
  })

  it('of another system comes from a folder or by ManageSieve, filters, and what differs is told', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'watari-scripts-'))
    try {
      const old = 'require ["fileinto", "mailbox"];\r\nfileinto :create "INBOX.旧.会議";\r\n'
      const home = join(folder, 'admin')
      mkdirSync(join(home, 'sieve'), { recursive: true })
      writeFileSync(join(home, 'sieve', '前.sieve'), old)
      writeFileSync(join(home, 'sieve', '壊.sieve'), 'vnd.other;\r\n')
      symlinkSync('sieve/前.sieve', join(home, '.dovecot.sieve'))
      const report = await done(['sieve', 'import', folder])
      assert.match(report, /^1 person, 2 scripts, 1 stored, 1 kept\n/)
      assert.match(report, /^ {2}前: stored, active$/m)
      assert.match(report, /^ {4}line 2: INBOX\.旧\.会議 is now 旧\/会議$/m)
      assert.match(report, /^ {2}壊: kept: line 1: /m)
    } finally {
      rmSync(folder, { recursive: true })
    }
    await send('imported', '会議', '本文', 'admin@campus.example')
    assert.deepEqual(await arrived('旧/会議', 1, 'admin'), ['imported'])

    // Then on from there to somebody else, as from any server.
    const from = ['--from', `managesieve://localhost:${watari.port(4190)}`, '--user', 'admin']
    const ca = ['--ca', join(watari.dir, 'tls', 'ca.pem')]
    const how = ['sieve', 'import', ...from, ...ca, '--password-stdin', '--to', 'taro', '--json']
    const { people } = JSON.parse(await done(how, watari.password('admin'))) as {
      readonly people: readonly { readonly scripts: readonly Record<string, unknown>[] }[]
    }
    assert.deepEqual(
      people[0]?.scripts.map(({ name, outcome, active }) => [name, outcome, active]),
      [
        ['前', 'stored', true],
        ['壊', 'kept', false],
      ],
    )
    await send('further', '会議', '本文', 'taro@campus.example')
    assert.deepEqual(await arrived('旧/会議', 1, 'taro'), ['further'])
  })

  it('of a mailbox runs at what a mail program does there: append, copy, move, flags', async () => {
    const script = `require ["imapsieve", "environment", "imap4flags", "copy", "variables"];
if environment :matches "imap.cause" "*" { addflag "\${1}"; }
if environment :contains "imap.changedflags" "\\\\Flagged" { redirect :copy "away@sink.example"; }
`
    await done(['sieve', 'put', USER, '仕事', '-'], script)
    const raw = await rawImap(watari, 'hanako')
    const url = new RegExp(`IMAPSIEVE=sieve://\\S+:${watari.port(4190)}(?: |$)`, 'm')
    assert.match(await raw.command('CAPABILITY'), url)
    const name = Buffer.from('仕事')
    raw.send(`s SETMETADATA Archive (/shared/imapsieve/script {${name.byteLength}+}\r\n`)
    raw.send(name)
    raw.send(')\r\n')
    assert.match(await raw.until(/^s /), /^s OK/)
    raw.close()
    const client = await imap(watari, 'hanako')
    const redirected = (await atSink('away@sink.example', 1)).length
    try {
      await client.append('Archive', Buffer.from(mailOf('kept', '資料', '本文')))
      await client.mailboxOpen('INBOX')
      await client.messageCopy('1', 'Archive')
      await client.messageMove('2', 'Archive')
      await client.mailboxOpen('Archive')
      const flags = async (): Promise<string[]> =>
        (await client.fetchAll('1:*', { flags: true })).map(({ flags: of }) =>
          [...(of ?? [])]
            .filter((flag) => flag !== '\\Recent')
            .toSorted()
            .join(' '),
        )
      const shows = async (...wanted: readonly string[]): Promise<void> =>
        until(wanted.join(), async () => (await flags()).join() === wanted.join())
      await shows('APPEND', 'COPY', 'COPY')
      await client.messageFlagsAdd('2', ['\\Flagged'])
      await shows('APPEND', 'COPY FLAG \\Flagged', 'COPY')
      const [sent] = (await atSink('away@sink.example', redirected + 1)).slice(redirected)
      assert.doesNotMatch(sent!.toString(), /^(?:Return-Path|Delivered-To):/m)
      const mail = sink.mails.findLast(({ content }) => content === sent)
      assert.match(mail!.mail, /^MAIL FROM:<hanako@campus\.example>/)
    } finally {
      await client.logout()
    }
  })

  it('cannot be reached while the store does not answer, and that is said as temporary', async () => {
    const store = descendants(watari.pid()).find(({ command }) => /app\/store\.ts/.test(command))
    assert.ok(store !== undefined)
    process.kill(store.pid, 'SIGSTOP')
    try {
      const away = await refused(['sieve', 'put', USER, '後', '-', '--json'], 'keep;')
      const { error } = JSON.parse(away.stderr) as { error: Record<string, string> }
      assert.equal(error['code'], 'unavailable')
      assert.match(error['message'] ?? '', /^store cannot do it now: /)
      assert.match(error['remedy'] ?? '', /Try again when the store answers/)
    } finally {
      process.kill(store.pid, 'SIGCONT')
    }
    await until(
      'the store answers',
      async () => (await watari.watari(['sieve', 'ls', USER])).status === 0,
    )
  })
})
