import { bufferOf, concatOctets, fromUtf8, isAscii } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { oneLine } from '#base/text.ts'
import { formatAddress, needsSmtpUtf8 } from '#model/address.ts'
import type { Address } from '#model/address.ts'

/** RFC 3464 §2.3.3: what happened. */
export type DsnAction = 'failed' | 'delayed' | 'delivered' | 'relayed'

export interface DsnRecipient {
  readonly address: Address
  /** ORCPT as it was given, `rfc822;hanako@example`. */
  readonly original?: string
  readonly action: DsnAction
  /** RFC 3463: `5.1.1`. */
  readonly status: string
  /** What the peer said, `550 5.1.1 no such user`. */
  readonly diagnostic: string
  /** Who said it. */
  readonly remoteMta?: string
  readonly willRetryUntilMs?: number
}

export interface DsnReport {
  /** One action for the whole report; it chooses the words for people. */
  readonly action: DsnAction
  /** Our own host name. */
  readonly reportingMta: string
  readonly to: Address
  readonly envid?: string
  readonly arrivedAtMs: number
  readonly nowMs: number
  /** Unguessable, of letters and digits: names the report and parts it. */
  readonly id: string
  readonly recipients: readonly DsnRecipient[]
  /** The message that it is about: its header, or the whole of it (RFC 3461 §6.2). */
  readonly about: { readonly kind: 'header' | 'whole'; readonly octets: Octets }
}

const WORDS: Readonly<Record<DsnAction, { readonly subject: string; readonly text: string }>> = {
  failed: {
    subject: '配送できませんでした (Undeliverable)',
    text: '次の宛先に配送できませんでした。\nYour message could not be delivered to:',
  },
  delayed: {
    subject: '配送が遅れています (Delayed)',
    text: '次の宛先への配送が遅れています。再送を続けますので、何もする必要はありません。\nYour message is delayed; it will be tried again, nothing needs to be done:',
  },
  delivered: {
    subject: '配送しました (Delivered)',
    text: '次の宛先に配送しました。\nYour message was delivered to:',
  },
  relayed: {
    subject: '中継しました (Relayed)',
    text: '次の宛先へ、配送通知に対応しないサーバーに渡しました。\nYour message was passed on to a server that sends no delivery reports:',
  },
}

/** A delivery report (RFC 3464, RFC 6522) as a whole message, for people in Japanese and English. */
export function renderDsn(report: DsnReport): Octets {
  const words = WORDS[report.action]
  const boundary = `=_${report.id}`
  const header = [
    `From: Mail Delivery System <mailer-daemon@${report.reportingMta}>`,
    `To: ${formatAddress(report.to)}`,
    `Subject: =?utf-8?B?${base64(words.subject)}?=`,
    `Date: ${dateOf(report.nowMs)}`,
    `Message-ID: <${report.id}@${report.reportingMta}>`,
    'Auto-Submitted: auto-replied', // RFC 3834 §3.1.7
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=delivery-status;',
    `\tboundary="${boundary}"`,
    '',
    '',
  ]
  const forPeople = [
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: base64',
    '',
    wrapped(base64(textOf(report, words.text))),
  ]
  const forPrograms = ['Content-Type: message/delivery-status', '', statusOf(report)]
  const part = (lines: readonly string[]): Octets =>
    fromUtf8(`--${boundary}\r\n${lines.join('\r\n')}\r\n`)
  return concatOctets([
    fromUtf8(header.join('\r\n')),
    part(forPeople),
    part(forPrograms),
    fromUtf8(`--${boundary}\r\n`),
    aboutPart(report.about),
    fromUtf8(`\r\n--${boundary}--\r\n`),
  ])
}

const base64 = (text: string): string => bufferOf(fromUtf8(text)).toString('base64')
const wrapped = (text: string): string => text.replace(/.{76}(?=.)/g, '$&\r\n')

function textOf(report: DsnReport, text: string): string {
  const lines = report.recipients.flatMap((recipient) => [
    '',
    `  <${formatAddress(recipient.address)}>`,
    `    ${recipient.remoteMta === undefined ? '' : `${oneLine(recipient.remoteMta)}: `}${oneLine(recipient.diagnostic)}`,
  ])
  return [text, ...lines, '', report.reportingMta, ''].join('\n').replaceAll('\n', '\r\n')
}

/** RFC 3464 §2: fields of the message, then of each recipient; all in ASCII. */
function statusOf(report: DsnReport): string {
  const message = [
    `Reporting-MTA: dns; ${ascii(report.reportingMta)}`,
    ...(report.envid === undefined ? [] : [`Original-Envelope-Id: ${ascii(report.envid)}`]),
    `Arrival-Date: ${dateOf(report.arrivedAtMs)}`,
  ]
  const recipients = report.recipients.map((recipient) => [
    ...(recipient.original === undefined
      ? []
      : [`Original-Recipient: ${original(recipient.original)}`]),
    `Final-Recipient: ${typed(recipient.address)}`,
    `Action: ${recipient.action}`,
    `Status: ${recipient.status}`,
    ...(recipient.remoteMta === undefined
      ? []
      : [`Remote-MTA: dns; ${ascii(recipient.remoteMta)}`]),
    `Diagnostic-Code: smtp; ${ascii(recipient.diagnostic)}`,
    `Last-Attempt-Date: ${dateOf(report.nowMs)}`,
    ...(recipient.willRetryUntilMs === undefined
      ? []
      : [`Will-Retry-Until: ${dateOf(recipient.willRetryUntilMs)}`]),
  ])
  return [message, ...recipients].map((fields) => `${fields.join('\r\n')}\r\n`).join('\r\n')
}

const ascii = (text: string): string => oneLine(text).replace(/[^\u0020-\u007e]+/gu, '?')

/** RFC 6533 §3: addresses beyond ASCII are of type utf-8, their code points escaped. */
const typed = (address: Address): string =>
  needsSmtpUtf8(address)
    ? `utf-8; ${escaped(formatAddress(address))}`
    : `rfc822; ${formatAddress(address)}`

function original(text: string): string {
  const [type = '', ...rest] = oneLine(text).split(';')
  return `${ascii(type)}; ${escaped(rest.join(';').trim())}`
}

const escaped = (text: string): string =>
  text.replace(
    /[^\u0020-\u007e]/gu,
    (char) => `\\x{${char.codePointAt(0)!.toString(16).toUpperCase()}}`,
  )

function aboutPart(about: DsnReport['about']): Octets {
  const { octets } = about
  const plain = isCrlfText(octets)
  if (about.kind === 'whole' && plain) {
    const encoding = isAscii(octets) ? '7bit' : '8bit'
    const head = `Content-Type: message/rfc822\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n`
    return concatOctets([fromUtf8(head), octets])
  }
  const header = about.kind === 'whole' ? headerOf(octets) : octets
  if (isCrlfText(header) && isAscii(header))
    return concatOctets([fromUtf8('Content-Type: text/rfc822-headers\r\n\r\n'), header])
  // RFC 6533 §6.3; base64 holds whatever octets the header had
  return fromUtf8(
    [
      'Content-Type: message/global-headers',
      'Content-Transfer-Encoding: base64',
      '',
      wrapped(bufferOf(header).toString('base64')),
    ].join('\r\n'),
  )
}

const LINE_BYTES_MAX = 998 // RFC 5322 §2.1.1

/** Whether lines carry it: CR and LF in pairs only, no NUL, no line too long. */
function isCrlfText(octets: Octets): boolean {
  const text = bufferOf(octets).toString('latin1')
  return (
    !/\u0000|\r(?!\n)|(?<!\r)\n/.test(text) &&
    text.split('\r\n').every((line) => line.length <= LINE_BYTES_MAX)
  )
}

/** The header of a message, its blank line not included. */
export function headerOf(octets: Octets): Octets {
  const match = /\r?\n\r?\n/.exec(bufferOf(octets).toString('latin1'))
  return match === null
    ? octets
    : octets.subarray(0, match.index + (match[0].startsWith('\r') ? 2 : 1))
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')

/** RFC 5322 §3.3, in UTC. */
function dateOf(ms: number): string {
  const at = new Date(ms)
  const two = (n: number): string => String(n).padStart(2, '0')
  return `${DAYS[at.getUTCDay()]}, ${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]} ${at.getUTCFullYear()} ${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())} +0000`
}
