import { bufferOf, concatOctets, LF } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { decodeCharset } from '#codec/mime/charset.ts'
import { contentDecoder } from '#codec/mime/content-decoder.ts'
import { paramOf } from '#codec/mime/encoded-word.ts'
import { foldText, hasText } from '#codec/mime/fold-text.ts'
import { bodyReadings, isMarkup } from '#codec/mime/readings.ts'
import type { MimePart } from '#model/message.ts'

/** Octets that are read as one text: a whole of 50 MB would hold up everybody else for seconds. */
const WINDOW_BYTES = 65_536
/** What a window repeats of the one before, so that nothing is cut in two: markup, then the text itself. */
const OVERLAP_BYTES = 4_096
const OVERLAP_BYTES_PER_CHARACTER = 16

const ESC = 0x1b

/** Looks for folded texts in the body of one text part while its octets come. */
export class BodySearch {
  readonly #part: Pick<MimePart, 'subtype' | 'params' | 'encoding'>
  readonly #missing: Set<string>
  readonly #found: Set<string>
  readonly #decoder: ReturnType<typeof contentDecoder>
  readonly #charset: string | undefined
  readonly #windowBytes: number
  readonly #overlapBytes: number
  #held: Octets[] = []
  #length = 0

  /** What is found is added to `found`. */
  constructor(
    part: Pick<MimePart, 'subtype' | 'params' | 'encoding'>,
    texts: Iterable<string>,
    found: Set<string>,
  ) {
    this.#part = part
    this.#found = found
    this.#missing = new Set([...texts].filter((text) => !found.has(text)))
    this.#decoder = contentDecoder(part.encoding)
    this.#charset = paramOf(part.params, 'charset')
    const longest = Math.max(0, ...[...this.#missing].map(({ length }) => length))
    this.#overlapBytes = OVERLAP_BYTES + longest * OVERLAP_BYTES_PER_CHARACTER
    this.#windowBytes = Math.max(WINDOW_BYTES, this.#overlapBytes * 8)
  }

  /** True once nothing is missing any more: the rest need not be read. */
  get isDone(): boolean {
    return this.#missing.size === 0
  }

  push(octets: Octets): void {
    this.#hold(this.#decoder.push(octets))
    if (this.#length < this.#windowBytes || this.isDone) return
    const window = bufferOf(concatOctets(this.#held))
    const end = this.#cut(window, window.length)
    this.#search(window.subarray(0, end))
    const rest = window.subarray(this.#cut(window, end - this.#overlapBytes))
    this.#held = [rest]
    this.#length = rest.length
  }

  /** After the last octets. */
  end(): void {
    this.#hold(this.#decoder.end())
    if (!this.isDone) this.#search(concatOctets(this.#held))
  }

  #hold(octets: Octets): void {
    if (octets.length === 0) return
    this.#held.push(octets)
    this.#length += octets.length
  }

  /**
   * Where to cut at `at` or shortly before: where a line or a JIS escape begins anew, or else between
   * characters of UTF-8. Other charsets find their way again at the next octet of ASCII.
   */
  #cut(window: Buffer, at: number): number {
    if (/^utf-?16/i.test(this.#charset ?? '')) return at & ~1
    const line = window.lastIndexOf(LF, at - 1) + 1
    if (line > at - OVERLAP_BYTES) return line
    const escape = window.lastIndexOf(ESC, at - 1)
    if (escape > at - OVERLAP_BYTES) return escape
    let cut = at
    while (cut > at - 3 && (window[cut] ?? 0) >> 6 === 2) cut-- // inside a character of UTF-8
    return cut
  }

  #search(octets: Octets): void {
    const text = decodeCharset(octets, this.#charset)
    for (const reading of bodyReadings(this.#part, text)) this.#look(foldText(reading))
    const isSource = this.#part.subtype === 'html' && [...this.#missing].some(isMarkup)
    if (isSource) this.#look(foldText(text))
  }

  #look(folded: string): void {
    for (const text of this.#missing) {
      if (!hasText(folded, text)) continue
      this.#missing.delete(text)
      this.#found.add(text)
    }
  }
}
