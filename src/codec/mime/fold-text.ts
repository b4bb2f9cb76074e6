/**
 * Text in the form in which it is compared (after RFC 5051, NFKC in place of NFKD, and what Japanese
 * needs): full and half width, case, accents of Latin and Greek letters, hiragana and katakana, the
 * dashes, waves and quotes that charsets map in several ways are one. A run of blanks and line ends
 * is one blank, and none beside a script that is written without blanks: a word over a line's end is
 * a word, and 山田 太郎 is 山田太郎. Signs that are not seen are left out. Folded text stays as it is.
 */
export function foldText(text: string): string {
  if (isPlain(text)) return text.toLowerCase().replace(/[\u0000-\u0020\u007f]+/g, ' ')
  const folder = new Folder(text.length)
  folder.add(lowered(text))
  return folder.text()
}

/** Whether folded text holds a folded term. A blank at the term's edge meets one that folding left out as well. */
export function hasText(folded: string, term: string): boolean {
  if (folded.includes(term)) return true
  const core = term.trim()
  if (core === term || folded === '') return false
  if (core === '') return true
  const from = term.startsWith(' ') ? 1 : 0
  const isEdge = (at: number): boolean => {
    const unit = folded.charCodeAt(at)
    return unit === BLANK || isWide(unit)
  }
  for (let at = folded.indexOf(core); at >= 0; at = folded.indexOf(core, at + 1)) {
    const before = from === 0 || isEdge(at - 1)
    const after = !term.endsWith(' ') || isEdge(at + core.length)
    if (before && after) return true
  }
  return false
}

/** Folded text with the place of each of its units in what it was made of. */
export interface MappedText {
  readonly text: string
  /** Of each unit: where its character began, and where it ended. */
  readonly starts: Uint32Array
  readonly ends: Uint32Array
}

/** `foldText`, for marking what was found. */
export function foldMapped(text: string): MappedText {
  const starts: number[] = []
  const ends: number[] = []
  const folder = new Folder(text.length)
  let at = 0
  // What NFKC may compose belongs together: a letter with its marks, kana with their sound marks.
  for (const [cluster] of text.matchAll(/[^][\p{M}\uff9e\uff9f\u1160-\u11ff]*/gu)) {
    folder.add(lowered(cluster))
    while (starts.length < folder.length) {
      starts.push(at)
      ends.push(at + cluster.length)
    }
    at += cluster.length
  }
  const folded = folder.text()
  if (folded.length > starts.length) {
    starts.push(at) // a blank at the end
    ends.push(at)
  }
  return { text: folded, starts: Uint32Array.from(starts), ends: Uint32Array.from(ends) }
}

/** Units of scripts that are written without blanks, and halves of characters beyond the BMP. */
export const isWide = (unit: number): boolean =>
  unit >= 0x2e80 || (unit >= 0x1100 && unit <= 0x11ff)

const BLANK = 0x20
const NONE = 0

const isPlain = (text: string): boolean => /^[\u0000-\u007f]*$/.test(text)

function lowered(text: string): string {
  // To put a run of marks in order takes the square of its length: 1 MB of them, minutes. What parts
  // them is left out again (UAX #15 §13, stream-safe text).
  const safe = MARKS.test(text) ? text.replace(MARKS_ALL, '$&\u034f') : text
  const lower = safe.normalize('NFKC').toLowerCase()
  return LONGER.test(lower) ? lower.replace(LONGER_ALL, (sign) => TO_LONGER[sign] ?? '') : lower
}

const MARKS = /\p{M}{30}/u
const MARKS_ALL = /\p{M}{30}/gu

/** Signs that become more than one, or are more than one unit; variation selectors go. */
const TO_LONGER: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  '\u{20bb7}': '吉',
}
const LONGER = /ß|æ|œ|\u{20bb7}|[\u{e0100}-\u{e01ef}]/u
const LONGER_ALL = new RegExp(LONGER.source, 'gu')

class Folder {
  #units: Uint16Array
  length = 0
  #hasBlank = false

  constructor(length: number) {
    this.#units = new Uint16Array(length + 16)
  }

  add(text: string): void {
    const table = foldTable()
    this.#reserve(text.length + 1)
    const units = this.#units
    let { length } = this
    for (let at = 0; at < text.length; at++) {
      const unit = table[text.charCodeAt(at)]!
      if (unit === NONE) continue
      if (unit === BLANK) {
        this.#hasBlank = true
        continue
      }
      const last = length === 0 ? BLANK : units[length - 1]!
      if (this.#hasBlank) {
        this.#hasBlank = false
        if (!isWide(unit) && !(length > 0 && isWide(last))) units[length++] = BLANK
      }
      // A mark on a letter that has no sign of its own with it.
      else if (unit >= 0x300 && unit <= 0x36f && isAccented(last)) continue
      units[length++] = unit
    }
    this.length = length
  }

  text(): string {
    const { length } = this
    const isOpen = this.#hasBlank && !(length > 0 && isWide(this.#units[length - 1]!))
    if (isOpen) {
      this.#reserve(1)
      this.#units[length] = BLANK
    }
    const bytes = (length + (isOpen ? 1 : 0)) * 2
    return Buffer.from(this.#units.buffer, 0, bytes).toString('utf16le')
  }

  #reserve(more: number): void {
    // A blank that waited may come in front.
    const wanted = this.length + more + 1
    if (wanted <= this.#units.length) return
    const grown = new Uint16Array(wanted + this.#units.length)
    grown.set(this.#units)
    this.#units = grown
  }
}

const isAccented = (unit: number): boolean =>
  (unit >= 0x61 && unit <= 0x7a) || (unit >= 0x3b1 && unit <= 0x3c9)

let foldUnits: Uint16Array | undefined

/** What each unit becomes, after NFKC and lower case; 0: nothing. */
function foldTable(): Uint16Array {
  if (foldUnits !== undefined) return foldUnits
  const table = Uint16Array.from({ length: 0x1_0000 }, (_, unit) => unit)
  const set = (from: number, to: number, unit: number): void => {
    table.fill(unit, from, to + 1)
  }
  for (const [from, to] of BLANKS) set(from, to, BLANK)
  for (const [from, to] of UNSEEN) set(from, to, NONE)
  for (const [from, to] of ACCENTED)
    for (let unit = from; unit <= to; unit++) {
      const base = String.fromCharCode(unit).normalize('NFD').charCodeAt(0)
      if (isAccented(base)) table[unit] = base
    }
  for (let unit = 0x3041; unit <= 0x3096; unit++) table[unit] = unit + 0x60 // hiragana: katakana
  table[0x309d] = 0x30fd // ゝ
  table[0x309e] = 0x30fe // ゞ
  for (const [from, to] of SAME)
    for (const sign of from) table[sign.charCodeAt(0)] = to.charCodeAt(0)
  foldUnits = table
  return table
}

const BLANKS = [
  [0x00, 0x20],
  [0x7f, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
] as const

const UNSEEN = [
  [0xad, 0xad],
  [0x34f, 0x34f],
  [0x61c, 0x61c],
  [0x180b, 0x180f],
  [0x200b, 0x200f],
  [0x202a, 0x202e],
  [0x2060, 0x206f],
  [0xfe00, 0xfe0f],
  [0xfeff, 0xfeff],
] as const

const ACCENTED = [
  [0xc0, 0x24f],
  [0x370, 0x3ff],
  [0x1e00, 0x1fff],
] as const

/** Signs that are taken for one another; the small ヵ and ヶ of place names, forms of one kanji in names. */
const SAME: readonly (readonly [from: string, to: string])[] = [
  ['\u301c\uff5e\u223c\u223e\u02dc', '~'],
  ['\u2010\u2011\u2012\u2013\u2014\u2015\u2212\uff0d\u2500', '-'],
  ['\u2018\u2019\u201b\u2032\u02bc', "'"],
  ['\u201c\u201d\u201f\u2033', '"'],
  ['\u2225', '\u2016'],
  ['ς', 'σ'],
  ['ı', 'i'],
  ['ł', 'l'],
  ['ø', 'o'],
  ['đ', 'd'],
  ['ゕヵ', 'カ'],
  ['ゖヶ', 'ケ'],
  ['髙', '高'],
  ['﨑', '崎'],
  ['濵', '濱'],
  ['德', '徳'],
  ['瀨', '瀬'],
]
