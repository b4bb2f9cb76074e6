import assert from 'node:assert/strict'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { after, before, describe, it } from 'node:test'

import type { ImapFlow } from 'imapflow'

import { machineRoom, programsMissing } from '#test/peers/clients.ts'
import type { ClientRoom, MachineProgram, RanProgram } from '#test/peers/clients.ts'
import { install, until } from './installation.ts'
import type { Installation } from './installation.ts'
import { accountState, countOf, flagsIn, imap, messages } from './mail.ts'
import { toCrlf, withLastCrlf } from './mails.ts'
import { succeeded } from './near.ts'

/** A program writes to its own account, so that all can work at the same time. */
const USERS = [
  'offlineimap',
  'neomutt',
  'fetchmail',
  'getmail',
  'mpop',
  'python',
  'imapflow',
] as const
type User = (typeof USERS)[number]
const PASSWORD = 'わたり鳥-9'
/** getmail hands its password to Python's imaplib, whose LOGIN takes ASCII only. */
const passwordOf = (user: User): string => (user === 'getmail' ? 'wataridori-9' : PASSWORD)

/**
 * getmail begins to wait for a program's end after it has started it, and where that has ended before it
 * stands still for three minutes: each program ends when it sees it wait.
 */
const UNTIL_WAITED_FOR = 'until grep -q State:.S /proc/$PPID/status; do :; done'

const MINUTES = '会議/議事録'
const PLANS = '予定'

const mail = (name: string, body: string): Buffer =>
  Buffer.from(
    [
      'From: student@other.example',
      'To: reader@campus.example',
      `Message-ID: <${name}@campus.example>`,
      `Subject: =?utf-8?B?${Buffer.from(`会議 ${name}`).toString('base64')}?=`,
      'Date: Wed, 25 Nov 2026 10:00:00 +0900',
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset=utf-8',
      'Content-Transfer-Encoding: 8bit',
      '',
      body,
    ].join('\r\n'),
  )

const MAILS = {
  one: mail('one', '渡り鳥が渡る。\r\n'),
  dots: mail('dots', '.\r\n..\r\n.点で始まる行\r\n'),
  open: mail('open', '最後の行に改行がない'),
  long: mail('long', 'これは長いメールです。\r\n'.repeat(10_000)),
}
const CONTENTS = Object.values(MAILS)

/** Skips where the machine lacks a program. */
const needs = (...programs: MachineProgram[]): { readonly skip: string | false } => ({
  skip: programsMissing(programs) ?? false,
})

const NET_SIEVE = join(import.meta.dirname, 'net-sieve.php')
/** Why Net_Sieve cannot be run here; false: it can. */
const noNetSieve =
  needs('php').skip ||
  (existsSync('/usr/share/php/Net/Sieve.php')
    ? false
    : 'no Net_Sieve: apt-get install php-net-sieve')

describe('programs that people read mail with', () => {
  let watari: Installation
  let room: ClientRoom<MachineProgram>
  const at = (...parts: string[]): string => join(room.folder, ...parts)
  const far = (user: User) => imap(watari, user, passwordOf(user))
  /** What one IMAP session of the account finds. */
  const seen = async <T>(
    user: User | 'taro',
    look: (client: ImapFlow) => Promise<T>,
  ): Promise<T> => {
    const client = await (user === 'taro' ? imap(watari, user) : far(user))
    try {
      return await look(client)
    } finally {
      await client.logout()
    }
  }
  const inboxOf = (user: User): Promise<number> => seen(user, (client) => countOf(client, 'INBOX'))

  before(async () => {
    room = machineRoom()
    watari = await install()
    copyFileSync(join(watari.dir, 'tls/ca.pem'), at('ca.pem'))
    const muttrc = [
      `set imap_user=neomutt\nset imap_pass="${PASSWORD}"\nset folder=imaps://localhost:${watari.port(993)}/`,
      `set spoolfile=+INBOX\nset ssl_ca_certificates_file=${at('ca.pem')}\nset certificate_file=${at('ca.pem')}`,
      'set confirmappend=no\nset confirmcreate=no\nset delete=yes\nset quit=yes\nset move=no\nset sleep_time=0',
      'set wait_key=no\nset charset=utf-8\nset imap_condstore=yes\nset imap_qresync=yes\nset record=""',
      `set header_cache=${at('mutt.cache')}\nset from=neomutt@campus.example\nset realname="渡辺"`,
      `set smtp_url=smtps://neomutt@localhost:${watari.port(465)}/\nset smtp_pass="${PASSWORD}"\n`,
    ]
    writeFileSync(at('muttrc'), muttrc.join('\n'))
    for (const user of USERS) {
      const added = ['user', 'add', `${user}@campus.example`, '--password-stdin']
      assert.equal((await watari.watari(added, passwordOf(user))).status, 0, user)
      const client = await far(user)
      for (const content of CONTENTS) await client.append('INBOX', content)
      await client.logout()
    }
  })
  after(async () => {
    room.remove()
    await watari.remove()
  })

  /**
   * The files of a folder, each with one message that a program has handed on, without the field
   * that getmail puts amid the header; not all end a last line that is open.
   */
  const handedOn = (folder: string): Buffer[] =>
    readdirSync(at(folder)).map((name) => {
      const text = readFileSync(at(folder, name), 'latin1').replace(/^X-getmail-.*\r?\n/m, '')
      return withLastCrlf(toCrlf(Buffer.from(text, 'latin1')))
    })
  /** Programs put fields of their own in front. */
  const assertHandedOn = (folder: string, contents: readonly Buffer[]): void => {
    const files = handedOn(folder)
    assert.equal(files.length, contents.length, folder)
    for (const content of contents)
      assert.ok(
        files.some((file) =>
          file.subarray(-withLastCrlf(content).length).equals(withLastCrlf(content)),
        ),
        `${folder}: ${content.subarray(0, 100).toString()}`,
      )
  }

  const fetchmail = async (
    folder: string,
    protocol: 'pop3' | 'imap',
    keep: boolean,
  ): Promise<number | null> => {
    mkdirSync(at(folder), { recursive: true })
    const lines = [
      `set idfile ${at(`${folder}.ids`)}`,
      'set no syslog',
      `poll localhost port ${watari.port(protocol === 'pop3' ? 995 : 993)} protocol ${protocol} ${protocol === 'pop3' ? 'uidl' : ''}`,
      `user fetchmail password "${PASSWORD}" ssl sslcertck sslcertfile ${at('ca.pem')}`,
      `${keep ? 'keep' : 'no keep'} no rewrite mda "cat > $(mktemp ${at(folder)}/XXXXXXXX)"\n`,
    ]
    writeFileSync(at(`${folder}.rc`), lines.join('\n'), { mode: 0o600 })
    const ran = await room.run('fetchmail', ['--fetchmailrc', at(`${folder}.rc`)])
    // 1: there was nothing to fetch.
    assert.ok(ran.status === 0 || ran.status === 1, `${ran.stdout.toString()}${ran.stderr}`)
    return ran.status
  }

  const getmail = async (
    folder: string,
    protocol: 'POP3' | 'IMAP',
    keep: boolean,
  ): Promise<string> => {
    mkdirSync(at(folder, 'mails'), { recursive: true })
    const lines = [
      `[retriever]\ntype = Simple${protocol}SSLRetriever\nserver = localhost`,
      `port = ${watari.port(protocol === 'POP3' ? 995 : 993)}\nusername = getmail\npassword = ${passwordOf('getmail')}`,
      `ca_certs = ${at('ca.pem')}`,
      protocol === 'IMAP' ? 'mailboxes = ("INBOX",)' : '',
      '[destination]\ntype = MDA_external\npath = /bin/sh\nunixfrom = false\nallow_root_commands = true',
      `arguments = ("-c", "cat > $(mktemp ${at(folder, 'mails')}/XXXXXXXX); ${UNTIL_WAITED_FOR}")`,
      `[options]\nread_all = false\ndelete = ${keep ? 'false' : 'true'}\ndelivered_to = false\nreceived = false\n`,
    ]
    writeFileSync(at(folder, 'getmailrc'), lines.join('\n'))
    return succeeded(
      await room.run('getmail', ['--getmaildir', at(folder), '--rcfile', 'getmailrc']),
    )
  }

  const mpop = async (keep: boolean): Promise<string> => {
    for (const folder of ['new', 'cur', 'tmp']) mkdirSync(at('mpop', folder), { recursive: true })
    const lines = [
      `account watari\nhost localhost\nport ${watari.port(995)}\ntls on\ntls_starttls off`,
      `tls_trust_file ${at('ca.pem')}\nuser mpop\npassword ${PASSWORD}\nkeep ${keep ? 'on' : 'off'}`,
      `delivery maildir ${at('mpop')}\nuidls_file ${at('mpop.uidls')}\nreceived_header off\n`,
    ]
    writeFileSync(at('mpop.conf'), lines.join('\n'), { mode: 0o600 })
    return succeeded(await room.run('mpop', ['--file', at('mpop.conf'), '--half-quiet', 'watari']))
  }

  const offlineimap = async (): Promise<string[]> => {
    mkdirSync(at('oi.meta'), { recursive: true })
    const lines = [
      `[general]\naccounts = all\nmetadata = ${at('oi.meta')}\nsocktimeout = 60`,
      '[Account all]\nlocalrepository = near\nremoterepository = far\nutf8foldernames = yes',
      `[Repository near]\ntype = Maildir\nlocalfolders = ${at('oi')}\nsep = /`,
      `[Repository far]\ntype = IMAP\nremotehost = localhost\nremoteport = ${watari.port(993)}`,
      `ssl = yes\nsslcacertfile = ${at('ca.pem')}\nremoteuser = offlineimap\nremotepass = ${PASSWORD}\n`,
    ]
    writeFileSync(at('oi.conf'), lines.join('\n'))
    const ran = await room.run('offlineimap', ['-c', at('oi.conf'), '-o', '-1', '-u', 'basic'])
    const said = succeeded(ran) + ran.stderr
    assert.doesNotMatch(said, /ERROR|Traceback/, said)
    return said.split('\n').filter((line) => /^(?:Copy|Adding|Deleting|Creating folder)/.test(line))
  }
  /** What lies in a mailbox on this side: the file of each message by its name. */
  const near = (mailbox: string): Map<string, string> =>
    new Map(
      ['new', 'cur'].flatMap((kind) =>
        readdirSync(at('oi', mailbox, kind)).map((name) => {
          const file = at('oi', mailbox, kind, name)
          return [/^Message-ID: <(.*)@/im.exec(readFileSync(file, 'utf8'))?.[1] ?? '', file]
        }),
      ),
    )
  const flag = (file: string, flags: string): void =>
    renameSync(
      file,
      join(dirname(dirname(file)), 'cur', `${basename(file).split(':2,')[0] ?? ''}:2,${flags}`),
    )

  /** Keys as a person would press them, in a terminal of its own. */
  const neomutt = async (keys: string): Promise<RanProgram> => {
    writeFileSync(at('mutt.keys'), `push "${keys}"\n`)
    const command = `neomutt -n -F ${at('muttrc')} -e 'source ${at('mutt.keys')}'`
    return room.run('script', ['-qec', command, '/dev/null'])
  }

  describe('a first day', { concurrency: true }, () => {
    it(
      'offlineimap carries mail, flags, deletions and mailboxes both ways',
      needs('offlineimap'),
      async () => {
        const client = await far('offlineimap')
        try {
          await client.mailboxCreate(MINUTES)
          for (const name of ['m1', 'm2', 'm3'])
            await client.append(MINUTES, mail(name, `${name} 件`))
          assert.ok((await offlineimap()).length > 10)
          assert.deepEqual([...near('INBOX').keys()].toSorted(), Object.keys(MAILS).toSorted())
          const minutes = near(MINUTES)
          assert.deepEqual([...minutes.keys()].toSorted(), ['m1', 'm2', 'm3'])

          // Here: one gets flags, one goes, one comes, in a mailbox that is new too. There: likewise.
          flag(minutes.get('m1')!, 'FS')
          rmSync(minutes.get('m2')!)
          for (const mailbox of [MINUTES, PLANS]) {
            for (const kind of ['new', 'cur', 'tmp'])
              mkdirSync(at('oi', mailbox, kind), { recursive: true })
            const text = mail(`here-${basename(mailbox)}`.replace(/[^a-z-]/g, 'x'), '手元から\r\n')
            writeFileSync(
              at('oi', mailbox, 'new', '1.1.here'),
              text.toString().replaceAll('\r\n', '\n'),
            )
          }
          await client.append('INBOX', mail('there', '向こうから\r\n'))
          const lock = await client.getMailboxLock('INBOX')
          await client.messageFlagsSet('1', ['\\Seen', '\\Answered'])
          await client.messageDelete('2').finally(() => lock.release())
          await offlineimap()
          const inbox = near('INBOX')
          assert.deepEqual([...inbox.keys()].toSorted(), ['long', 'one', 'open', 'there'])
          assert.match(inbox.get('one')!, /:2,RS$/)
          assert.deepEqual(await flagsIn(client, MINUTES), [['\\Flagged', '\\Seen'], [], []])
          assert.equal(await countOf(client, PLANS), 1)
          assert.match((await messages(client, PLANS)).join(''), /手元から/)
        } finally {
          await client.logout()
        }
      },
    )

    it(
      'neomutt searches, moves, deletes and flags by keys',
      needs('neomutt', 'script'),
      async () => {
        const keys = [
          '<limit>=b 点で始まる<enter><tag-pattern>~A<enter>',
          `<tag-prefix><save-message>=${PLANS}/来週<enter><limit>~A<enter>`,
          '<delete-pattern>~i open@<enter><sync-mailbox>',
          '<limit>~i one@<enter><flag-message><sync-mailbox><quit>',
        ]
        succeeded(await neomutt(keys.join('')))
        const client = await far('neomutt')
        try {
          assert.equal(await countOf(client, 'INBOX'), 2)
          const flags = await flagsIn(client, 'INBOX')
          assert.equal(flags.filter((each) => each.includes('\\Flagged')).length, 1)
          const moved = await messages(client, `${PLANS}/来週`)
          assert.equal(moved.length, 1)
          assert.ok(moved[0]!.equals(MAILS.dots), 'octets stay')
        } finally {
          await client.logout()
        }
      },
    )

    it(
      'neomutt sends by submission, without being told of a mechanism',
      needs('neomutt'),
      async () => {
        const sent = await room.run(
          'neomutt',
          ['-n', '-F', at('muttrc'), '-s', '会議の件', 'taro@campus.example'],
          '水曜日にしましょう。\n',
        )
        assert.equal(sent.status, 0, sent.stdout.toString() + sent.stderr)
        await seen('taro', (client) =>
          until('it is there', async () => (await countOf(client, 'INBOX')) === 1),
        )
      },
    )

    it('fetchmail fetches by POP3 and by IMAP and keeps', needs('fetchmail'), async () => {
      assert.equal(await fetchmail('fm-pop3', 'pop3', true), 0)
      assertHandedOn('fm-pop3', CONTENTS)
      assert.equal(await fetchmail('fm-imap', 'imap', true), 0)
      assertHandedOn('fm-imap', CONTENTS)
      assert.equal(await inboxOf('fetchmail'), CONTENTS.length)
    })

    it('getmail fetches by POP3 and by IMAP and keeps', needs('getmail'), async () => {
      for (const protocol of ['POP3', 'IMAP'] as const) {
        assert.match(
          await getmail(`gm-${protocol}`, protocol, true),
          / 4 messages .* retrieved, 0 skipped/,
        )
        assertHandedOn(`gm-${protocol}/mails`, CONTENTS)
      }
      assert.equal(await inboxOf('getmail'), CONTENTS.length)
    })

    it('mpop fetches and keeps', needs('mpop'), async () => {
      assert.match(await mpop(true), /new: 4 messages/)
      assertHandedOn('mpop/new', CONTENTS)
    })

    it('Python: imaplib and poplib read, file, flag and delete', needs('python3'), async () => {
      const ran = await room.run(
        'python3',
        ['-', at('ca.pem'), PASSWORD, String(watari.offset)],
        PYTHON,
      )
      assert.equal(ran.status, 0, ran.stderr)
      const client = await far('python')
      try {
        assert.equal(await countOf(client, 'INBOX'), 2)
        assert.deepEqual(await flagsIn(client, PLANS), [['\\Flagged', '\\Seen']])
      } finally {
        await client.logout()
      }
    })

    it('imapflow files, flags, searches and moves, and another session sees it', async () => {
      const [here, there] = await Promise.all([far('imapflow'), far('imapflow')])
      try {
        const lock = await here.getMailboxLock('INBOX')
        const one = { header: { 'message-id': '<one@campus.example>' } }
        await here.messageFlagsAdd(one, ['\\Flagged', '$Label1'])
        await here.mailboxCreate(`${PLANS}/来週`)
        const moved = await here.messageMove({ body: '点で始まる' }, `${PLANS}/来週`)
        lock.release()
        assert.ok(moved !== false && moved.uidMap?.size === 1)
        const flags = await flagsIn(there, 'INBOX')
        assert.deepEqual(flags, [['$Label1', '\\Flagged'], [], []])
        const copies = await messages(there, `${PLANS}/来週`)
        assert.ok(copies.length === 1 && copies[0]!.equals(MAILS.dots))
      } finally {
        await Promise.all([here.logout(), there.logout()])
      }
    })
  })

  it('starts anew', async () => {
    await watari.stop()
    await watari.start()
  })

  describe('the day after a restart', { concurrency: true }, () => {
    it('offlineimap carries nothing', needs('offlineimap'), async () => {
      const client = await far('offlineimap')
      try {
        const before = await accountState(client)
        assert.deepEqual(await offlineimap(), [])
        assert.deepEqual(await accountState(client), before)
      } finally {
        await client.logout()
      }
    })

    it('neomutt goes on from what it has kept (QRESYNC)', needs('neomutt', 'script'), async () => {
      succeeded(
        await neomutt('<tag-pattern>~A<enter><tag-prefix><clear-flag>N<sync-mailbox><quit>'),
      )
      const flags = await seen('neomutt', (client) => flagsIn(client, 'INBOX'))
      assert.ok(flags.length === 2 && flags.every((each) => each.includes('\\Seen')), String(flags))
    })

    it('fetchmail finds nothing new, then takes all away', needs('fetchmail'), async () => {
      assert.equal(await fetchmail('fm-pop3', 'pop3', true), 1)
      assert.equal(await fetchmail('fm-imap', 'imap', true), 1)
      assertHandedOn('fm-pop3', CONTENTS)
      const client = await far('fetchmail')
      await client.append('INBOX', mail('new', '新着\r\n'))
      await client.logout()
      assert.equal(await fetchmail('fm-pop3', 'pop3', false), 0)
      assertHandedOn('fm-pop3', [...CONTENTS, mail('new', '新着\r\n')])
      assert.equal(await inboxOf('fetchmail'), CONTENTS.length)
      assert.equal(await fetchmail('fm-imap', 'imap', false), 1)
    })

    it('getmail finds nothing new, then takes all away', needs('getmail'), async () => {
      for (const protocol of ['POP3', 'IMAP'] as const)
        assert.match(
          await getmail(`gm-${protocol}`, protocol, true),
          / 0 messages .* retrieved, 4 skipped/,
        )
      await getmail('gm-POP3', 'POP3', false)
      assert.equal(await inboxOf('getmail'), 0)
      assertHandedOn('gm-POP3/mails', CONTENTS)
    })

    it('mpop finds nothing new, then takes all away', needs('mpop'), async () => {
      assert.match(await mpop(true), /new: no messages/)
      await mpop(false)
      assert.equal(await inboxOf('mpop'), 0)
      assertHandedOn('mpop/new', CONTENTS)
    })
  })

  it(
    'sieve-connect puts, lists, activates, reads and removes scripts',
    needs('sieve-connect'),
    async () => {
      const script =
        '\ufeffrequire ["fileinto", "mailbox"];\r\n# 会議は別に\r\nfileinto :create "会議/議事録";\r\n'
      writeFileSync(at('filter.sieve'), script)
      writeFileSync(at('wrong.sieve'), 'keep;\nfilinto "会議";\n')
      const connect = (...args: string[]): Promise<RanProgram> => {
        const server = ['--server', 'localhost', '--port', String(watari.port(4190)), '--nosrv']
        const login = ['--tlscafile', at('ca.pem'), '--user', 'taro', '--passwordfd', '0']
        return room.run(
          'sieve-connect',
          [...server, ...login, ...args],
          `${watari.password('taro')}\n`,
        )
      }
      const list = async (): Promise<string> => succeeded(await connect('--list'))
      const put = ['--localsieve', at('filter.sieve'), '--remotesieve']
      succeeded(await connect('--upload', ...put, '振り分け'))
      succeeded(await connect('--checkscript', '--localsieve', at('filter.sieve')))
      const wrong = await connect(
        '--upload',
        '--localsieve',
        at('wrong.sieve'),
        '--remotesieve',
        '悪',
      )
      assert.match(
        `${wrong.stdout.toString()}${wrong.stderr}`,
        /line 2: there is no command \\?"filinto/,
      )
      assert.equal(await list(), '"振り分け"\n')
      succeeded(await connect('--activate', '--remotesieve', '振り分け'))
      assert.equal(await list(), '"振り分け" ACTIVE\n')
      succeeded(
        await connect('--download', '--localsieve', at('got.sieve'), '--remotesieve', '振り分け'),
      )
      assert.equal(readFileSync(at('got.sieve'), 'utf8'), script)
      succeeded(await connect('--deactivate'))
      succeeded(await connect('--delete', '--remotesieve', '振り分け'))
      assert.equal(await list(), '')
    },
  )

  it('Net_Sieve, which Roundcube has, does the same', { skip: noNetSieve }, async () => {
    const password = '鳥 & "渡\\り" '
    const added = ['user', 'add', 'roundcube@campus.example', '--password-stdin']
    assert.equal((await watari.watari(added, password)).status, 0)
    const args = [NET_SIEVE, String(watari.port(4190)), 'roundcube', at('ca.pem')]
    assert.equal(succeeded(await room.run('php', args, password)), 'done\n')
  })
})

const PYTHON = `
import imaplib, poplib, ssl, sys
ca, password, offset = sys.argv[1], sys.argv[2], int(sys.argv[3])
poplib._MAXLINE = 1000000
context = ssl.create_default_context(cafile=ca)
box = imaplib.IMAP4_SSL('localhost', offset + 993, ssl_context=context)
box.authenticate('PLAIN', lambda _: b'\\0python\\0' + password.encode())
assert box.create('&Tohbmg-')[0] == 'OK'
assert box.select('INBOX')[0] == 'OK'
box.literal = '点で始まる'.encode()
found = box.uid('SEARCH', 'CHARSET', 'UTF-8', 'BODY')[1][0].split()
assert len(found) == 1, found
assert box.uid('STORE', found[0], '+FLAGS', '(\\\\Seen \\\\Flagged)')[0] == 'OK'
assert box.uid('MOVE', found[0], '&Tohbmg-')[0] == 'OK'

drop = poplib.POP3(host='localhost', port=offset + 110)
drop.stls(context)
capabilities = drop.capa()
assert capabilities['UTF8'] == ['USER'] and 'LANG' in capabilities and capabilities['EXPIRE'], capabilities
drop.utf8()
drop.user('python')
drop.pass_(password)
assert drop.capa()['EXPIRE'] == ['NEVER']
numbers = [int(line.split()[0]) for line in drop.list()[1]]
ids = [line.split()[1] for line in drop.uidl()[1]]
assert numbers == [1, 2, 3] and len(set(ids)) == 3
for number in numbers:
    size = int(drop.list(number).split()[2])
    octets = b''.join(line + b'\\r\\n' for line in drop.retr(number)[1])
    assert len(octets) - size in (0, 2), (len(octets), size)
    assert octets.startswith(b'\\r\\n'.join(drop.top(number, 0)[1]))
other = poplib.POP3_SSL('localhost', offset + 995, context=context)
other.user('python')
try:
    other.pass_(password)
    raise SystemExit('a second session')
except poplib.error_proto as error:
    assert b'[IN-USE]' in error.args[0], error
drop.dele(1)
drop.rset()
drop.dele(3)
# Nothing goes before QUIT, and then IMAP is told.
assert len(box.uid('SEARCH', 'ALL')[1][0].split()) == 3
drop.quit()
assert box.noop()[0] == 'OK'
assert len(box.uid('SEARCH', 'ALL')[1][0].split()) == 2
box.logout()
`
