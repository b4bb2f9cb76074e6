import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromLatin1, fromUtf8, isAscii, toUtf8 } from '#base/octets.ts'
import { addr } from '#test/fake/directory.ts'
import { headerOf, renderDsn } from './render.ts'
import type { DsnReport } from './render.ts'

const NOW = Date.UTC(2026, 10, 25, 3, 4, 5)

const report = (over: Partial<DsnReport> = {}): DsnReport => ({
  action: 'failed',
  reportingMta: 'mx.campus.example',
  to: addr('hanako@campus.example'),
  envid: 'Q1',
  arrivedAtMs: NOW - 1_000,
  nowMs: NOW,
  id: '0ABC',
  recipients: [
    {
      address: addr('花子@else.example'),
      original: 'utf-8;花子@else.example',
      action: 'failed',
      status: '5.1.1',
      diagnostic: '550 5.1.1 いません\r\nAction: delivered',
      remoteMta: 'mx.else.example [192.0.2.1]',
    },
  ],
  about: { kind: 'header', octets: fromUtf8('Subject: test\r\n') },
  ...over,
})

test('a report has words for people, fields for programs and the header (RFC 3464, RFC 6522)', () => {
  const octets = renderDsn(report())
  assert.ok(isAscii(octets))
  const text = toUtf8(octets)
  assert.equal(
    text.slice(text.indexOf('--=_0ABC\r\nContent-Type: message/delivery-status')),
    [
      '--=_0ABC',
      'Content-Type: message/delivery-status',
      '',
      'Reporting-MTA: dns; mx.campus.example',
      'Original-Envelope-Id: Q1',
      'Arrival-Date: Wed, 25 Nov 2026 03:04:04 +0000',
      '',
      'Original-Recipient: utf-8; \\x{82B1}\\x{5B50}@else.example',
      'Final-Recipient: utf-8; \\x{82B1}\\x{5B50}@else.example',
      'Action: failed',
      'Status: 5.1.1',
      'Remote-MTA: dns; mx.else.example [192.0.2.1]',
      'Diagnostic-Code: smtp; 550 5.1.1 ? Action: delivered',
      'Last-Attempt-Date: Wed, 25 Nov 2026 03:04:05 +0000',
      '',
      '--=_0ABC',
      'Content-Type: text/rfc822-headers',
      '',
      'Subject: test',
      '',
      '--=_0ABC--',
      '',
    ].join('\r\n'),
  )
  const base = /base64\r\n\r\n([A-Za-z0-9+/=\r\n]+?)\r\n--/.exec(text)
  const people = Buffer.from(base?.[1] ?? '', 'base64').toString()
  assert.match(people, /配送できませんでした/)
  assert.match(people, /<花子@else\.example>\r\n.*いません Action: delivered\r\n/)
})

test('the whole message comes back where its octets can travel so, else its header', () => {
  const whole = (octets: Uint8Array): string =>
    toUtf8(renderDsn(report({ about: { kind: 'whole', octets } })))
  assert.match(
    whole(fromUtf8('Subject: x\r\n\r\n渡り\r\n')),
    /message\/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\nSubject: x\r\n\r\n渡り\r\n\r\n--/,
  )
  assert.match(
    whole(fromUtf8('Subject: x\n\nbare\n')),
    /message\/global-headers\r\n.*base64\r\n\r\nU3ViamVjdDogeAo=\r\n--/s,
  )
})

test('a header with octets over 127 is carried in base64 (RFC 6533 §6.3)', () => {
  const octets = fromLatin1('Subject: \u0093\u00fa\u0096{\r\n')
  const text = toUtf8(renderDsn(report({ about: { kind: 'header', octets } })))
  assert.ok(text.includes(Buffer.from(octets).toString('base64')))
})

test('a header ends at the first blank line, whatever its line ends', () => {
  assert.equal(toUtf8(headerOf(fromUtf8('A: 一\r\nB: 2\r\n\r\nx\r\n\r\n'))), 'A: 一\r\nB: 2\r\n')
  assert.equal(toUtf8(headerOf(fromUtf8('A: 一\n\nx'))), 'A: 一\n')
  assert.equal(toUtf8(headerOf(fromUtf8('A: 一'))), 'A: 一')
})
