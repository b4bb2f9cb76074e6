import assert from 'node:assert/strict'
import { fromUtf8, toUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { parseAddressList } from '#codec/mime/address-list.ts'
import { decodeWords } from '#codec/mime/encoded-word.ts'
import { headerFields, headerLength } from '#codec/mime/header.ts'
import { compileSieve } from '#engine/sieve/compile.ts'
import { sieveContent } from '#engine/sieve/content.ts'
import { parseAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { SpamClass } from '#model/verdict.ts'

import type { MailOwner } from './mail-owner.ts'
import { planDelivery } from './plan.ts'
import type { PlacedScript } from './plan.ts'
import type { Delivery, DeliveryPlan } from './delivery.ts'

/** What tests of deliveries say in one line: a mail from 太郎 to 花子, and what her scripts make of it. */

export const NOW_MS = Date.UTC(2026, 10, 28, 3, 0, 0)

export function addr(text: string): Address {
  const parsed = parseAddress(text)
  assert.ok(parsed.ok, text)
  return parsed.value
}

export const HANAKO: MailOwner = {
  addresses: [addr('hanako@campus.example'), addr('h.yamada@campus.example')],
  name: '山田 花子',
}

const MAIL = `From: =?utf-8?B?5aSq6YOO?= <taro@b.example>
To: hanako@campus.example
Subject: =?utf-8?B?5Lya6K2w?=
Message-ID: <1@b.example>
`

export interface Written {
  /** The header; lines end in LF. Absent: 太郎 writes to 花子 of a 会議. */
  readonly header?: string
  readonly from?: string | null
  readonly to?: string
  readonly class?: SpamClass
  readonly deliveryId?: string
  readonly nowMs?: number
  readonly known?: readonly string[]
  readonly owner?: MailOwner
  /** Of the account, beside INBOX and Sent. */
  readonly mailboxes?: readonly string[]
}

export function deliveryOf(mail: Written = {}): Delivery {
  const { header = MAIL, from = 'taro@b.example', known = [] } = mail
  const reversePath = from === null ? null : addr(from)
  const recipient = addr(mail.to ?? 'hanako@campus.example')
  const mailboxes = ['INBOX', 'Sent', ...(mail.mailboxes ?? [])]
  const octets = fromUtf8(`${header}\n`.replaceAll('\n', '\r\n'))
  return {
    deliveryId: mail.deliveryId ?? 'D1',
    reversePath,
    recipient,
    body: '8bitmime',
    smtpUtf8: false,
    nowMs: mail.nowMs ?? NOW_MS,
    owner: mail.owner ?? HANAKO,
    message: {
      ...sieveContent(octets, 100, mail.class === undefined ? undefined : { class: mail.class }),
      envelopeFrom: reversePath,
      envelopeTo: recipient,
      mailboxExists: (name) => mailboxes.includes(name),
      mailboxOf: ({ specialUse, mailboxId }) =>
        specialUse === '\\Sent' || mailboxId === 'M1' ? 'Sent' : undefined,
      remembered: (keys) => keys.filter((key) => known.includes(key)),
    },
  }
}

export function scriptOf(text: string, place: PlacedScript['place'] = 'own'): PlacedScript {
  const compiled = compileSieve(text)
  assert.ok(compiled.ok, JSON.stringify(compiled))
  return { place, program: compiled.value }
}

export const planOf = (script: string, mail: Written = {}): DeliveryPlan =>
  planDelivery(deliveryOf(mail), [scriptOf(script)])

/** A mail as its reader has it: fields decoded, the text of the whole body. */
export function readMail(octets: Octets) {
  const length = headerLength(octets)
  const fields = [...headerFields(octets.subarray(0, length))]
  const body = toUtf8(octets.subarray(length))
  const field = (key: string): string | undefined => {
    const found = fields.filter((each) => each.key === key)
    assert.ok(found.length <= 1, `${key} stands ${found.length} times`)
    return found[0] && decodeWords(found[0].value)
  }
  const isBase64 = field('content-transfer-encoding') === 'base64'
  return {
    names: fields.map(({ name }) => name),
    field,
    text: isBase64 ? Buffer.from(body, 'base64').toString() : body,
    from: () => parseAddressList(fields.find(({ key }) => key === 'from')!.value)[0],
    head: toUtf8(octets.subarray(0, length)),
  }
}
