import { asciiLower } from '#base/text.ts'

import { LOOP_FIELD } from './headers.ts'
import type { ListMail } from './list-mail.ts'

/** RFC 2369, RFC 2919, RFC 8058: it came by a list, this one or another. */
const OF_LISTS = /^list-(?:id|help|unsubscribe(?:-post)?|subscribe|post|owner|archive)$/
/** Whoever answers such an address answers a program (RFC 5230 §4.6). */
const MACHINES =
  /^(?:mailer-daemon|postmaster|listserv|majordomo|mailman|owner-.*|.*-(?:owner|request|bounces?|join|leave|confirm|subscribe|unsubscribe)|no-?reply|do-?not-?reply)$/

/**
 * Why nobody is answered, nor anything done for a mail (RFC 3834 §2); undefined: a person may have
 * written it. Stricter than for posts: two lists that ask each other would never end, and what is sent
 * to whom spam names would hit the wrong.
 */
export function whyUnanswerable({ envelope, fields, author }: ListMail): string | undefined {
  const { reversePath, verdict } = envelope
  if (reversePath === null) return 'bounce'
  const has = (name: string, pattern: RegExp): boolean =>
    fields.some(({ key, value }) => key === name && pattern.test(asciiLower(value.trim())))
  if (has('auto-submitted', /^(?!no\s*(?:[;(]|$))/)) return 'automatic'
  if (has('precedence', /^(?:bulk|list|junk|auto_reply)\b/)) return 'automatic'
  if (has('x-auto-response-suppress', /\b(?:all|autoreply)\b/)) return 'automatic'
  if (has('x-autoreply', /^/) || has('x-autorespond', /^/)) return 'automatic'
  if (fields.some(({ key }) => key === asciiLower(LOOP_FIELD) || OF_LISTS.test(key))) return 'list'
  const names = [reversePath.localpart, ...(author ? [author.address.localpart] : [])]
  if (names.some((name) => MACHINES.test(asciiLower(name)))) return 'machine'
  if ((verdict?.class ?? 'clean') !== 'clean' || verdict?.virus.kind === 'infected') return 'spam'
  return undefined
}
