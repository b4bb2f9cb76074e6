import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'

import type { ImapFlow } from 'imapflow'

import { clientRoom, clientsMissing } from '#test/peers/clients.ts'
import type { ClientRoom } from '#test/peers/clients.ts'
import { install, until } from './installation.ts'
import type { Installation } from './installation.ts'
import { accountState, countOf, flagsIn, imap, messages } from './mail.ts'
import { MAILS, sha256, toCrlf, utf8, withLastCrlf } from './mails.ts'
import { Near, succeeded } from './near.ts'
import type { Filed } from './near.ts'
import { smtpSession } from './wire.ts'

const hasIpv6 = Object.values(networkInterfaces())
  .flat()
  .some((each) => each?.address === '::1')
const HOSTS = hasIpv6 ? ['127.0.0.1', '::1'] : ['127.0.0.1']

const missing = clientsMissing()
// Of a suite that is skipped no test would be counted.
if (missing !== undefined) it('programs that people have', { skip: missing }, () => undefined)
else describe('programs that people have', programs)

function programs(): void {
  let watari: Installation
  let room: ClientRoom
  /** Of hanako's INBOX, in UID order, as imapflow reads them. */
  let stored: Buffer[] = []
  const inside = (name: string): string => join(room.inside, name)
  const outside = (name: string): string => join(room.folder, name)

  before(async () => {
    room = clientRoom()
    watari = await install({ bind: HOSTS })
    copyFileSync(join(watari.dir, 'tls/ca.pem'), outside('ca.pem'))
    stored = await fill(watari)
  })
  after(async () => {
    room.remove()
    await watari.remove()
  })

  it('finds by IMAP what LMTP and APPEND have put there', (t) => {
    t.diagnostic(`programs ${room.kind}, ${HOSTS.join(' and ')}`)
    for (const [index, [name, content]] of Object.entries(MAILS).entries()) {
      const delivered = stored[index * 2]
      const fields = delivered?.subarray(0, delivered.length - content.length).toString()
      assert.ok(delivered?.subarray(delivered.length - content.length).equals(content), name)
      assert.match(fields ?? '', /^Return-Path: <student@other\.example>\r\n[^]*\r\n$/, name)
      assert.ok(stored[index * 2 + 1]?.equals(content), name)
    }
  })

  it('curl reads the same octets by IMAP and POP3, TLS at once and STARTTLS', async (t) => {
    let read = 0
    for (const [index, host] of HOSTS.map((each) => each.replace(/^.*:.*$/, '[$&]')).entries())
      for (const scheme of ['imaps', 'imap', 'pop3s', 'pop3'] as const) {
        const port = watari.port({ imaps: 993, imap: 143, pop3s: 995, pop3: 110 }[scheme])
        const path = scheme.startsWith('imap') ? 'INBOX;UID=' : ''
        const name = `curl-${index}-${scheme}-`
        const ran = await room.run('curl', [
          '--silent',
          '--show-error',
          '--fail-early',
          '--ssl-reqd',
          '--cacert',
          inside('ca.pem'),
          '--user',
          `hanako:${watari.password('hanako')}`,
          '--output',
          inside(`${name}#1`),
          `${scheme}://${host}:${port}/${path}[1-${stored.length}]`,
        ])
        succeeded(ran)
        for (const [at, octets] of stored.entries()) {
          const file = readFileSync(outside(`${name}${at + 1}`), { flag: 'a+' }) // none for no octets
          const byPop3 = octets.length === 0 ? Buffer.from('\r\n') : withLastCrlf(octets) // curl's own way
          const expected = scheme.startsWith('imap') ? octets : byPop3
          assert.ok(file.equals(expected), `${scheme} ${host}: ${nameOf(at)}`)
          read++
        }
      }
    t.diagnostic(`${read} messages read`)
  })

  it('Python reads the same octets by IMAP and POP3, TLS at once and STARTTLS', async (t) => {
    const ran = await room.run(
      'python3',
      ['-', inside('ca.pem'), watari.password('hanako'), String(watari.offset), ...HOSTS],
      PYTHON,
    )
    assert.equal(ran.status, 0, ran.stderr)
    const lines = ran.stdout.toString().trimEnd().split('\n')
    assert.equal(lines.length, stored.length * 4 * HOSTS.length)
    for (const line of lines) {
      const [way = '', number = '', hash] = line.split(' ')
      const octets = stored[Number(number) - 1] ?? Buffer.alloc(0)
      const expected = way.startsWith('imap') ? octets : withLastCrlf(octets)
      assert.equal(hash, sha256(expected), `${way}: ${nameOf(Number(number) - 1)}`)
    }
    t.diagnostic(`${lines.length} messages read`)
  })

  it('mpop fetches the same octets once: by UIDL it finds nothing new the second time', async (t) => {
    let read = 0
    for (const host of HOSTS)
      for (const starttls of ['off', 'on']) {
        const name = `mpop-${read}`
        for (const folder of ['new', 'cur', 'tmp'])
          mkdirSync(outside(`${name}/${folder}`), { recursive: true })
        const lines = [
          'account watari',
          `host ${host}`,
          `port ${watari.port(starttls === 'on' ? 110 : 995)}`,
          `tls on\ntls_starttls ${starttls}\ntls_trust_file ${inside('ca.pem')}`,
          `user hanako\npassword ${watari.password('hanako')}`,
          `keep on\ndelivery maildir ${inside(name)}\nuidls_file ${inside(`${name}.uidls`)}`,
          'received_header off\n',
        ]
        writeFileSync(outside(`${name}.conf`), lines.join('\n'), { mode: 0o600 })
        const args = ['--file', inside(`${name}.conf`), '--half-quiet', 'watari']
        const first = succeeded(await room.run('mpop', args))
        assert.match(first, new RegExp(`new: ${stored.length} messages`))
        const files = readdirSync(outside(`${name}/new`))
        const found = files.map((file) =>
          sha256(toCrlf(readFileSync(outside(`${name}/new/${file}`)))),
        )
        const expected = stored.map((octets) => sha256(withLastCrlf(octets)))
        assert.deepEqual(found.toSorted(), expected.toSorted())
        assert.match(succeeded(await room.run('mpop', args)), /new: no messages/)
        assert.deepEqual(readdirSync(outside(`${name}/new`)), files)
        read += files.length
      }
    t.diagnostic(`${read} messages read`)
  })

  it('mbsync carries mail, flags and mailboxes both ways, and then nothing', async (t) => {
    const far = await imap(watari, 'hanako')
    try {
      await far.mailboxCreate(MINUTES)
      await far.append(MINUTES, utf8('一つ目\r\n'), ['\\Flagged'])
      await far.append(MINUTES, utf8('二つ目 0\r\n'))
      for (const [index, name] of room.names.slice(0, HOSTS.length).entries()) {
        const near = new Near(room, `mbsync-${index}`, {
          host: name,
          port: watari.port(index === 0 ? 993 : 143),
          password: watari.password('hanako'),
          tls: index === 0 ? 'IMAPS' : 'STARTTLS',
        })
        const count = await bothWays(far, near, index + 1)
        t.diagnostic(`${count} messages on both sides, by ${index === 0 ? 'TLS' : 'STARTTLS'}`)
      }
    } finally {
      await far.logout()
    }
  })

  it('swaks hands in mail at every door', async (t) => {
    const login = ['--auth-user', 'taro', '--auth-password', watari.password('taro')]
    const doors = [
      [25],
      [25, '--tls'],
      [24, '--protocol', 'LMTP'],
      [587, '--tls', '--auth', 'PLAIN', ...login],
      [587, '--tls', '--auth', 'LOGIN', ...login],
      [465, '--tls-on-connect', '--auth', 'PLAIN', ...login],
    ] as const
    let sent = 0
    const contents: Buffer[] = []
    for (const host of HOSTS)
      for (const [port, ...how] of doors) {
        const content = Buffer.from(
          `From: taro@campus.example\r\nTo: admin@campus.example\r\nSubject: swaks ${++sent}\r\n` +
            'Date: Wed, 25 Nov 2026 10:00:00 +0900\r\nMessage-ID: <swaks@campus.example>\r\n\r\n' +
            '会議\r\n.点\r\n.\r\n終\r\n',
        )
        contents.push(content)
        // swaks ends its data with a line end of its own.
        const ran = await room.run(
          'swaks',
          [
            '--server',
            host,
            '--port',
            String(watari.port(port)),
            ...how,
            '--tls-verify',
            '--tls-ca-path',
            inside('ca.pem'),
            '--from',
            'taro@campus.example',
            '--to',
            'admin@campus.example',
            '--data',
            '-',
          ],
          content.subarray(0, -2),
        )
        succeeded(ran)
      }
    const client = await imap(watari, 'admin')
    try {
      await until('all are in INBOX', async () => (await countOf(client, 'INBOX')) === sent)
      const found = await messages(client, 'INBOX')
      for (const content of contents)
        assert.equal(found.filter((each) => each.includes(content)).length, 1, content.toString())
    } finally {
      await client.logout()
    }
    t.diagnostic(`${sent} messages handed in`)
  })
}

/** mbsync marks what it carries, and leaves what has no end of its header. */
const unmarked = (octets: Buffer): string =>
  sha256(Buffer.from(octets.toString('latin1').replace(/^X-TUID: .*\r\n/m, ''), 'latin1'))
const carried = (octets: Buffer): boolean => octets.includes('\r\n\r\n')

const MINUTES = '会議/議事録 & "控え"'
const MINUTES_UTF7 = '&TxqLcA-/&i3BOi5My- &- "&Y6cwSA-"'
const PLANS = '予定'
const PLANS_UTF7 = '&Tohbmg-'

/** Pull, change on both sides, carry that, and find nothing to do; how many messages lie there then. */
async function bothWays(far: ImapFlow, near: Near, turn: number): Promise<number> {
  await near.sync()
  const same = async (mailbox: string, filed: readonly Filed[]): Promise<void> => {
    const there = (await messages(far, mailbox)).filter(carried)
    const here = filed.map(({ octets }) => octets)
    assert.deepEqual(here.map(unmarked).toSorted(), there.map(unmarked).toSorted(), mailbox)
  }
  const pulled = near.filed('INBOX')
  await same('INBOX', pulled)
  const minutes = near.filed(MINUTES_UTF7)
  await same(MINUTES, minutes)

  // Here: one gets other flags, one goes, one comes, and a mailbox is made. There: one is flagged, one comes.
  const answered = minutes.find(({ octets }) => octets.includes('一'))
  const removed = minutes.find(({ octets }) => octets.includes('二'))
  assert.ok(answered?.flags.startsWith('F') === true && removed !== undefined)
  near.flag(answered, turn === 1 ? 'FRS' : 'FS')
  near.flag(removed, 'T')
  near.put(MINUTES_UTF7, `${turn}.1.here`, utf8(`.手元から ${turn}\r\n`))
  near.put(`${PLANS_UTF7}${turn}`, `${turn}.2.here`, utf8('予定がない'))
  await far.append(MINUTES, utf8(`二つ目 ${turn}\r\n`))
  const lock = await far.getMailboxLock('INBOX')
  await far.messageFlagsSet('1', ['\\Seen', '\\Answered']).finally(() => lock.release())
  await near.sync()
  await same('INBOX', near.filed('INBOX'))
  await same(MINUTES, near.filed(MINUTES_UTF7))
  await same(`${PLANS}${turn}`, near.filed(`${PLANS_UTF7}${turn}`))
  assert.equal(near.filed('INBOX').filter(({ flags }) => flags === 'RS').length, 1)
  assert.deepEqual(await flagsIn(far, MINUTES), [
    turn === 1 ? ['\\Answered', '\\Flagged', '\\Seen'] : ['\\Flagged', '\\Seen'],
    ...Array.from({ length: turn + 1 }, () => []),
  ])

  const before = await accountState(far)
  const commands = await near.sync()
  assert.ok(commands.length > 20, 'it said what it asked')
  assert.deepEqual(
    commands.filter((each) => /APPEND|BODY|STORE|CREATE|EXPUNGE|COPY/.test(each)),
    [],
  )
  assert.deepEqual(await accountState(far), before)
  return near.filed('INBOX').length + near.filed(MINUTES_UTF7).length + 1
}

const nameOf = (index: number): string =>
  `${Object.keys(MAILS)[index >>> 1]} by ${index % 2 === 0 ? 'LMTP' : 'APPEND'}`

const PYTHON = `
import hashlib, imaplib, poplib, ssl, sys
ca, password, offset, hosts = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]
poplib._MAXLINE = 1000000
context = ssl.create_default_context(cafile=ca)
def imap(way, client):
    client.login('hanako', password)
    assert client.select('INBOX', readonly=True)[0] == 'OK'
    for number in client.search(None, 'ALL')[1][0].split():
        answer = client.fetch(number, '(BODY.PEEK[])')[1][0]
        print(way, number.decode(), hashlib.sha256(answer[1]).hexdigest())
    client.logout()
def pop3(way, client):
    client.user('hanako')
    client.pass_(password)
    for number in range(1, client.stat()[0] + 1):
        octets = b''.join(line + b'\\r\\n' for line in client.retr(number)[1])
        print(way, number, hashlib.sha256(octets).hexdigest())
    client.quit()
for host in hosts:
    imap('imaps', imaplib.IMAP4_SSL(host, offset + 993, ssl_context=context))
    client = imaplib.IMAP4(host, offset + 143)
    client.starttls(context)
    imap('imap', client)
    pop3('pop3s', poplib.POP3_SSL(host, offset + 995, context=context))
    client = poplib.POP3(host, offset + 110)
    client.stls(context)
    pop3('pop3', client)
`

/** Puts each mail into hanako's INBOX by LMTP and by APPEND; what is there then. */
async function fill(watari: Installation): Promise<Buffer[]> {
  const lmtp = await smtpSession({ port: watari.port(24), greeting: 'LHLO' })
  const client = await imap(watari, 'hanako')
  try {
    for (const content of Object.values(MAILS)) {
      await lmtp.smtp('MAIL FROM:<student@other.example>')
      await lmtp.smtp('RCPT TO:<hanako@campus.example>')
      lmtp.send(Buffer.concat([Buffer.from(`BDAT ${content.length} LAST\r\n`), content]))
      assert.match(await lmtp.smtp(), /^250 /)
      await client.append('INBOX', content)
    }
    return await messages(client, 'INBOX')
  } finally {
    lmtp.close()
    await client.logout()
  }
}
