import type { Octets } from '#base/octets.ts'
import type { Description } from './part-header.ts'
import { decodeText, htmlToText } from './text.ts'

/** Characters of a preview. */
const PREVIEW_CHARACTERS_MAX = 256
/** Octets of a text part that a preview is made of. */
const CAPTURE_BYTES_MAX = 16_384
/** Text parts that are tried until one has text. */
const CAPTURES_MAX = 4

const WORD = /[^\s\0]+/g

/** Collects the first texts of a message while it goes by. */
export class PreviewCollector {
  readonly #captures: { readonly description: Description; pieces: Octets[]; length: number }[] = []

  /** The number of a new capture, or -1 where this part gives no preview. */
  open(description: Description): number {
    const { type, subtype, fields } = description
    const isText = type === 'text' && (subtype === 'plain' || subtype === 'html')
    if (!isText || fields.disposition?.kind === 'attachment') return -1
    if (this.#captures.length >= CAPTURES_MAX) return -1
    return this.#captures.push({ description, pieces: [], length: 0 }) - 1
  }

  add(capture: number, piece: Octets): void {
    const kept = this.#captures[capture]!
    const room = CAPTURE_BYTES_MAX - kept.length
    if (room > 0) kept.pieces.push(Buffer.from(piece.subarray(0, room)))
    kept.length += piece.length
  }

  /** True where nothing more is wanted: for no capture, and once it has enough. */
  isFull(capture: number): boolean {
    return capture < 0 || this.#captures[capture]!.length >= CAPTURE_BYTES_MAX
  }

  /** Takes back the last `length` octets that were added. */
  remove(capture: number, length: number): void {
    const kept = this.#captures[capture]!
    kept.length -= length
    kept.pieces = [Buffer.concat(kept.pieces).subarray(0, Math.max(0, kept.length))]
  }

  /** The first text that is not blank, folded and cut. */
  text(): string {
    for (const { description, pieces } of this.#captures) {
      const decoded = decodeText(description.fields, Buffer.concat(pieces))
      const plain = description.subtype === 'html' ? htmlToText(decoded) : decoded
      const folded = foldedStart(plain)
      if (folded !== '') return folded
    }
    return ''
  }
}

/** The first characters of the text, each run of white space as one blank. */
function foldedStart(text: string): string {
  let folded = ''
  let count = 0
  for (const [word] of text.matchAll(WORD)) {
    if (folded !== '') {
      folded += ' '
      count++
    }
    for (const character of word) {
      if (count >= PREVIEW_CHARACTERS_MAX) return folded
      folded += character
      count++
    }
  }
  return folded
}
