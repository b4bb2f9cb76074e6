import { isIPv6 } from 'node:net'

import { fromLatin1, fromUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { asciiLower, oneLine } from '#base/text.ts'
import { parseResults, renderResults } from '#codec/auth/results.ts'
import { renderVerdict } from '#codec/auth/verdict.ts'
import { formatDate } from '#codec/mime/date.ts'
import type { HeaderField } from '#codec/mime/header.ts'
import { formatAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import { transmissionType } from '#model/envelope.ts'
import type { Peer } from '#model/envelope.ts'
import type { Verdict } from '#model/verdict.ts'

export interface Trace {
  readonly peer: Peer
  readonly hostname: string
  readonly authservId: string
  readonly id: string
  readonly smtpUtf8: boolean
  readonly recipients: readonly Address[]
  readonly receivedAtMs: number
  readonly verdict: Verdict
}

/** The fields in front of what we take: Received, Authentication-Results, X-Watari-Verdict. */
export function traceFields(trace: Trace): Octets {
  const lines = [
    `Received: ${received(trace)}`,
    `Authentication-Results: ${renderResults(trace.authservId, trace.verdict.auth)}`,
    `X-Watari-Verdict: ${renderVerdict(trace.verdict)}`,
    '',
  ]
  const text = lines.join('\r\n')
  return trace.smtpUtf8 ? fromUtf8(text) : fromLatin1(text)
}

/** Date and Message-ID where a program left them to us (RFC 6409 §8.2, RFC 6409 §8.3). */
export function missingFields(
  fields: readonly HeaderField[],
  made: { readonly id: string; readonly hostname: string; readonly atMs: number },
): Octets {
  const has = (key: string): boolean => fields.some((field) => field.key === key)
  const date = has('date') ? '' : `Date: ${formatDate(made.atMs)}\r\n`
  const id = has('message-id') ? '' : `Message-ID: <${made.id}@${made.hostname}>\r\n`
  return fromLatin1(date + id)
}

/** True for fields that only we may write: a sender's own are taken out (RFC 8601 §5). */
export function claimsToBeOurs(field: HeaderField, authservId: string): boolean {
  if (field.key.startsWith('x-watari-')) return true
  if (field.key !== 'authentication-results') return false
  const named = parseResults(field.value)?.authservId
  return named !== undefined && asciiLower(named) === asciiLower(authservId)
}

/** RFC 5321 §4.4, with the protocol names of RFC 3848 and RFC 6531 §4.3. */
function received(trace: Trace): string {
  const { peer, smtpUtf8, recipients } = trace
  const protocol = transmissionType(peer, smtpUtf8)
  const ip = isIPv6(peer.ip) ? `IPv6:${peer.ip}` : peer.ip
  const tls =
    peer.tls === undefined
      ? ''
      : `\r\n\t(using ${safe(peer.tls.version, smtpUtf8)} with cipher ${safe(peer.tls.cipher, smtpUtf8)})`
  const only = recipients.length === 1 ? formatAddress(recipients[0]!) : ''
  // A local part with controls or blanks would fold badly; the queue knows the recipient anyway.
  const shown = only !== '' && !/\s/.test(only) && (smtpUtf8 || /^[\u0021-\u007e]+$/.test(only))
  return (
    `from ${safe(peer.helo ?? 'unknown', smtpUtf8) || 'unknown'} ([${ip}])${tls}\r\n` +
    `\tby ${trace.hostname} with ${protocol} id ${trace.id}` +
    `${shown ? `\r\n\tfor <${only}>` : ''};\r\n\t${formatDate(trace.receivedAtMs)}`
  )
}

/** What a peer said, fit for a word of a field: no blanks, controls, comments or 8-bit. */
const safe = (text: string, smtpUtf8: boolean): string =>
  oneLine(text, 255).replace(
    smtpUtf8 ? /[\s()<>;"\\\u0080-\u00a0]/g : /[^\u0021-\u007e]|[()<>;"\\]/g,
    '_',
  )
