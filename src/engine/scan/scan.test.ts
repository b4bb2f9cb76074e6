import assert from 'node:assert/strict'
import { test } from 'node:test'

import { fromLatin1, fromUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { addr } from '#test/fake/directory.ts'
import type { About } from './facts.ts'
import { classOf } from './judge.ts'
import { GTUBE_TEXT } from './rules.ts'
import { scanMessage } from './scan.ts'
import type { Findings } from './scan.ts'
import { eicarScanner } from './virus.ts'
import type { VirusScanner } from './virus.ts'

const EICAR = Array.from('*H+H$!ELIF-TSET-SURIVITNA-DRADNATS-RACIE$}7)CC7)^P(45XZP\\4[PA@%P!O5X')
  .toReversed()
  .join('')
const ABOUT: About = {
  reversePath: addr('jiro@far.example'),
  recipients: [addr('hanako@campus.example')],
  peer: { ip: '192.0.2.7', port: 1, helo: 'mail.far.example' },
  door: 'mx',
  nowMs: Date.UTC(2026, 10, 26, 3),
  auth: [],
}
const HEADER =
  'From: Jiro <jiro@far.example>\r\nTo: hanako@campus.example\r\nSubject: =?UTF-8?B?5rih44KK?=\r\n' +
  'Date: Thu, 26 Nov 2026 12:00:00 +0900\r\nMessage-ID: <1@far.example>\r\n'

const scan = (message: string | Octets, about: Partial<About> = {}): Promise<Findings> =>
  scanMessage(typeof message === 'string' ? fromUtf8(message) : message, { ...ABOUT, ...about }, [
    eicarScanner,
  ])

const base64 = (text: string): string =>
  Buffer.from(text)
    .toString('base64')
    .replace(/.{1,76}/g, '$&\r\n')
const quoted = (text: string): string =>
  Array.from(
    Buffer.from(text),
    (octet, i) =>
      `=${octet.toString(16).toUpperCase().padStart(2, '0')}${i % 20 === 19 ? '=\r\n' : ''}`,
  ).join('')
const part = (fields: string, body: string): string =>
  `${HEADER}MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=境\r\n\r\n--境\r\n\r\n本文\r\n--境\r\n${fields}\r\n${body}\r\n--境--\r\n`

test('EICAR is found in every encoding, however it is labelled', async () => {
  const encoding = (name: string): string =>
    `Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: ${name}\r\n`
  const inner = `${HEADER}${encoding('base64')}\r\n${base64(EICAR)}`
  const cases: Record<string, string> = {
    plain: `${HEADER}\r\n${EICAR}\r\n`,
    'no header': EICAR,
    'in a header': `${HEADER}X-A: ${EICAR}\r\n\r\n`,
    base64: part(encoding('base64'), base64(EICAR)),
    'quoted-printable': part(encoding('quoted-printable'), quoted(EICAR)),
    'in message/rfc822': part('Content-Type: message/rfc822\r\n', inner),
    'message/rfc822 twice': part(
      'Content-Type: message/rfc822\r\n',
      part('Content-Type: message/rfc822\r\n', inner),
    ),
    'message/rfc822 in base64': part(
      'Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n',
      base64(inner),
    ),
    'base64 said to be 7bit': part(encoding('7bit'), base64(EICAR)),
    'base64 said to be quoted-printable': part(encoding('quoted-printable'), base64(EICAR)),
    'quoted-printable said to be base64': part(encoding('base64'), quoted(EICAR)),
    'plain said to be base64': part(encoding('base64'), EICAR),
    'base64 in base64': part(encoding('base64'), base64(base64(EICAR))),
    'base64 with foreign signs': part(encoding('BASE64'), base64(EICAR).replace(/.{9}/g, '$&-')),
    'base64 in a preamble': `${HEADER}Content-Type: multipart/mixed; boundary=b\r\n\r\n${base64(EICAR)}\r\n--b\r\n\r\n--b--`,
    'bare LF': part(encoding('base64'), base64(EICAR)).replaceAll('\r\n', '\n'),
  }
  for (const [name, message] of Object.entries(cases)) {
    const { virus } = await scan(message)
    assert.deepEqual(virus, { kind: 'infected', name: 'Eicar-Test-Signature' }, name)
  }
})

test('an ordinary message is clean, in Japanese too, and scores nothing', async () => {
  for (const body of [
    '会議は三時からです。\r\n',
    '',
    base64('ただの添付ファイルです。'.repeat(40)),
  ]) {
    assert.deepEqual(await scan(`${HEADER}\r\n${body}`), {
      virus: { kind: 'clean' },
      hits: [],
      score: 0,
    })
  }
})

test('nothing, one octet, a header alone and a body alone are neither spam nor suspected', async () => {
  for (const message of ['', 'x', 'Subject: 件名', 'あ']) {
    const { score, virus } = await scan(message, { peer: { ip: '192.0.2.7', port: 1, helo: 'pc' } })
    assert.equal(classOf(score, { suspectedScore: 5, spamScore: 10 }), 'clean', String(score))
    assert.equal(virus.kind, 'clean')
  }
})

test('GTUBE is spam, in base64 too', async () => {
  for (const message of [
    `${HEADER}\r\n${GTUBE_TEXT}\r\n`,
    `${HEADER}Content-Transfer-Encoding: base64\r\n\r\n${base64(`迷惑 ${GTUBE_TEXT}`)}`,
  ]) {
    const { score } = await scan(message)
    assert.equal(classOf(score, { suspectedScore: 5, spamScore: 10 }), 'spam')
  }
})

test('what is nested or cut beyond the limits is unscannable, never clean', async () => {
  let deep = `渡り鳥の群れ${'a'.repeat(60)}`
  for (let i = 0; i < 12; i++) deep = base64(deep)
  assert.deepEqual((await scan(`${HEADER}\r\n${deep}`)).virus, {
    kind: 'unscannable',
    reason: 'nesting',
  })
  const many = fromLatin1('Content-Type: message/rfc822\n\n'.repeat(150))
  assert.deepEqual((await scan(many)).virus, { kind: 'unscannable', reason: 'structure' })
})

test('an engine that cannot answer is told, unless another finds something', async () => {
  const away: VirusScanner = {
    name: 'away',
    scan: () => Promise.resolve({ kind: 'unavailable', reason: 'no clamd' }),
  }
  const run = (body: string) =>
    scanMessage(fromUtf8(`${HEADER}\r\n${body}`), ABOUT, [away, eicarScanner])
  assert.equal((await run('無事')).virus.kind, 'unavailable')
  assert.equal((await run(EICAR)).virus.kind, 'infected')
})

test('every rule fires on what it is named for, and says what it saw', async () => {
  const namesOf = async (message: string, about: Partial<About> = {}): Promise<string> =>
    (await scan(message, about)).hits.map((hit) => hit.name).join(' ')
  const body = (text: string): string => `${HEADER}\r\n${text}`
  const changed = (from: RegExp, to: string): string => body('本文').replace(from, to)
  assert.equal(await namesOf(changed(/Date: .*\r\n/, '')), 'MISSING_DATE')
  assert.equal(await namesOf(changed(/Date: .*\r\n/, ''), { door: 'submission' }), '')
  assert.equal(await namesOf(changed(/Message-ID: .*\r\n/, '')), 'MISSING_MESSAGE_ID')
  assert.equal(await namesOf(changed(/From: .*\r\n/, '')), 'MISSING_FROM')
  assert.equal(await namesOf(changed(/From: /, 'From: x@y.example\r\nFrom: ')), 'MANY_FROM')
  assert.equal(await namesOf(changed(/Nov 2026/, 'Nov 2020')), 'DATE_FAR')
  assert.equal(await namesOf(changed(/=\?.*\?=/, 'FREE MONEY FOR EVERYONE')), 'SUBJECT_CAPS')
  assert.equal(
    await namesOf(changed(/From: Jiro/, 'From: "hanako@campus.example"')),
    'FROM_NAME_ADDRESS',
  )
  assert.equal(await namesOf(changed(/=\?.*\?=/, '【至急】当選のお知らせ')), 'LURE_JA')
  assert.equal(await namesOf(body('You have won the LOTTERY')), 'LURE_EN')
  assert.equal(await namesOf(body('こちら http://192.0.2.1/login へ')), 'URL_RAW_IP')
  assert.equal(
    await namesOf(changed(/\r\n\r\n/, '\r\nContent-Type: text/html\r\n\r\n')),
    'HTML_ONLY',
  )
  const attachment = part(
    "Content-Type: application/zip; name*=UTF-8''%E8%AB%8B%E6%B1%82%E6%9B%B8.pdf.exe\r\n",
    'MZ',
  )
  assert.equal(await namesOf(attachment), 'EXECUTABLE_ATTACHMENT')
  const recipients = Array.from({ length: 6 }, (_, i) => addr(`u${i}@campus.example`))
  assert.equal(await namesOf(body('本文'), { recipients }), 'HIDDEN_RECIPIENTS')
  for (const helo of ['pc', '203.0.113.9', '[203.0.113.9]', 'localhost.localdomain'])
    assert.equal(
      await namesOf(body('本文'), { peer: { ...ABOUT.peer, helo } }),
      'HELO_FORGED',
      helo,
    )
  for (const [method, result, name] of [
    ['spf', 'fail', 'SPF_FAIL'],
    ['spf', 'softfail', 'SPF_SOFTFAIL'],
    ['dkim', 'fail', 'DKIM_FAIL'],
    ['dmarc', 'fail', 'DMARC_FAIL'],
  ] as const)
    assert.equal(await namesOf(body('本文'), { auth: [{ method, result, properties: [] }] }), name)
  const { hits } = await scan(body('http://192.0.2.1/'))
  assert.deepEqual(hits, [{ name: 'URL_RAW_IP', score: 1.5, detail: 'http://192.0.2.1' }])
})
