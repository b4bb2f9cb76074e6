import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toUtf8 } from '#base/octets.ts'
import type { Peer } from '#model/envelope.ts'
import { addr } from '#test/fake/directory.ts'
import { traceFields } from './trace-fields.ts'

const receivedFrom = (peer: Partial<Peer>, smtpUtf8 = false): string => {
  const fields = traceFields({
    peer: { ip: '192.0.2.7', port: 1, helo: '例え.example', ...peer },
    hostname: 'mx.campus.example',
    authservId: 'mx.campus.example',
    id: 'D1',
    smtpUtf8,
    recipients: [addr('花子@campus.example')],
    receivedAtMs: Date.UTC(2026, 10, 25, 3),
    verdict: {
      class: 'clean',
      score: 0,
      hits: [],
      virus: { kind: 'clean' },
      auth: [],
      caseId: 'D1',
      degraded: [],
    },
  })
  return toUtf8(fields).split('Authentication-Results')[0]!.replaceAll('\r\n\t', ' ')
}

test('Received says by which protocol a peer came, as it greeted (RFC 5321 §4.4, RFC 3848)', () => {
  const by = 'by mx.campus.example with'
  const date = 'Wed, 25 Nov 2026 03:00:00 +0000\r\n'
  assert.equal(
    receivedFrom({ greeting: 'HELO' }),
    `Received: from __.example ([192.0.2.7]) ${by} SMTP id D1; ${date}`,
  )
  assert.equal(
    receivedFrom({ greeting: 'EHLO', ip: '2001:db8::7' }, true),
    `Received: from 例え.example ([IPv6:2001:db8::7]) ${by} UTF8SMTP id D1 for <花子@campus.example>; ${date}`,
  )
  const tls = { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' }
  const using = '(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384)'
  assert.equal(
    receivedFrom({ greeting: 'HELO', helo: 'pc', tls }),
    `Received: from pc ([192.0.2.7]) ${using} ${by} SMTP id D1; ${date}`,
  )
  assert.match(receivedFrom({ greeting: 'EHLO', tls, accountId: 'a' }), / with ESMTPSA id /)
  assert.match(receivedFrom({ greeting: 'LHLO' }), / with LMTP id /)
})
