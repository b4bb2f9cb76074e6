import { bufferOf } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { x0213Character } from './jis-x0213.ts'

const ESC = 0x1b
const SO = 0x0e
const SI = 0x0f

type CodedSet =
  | 'ascii'
  | 'kana'
  | 'x0208'
  | 'x0212'
  | 'x0213-1'
  | 'x0213-2'
  | 'gb2312'
  | 'ksc5601'
  | 'latin1'
  | 'greek'

/** What an escape makes of the octets after it: G0 at once, G1 behind shift-out, G2 behind ESC N. */
const ESCAPES: readonly (readonly [escape: string, place: 0 | 1 | 2, set: CodedSet])[] = [
  ['(B', 0, 'ascii'],
  ['(J', 0, 'ascii'],
  ['(I', 0, 'kana'],
  ['$@', 0, 'x0208'],
  ['$B', 0, 'x0208'],
  ['$(@', 0, 'x0208'],
  ['$(B', 0, 'x0208'],
  ['$(D', 0, 'x0212'],
  // JIS X 0213: plane 1 of 2000 is that of 2004 without ten characters.
  ['$(O', 0, 'x0213-1'],
  ['$(Q', 0, 'x0213-1'],
  ['$(P', 0, 'x0213-2'],
  ['$A', 0, 'gb2312'], // RFC 1554
  ['$(C', 0, 'ksc5601'],
  ['$)C', 1, 'ksc5601'], // RFC 1557
  ['$)A', 1, 'gb2312'], // RFC 1922
  ['.A', 2, 'latin1'],
  ['.F', 2, 'greek'],
]

/** How the decoders of Node want the octets of a set. */
const CARRIERS: Readonly<Record<CodedSet, readonly [encoding: string, lead: number, size: 1 | 2]>> =
  {
    ascii: ['utf-8', 0, 1],
    kana: ['euc-jp', 0x8e, 1],
    x0208: ['euc-jp', 0, 2],
    x0212: ['euc-jp', 0x8f, 2],
    // No decoder of Node knows them: what stands in our own table goes as it is.
    'x0213-1': ['utf-8', 0, 2],
    'x0213-2': ['utf-8', 0, 2],
    gb2312: ['gbk', 0, 2],
    ksc5601: ['euc-kr', 0, 2],
    latin1: ['iso-8859-1', 0, 1],
    greek: ['iso-8859-7', 0, 1],
  }

/** True where octets hold an escape that mail in Japanese, Korean or Chinese begins a run with. */
export function hasCodeEscape(octets: Octets): boolean {
  const buffer = bufferOf(octets)
  for (let at = buffer.indexOf(ESC); at >= 0; at = buffer.indexOf(ESC, at + 1)) {
    const found = escapeAt(octets, at)
    if (found !== undefined && found[2] !== 'ascii') return true
    if (octets[at + 1] === 0x28 && octets[at + 2] === 0x4a) return true
  }
  return false
}

function escapeAt(octets: Octets, at: number): (typeof ESCAPES)[number] | undefined {
  const next = String.fromCharCode(...octets.subarray(at + 1, at + 4))
  return ESCAPES.find(([escape]) => next.startsWith(escape))
}

/**
 * ISO-2022-JP with its kin and vendors' rows (RFC 1468, RFC 1554, JIS X 0213; ① and ㈱ of NEC and IBM), ISO-2022-KR
 * (RFC 1557) and -CN (RFC 1922). Kana behind shift-out or of eight bits, and a line end within a
 * double-byte run, all seen in mail, are taken as meant. Total.
 */
export function decodeIso2022(octets: Octets): string {
  return new Iso2022(octets).decode()
}

class Iso2022 {
  readonly #octets: Octets
  readonly #decoders = new Map<string, TextDecoder>()
  #text = ''
  /** Octets of one decoder that have not been decoded yet. */
  #run: Buffer
  #used = 0
  #encoding = 'utf-8'

  constructor(octets: Octets) {
    this.#octets = octets
    this.#run = Buffer.alloc(octets.length * 3 + 3)
  }

  decode(): string {
    const octets = this.#octets
    let set: CodedSet = 'ascii'
    let second: CodedSet = 'kana'
    let third: CodedSet | undefined
    let isShifted = false
    for (let at = 0; at < octets.length; at++) {
      const octet = octets[at]!
      if (octet === ESC) {
        const found = escapeAt(octets, at)
        if (found !== undefined) {
          if (found[1] === 0) set = found[2]
          else if (found[1] === 1) second = found[2]
          else third = found[2]
          at += found[0].length
          continue
        }
        if (octets[at + 1] === 0x4e && third !== undefined) {
          at += 2
          if (at < octets.length) this.#put(third, octets[at]! & 0x7f, 0)
          continue
        }
      }
      if (octet === SO || octet === SI) isShifted = octet === SO
      else if (octet === 0x0a || octet === 0x0d) {
        set = 'ascii'
        isShifted = false
        this.#plain(octet)
      } else at += this.#character(isShifted ? second : set, at)
    }
    this.#flush()
    return this.#text
  }

  /** Puts the character at `at`; returns 1 where it took a second octet. */
  #character(set: CodedSet, at: number): 0 | 1 {
    const octet = this.#octets[at]!
    const [, , size] = CARRIERS[set]
    const isKana = octet >= 0xa1 && octet <= 0xdf
    // Eight bits are kana between double-byte runs, and within them only where no pair is.
    if (octet > 0x7f) {
      if (isKana) this.#put('kana', octet & 0x7f, 0)
      else this.#plain(0x3f)
      return 0
    }
    const low = this.#octets[at + 1] ?? 0
    if (set === 'kana' && octet > 0x20 && octet < 0x60) this.#put(set, octet, 0)
    else if (size === 2 && octet > 0x20 && octet < 0x7f && low > 0x20 && low < 0x7f) {
      this.#put(set, octet, low)
      return 1
    } else this.#plain(octet)
    return 0
  }

  #plain(octet: number): void {
    // ASCII is the same to all of the decoders.
    this.#run[this.#used++] = octet
  }

  #put(set: CodedSet, high: number, low: number): void {
    const [encoding, lead, size] = CARRIERS[set]
    if (encoding !== this.#encoding) {
      this.#flush()
      this.#encoding = encoding
    }
    if (set === 'x0213-1' || set === 'x0213-2') {
      const character = x0213Character(set === 'x0213-1' ? 1 : 2, high - 0x20, low - 0x20)
      this.#used += this.#run.write(character ?? '\ufffd', this.#used)
      return
    }
    if (lead !== 0) this.#run[this.#used++] = lead
    this.#run[this.#used++] = high | 0x80
    if (size === 2) this.#run[this.#used++] = low | 0x80
  }

  #flush(): void {
    if (this.#used === 0) return
    let decoder = this.#decoders.get(this.#encoding)
    if (decoder === undefined) {
      decoder = new TextDecoder(this.#encoding)
      this.#decoders.set(this.#encoding, decoder)
    }
    this.#text += decoder.decode(this.#run.subarray(0, this.#used))
    this.#used = 0
  }
}

/** HZ (RFC 1843): GB 2312 between `~{` and `~}`, a tilde as `~~`. */
export function decodeHz(octets: Octets): string {
  const out = Buffer.alloc(octets.length)
  let used = 0
  let isDouble = false
  for (let at = 0; at < octets.length; at++) {
    const octet = octets[at]!
    const low = octets[at + 1] ?? 0
    if (octet === 0x7e && (low === 0x7b || low === 0x7d)) {
      isDouble = low === 0x7b
      at++
    } else if (octet === 0x7e && !isDouble && (low === 0x7e || low === 0x0a)) {
      if (low === 0x7e) out[used++] = octet
      at++
    } else if (isDouble && octet > 0x20 && octet < 0x7f && low > 0x20 && low < 0x7f) {
      out[used++] = octet | 0x80
      out[used++] = low | 0x80
      at++
    } else {
      if (octet === 0x0a) isDouble = false
      out[used++] = octet
    }
  }
  return new TextDecoder('gbk').decode(out.subarray(0, used))
}
