import iconv from 'iconv-lite'

import { bufferOf, isAscii, toLatin1, toUtf8, toUtf8Strict } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { asciiLower } from '#base/text.ts'
import { decodeHz, decodeIso2022, hasCodeEscape } from './iso-2022.ts'
import { decodeX0213 } from './jis-x0213.ts'

/**
 * Text of octets in a charset by its label. Total: a label that is absent, unknown or plainly
 * wrong is guessed (JIS escapes, UTF-8, Shift_JIS, EUC-JP, then Windows-1252).
 */
export function decodeCharset(octets: Octets, label?: string): string {
  const name = canonical(label)
  if (isUtf16(name)) return decodeUtf16(octets, name)
  const isSevenBit = isAscii(octets)
  if (isSevenBit && hasCodeEscape(octets)) return decodeIso2022(octets)
  if (name === 'hz-gb-2312') return decodeHz(octets)
  if (name === 'utf-7' || name === 'utf-7-imap') return iconv.decode(bufferOf(octets), name)
  if (name === undefined || name === 'us-ascii')
    return isSevenBit ? toLatin1(octets) : guess(octets)
  if (name === 'utf-8') return toUtf8Strict(withoutBom(octets)) ?? guess(octets)
  // Kana of eight bits between escapes, as CP50221 has them.
  if (name === 'iso-2022-jp')
    return isSevenBit || hasCodeEscape(octets) ? decodeIso2022(octets) : guess(octets)
  if (name === 'shift_jis' || name === 'euc-jp') return decodeJapanese(octets, name)
  const base = OF_X0213.get(name)
  if (base !== undefined) return decodeOfX0213(octets, base)
  if (WESTERN.has(name)) return decodeWestern(octets, name)
  return decodeByName(octets, name) ?? guess(octets)
}

const isUtf16 = (name: string | undefined): name is string =>
  name !== undefined && /^utf-?16(?:le|be)?$/.test(name)

/** Without a mark of its order big-endian (RFC 2781 §4.3), except where only the other is text. */
function decodeUtf16(octets: Octets, name: string): string {
  const [first, second] = octets
  const marked = first === 0xfe && second === 0xff ? 'be' : first === 0xff && second === 0xfe
  const named = /(?:le|be)$/.exec(name)?.[0]
  const order = marked === 'be' ? 'be' : marked ? 'le' : (named ?? likelyOrder(octets))
  return new TextDecoder(`utf-16${order}`).decode(octets)
}

function likelyOrder(octets: Octets): 'le' | 'be' {
  // Blanks and line ends are in any text: the zero of U+0020 or U+000A tells.
  let little = 0
  for (let at = 0; at + 1 < octets.length; at += 2) {
    if (octets[at + 1] === 0 && octets[at]! < 0x80) little++
    if (octets[at] === 0 && octets[at + 1]! < 0x80) little--
  }
  return little > 0 ? 'le' : 'be'
}

const WESTERN: ReadonlySet<string> = new Set([
  'iso-8859-1',
  'iso-8859-15',
  'latin1',
  'windows-1252',
  'cp1252',
])

/** Programs write that label without looking: what is UTF-8, or has kana of Shift_JIS or EUC, is that. */
function decodeWestern(octets: Octets, name: string): string {
  const utf8 = toUtf8Strict(withoutBom(octets))
  if (utf8 !== undefined) return utf8
  for (const other of ['shift_jis', 'euc-jp']) {
    const text = strictly(octets, other)
    // Any two octets may be a kanji; of hiragana some are by chance, but not a third.
    if (text !== undefined && shareOf(text, /[\u3041-\u3096]/g) > 1 / 3) return text
  }
  return decodeByName(octets, name) ?? guess(octets)
}

/** A label of the other of the two is known by what it makes: broken octets, or half-width signs. */
function decodeJapanese(octets: Octets, name: 'shift_jis' | 'euc-jp'): string {
  const text = strictly(octets, name)
  if (text === undefined) return guessOf(octets) ?? new TextDecoder(name).decode(octets)
  if (name === 'shift_jis' && looksLikeEucJp(octets)) {
    const other = strictly(octets, 'euc-jp')
    if (other !== undefined && shareOf(other, /[\u3041-\u3096]/g) > 1 / 3) return other
  }
  return text
}

const OF_X0213: ReadonlyMap<string, 'shift_jis' | 'euc-jp'> = new Map<
  string,
  'shift_jis' | 'euc-jp'
>([
  ['shift_jis-2004', 'shift_jis'],
  ['euc-jis-2004', 'euc-jp'],
])

/** What is no text of JIS X 0213 may be one of the vendors' rows, or of the other encoding. */
function decodeOfX0213(octets: Octets, base: 'shift_jis' | 'euc-jp'): string {
  const text = decodeX0213(octets, base)
  if (!text.includes('\ufffd')) return text
  return strictly(octets, base) ?? guessOf(octets) ?? text
}

/** The part of the characters above ASCII that match. */
function shareOf(text: string, pattern: RegExp): number {
  const wide = text.match(/[^\u0000-\u007f]/g)?.length ?? 0
  return wide === 0 ? 0 : (text.match(pattern)?.length ?? 0) / wide
}

/** Whether the label names a charset that is decoded as such, and not guessed; an absent one is US-ASCII. */
export function knowsCharset(label?: string): boolean {
  const name = label === undefined ? 'us-ascii' : canonical(label)
  if (name === undefined) return false
  if (name === 'us-ascii' || name === 'iso-2022-jp' || name === 'hz-gb-2312') return true
  if (OF_X0213.has(name)) return true
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
  'iso-2022-jp-3': 'iso-2022-jp',
  'iso-2022-jp-2004': 'iso-2022-jp',
  iso2022_jp_2004: 'iso-2022-jp',
  'iso-2022-kr': 'iso-2022-jp',
  csiso2022kr: 'iso-2022-jp',
  'iso-2022-cn': 'iso-2022-jp',
  'iso-2022-cn-ext': 'iso-2022-jp',
  jis: 'iso-2022-jp',
  cp932: 'shift_jis',
  ms932: 'shift_jis',
  'windows-31j': 'shift_jis',
  sjis: 'shift_jis',
  'x-sjis': 'shift_jis',
  'shift-jis': 'shift_jis',
  shiftjis: 'shift_jis',
  shift_jis_2004: 'shift_jis-2004',
  sjis_2004: 'shift_jis-2004',
  shift_jisx0213: 'shift_jis-2004',
  cp943: 'shift_jis',
  csshiftjis: 'shift_jis',
  ms_kanji: 'shift_jis',
  'x-ms-cp932': 'shift_jis',
  eucjp: 'euc-jp',
  'euc-jp-ms': 'euc-jp',
  eucjpms: 'euc-jp',
  cp51932: 'euc-jp',
  'x-euc-jp': 'euc-jp',
  euc_jis_2004: 'euc-jis-2004',
  'euc-jisx0213': 'euc-jis-2004',
  cseucpkdfmtjapanese: 'euc-jp',
  gb2312: 'gb18030',
  gbk: 'gb18030',
  'ks_c_5601-1987': 'euc-kr',
}

function canonical(label: string | undefined): string | undefined {
  if (label === undefined) return undefined
  const name = asciiLower(label.trim().replace(/^["']|["']$/g, ''))
  if (name === '' || name.length > 60) return undefined
  return Object.hasOwn(ALIASES, name) ? ALIASES[name] : name
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
  if (hasCodeEscape(octets)) return decodeIso2022(octets)
  return guessOf(octets) ?? new TextDecoder('windows-1252').decode(octets)
}

function guessOf(octets: Octets): string | undefined {
  for (const name of looksLikeEucJp(octets) ? ['euc-jp', 'shift_jis'] : ['shift_jis', 'euc-jp']) {
    const text = strictly(octets, name)
    if (text !== undefined && /[\u3040-\u30ff\u4e00-\u9fff]/.test(text)) return text
  }
  // Mostly UTF-8 with a broken octet or two is still UTF-8.
  const loose = toUtf8(octets)
  const broken = loose.split('\ufffd').length - 1
  const wide = loose.match(/[\u0080-\ufffc\u{10000}-\u{10ffff}]/gu)?.length ?? 0
  return wide > broken * 4 ? loose : undefined
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
