import { createHash } from 'node:crypto'
import { isAscii } from '#base/octets.ts'
import { HOUR_MS } from '#base/time.ts'
import type { SieveNotify } from '#engine/sieve/action.ts'
import { parseMailto } from '#engine/sieve/mailto.ts'
import type { SieveMessage } from '#engine/sieve/message.ts'
import { formatAddress, needsSmtpUtf8 } from '#model/address.ts'
import { MEMORIES_MAX } from '#store/mailbox/commit.ts'

import { isAutoSubmitted } from './answerable.ts'
import { authorOf, automaticMail } from './automatic-mail.ts'
import { entryId, hasSentOn } from './entry-id.ts'
import type { MailOwner } from './mail-owner.ts'
import type { Delivery } from './delivery.ts'
import type { AutomaticAnswer } from './vacation.ts'

/** Notifications that an account sends in an hour: a flood of mail makes no flood of them. */
export const NOTIFICATIONS_PER_HOUR_MAX = MEMORIES_MAX
/** Characters of a message that comes from a script. */
const TEXT_LENGTH_MAX = 10_000

const IMPORTANCE = { '1': 'high', '2': 'normal', '3': 'low' } as const

/** The mail that tells somebody of a delivery (RFC 5436), or why there is none. */
export function notification(
  notify: SieveNotify,
  delivery: Delivery,
  owner: MailOwner,
  /** How many the same delivery has sent before. */
  sent: number,
): AutomaticAnswer | string {
  const { deliveryId, recipient, nowMs } = delivery
  const message = { ...delivery.message, ...notify.header }
  const mailto = parseMailto(notify.method)
  if (!mailto.ok) return mailto.error
  // RFC 5436 §2.7: two that notify each other of their notifications never end.
  if (isAutoSubmitted(message)) return 'the mail was sent by a machine'
  if (hasSentOn(deliveryId, recipient)) return 'the mail comes from a notification of its own'
  const place = freePlace('notify', delivery, sent)
  if (place === undefined) return `more than ${NOTIFICATIONS_PER_HOUR_MAX} in an hour`
  const { recipients, to, cc, subject, body } = mailto.value
  const main = owner.addresses[0] ?? recipient
  const from = authorOf(notify.from, owner, [...owner.addresses, recipient], main)
  const original = message.header('subject')[0] ?? ''
  // The same method twice of one delivery is one mail.
  const what = createHash('sha256').update(notify.method).digest('hex')
  const id = entryId(deliveryId, recipient, `notify ${what}`)
  const octets = automaticMail({
    from,
    to,
    cc,
    subject: notify.message ?? subject ?? original,
    text: (body ?? summary(message, notify.message)).slice(0, TEXT_LENGTH_MAX),
    // RFC 5436 §2.7.1
    autoSubmitted: isAscii(Buffer.from(formatAddress(main)))
      ? `auto-notified; owner-email="${formatAddress(main).replace(/["\\]/g, '\\$&')}"`
      : 'auto-notified',
    fields: [`Importance: ${IMPORTANCE[notify.importance]}`],
    id,
    nowMs,
  })
  return {
    entry: {
      id,
      kind: 'notify',
      reversePath: null,
      recipients,
      body: isAscii(octets) ? '7bit' : '8bitmime',
      smtpUtf8: [...recipients, from.address].some(needsSmtpUtf8),
      content: octets,
      once: place,
    },
    memory: { key: place, untilMs: nowMs + HOUR_MS },
  }
}

/**
 * One of this hour's places for mails of a kind, while one is free; `sent`: how many the same delivery has
 * taken. Two deliveries at once that choose the same one: the commit leaves one out.
 */
export function freePlace(
  kind: 'notify' | 'redirect',
  { message, deliveryId, nowMs }: Delivery,
  sent: number,
): string | undefined {
  const hour = Math.floor(nowMs / HOUR_MS)
  const keys = Array.from({ length: NOTIFICATIONS_PER_HOUR_MAX }, (_, i) => `${kind}:${hour}:${i}`)
  const taken = new Set(message.remembered?.(keys))
  const free = keys.filter((key) => !taken.has(key))
  const digest = createHash('sha256').update(deliveryId).digest()
  return sent < free.length ? free[(digest.readUInt32BE() + sent) % free.length] : undefined
}

/** RFC 5436 §2.7: what it is about, where the script says nothing. */
const summary = (message: SieveMessage, text: string | undefined): string =>
  [
    ...(text === undefined ? [] : [text, '']),
    `From: ${line(message.header('from')[0])}`,
    `Subject: ${line(message.header('subject')[0])}`,
    '',
  ].join('\n')

const line = (text = ''): string => text.replace(/[\u0000-\u001f\u007f]+/g, ' ').slice(0, 500)
