import { createHash } from 'node:crypto'

import { bufferOf } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { decodeContent } from '#codec/mime/content-decoder.ts'
import { startsField } from '#codec/mime/header.ts'
import { MimeIndexer } from '#codec/mime/indexer.ts'
import type { MimePart } from '#model/message.ts'

/** Encodings within encodings that are undone. */
const DEPTH_MAX = 8
const VIEWS_MAX = 50_000
/** Octets that may come out of decoding, beside four times the message. */
const DECODED_BYTES_MAX = 64 * 1024 * 1024
/** Shorter runs of base64 are words of a language. */
const BASE64_RUN_MIN = 64

/**
 * Every reading of a message's octets: as they stand, each part by its label, and whatever looks like
 * base64 or quoted-printable whatever its label says, again and again. Programs read mail differently;
 * what any of them would see is looked at. Each reading comes once.
 */
export class Views {
  readonly #seen = new Set<string>()
  readonly #decodedMax: number
  #decoded = 0
  #count = 0
  /** Why something was not looked at. */
  cut: string | undefined

  constructor(message: Octets) {
    this.#decodedMax = DECODED_BYTES_MAX + 4 * message.length
  }

  *of(octets: Octets, depth = 0): Generator<Octets> {
    yield octets
    if (depth >= DEPTH_MAX) {
      this.cut ??= 'nesting'
      return
    }
    for (const inner of this.#readings(octets, depth)) {
      if (!this.#isNew(inner)) continue
      this.#decoded += inner.length
      if (this.#decoded > this.#decodedMax || ++this.#count > VIEWS_MAX) {
        this.cut ??= 'size'
        return
      }
      yield* this.of(inner, depth + 1)
    }
  }

  *#readings(octets: Octets, depth: number): Generator<Octets> {
    if (depth === 0 || startsField(octets.subarray(0, 1_000))) {
      const indexer = new MimeIndexer()
      indexer.feed(octets)
      const meta = indexer.finish()
      if (meta.truncated) this.cut ??= 'structure'
      yield* labelled(octets, meta.root)
    }
    for (const run of base64Runs(octets)) yield decodeContent(run, 'base64')
    if (hasQuoted(octets)) yield decodeContent(octets, 'quoted-printable')
  }

  #isNew(octets: Octets): boolean {
    if (octets.length === 0) return false
    const key = createHash('sha1').update(octets).digest('base64')
    if (this.#seen.has(key)) return false
    this.#seen.add(key)
    return true
  }
}

/** Leaves of a structure, inner messages' too. */
export function* leaves(part: MimePart): Generator<MimePart> {
  if (part.message !== undefined) yield* leaves(part.message.root)
  else if (part.parts.length === 0) yield part
  else for (const child of part.parts) yield* leaves(child)
}

export const bodyOf = (octets: Octets, part: MimePart): Octets =>
  octets.subarray(part.body.offset, part.body.offset + part.body.length)

function* labelled(octets: Octets, root: MimePart): Generator<Octets> {
  for (const part of leaves(root))
    if (part.encoding === 'base64' || part.encoding === 'quoted-printable')
      yield decodeContent(bodyOf(octets, part), part.encoding)
}

/** Stretches of lines that hold nothing but base64. */
function* base64Runs(octets: Octets): Generator<Octets> {
  const buffer = bufferOf(octets)
  let start = -1
  let at = 0
  while (at < buffer.length) {
    const lf = buffer.indexOf(0x0a, at)
    const end = lf < 0 ? buffer.length : lf
    const isRun = isBase64Line(buffer, at, end)
    if (isRun && start < 0) start = at
    if (!isRun && start >= 0) {
      if (at - start >= BASE64_RUN_MIN) yield buffer.subarray(start, at)
      start = -1
    }
    at = end + 1
  }
  if (start >= 0 && buffer.length - start >= BASE64_RUN_MIN) yield buffer.subarray(start)
}

function isBase64Line(buffer: Buffer, from: number, to: number): boolean {
  let end = to
  while (end > from && buffer[end - 1]! <= 0x20) end--
  let at = from
  while (at < end && buffer[at]! <= 0x20) at++
  if (at === end) return false
  for (; at < end; at++) {
    const octet = buffer[at]!
    const isLetter = (octet | 0x20) >= 0x61 && (octet | 0x20) <= 0x7a
    const isDigit = octet >= 0x2f && octet <= 0x39
    if (!isLetter && !isDigit && octet !== 0x2b && octet !== 0x3d) return false
  }
  return true
}

/** An escape or a soft line break of quoted-printable. */
function hasQuoted(octets: Octets): boolean {
  const buffer = bufferOf(octets)
  for (let at = buffer.indexOf(0x3d); at >= 0; at = buffer.indexOf(0x3d, at + 1)) {
    const next = String.fromCharCode(buffer[at + 1] ?? 0, buffer[at + 2] ?? 0)
    if (/^(?:[0-9A-Fa-f]{2}|\r\n|\n|[ \t])/.test(next)) return true
  }
  return false
}
