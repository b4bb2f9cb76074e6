import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concatOctets, fromLatin1, fromUtf8, toLatin1, toUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { SignedOctets } from '#engine/receive/signed-octets.ts'
import type { DkimKey } from '#model/dkim-key.ts'
import type { DirectoryRow } from '#store/directory/directory.ts'
import { dkimResults, fakeDkimKey, fakeSigner, recordOf } from '#test/fake/signing.ts'
import { dkimpy, dkimpyMissing } from '#test/peers/dkimpy.ts'
import { opendkim, opendkimMissing } from '#test/peers/opendkim.ts'
import type { Signer } from './signer.ts'

const RSA = fakeDkimKey('rsa')
const ED25519 = fakeDkimKey('ed25519')
const rowsOf = (name: string, ...dkim: DkimKey[]): DirectoryRow[] => [
  { kind: 'domain', domain: { name, dkim } },
]
const ROWS = rowsOf('campus.example', RSA, ED25519)
const RECORDS = { ...recordOf('campus.example', RSA), ...recordOf('campus.example', ED25519) }
const HEADER =
  'From: =?UTF-8?B?6Yi05pyo6Iqx5a2Q?= <hanako@campus.example>\r\nTo: jiro@far.example,\r\n\tsaburo@far.example\r\n' +
  'Subject: =?UTF-8?B?5rih44KK6bOl?=\r\n  =?UTF-8?B?44Gu5Lu2?=\r\nDate: Sat, 28 Nov 2026 12:00:00 +0900\r\n'

async function signed(signer: Signer, message: Octets, domain?: string): Promise<Octets> {
  const octets = new SignedOctets(signer, domain)
  // Cut amid lines, as they come.
  for (let at = 0; at < message.length; at += 37) octets.feed(message.subarray(at, at + 37))
  return concatOctets([await octets.finish('D1'), message])
}

const verified = (message: Octets) => dkimResults(message, RECORDS)

const TWICE = 'one with each field twice'
const MESSAGES: Readonly<Record<string, Octets>> = {
  'a Japanese one': fromUtf8(`${HEADER}\r\n本文です。 \t \r\n\r\n.点で始まる行\r\n..\r\n\r\n\r\n`),
  'one with a header in UTF-8 (RFC 6532)': fromUtf8(
    'From: 鈴木花子 <花子@campus.example>\r\nSubject: 渡り　鳥\r\n\r\n本文\r\n',
  ),
  'one without a body': fromUtf8(`${HEADER}\r\n`),
  'one without a blank line': fromUtf8(HEADER),
  'one of blank lines': fromUtf8(`${HEADER}\r\n\r\n \t\r\n\r\n`),
  'one that does not end its last line': fromUtf8(`${HEADER}\r\nend  `),
  'one with a long line': fromUtf8(`${HEADER}\r\n${'長い行 '.repeat(3_000)}\r\n`),
  [TWICE]: fromUtf8(`${HEADER}To: x@far.example\r\nSubject: 二\r\n\r\nx\r\n`),
}

/** As a server of others sees it: DATA ends each message with a line's end (RFC 5321 §4.1.1.4). */
const onTheWire = (message: Octets): Octets =>
  toLatin1(message).endsWith('\r\n') ? message : concatOctets([message, fromLatin1('\r\n')])

for (const [name, message] of Object.entries(MESSAGES))
  test(`${name} is signed by RSA and Ed25519 (RFC 6376, RFC 8463)`, async () => {
    const { signer, events } = fakeSigner(ROWS)
    const whole = await signed(signer, message)
    assert.deepEqual(await verified(onTheWire(whole)), ['pass', 'pass'])
    assert.deepEqual(events, [])
  })

test(
  'dkimpy finds the same signatures right, and none of a changed one',
  { skip: dkimpyMissing() },
  async () => {
    const { signer } = fakeSigner(ROWS)
    const names = Object.keys(MESSAGES)
    const wholes = await Promise.all(
      names.map(async (name) => onTheWire(await signed(signer, MESSAGES[name]!))),
    )
    const changed = fromUtf8(toUtf8(wholes[0]!).replace('本文', '偽文'))
    const said = dkimpy([...wholes, changed], RECORDS)
    for (const [at, name] of names.entries()) assert.deepEqual(said[at], ['pass', 'pass'], name)
    for (const each of said.at(-1)!) assert.match(each, /^fail: body hash/)
  },
)

test(
  'OpenDKIM finds the same signatures right, and none of a changed one',
  { skip: opendkimMissing() },
  async () => {
    const { signer } = fakeSigner(ROWS)
    // It looks at no message without a Date, or with fields twice that are there once (RFC 5322 §3.6).
    const valid = Object.entries(MESSAGES).filter(
      ([name, message]) => name !== TWICE && toUtf8(message).includes('\r\nDate:'),
    )
    assert.equal(valid.length, 6)
    for (const [name, message] of valid) {
      const whole = onTheWire(await signed(signer, message))
      assert.deepEqual(await opendkim(whole, RECORDS), ['pass', 'pass'], name)
    }
    const whole = await signed(signer, MESSAGES['a Japanese one']!)
    const changed = fromUtf8(toUtf8(whole).replace('本文', '偽文'))
    for (const said of await opendkim(changed, RECORDS)) assert.match(said, /Bad signature/)
  },
)

test('nobody adds or changes what is shown: another From, Subject, Reply-To, Content-Type (RFC 6376 §8.15)', async () => {
  const whole = toUtf8(await signed(fakeSigner(ROWS).signer, fromUtf8(`${HEADER}\r\n本文\r\n`)))
  for (const more of [
    'From: x@evil.example',
    'Subject: 偽',
    'Reply-To: x@evil.example',
    'Content-Type: text/html',
  ]) {
    const results = await verified(fromUtf8(`${more}\r\n${whole}`))
    assert.ok(
      results.every((result) => result !== 'pass'),
      `${more}: ${results.join()}`,
    )
  }
  // What stations on the way add changes nothing.
  assert.deepEqual(
    await verified(fromUtf8(`Received: by mx.far.example\r\nX-Spam: no\r\n${whole}`)),
    ['pass', 'pass'],
  )
})

test('the domain of the author signs, or the one above it that has a key; others sign nothing', async () => {
  const rows = [
    ...ROWS,
    ...rowsOf('other.example'),
    ...rowsOf('mx.new.example', fakeDkimKey('ed25519', { state: 'published' })),
  ]
  const { signer } = fakeSigner(rows)
  const domainOf = async (from: string, domain?: string): Promise<string | undefined> => {
    const whole = toUtf8(await signed(signer, fromUtf8(`${from}\r\n\r\nx\r\n`), domain))
    return /\bd=([^;]+);/.exec(whole)?.[1]
  }
  assert.equal(await domainOf('From: 花子 <h@Campus.Example>'), 'campus.example')
  assert.equal(await domainOf('From: mailer-daemon@mx.campus.example'), 'campus.example')
  assert.equal(await domainOf('From: jiro@far.example'), undefined)
  assert.equal(await domainOf('From: jiro@far.example', 'campus.example'), 'campus.example')
  assert.equal(await domainOf('From: x@other.example'), undefined)
  assert.equal(await domainOf('From: x@mx.new.example'), undefined)
  assert.equal(await domainOf('From: h@campus.example\r\nFrom: x@evil.example'), undefined)
  assert.equal(await domainOf('Subject: without'), undefined)
})

test('a domain in letters of its own signs by its A-labels (RFC 8616 §4)', async () => {
  const { signer } = fakeSigner(rowsOf('大学.example', fakeDkimKey('ed25519')))
  const whole = toUtf8(await signed(signer, fromUtf8('From: 花子@大学.example\r\n\r\nx\r\n')))
  assert.match(whole, /\bd=xn--pss25c\.example;/)
})

test('a signature ends where the setting says so', async () => {
  const { signer } = fakeSigner(ROWS, { settings: { 'dkim.expiryMs': 7 * 86_400_000 } })
  const whole = toUtf8(await signed(signer, fromUtf8(`${HEADER}\r\nx\r\n`)))
  const [, t, x] = /t=(\d+); x=(\d+);/.exec(whole)!
  assert.equal(Number(x) - Number(t), 7 * 86_400)
})

test('what cannot be signed is told, and waits or leaves unsigned as the setting says', async () => {
  const rows = rowsOf('campus.example', { ...ED25519, privateKey: 'こわれた' })
  const message = fromUtf8(`${HEADER}\r\nx\r\n`)
  const waits = fakeSigner(rows)
  await assert.rejects(signed(waits.signer, message), { code: 'unavailable' })
  const leaves = fakeSigner(rows, { settings: { 'dkim.onFailure': 'unsigned' } })
  assert.deepEqual(await signed(leaves.signer, message), message)
  for (const [{ events }, outcome] of [
    [waits, 'deferred'],
    [leaves, 'unsigned'],
  ] as const)
    assert.deepEqual(
      events.map(({ name, fields }) => [name, fields['outcome'], fields['selectors']]),
      [['dkim.failed', outcome, 'ed255191']],
    )
  // A header that is broken for good is not worth waiting for.
  const { signer, events } = fakeSigner(ROWS)
  const broken = fromLatin1('From: h@campus.example\nSubject: a\r\n\r\nx')
  assert.deepEqual(await signed(signer, broken), broken)
  assert.equal(events[0]?.fields['outcome'], 'unsigned')
})
