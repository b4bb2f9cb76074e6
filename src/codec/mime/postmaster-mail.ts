import { bufferOf, fromUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { formatAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import { formatDate } from './date.ts'

/** A whole message from our postmaster, in UTF-8. */
export function postmasterMail(mail: {
  readonly to: Address
  /** Our domain; absent: the receiver's own. */
  readonly from?: string
  readonly subject: string
  readonly text: string
  /** Unguessable, of letters and digits. */
  readonly id: string
  readonly nowMs: number
}): Octets {
  const { to, from = to.domain, subject, text, id, nowMs } = mail
  const header = [
    `From: Postmaster <postmaster@${from}>`,
    `To: ${formatAddress(to)}`,
    `Subject: ${encodedWords(subject)}`,
    `Date: ${formatDate(nowMs)}`,
    `Message-ID: <${id}@${from}>`,
    'Auto-Submitted: auto-generated', // RFC 3834 §3.1.7
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: base64',
    '',
    base64(text.replaceAll('\n', '\r\n')).replace(/.{76}(?=.)/g, '$&\r\n'),
    '',
  ]
  return fromUtf8(header.join('\r\n'))
}

const base64 = (text: string): string => bufferOf(fromUtf8(text)).toString('base64')

/** RFC 2047 §2: a word has 75 characters at most, so no more than 12 of ours in a line, which are of three octets. */
const encodedWords = (text: string): string =>
  (text.match(/.{1,12}/gu) ?? []).map((part) => `=?utf-8?B?${base64(part)}?=`).join('\r\n ')
