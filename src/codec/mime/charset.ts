import iconv from 'iconv-lite'

import { bufferOf, toLatin1, toUtf8, toUtf8Strict } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { asciiLower } from '#base/text.ts'

/**
 * Text of octets in a charset by its label. Total: a label that is absent, unknown or plainly
 * wrong is guessed (JIS escapes, UTF-8, Shift_JIS, EUC-JP, then Windows-1252).
 */
export function decodeCharset(octets: Octets, label?: string): string {
  const name = canonical(label)
  const isSevenBit = octets.every((octet) => octet < 0x80)
  if (isSevenBit && hasJisEscape(octets)) return decodeJis(octets)
  if (name === undefined || name === 'us-ascii')
    return isSevenBit ? toLatin1(octets) : guess(octets)
  if (name === 'utf-8') return toUtf8Strict(withoutBom(octets)) ?? guess(octets)
  if (name === 'iso-2022-jp') return isSevenBit ? decodeJis(octets) : guess(octets)
  return decodeByName(octets, name) ?? guess(octets)
}

/** Whether the label names a charset that is decoded as such, and not guessed; an absent one is US-ASCII. */
export function knowsCharset(label?: string): boolean {
  const name = label === undefined ? 'us-ascii' : canonical(label)
  if (name === undefined) return false
  if (name === 'us-ascii' || name === 'iso-2022-jp') return true
  try {
    return new TextDecoder(name).encoding !== ''
  } catch {
    return iconv.encodingExists(name)
  }
}

/** Names that mail uses for what the decoders know under another. */
const ALIASES: Readonly<Record<string, string>> = {
  ascii: 'us-ascii',
  'ansi_x3.4-1968': 'us-ascii',
  'unknown-8bit': 'us-ascii',
  unknown: 'us-ascii',
  'x-unknown': 'us-ascii',
  utf8: 'utf-8',
  'unicode-1-1-utf-8': 'utf-8',
  'iso-2022-jp-1': 'iso-2022-jp',
  'iso-2022-jp-2': 'iso-2022-jp',
  'iso-2022-jp-ms': 'iso-2022-jp',
  csiso2022jp: 'iso-2022-jp',
  cp50220: 'iso-2022-jp',
  cp50221: 'iso-2022-jp',
  cp50222: 'iso-2022-jp',
  jis: 'iso-2022-jp',
  cp932: 'shift_jis',
  ms932: 'shift_jis',
  'windows-31j': 'shift_jis',
  sjis: 'shift_jis',
  'x-sjis': 'shift_jis',
  'shift-jis': 'shift_jis',
  eucjp: 'euc-jp',
  'euc-jp-ms': 'euc-jp',
  eucjpms: 'euc-jp',
  cp51932: 'euc-jp',
  'x-euc-jp': 'euc-jp',
  gb2312: 'gb18030',
  gbk: 'gb18030',
  'ks_c_5601-1987': 'euc-kr',
}

function canonical(label: string | undefined): string | undefined {
  if (label === undefined) return undefined
  const name = asciiLower(label.trim().replace(/^["']|["']$/g, ''))
  if (name === '' || name.length > 60) return undefined
  return ALIASES[name] ?? name
}

function decodeByName(octets: Octets, name: string): string | undefined {
  try {
    return new TextDecoder(name).decode(octets)
  } catch {
    return iconv.encodingExists(name) ? iconv.decode(bufferOf(octets), name) : undefined
  }
}

function guess(octets: Octets): string {
  const utf8 = toUtf8Strict(withoutBom(octets))
  if (utf8 !== undefined) return utf8
  if (hasJisEscape(octets)) return decodeJis(octets)
  for (const name of looksLikeEucJp(octets) ? ['euc-jp', 'shift_jis'] : ['shift_jis', 'euc-jp']) {
    const text = strictly(octets, name)
    if (text !== undefined && /[\u3040-\u30ff\u4e00-\u9fff]/.test(text)) return text
  }
  // Mostly UTF-8 with a broken octet or two is still UTF-8.
  const loose = toUtf8(octets)
  const broken = loose.split('\ufffd').length - 1
  const wide = loose.match(/[\u0080-\ufffc\u{10000}-\u{10ffff}]/gu)?.length ?? 0
  if (wide > broken * 4) return loose
  return new TextDecoder('windows-1252').decode(octets)
}

function strictly(octets: Octets, name: string): string | undefined {
  try {
    return new TextDecoder(name, { fatal: true }).decode(octets)
  } catch {
    return undefined
  }
}

/** EUC-JP has all octets of a character in A1–FE, kana of Shift_JIS have their lead in 81–9F. */
const looksLikeEucJp = (octets: Octets): boolean =>
  octets.every((octet) => octet < 0x80 || octet >= 0xa1 || octet === 0x8e || octet === 0x8f)

const withoutBom = (octets: Octets): Octets =>
  octets[0] === 0xef && octets[1] === 0xbb && octets[2] === 0xbf ? octets.subarray(3) : octets

const ESC = 0x1b

function hasJisEscape(octets: Octets): boolean {
  const buffer = bufferOf(octets)
  for (let at = buffer.indexOf(ESC); at >= 0; at = buffer.indexOf(ESC, at + 1)) {
    if (octets[at + 1] === 0x24 && /^[@B(A]$/.test(String.fromCharCode(octets[at + 2] ?? 0)))
      return true
    if (octets[at + 1] === 0x28 && (octets[at + 2] === 0x49 || octets[at + 2] === 0x4a)) return true
  }
  return false
}

type JisSet = 'ascii' | 'kana' | 'x0208' | 'x0212'
const ESCAPES: readonly (readonly [escape: string, set: JisSet])[] = [
  ['(B', 'ascii'],
  ['(J', 'ascii'],
  ['(I', 'kana'],
  ['$@', 'x0208'],
  ['$B', 'x0208'],
  ['$(@', 'x0208'],
  ['$(B', 'x0208'],
  ['$(D', 'x0212'],
]

/**
 * ISO-2022-JP and its Microsoft forms (RFC 1468), by way of EUC-JP, whose decoder knows the same
 * characters and the vendors' rows (①, ㈱) as well. Shift-out kana and a line end within a
 * double-byte run, both seen in mail, are taken as meant.
 */
function decodeJis(octets: Octets): string {
  const out = Buffer.alloc(octets.length * 2)
  let used = 0
  let set: JisSet = 'ascii'
  let shifted = false
  for (let at = 0; at < octets.length; at++) {
    const octet = octets[at]!
    if (octet === ESC) {
      const next = String.fromCharCode(...octets.subarray(at + 1, at + 4))
      const found = ESCAPES.find(([escape]) => next.startsWith(escape))
      if (found !== undefined) {
        set = found[1]
        at += found[0].length
        continue
      }
    }
    if (octet === 0x0e || octet === 0x0f) {
      shifted = octet === 0x0e
      continue
    }
    if (octet === 0x0d || octet === 0x0a) set = 'ascii'
    const low = octets[at + 1] ?? 0
    const isGraphic = octet > 0x20 && octet < 0x7f
    if ((set === 'kana' || shifted) && octet > 0x20 && octet < 0x60) {
      out[used++] = 0x8e
      out[used++] = octet | 0x80
    } else if ((set === 'x0208' || set === 'x0212') && isGraphic && low > 0x20 && low < 0x7f) {
      if (set === 'x0212') out[used++] = 0x8f
      out[used++] = octet | 0x80
      out[used++] = low | 0x80
      at++
    } else out[used++] = octet & 0x7f
  }
  return new TextDecoder('euc-jp').decode(out.subarray(0, used))
}
