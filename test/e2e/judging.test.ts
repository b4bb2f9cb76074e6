import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'

import type { VerdictBody } from '#contract/admin/mail.ts'
import { install, until } from './installation.ts'
import type { Installation } from './installation.ts'
import { countOf, imap, messages } from './mail.ts'
import { sendBy } from './wire.ts'
import type { SmtpWay } from './wire.ts'

// Both written backwards, so that no scanner takes this file for what it tests.
const backwards = (text: string): string => Array.from(text).toReversed().join('')
const EICAR = backwards('*H+H$!ELIF-TSET-SURIVITNA-DRADNATS-RACIE$}7)CC7)^P(45XZP\\4[PA@%P!O5X')
const GTUBE = backwards('X43.C*LIAME-TSET-EBU-ITNA-DRADNATS-EBUTG*NENDI2*3NBSN.1NDAQBDJ4C*SJX')

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const quotedPrintable = (text: string): string =>
  text.replace(/[=A-Z]/g, (c) => `=${c.charCodeAt(0).toString(16).toUpperCase()}`)

interface Part {
  readonly from: string
  readonly id: string
  readonly fields?: readonly string[]
  readonly body: readonly string[]
}

const mailOf = ({ from, id, fields = [], body }: Part): string =>
  [
    `From: ${from}`,
    'To: hanako@campus.example',
    'Subject: =?utf-8?B?6KmV5L6h44Gu44GK6aGY44GE?=',
    `Date: ${new Date().toUTCString().replace('GMT', '+0000')}`,
    `Message-ID: <${id}@campus.example>`,
    'MIME-Version: 1.0',
    ...fields,
    '',
    ...body,
    '',
  ].join('\r\n')

const FILE = ['Content-Type: application/octet-stream; name="=?utf-8?B?6LOH5paZLmJpbg==?="']
const INFECTED: Readonly<Record<string, Pick<Part, 'fields' | 'body'>>> = {
  plain: { fields: ['Content-Type: text/plain; charset=utf-8'], body: [EICAR] },
  base64: { fields: [...FILE, 'Content-Transfer-Encoding: base64'], body: [base64(EICAR)] },
  'quoted-printable': {
    fields: [...FILE, 'Content-Transfer-Encoding: quoted-printable'],
    body: [quotedPrintable(EICAR)],
  },
  'message/rfc822': {
    fields: ['Content-Type: multipart/mixed; boundary=a'],
    body: [
      '--a\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n転送します。',
      '--a\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\nMIME-Version: 1.0',
      ...FILE,
      `Content-Transfer-Encoding: base64\r\n\r\n${base64(EICAR)}\r\n--a--`,
    ],
  },
}

/** Everything in front of the content that we have written. */
const OURS =
  /^(?:(?:Return-Path|Delivered-To|Received|Authentication-Results|X-Watari-Verdict):[^\r]*\r\n(?:[ \t][^\r]*\r\n)*)+/
const verdictOf = (message: Buffer): string =>
  /^X-Watari-Verdict: ((?:[^\r]|\r\n\t)*)\r\n/m.exec(message.toString())?.[1] ?? ''

describe('what is judged, and what becomes of it', () => {
  let watari: Installation
  before(async () => {
    watari = await install({ bind: ['127.0.0.1'] })
    const { status, stderr } = await watari.watari(['access', 'add', '127.0.0.1/32'])
    assert.equal(status, 0, stderr)
  })
  after(() => watari.remove())

  const way = (wellKnown: number): SmtpWay => ({
    port: watari.port(wellKnown),
    ca: watari.ca,
    ...(wellKnown === 24 && { greeting: 'LHLO' as const }),
    ...(wellKnown === 465 && { tls: 'implicit' as const }),
    ...(wellKnown === 587 && { tls: 'starttls' as const }),
    ...(wellKnown > 100 && { login: { user: 'taro', password: watari.password('taro') } }),
  })
  const senderOf = (wellKnown: number): string =>
    wellKnown > 100 ? 'taro@campus.example' : 'stranger@other.example'
  const json = async (args: readonly string[]): Promise<unknown> => {
    const { status, stdout, stderr } = await watari.watari([...args, '--json'])
    assert.equal(status, 0, stderr)
    return JSON.parse(stdout)
  }
  const eventsOf = async (what: string): Promise<readonly Told[]> => {
    const { items } = (await json(['trace', what])) as { items: { events: Told[] }[] }
    return items.flatMap(({ events }) => events)
  }
  /** The messages of a mailbox once there are so many. */
  const arrived = async (user: string, mailbox: string, count: number): Promise<Buffer[]> => {
    const client = await imap(watari, user)
    try {
      await until(`${count} in ${mailbox}`, async () => (await countOf(client, mailbox)) >= count)
      const all = await messages(client, mailbox)
      assert.equal(all.length, count)
      return all
    } finally {
      await client.logout()
    }
  }

  for (const [form, part] of Object.entries(INFECTED))
    it(`refuses the EICAR test file, ${form}, at every door, and names the case`, async () => {
      for (const wellKnown of [25, 26, 587, 465]) {
        const from = senderOf(wellKnown)
        const id = `eicar-${form.replace('/', '-')}-${wellKnown}`
        const reply = await sendBy(way(wellKnown), {
          from,
          to: 'hanako@campus.example',
          content: mailOf({ from, id, ...part }),
        })
        assert.match(reply, /^554 5\.7\.1 .*Eicar-Test-Signature \(case [0-9A-Z]{18}\)/, form)
      }
    })

  it('can be traced by the case that a refusal names', async () => {
    const from = senderOf(25)
    const content = mailOf({ from, id: 'eicar-traced', ...INFECTED['base64']! })
    const reply = await sendBy(way(25), { from, to: 'hanako@campus.example', content })
    const caseId = /case ([0-9A-Z]{18})/.exec(reply)?.[1] ?? ''
    await until('the refusal is known', async () => (await known(caseId)) > 0)
    const [event] = await eventsOf(caseId)
    assert.equal(event?.name, 'receive.refused')
    assert.equal(event?.fields['virus'], 'infected')
    assert.equal(event?.fields['messageId'], '<eicar-traced@campus.example>')
  })
  const known = async (what: string): Promise<number> => {
    const { status, stdout } = await watari.watari(['trace', what, '--json'])
    return status === 0 ? (JSON.parse(stdout) as { items: unknown[] }).items.length : 0
  }

  const SMALL: Readonly<Record<string, string>> = {
    'no octet': '',
    'one octet': 'x',
    'a header only': 'Subject: =?utf-8?B?6bOl?=\r\nX-Test: header only\r\n',
    'no header': '渡り鳥が来た\r\n二行目\r\n',
  }
  for (const [wellKnown, user] of [
    [24, 'hanako'],
    [25, 'admin'],
    [587, 'taro'],
  ] as const)
    it(`takes mail of no octet, of one, of a header only and without one on ${wellKnown}`, async () => {
      let count = 0
      for (const [title, content] of Object.entries(SMALL)) {
        const mail = { from: senderOf(wellKnown), to: `${user}@campus.example`, content }
        assert.match(await sendBy(way(wellKnown), mail, 'bdat'), /^250 /, title)
        const message = (await arrived(user, 'INBOX', ++count)).at(-1)?.toString() ?? ''
        const rest = message.replace(OURS, '')
        // Submission gives what has no Date and Message-ID both (RFC 6409 §8); nothing else may change.
        const made = /^(?:Date: [^\r]*\r\nMessage-ID: [^\r]*\r\n)?(?:\r\n(?!$))?/
        assert.equal(rest.replace(made, ''), content, `${title}: ${message}`)
      }
    })

  it('files GTUBE into Junk/SPAM with its verdict, whatever the sender claims', async () => {
    const from = senderOf(25)
    const content = mailOf({
      from,
      id: 'gtube',
      fields: [
        'X-Watari-Verdict: clean; score=-99; case=FORGED',
        'X-Watari-Anything: forged',
        'Authentication-Results: mx.campus.example; dkim=pass header.d=forged.example',
        'Authentication-Results: MX.Campus.Example (forged); spf=pass',
        'Authentication-Results: mx.other.example; dkim=pass header.d=theirs.example',
        'Content-Type: text/plain; charset=utf-8',
      ],
      body: ['無料プレゼント', GTUBE],
    })
    const mail = { from, to: 'hanako@campus.example', content }
    assert.match(await sendBy(way(25), mail), /^250 2\.0\.0 /)
    const [message] = await arrived('hanako', 'Junk/SPAM', 1)
    assert.match(
      verdictOf(message!),
      /^spam;\s+score=1\d{3}(?:\.\d)?;\s+case=[0-9A-Z]{18};[^]*GTUBE:1000/,
    )
    const text = message!.toString()
    assert.doesNotMatch(text, /forged/i)
    assert.equal(text.match(/^X-Watari-Verdict:/gm)?.length, 1)
    assert.equal(text.match(/^Authentication-Results: mx\.campus\.example/gim)?.length, 1)
    assert.match(text, /^Authentication-Results: mx\.other\.example; dkim=pass/m)
    const left = content.replace(
      /^(?:X-Watari-|Authentication-Results: mx\.campus)[^\r]*\r\n/gim,
      '',
    )
    assert.ok(text.endsWith(left), text)
  })

  it('files suspected mail into Junk/Suspected SPAM', async () => {
    const from = '"president@bank.example" <stranger@other.example>'
    const content = mailOf({
      from,
      id: 'suspected',
      fields: ['Content-Type: multipart/mixed; boundary=a'],
      body: [
        '--a\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nhttp://192.0.2.7/',
        'アカウントが停止されました\r\n--a\r\nContent-Type: application/octet-stream',
        'Content-Disposition: attachment; filename="請求書.exe"\r\n\r\nMZ\r\n--a--',
      ],
    })
    const mail = { from: senderOf(25), to: 'hanako@campus.example', content }
    assert.match(await sendBy(way(25), mail), /^250 2\.0\.0 /)
    const [message] = await arrived('hanako', 'Junk/Suspected SPAM', 1)
    assert.match(verdictOf(message!), /^suspected;/)
    assert.ok(message!.toString().endsWith(content))
  })

  it('shows one message over gateway and store by watari trace', async () => {
    const id = '<gtube@campus.example>'
    await until('both roles have told', async () => {
      const names = (await known(id)) === 0 ? [] : (await eventsOf(id)).map(({ name }) => name)
      return names.includes('receive.accepted') && names.includes('store.filed')
    })
    const events = await eventsOf(id)
    const accepted = events.find(({ name }) => name === 'receive.accepted')
    const filed = events.find(({ name }) => name === 'store.filed')
    assert.equal(accepted?.node, 'gateway')
    assert.equal(accepted?.fields['class'], 'spam')
    assert.equal(filed?.node, 'store')
    assert.equal(filed?.fields['mailboxes'], 'Junk/SPAM')
    const { stdout } = await watari.watari(['trace', id])
    assert.match(stdout, /gateway +receive\.accepted .*\n(?:.*\n)*.*store +store\.filed /)
  })

  it('judges files by watari scan, without storing or sending them', async () => {
    const file = (name: string, content: string): string => {
      const path = join(watari.dir, name)
      writeFileSync(path, content)
      return path
    }
    const from = senderOf(25)
    const clean = file('clean.eml', mailOf({ from, id: 'scan-1', body: ['こんにちは'] }))
    const spam = file('spam.eml', mailOf({ from, id: 'scan-2', body: [GTUBE] }))
    const infected = file('infected.eml', mailOf({ from, id: 'scan-3', ...INFECTED['base64']! }))
    const { items } = (await json(['scan', clean, spam, infected])) as {
      items: { file: string; verdict: VerdictBody }[]
    }
    assert.deepEqual(
      items.map(({ file: path, verdict }) => [path, verdict.class, verdict.virus.kind]),
      [
        [clean, 'clean', 'clean'],
        [spam, 'spam', 'clean'],
        [infected, 'clean', 'infected'],
      ],
    )
    for (const { verdict } of items) assert.deepEqual(verdict.degraded, [])
    const text = await watari.watari(['scan', infected])
    assert.equal(text.status, 0, text.stderr)
    assert.match(text.stdout, /infected \(Eicar-Test-Signature\)/)
    const empty = (await json(['scan', file('empty.eml', '')])) as VerdictBody
    assert.equal(empty.virus.kind, 'clean')
  })
})

interface Told {
  readonly node: string
  readonly name: string
  readonly fields: Readonly<Record<string, string | number | boolean | null>>
}
