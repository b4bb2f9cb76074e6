import assert from 'node:assert/strict'
import { test } from 'node:test'
import { transmissionType } from './envelope.ts'
import type { Greeting } from './envelope.ts'

const TLS = { tls: { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' } }
const LOGIN = { accountId: 'hanako' }
const WAYS = [{}, TLS, LOGIN, { ...TLS, ...LOGIN }]

test('a transmission is named as RFC 3848 and RFC 6531 §4.3 register it', () => {
  const names = (greeting: Greeting, smtpUtf8: boolean): string[] =>
    WAYS.map((way) => transmissionType({ greeting, ...way }, smtpUtf8))
  assert.deepEqual(names('EHLO', false), ['ESMTP', 'ESMTPS', 'ESMTPA', 'ESMTPSA'])
  assert.deepEqual(names('EHLO', true), ['UTF8SMTP', 'UTF8SMTPS', 'UTF8SMTPA', 'UTF8SMTPSA'])
  assert.deepEqual(names('LHLO', false), ['LMTP', 'LMTPS', 'LMTPA', 'LMTPSA'])
  assert.deepEqual(names('LHLO', true), ['UTF8LMTP', 'UTF8LMTPS', 'UTF8LMTPA', 'UTF8LMTPSA'])
  // Nothing like SMTPS is registered: the cipher of such a session stands in Received's comment.
  assert.deepEqual(names('HELO', false), ['SMTP', 'SMTP', 'ESMTPA', 'ESMTPSA'])
  assert.deepEqual(names('HELO', true), ['UTF8SMTP', 'UTF8SMTPS', 'UTF8SMTPA', 'UTF8SMTPSA'])
})

test('mail that nobody greeted for is ESMTP', () => {
  assert.equal(transmissionType({}, false), 'ESMTP')
})
