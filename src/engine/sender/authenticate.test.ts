import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'

import { dkimSign } from 'mailauth'

import { fromUtf8 } from '#base/octets.ts'
import type { Address } from '#model/address.ts'
import { addr } from '#test/fake/directory.ts'
import { authenticateSender } from './authenticate.ts'

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const KEY = publicKey.export({ type: 'spki', format: 'der' }).toString('base64')
const ZONE: Readonly<Record<string, readonly unknown[]>> = {
  'TXT far.example': [['v=spf1 ip4:192.0.2.7 -all']],
  'TXT mail.far.example': [['v=spf1 ip4:192.0.2.7 -all']],
  'TXT _dmarc.far.example': [['v=DMARC1; p=reject']],
  'TXT s1._domainkey.far.example': [[`v=DKIM1; k=rsa; p=${KEY}`]],
}
const MESSAGE =
  'From: =?UTF-8?B?5qyh6YOO?= <jiro@far.example>\r\nTo: hanako@campus.example\r\n' +
  'Subject: =?UTF-8?B?5rih44KK?=\r\nDate: Thu, 26 Nov 2026 12:00:00 +0900\r\n\r\n本文です。\r\n'

async function results(
  message: string,
  part: { ip?: string; reversePath?: Address | null; down?: boolean } = {},
): Promise<string[]> {
  const found = await authenticateSender(fromUtf8(message), {
    ip: part.ip ?? '192.0.2.7',
    helo: 'mail.far.example',
    reversePath: part.reversePath === undefined ? addr('jiro@far.example') : part.reversePath,
    hostname: 'mx.campus.example',
    resolve: (name, type) => {
      const records = part.down === true ? undefined : ZONE[`${type} ${name}`]
      const code = part.down === true ? 'ETIMEOUT' : 'ENOTFOUND'
      return records === undefined
        ? Promise.reject(Object.assign(new Error(code), { code }))
        : Promise.resolve(records)
    },
  })
  return found.map(({ method, result, properties }) =>
    [`${method}=${result}`, ...properties.map(([name, value]) => `${name}=${value}`)].join(' '),
  )
}

async function signed(): Promise<string> {
  const { signatures, errors } = await dkimSign(Buffer.from(MESSAGE), {
    canonicalization: 'relaxed/relaxed',
    signatureData: [
      {
        signingDomain: 'far.example',
        selector: 's1',
        privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }),
      },
    ],
  })
  assert.deepEqual(errors, [])
  return signatures + MESSAGE
}

test('SPF, DKIM and DMARC pass for mail from where its domain says', async () => {
  assert.deepEqual(await results(await signed()), [
    'spf=pass smtp.mailfrom=jiro@far.example',
    'dkim=pass header.d=far.example header.s=s1',
    'dmarc=pass header.from=far.example',
  ])
})

test('a forged sender fails SPF and DMARC, a changed body fails DKIM', async () => {
  assert.deepEqual(await results(MESSAGE, { ip: '203.0.113.9' }), [
    'spf=fail smtp.mailfrom=jiro@far.example',
    'dkim=none',
    'dmarc=fail header.from=far.example',
  ])
  const changed = (await signed()).replace('本文', '偽文')
  const [, dkim, dmarc] = await results(changed, { ip: '203.0.113.9' })
  assert.match(dkim!, /^dkim=(?:fail|neutral) header\.d=far\.example/)
  assert.equal(dmarc, 'dmarc=fail header.from=far.example')
})

test('the null reverse-path is checked by HELO (RFC 7208 §2.4)', async () => {
  const [spf] = await results(MESSAGE, { reversePath: null })
  assert.equal(spf, 'spf=pass smtp.helo=mail.far.example')
})

test('trouble with DNS is a temporary error, never a pass', async () => {
  const found = await results(await signed(), { down: true })
  assert.deepEqual(
    found.map((line) => line.split(' ')[0]),
    ['spf=temperror', 'dkim=temperror', 'dmarc=temperror'],
  )
})
