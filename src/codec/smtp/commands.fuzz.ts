import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fromUtf8 } from '#base/octets.ts'
import { formatAddress } from '#model/address.ts'
import { isHeloName, parseBdat, parseCommandLine } from './command-line.ts'
import { parseMail, parseRcpt } from './mail-command.ts'
import { parsePath } from './path.ts'
import { renderReply } from './reply.ts'
import { decodeUtf8Xtext, decodeXtext } from './xtext.ts'

const mailOf = (rest: string) => {
  const parsed = parseMail(rest)
  assert.ok(parsed.ok, rest)
  return parsed.value
}
const addressIn = (rest: string): string => {
  const { reversePath } = mailOf(rest)
  assert.ok(reversePath !== null && reversePath !== 'postmaster')
  return formatAddress(reversePath)
}

test('a command line is a verb and the rest (RFC 5321 §4.1.1)', () => {
  const line = parseCommandLine(fromUtf8('mail  FROM:<花子@campus.example> SMTPUTF8 \t'))
  assert.deepEqual(line, {
    ok: true,
    value: { verb: 'MAIL', rest: 'FROM:<花子@campus.example> SMTPUTF8' },
  })
  for (const bad of ['', ' QUIT', '250 ok', 'DA\rTA', 'NOOP a\nMAIL', 'NOOP \0', '<a>'])
    assert.equal(parseCommandLine(fromUtf8(bad)).ok, false, JSON.stringify(bad))
  for (const bad of ['N\xff', 'NOOP \x89\xd4', 'MAIL FROM:<\x89\xd4@a.example>', 'EHLO\x89 a'])
    assert.equal(parseCommandLine(Buffer.from(bad, 'latin1')).ok, false)
  // 花子-PC in Shift_JIS, and a name that hides a line end behind such octets.
  const greeting = parseCommandLine(Buffer.from('ehlo \x89\xd4\x8eq-PC', 'latin1'))
  assert.deepEqual(greeting, { ok: true, value: { verb: 'EHLO', rest: '\ufffd\u050eq-PC' } })
  assert.equal(parseCommandLine(Buffer.from('EHLO \x89\xd4\nX', 'latin1')).ok, false)
})

test('paths of the world are read (RFC 5321 §4.1.2)', () => {
  const known: readonly (readonly [string, string])[] = [
    ['FROM:<a@b.example>', 'a@b.example'],
    ['from: <a@B.Example>', 'a@b.example'],
    ['FROM:a@b.example SIZE=3', 'a@b.example'],
    ['FROM:<a..b@docomo.example>', 'a..b@docomo.example'],
    ['FROM:<.a.@ezweb.example>', '.a.@ezweb.example'],
    ['FROM:<@x.example,@y.example:a@b.example>', 'a@b.example'],
    ['FROM:<"a >@\\" b"@b.example>', '"a >@\\" b"@b.example'],
    ['FROM:<"a b"@[192.0.2.1]>', '"a b"@[192.0.2.1]'],
    ['FROM:<太郎@例え.example> SMTPUTF8', '太郎@例え.example'],
  ]
  for (const [rest, address] of known) assert.equal(addressIn(rest), address)
  assert.equal(mailOf('FROM:<>').reversePath, null)
  assert.equal(mailOf('FROM:<Postmaster>').reversePath, 'postmaster')
})

test('malformed paths are refused', () => {
  for (const bad of [
    '<a@b',
    '<a@b>x',
    '<a b@c>',
    '<a>',
    '<a@>',
    '<@b>',
    '<<a@b>>',
    'a@b>',
    '',
    ' ',
    '<a@b c>',
    '<"a@b>',
  ])
    assert.equal(parsePath(bad).ok, false, bad)
  for (const bad of ['<a@b>', 'TO:<a@b>', 'FROM<a@b>']) assert.equal(parseMail(bad).ok, false, bad)
  const nobody = parseRcpt('TO:<>')
  assert.equal(!nobody.ok && nobody.error.kind, 'path')
})

test('parameters of MAIL (RFC 1870, RFC 6152, RFC 6531, RFC 3461, RFC 4954)', () => {
  assert.deepEqual(
    mailOf('FROM:<> SIZE=1000 body=8bitmime SMTPUTF8 RET=HDRS ENVID=QQ+2B314 AUTH=<> XWATARI=e30'),
    {
      reversePath: null,
      sizeBytes: 1_000,
      body: '8bitmime',
      smtpUtf8: true,
      ret: 'hdrs',
      envid: 'QQ+314',
      xwatari: 'e30',
    },
  )
  for (const bad of [
    'SIZE=x',
    'SIZE',
    'SIZE=-1',
    'BODY=9BIT',
    'SMTPUTF8=1',
    'RET=ALL',
    'ENVID=',
    'ENVID=+0D+0A',
    'ENVID=a+zz',
    'SIZE=1 SIZE=2',
    'AUTH',
    '=1',
    'RET==',
    `ENVID=${'x'.repeat(101)}`,
    'XWATARI=!',
  ]) {
    const parsed = parseMail(`FROM:<a@b.example> ${bad}`)
    assert.equal(!parsed.ok && parsed.error.kind, 'parameter', bad)
  }
  const unknown = parseMail('FROM:<a@b.example> MT-PRIORITY=3')
  assert.equal(!unknown.ok && unknown.error.kind, 'unknown')
})

test('parameters of RCPT (RFC 3461 §4, RFC 6533 §3)', () => {
  const known: readonly (readonly [string, object])[] = [
    ['', {}],
    ['NOTIFY=NEVER', { notify: [] }],
    ['notify=success,FAILURE,delay', { notify: ['success', 'failure', 'delay'] }],
    [
      'ORCPT=rfc822;Hanako+2Btest@campus.example',
      { original: 'rfc822;Hanako+test@campus.example' },
    ],
    ['ORCPT=utf-8;\\x{82B1}\\x{5B50}@campus.example', { original: 'utf-8;花子@campus.example' }],
    ['ORCPT=utf-8;花子@campus.example', { original: 'utf-8;花子@campus.example' }],
    ['ORCPT=utf-8;+E8+8A+B1@campus.example', { original: 'utf-8;花@campus.example' }],
  ]
  for (const [params, wanted] of known) {
    const parsed = parseRcpt(`TO:<hanako@campus.example> ${params}`)
    assert.deepEqual(parsed, {
      ok: true,
      value: { address: { localpart: 'hanako', domain: 'campus.example' }, ...wanted },
    })
  }
  for (const bad of [
    'NOTIFY=',
    'NOTIFY=NEVER,DELAY',
    'NOTIFY=OFTEN',
    'ORCPT=a@b',
    'ORCPT=;a',
    'ORCPT=rfc822;a+0Ab',
    'ORCPT=utf-8;\\x{D800}',
    `ORCPT=rfc822;${'x'.repeat(500)}`,
  ])
    assert.equal(parseRcpt(`TO:<a@b.example> ${bad}`).ok, false, bad)
})

test('xtext is decoded as it was encoded, and hides no line end', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const encoded = Buffer.from(text, 'utf8')
        .toString('latin1')
        .replace(
          /[^!-*,-<>-~]/g,
          (char) => `+${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
        )
      const decoded = decodeXtext(encoded)
      if (/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(text)) assert.equal(decoded, undefined)
      else assert.equal(decoded, text.isWellFormed() ? text : decoded)
    }),
  )
  assert.equal(decodeUtf8Xtext('\\x{5C}\\x{2B}'), '\\+')
  assert.equal(decodeUtf8Xtext('\\x{A}'), undefined)
})

test('BDAT names octets and perhaps LAST (RFC 3030 §2)', () => {
  assert.deepEqual(parseBdat('0 last'), { sizeBytes: 0, last: true })
  assert.deepEqual(parseBdat('86'), { sizeBytes: 86, last: false })
  for (const bad of ['', 'x', '-1', '1 LASTLY', '1 LAST x', '9999999999999999'])
    assert.equal(parseBdat(bad), undefined, bad)
})

test('host names of EHLO', () => {
  for (const name of [
    'mail.campus.example',
    '[192.0.2.1]',
    '[IPv6:2001:db8::1]',
    'my_pc',
    "user's-pc",
    'pc#1/営業@far.example',
    '例え.example',
    '\ufffd\ufffd-PC',
  ])
    assert.equal(isHeloName(name), true, name)
  for (const name of [
    '',
    'a b',
    '<a>',
    '(x)',
    'a,b',
    'a;b',
    '"a"',
    'a\\b',
    'a\u2028b',
    'x'.repeat(256),
  ])
    assert.equal(isHeloName(name), false, name)
})

test('a reply stays one reply whatever its text holds (RFC 5321 §4.2)', () => {
  assert.equal(renderReply({ code: 250, text: ['a', 'b'] }), '250-a\r\n250 b\r\n')
  assert.equal(renderReply({ code: 550, status: '5.1.1', text: 'x' }), '550 5.1.1 x\r\n')
  assert.equal(renderReply({ code: 250, text: '花子' }), '250 ??\r\n')
  assert.equal(
    Buffer.from(renderReply({ code: 250, text: '花子' }, 'utf8'), 'latin1').toString(),
    '250 花子\r\n',
  )
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' }), { maxLength: 4 }), (text) => {
      const rendered = renderReply({ code: 451, status: '4.3.0', text })
      assert.match(rendered, /^(?:451-4\.3\.0 [^\r\n]{0,490}\r\n)*451 4\.3\.0 [^\r\n]{0,490}\r\n$/)
      assert.match(rendered, /^[\r\n -~]*$/)
    }),
  )
})

test('any octets give a command or a fault', () => {
  const word = fc.constantFrom(
    'FROM:',
    'TO:',
    '<',
    '>',
    '"',
    '\\',
    '@',
    ' ',
    'a',
    '=',
    'SIZE',
    'ORCPT=',
    ';',
    '+',
    '花',
    '\\x{',
  )
  fc.assert(
    fc.property(
      fc.array(fc.oneof(word, fc.string({ unit: 'binary' }))),
      fc.uint8Array(),
      (words, octets) => {
        const text = words.join('')
        for (const total of [
          parseMail(text),
          parseMail(`FROM:${text}`),
          parseRcpt(`TO:<a@b.example> ${text}`),
          parsePath(text),
          parseCommandLine(octets),
        ])
          assert.equal(typeof total.ok, 'boolean')
        decodeUtf8Xtext(text)
        parseBdat(text)
      },
    ),
    { numRuns: 2_000 },
  )
})
