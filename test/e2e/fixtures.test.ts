import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'

import type { FetchMessageObject, ImapFlow, MessageStructureObject } from 'imapflow'

import { corpusMails, noWholeCollection, realMails } from '#test/corpus/mails.ts'
import type { RealMail } from '#test/corpus/mails.ts'
import { startFakeDns } from '#test/fake/dns-server.ts'
import type { FakeDns } from '#test/fake/dns-server.ts'
import { install, runProgram, until } from './installation.ts'
import type { Installation } from './installation.ts'
import { countOf, imap, messages } from './mail.ts'
import { smtpSession, transact, wire } from './wire.ts'
import type { Wire } from './wire.ts'

const MAILS = realMails()
/** Bare CR, bare LF or NUL: what SMTP allows nowhere (RFC 5321 §2.3.8). */
const isBare = ({ octets }: RealMail): boolean =>
  /(?<!\r)\n|\r(?!\n)|\0/.test(octets.toString('latin1'))
const isWhole = ({ octets }: RealMail): boolean => octets.subarray(-2).toString() === '\r\n'

describe(`${MAILS.length} real mails`, () => {
  let watari: Installation
  let dns: FakeDns
  before(async () => {
    dns = await startFakeDns()
    watari = await install({ bind: ['127.0.0.1'] })
    const set = await watari.watari(['settings', 'set', 'dns.servers', dns.address])
    assert.equal(set.status, 0, set.stderr)
  })
  after(async () => {
    await watari.remove()
    await dns.close()
  })

  const within = async <T>(user: string, read: (client: ImapFlow) => Promise<T>): Promise<T> => {
    const client = await imap(watari, user)
    try {
      return await read(client)
    } finally {
      await client.logout()
    }
  }

  it(
    'are the whole collection, of which test/corpus is a part',
    { skip: noWholeCollection },
    () => {
      assert.ok(MAILS.length > 200, `only ${MAILS.length} mails`)
      for (const { name, octets } of corpusMails())
        assert.ok(MAILS.find((mail) => mail.name === name)?.octets.equals(octets), name)
    },
  )

  it('go in by IMAP APPEND, and come out octet for octet', async () => {
    const session = await login(watari, 'admin')
    try {
      for (const { octets } of MAILS)
        session.send(line(`a APPEND INBOX {${octets.length}+}\r\n`, octets))
      for (const { name } of MAILS)
        assert.match(await session.until(/^a .*\r\n/m), /^a OK \[APPENDUID /m, name)
    } finally {
      session.close()
    }
    const came = await within('admin', (client) => messages(client, 'INBOX'))
    assert.equal(came.length, MAILS.length)
    for (const [i, { name, octets }] of MAILS.entries()) assert.ok(came[i]?.equals(octets), name)
  })

  it('go in by LMTP with BDAT and BINARYMIME, and come out octet for octet behind our fields', async () => {
    const session = await smtpSession({ port: watari.port(24), greeting: 'LHLO' })
    try {
      for (const [i, { octets }] of MAILS.entries()) {
        const mail = `MAIL FROM:<n${i}@other.example> BODY=BINARYMIME`
        const rcpt = 'RCPT TO:<hanako@campus.example>'
        session.send(`${mail}\r\n${rcpt}\r\nBDAT ${octets.length} LAST\r\n`)
        session.send(octets)
      }
      for (const { name } of MAILS)
        for (let step = 0; step < 3; step++) assert.match(await session.smtp(), /^250 /, name)
    } finally {
      session.close()
    }
    const came = await within('hanako', (client) => messages(client, 'INBOX'))
    assert.equal(came.length, MAILS.length)
    for (const [i, mail] of MAILS.entries())
      assert.match(
        traceOf(came[i]!, mail),
        new RegExp(
          `^Return-Path: <n${i}@other\\.example>\r\nDelivered-To: hanako@campus\\.example\r\nReceived: [^\r]*\r\n(?: [^\r]*\r\n)*$`,
        ),
        mail.name,
      )
  })

  it('go in by the MX where SMTP allows them, and are refused where not', async () => {
    const queue = [...MAILS.entries()]
    const accepted: number[] = []
    const sendAll = async (): Promise<void> => {
      const session = await smtpSession({ port: watari.port(25) })
      try {
        for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
          const [i, mail] = next
          const { name, octets } = mail
          const letter = { from: `n${i}@other.example`, to: 'taro@campus.example', content: octets }
          const ways = isBare(mail) ? (['data', 'bdat'] as const) : ([wayOf(i, mail)] as const)
          for (const way of ways)
            assert.match(
              await transact(session, letter, way),
              isBare(mail) ? /^550 5\.6\.0 (?:bare|NUL)/ : /^250 2\.0\.0 /,
              `${name} by ${way}`,
            )
          if (!isBare(mail)) accepted.push(i)
        }
      } finally {
        session.close()
      }
    }
    await Promise.all(Array.from({ length: 4 }, sendAll))
    const came = await within('taro', async (client) => {
      const mailboxes = (await client.list()).map(({ path }) => path)
      await until('all that was accepted is there', async () => {
        const counts = await Promise.all(mailboxes.map((path) => countOf(client, path)))
        return counts.reduce((sum, count) => sum + count, 0) === accepted.length
      })
      const all: Buffer[] = []
      for (const path of mailboxes) all.push(...(await messages(client, path)))
      return all
    })
    const found = new Map(came.map((message) => [returnPath(message), message]))
    for (const i of accepted)
      assert.match(traceOf(found.get(`n${i}@other.example`)!, MAILS[i]!), MX_TRACE, MAILS[i]!.name)
  })

  for (const user of ['admin', 'hanako'])
    it(`are read by Python's imaplib and email package as we read them (${user})`, async (t) => {
      const ran = await runProgram('python3', [
        join(import.meta.dirname, 'fixtures.py'),
        join(watari.dir, 'tls/ca.pem'),
        String(watari.port(993)),
        user,
        watari.password(user),
        'INBOX',
      ])
      assert.equal(ran.status, 0, ran.stderr)
      const report = JSON.parse(ran.stdout) as Report
      assert.deepEqual(report.faults.map(named), [])
      assert.equal(report.messages, MAILS.length)
      assert.ok(report.parts > MAILS.length, `only ${report.parts} parts`)
      const differing = new Set(report.differences.map(([number]) => MAILS[number - 1]!.name))
      assert.deepEqual(
        report.differences
          .map(named)
          .filter((text) => !((text.split(' ')[0] ?? '') in READ_OTHERWISE)),
        [],
      )
      for (const { name } of MAILS)
        assert.equal(differing.has(name), name in READ_OTHERWISE, `${name} is read alike now`)
      t.diagnostic(
        `${report.messages} mails, ${report.parts} parts, ${differing.size} read otherwise, ` +
          `${report.headersCut} headers that Python ends early`,
      )
    })

  it('are read by imapflow: structure, envelope, sections', async () => {
    const all = await within('hanako', async (client) => {
      const lock = await client.getMailboxLock('INBOX')
      try {
        return await client.fetchAll('1:*', {
          source: true,
          envelope: true,
          bodyStructure: true,
          headers: true,
          bodyParts: ['TEXT', '1'],
        })
      } finally {
        lock.release()
      }
    })
    assert.equal(all.length, MAILS.length)
    for (const [i, message] of all.entries()) readBy(message, MAILS[i]!)
  })

  it('are given by POP3 octet for octet, dot-stuffed, with CRLF behind a last line that has none', async () => {
    const session = await wire(watari.port(995), { tlsCa: watari.ca })
    const command = async (text: string | undefined): Promise<string> => {
      if (text !== undefined) session.send(`${text}\r\n`)
      return session.until(/^(?:\+OK|-ERR).*\r\n/)
    }
    try {
      await command(undefined)
      await command('USER admin')
      assert.match(await command(`PASS ${watari.password('admin')}`), /^\+OK/)
      session.send('LIST\r\n')
      const list = await session.until(/\r\n\.\r\n/)
      const sizes = Array.from(list.matchAll(/^\d+ (\d+)\r$/gm), ([, size]) => Number(size))
      assert.deepEqual(
        sizes,
        MAILS.map(({ octets }) => octets.length),
      )
      session.send(MAILS.map((_, i) => `RETR ${i + 1}\r\n`).join(''))
      for (const mail of MAILS) {
        assert.match(await session.until(/^.*\r\n/), /^\+OK \d+ octets\r\n$/)
        // A dot behind any LF is doubled, so that a lone one ends the answer for every client.
        const stuffed = (await session.until(/(?:^|\r\n)\.\r\n/)).slice(0, -3)
        const came = stuffed.replace(/(^|\n)\.\./g, '$1.')
        const end = isWhole(mail) ? '' : '\r\n'
        assert.ok(came === mail.octets.toString('latin1') + end, mail.name)
      }
      await command('QUIT')
    } finally {
      session.close()
    }
  })

  it('are found by the Japanese of their encoded subjects and of their ISO-2022-JP text', async () => {
    const search = (query: object): Promise<readonly string[]> =>
      within('admin', async (client) => {
        const lock = await client.getMailboxLock('INBOX')
        try {
          const found = await client.search(query)
          return (found || []).map((number) => MAILS[number - 1]!.name)
        } finally {
          lock.release()
        }
      })
    const iso2022 = 'ruby-mail/multi_charset/japanese_iso_2022.eml'
    assert.ok((await search({ subject: 'まみむめも' })).includes(iso2022))
    assert.ok(
      (await search({ subject: 'テストテスト' })).includes('ruby-mail/rfc2822/example14.eml'),
    )
    assert.ok((await search({ subject: 'ﾃｽﾄ' })).includes('ruby-mail/rfc2822/example14.eml'))
    assert.ok((await search({ body: 'すみません' })).includes(iso2022))
    assert.ok((await search({ to: 'みける' })).includes(iso2022))
    assert.deepEqual(await search({ subject: '渡り鳥' }), [])
  })
})

interface Report {
  readonly messages: number
  readonly parts: number
  readonly faults: readonly (readonly [number: number, ...what: string[]])[]
  readonly differences: readonly (readonly [number: number, ...what: string[]])[]
  readonly headersCut: number
}

const named = ([number, ...what]: readonly [number, ...string[]]): string =>
  [MAILS[number - 1]?.name, ...what].join(' ')

/** Broken mail that Python reads otherwise, and how we read it. */
const READ_OTHERWISE: Readonly<Record<string, string>> = {
  'mail-parser/malformed/000.eml': 'between two boundary lines in a row is an empty part',
  'mail-parser/malformed/003.eml': 'two multiparts of one boundary: the inner one takes its lines',
  'mail-parser/malformed/005.eml': 'a boundary line that would also close the multipart around it',
  'mail-parser/malformed/007.eml': 'a multipart whose boundary line stands in its header',
  'mail-parser/malformed/013.eml': 'four multiparts of one boundary: the innermost takes its lines',
  'mail-parser/malformed/017.eml': 'a Content-Type without semicolon has its boundary all the same',
  'mail-parser/rfc/008.eml': 'a message in base64 (against RFC 2046 §5.2.1) is an opaque leaf',
  'mail-parser/thirdparty/012.eml': 'a boundary parameter with blanks at its end',
  'mail-parser/thirdparty/015.eml':
    'a header with lines that are no field goes on to its blank line',
  'ruby-mail/error_emails/missing_body.eml': 'a group within angle brackets is an address',
  'ruby-mail/plain_emails/mix_caps_content_type.eml': 'a name in front of a bare address',
  'ruby-mail/plain_emails/raw_email_multiple_from.eml': 'addresses that only a blank parts',
  'ruby-mail/plain_emails/raw_email_with_at_display_name.eml': 'an address as the name of another',
}

const MX_TRACE =
  /^Return-Path: <n\d+@other\.example>\r\nDelivered-To: taro@campus\.example\r\n(?:(?:Received|Authentication-Results|X-Watari-Verdict):[^\r]*\r\n(?:[ \t][^\r]*\r\n)*){3,}$/

/** BDAT where DATA would add a line end (RFC 5321 §4.1.1.4), else each in turn. */
const wayOf = (i: number, mail: RealMail): 'data' | 'bdat' =>
  !isWhole(mail) || i % 2 === 0 ? 'bdat' : 'data'

const returnPath = (message: Buffer): string =>
  /^Return-Path: <(.*)>\r\n/.exec(message.toString('latin1'))?.[1] ?? ''

/** What stands in front of the mail's octets, which must be the end of the message. */
function traceOf(message: Buffer, { name, octets }: RealMail): string {
  assert.ok(message.subarray(-octets.length).equals(octets), `${name}: ${message.toString()}`)
  return message.subarray(0, -octets.length).toString('latin1')
}

const isMultipart = (part: MessageStructureObject | undefined): boolean =>
  part?.type.startsWith('multipart/') === true

function readBy(message: FetchMessageObject, { name }: RealMail): void {
  const source = message.source!
  const part = (key: string): Buffer | undefined => message.bodyParts?.get(key)
  assert.ok(Buffer.concat([message.headers!, part('text')!]).equals(source), name)
  assert.ok(message.envelope !== undefined, name)
  const { bodyStructure } = message
  assert.match(bodyStructure?.type ?? '', /^[^/\s]+\/[^/\s]+$/, name)
  const first = isMultipart(bodyStructure) ? bodyStructure?.childNodes?.[0] : bodyStructure
  if (isMultipart(first)) return
  assert.equal(part('1')?.length, first?.size, name)
  assert.ok(source.includes(part('1')!), name)
}

const line = (...parts: readonly (string | Uint8Array)[]): Buffer =>
  Buffer.concat([...parts, '\r\n'].map((part) => Buffer.from(part)))

/** An IMAP session after LOGIN, for octets as they are. */
async function login(watari: Installation, user: string): Promise<Wire> {
  const session = await wire(watari.port(993), { tlsCa: watari.ca })
  await session.until(/^\* OK .*\r\n/)
  session.send(line(`login LOGIN ${user} "${watari.password(user)}"`))
  await session.until(/^login OK .*\r\n/m)
  return session
}
