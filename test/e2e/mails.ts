import { createHash } from 'node:crypto'

const head = (subject: string, type: string, encoding = '8bit'): string =>
  [
    'From: student@other.example',
    'To: hanako@campus.example',
    `Subject: ${subject}`,
    'Date: Wed, 25 Nov 2026 10:00:00 +0900',
    'MIME-Version: 1.0',
    `Content-Type: text/plain; charset=${type}`,
    `Content-Transfer-Encoding: ${encoding}`,
    '\r\n',
  ].join('\r\n')

/** A message of text in UTF-8. */
export const utf8 = (text: string): Buffer =>
  Buffer.from(head('=?utf-8?B?5Lya6K2w?=', 'utf-8') + text)

/** 会議 and 渡り as Japanese systems wrote them before UTF-8. */
const ISO_2022_JP = '\x1b$B2q5D\x1b(B \x1b$BEO$j\x1b(B\r\n'
const SHIFT_JIS = Buffer.from([0x89, 0xef, 0x8b, 0x63, 0x20, 0x93, 0x6e, 0x82, 0xe8, 0x0d, 0x0a])

/** What mail programs must read octet for octet, by what it is. */
export const MAILS: Readonly<Record<string, Buffer>> = {
  'Japanese in 8 bit': utf8('会議は水曜日です。\r\n渡り鳥\r\n'),
  'ISO-2022-JP, also in its header': Buffer.from(
    head('\x1b$B2q5D\x1b(B', 'iso-2022-jp', '7bit') + ISO_2022_JP,
  ),
  Shift_JIS: Buffer.concat([Buffer.from(head('sjis', 'Shift_JIS')), SHIFT_JIS]),
  'leading dots': utf8('.\r\n..\r\n.点で始まる行\r\n...\r\n\r\n.\r\n'),
  'a body of no octets': utf8(''),
  'no octets at all': Buffer.alloc(0),
  'lines of 1,500 and 100,000 octets': utf8(
    `${'か'.repeat(500)}\r\n.${'渡り'.repeat(16_666)}ab\r\n終\r\n`,
  ),
  'no CRLF at its end': utf8('最後の行に改行がない'),
  'no CRLF at its end, after a dot': utf8('会議\r\n.'),
  'empty lines at its end': utf8('会議\r\n\r\n\r\n'),
  '1 MB': utf8('これは長いメールです。.一行ずつ。\r\n'.repeat(20_000)),
}

export const sha256 = (octets: Uint8Array): string =>
  createHash('sha256').update(octets).digest('hex')

/** As POP3 gives it: a last line that has no end gets one (RFC 1939 §3). */
export const withLastCrlf = (octets: Buffer): Buffer =>
  octets.length === 0 || octets.subarray(-2).equals(Buffer.from('\r\n'))
    ? octets
    : Buffer.concat([octets, Buffer.from('\r\n')])

/** From the line ends of files. */
export const toCrlf = (octets: Buffer): Buffer =>
  Buffer.from(octets.toString('latin1').replace(/\r?\n/g, '\r\n'), 'latin1')
