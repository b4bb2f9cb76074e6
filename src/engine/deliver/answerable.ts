import { asciiLower } from '#base/text.ts'
import type { SieveMessage } from '#engine/sieve/message.ts'
import type { Address } from '#model/address.ts'
import { LIST_FIELDS } from '#model/list.ts'

import { ownsAddress } from './mail-owner.ts'

/** Where mail says whom it is for (RFC 5230 §4.5). */
const RECIPIENT_FIELDS = ['to', 'cc', 'bcc', 'resent-to', 'resent-cc', 'resent-bcc'] as const

/** RFC 5230 §4.6, RFC 3834 §2: who reads no answer, or answers it again. */
const MACHINES =
  /^(?:mailer-daemon|listserv|majordomo|mailman|owner-.*|.*-owner|.*-request|.*-bounces?|no-?reply|do-?not-?reply)$/

/** Addresses of one field that are looked at. */
const ADDRESSES_MAX = 1_000

/** Why nobody may get an automatic answer to this mail (RFC 3834 §2, RFC 5230 §4.5, §4.6); undefined: its sender may. */
export function whyUnanswerable(
  message: SieveMessage,
  own: readonly Address[],
): string | undefined {
  const sender = message.envelopeFrom
  if (sender === null) return 'it has the null reverse-path'
  if (MACHINES.test(asciiLower(sender.localpart))) return 'its sender is a machine'
  if (ownsAddress(own, sender)) return 'its sender is the recipient'
  // Whoever is named there is most often not who has sent it.
  if (message.spamValue >= SUSPECTED_FROM) return 'it is taken for spam'
  if (isAutomatic(message)) return 'it was sent by a machine'
  // RFC 2369, RFC 2919, RFC 8058: one of them, and it came by a list.
  if (LIST_FIELDS.some((name) => message.header(name).length > 0)) return 'it came by a list'
  if (addressedOf(message, own) === undefined)
    return 'it names none of the addresses of its recipient'
  return undefined
}

/** RFC 5235 §3.2: from here on it is suspected at least. */
const SUSPECTED_FROM = 5

const says = (message: SieveMessage, name: string, pattern: RegExp): boolean =>
  message.header(name).some((value) => pattern.test(value))

/** RFC 3834 §5 */
export const isAutoSubmitted = (message: SieveMessage): boolean =>
  says(message, 'auto-submitted', /^(?!\s*no\s*(?:[;(]|$))/i)

/** True for what says so itself: Precedence is older than the RFC, X-Auto-Response-Suppress of Exchange. */
const isAutomatic = (message: SieveMessage): boolean =>
  isAutoSubmitted(message) ||
  says(message, 'precedence', /^\s*(?:bulk|list|junk|auto_reply)\b/i) ||
  says(message, 'x-auto-response-suppress', /\b(?:all|oof|autoreply)\b/i)

/** The first of their addresses that the mail names. */
export function addressedOf(message: SieveMessage, own: readonly Address[]): Address | undefined {
  for (const name of RECIPIENT_FIELDS) {
    const named = message.addresses(name).slice(0, ADDRESSES_MAX)
    const found = named.find((address) => ownsAddress(own, address))
    if (found !== undefined) return found
  }
  return undefined
}
