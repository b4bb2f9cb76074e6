import { CR, LF, bufferOf, toLatin1 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import type { MessageMeta, MimePart } from '#model/message.ts'
import { HEADER_BYTES_MAX, startsField } from './header.ts'
import { PreviewCollector } from './preview.ts'
import { HeaderBuffer, describeHeader, emptyDescription } from './part-header.ts'
import type { Description } from './part-header.ts'

/** Nested multiparts and messages; deeper ones are opaque leaves. */
export const DEPTH_MAX = 100
/** Parts of one message; what follows belongs to the last of them. */
export const PARTS_MAX = 10_000
/** Octets of all headers of one message that are looked at. */
const HEADERS_BYTES_MAX = 4 * HEADER_BYTES_MAX
/** Octets of a line that are kept to compare with boundaries and field names. */
const LINE_HEAD_BYTES_MAX = 1_200
const BOUNDARY_BYTES_MAX = 1_000
const DASH = 0x2d

const NO_PREVIEW = {
  open: () => -1,
  add: () => undefined,
  isFull: () => true,
  remove: () => undefined,
  text: () => '',
} as const

/**
 * Finds a message's structure while its octets go by: what parts it has, where their headers and
 * bodies lie, ENVELOPE, preview. Total; any chunking gives the same answer; memory is bounded by the
 * limits above. Lines end in CRLF or bare LF. RFC 2045, RFC 2046 §5.1, RFC 5322 §2.1.
 */
export class MimeIndexer {
  readonly #frames: Frame[] = []
  /** Open multiparts by their boundary lines, the innermost last. */
  readonly #delimiters = new Map<string, Frame[]>()
  readonly #preview: Pick<PreviewCollector, 'add' | 'isFull' | 'open' | 'remove' | 'text'>
  readonly #root: Frame
  /** Kept octets of the line that has not ended yet. */
  #head = Buffer.alloc(LINE_HEAD_BYTES_MAX)
  #headLength = 0
  /** Where the line begins, and the octets of it seen so far. */
  #lineStart = 0
  #lineLength = 0
  /** The octet before LF, over chunks. */
  #lastOctet = 0
  /** Octets of the line end before this line: 0 at the start. */
  #endBefore = 0
  #isBlankBefore = false
  #newlines = 0
  #parts = 1
  #headersLeft = HEADERS_BYTES_MAX
  #truncated = false
  #isFrozen = false

  /** `structure`: of who asks for the parts alone; the preview stays empty. */
  constructor(what: 'all' | 'structure' = 'all') {
    this.#preview = what === 'all' ? new PreviewCollector() : NO_PREVIEW
    this.#root = newFrame(0, 0, false)
    this.#frames.push(this.#root)
  }

  feed(octets: Octets): void {
    const buffer = bufferOf(octets)
    let at = 0
    while (at < buffer.length) {
      const lf = buffer.indexOf(LF, at)
      const end = lf < 0 ? buffer.length : lf + 1
      if (lf >= 0 && this.#lineLength === 0 && buffer[at] !== DASH && this.#isPlain) {
        // Most lines of most messages: whole, of a body, no boundary.
        this.#newlines++
        this.#endBefore = lf > at && buffer[lf - 1] === CR ? 2 : 1
        this.#isBlankBefore = end - at === this.#endBefore
        this.#lineStart += end - at
        at = end
        continue
      }
      this.#take(buffer.subarray(at, end), lf >= 0)
      at = end
    }
  }

  /** Call once, after the last octet. */
  finish(): MessageMeta {
    if (this.#lineLength > 0) this.#endLine(false)
    const sizeBytes = this.#lineStart
    while (this.#frames.length > 0) this.#close(sizeBytes)
    const { description } = this.#root
    return {
      sizeBytes,
      envelope: description.envelope,
      root: finished(this.#root),
      references: description.references,
      ...(description.repliedCount === undefined ? {} : { repliedCount: description.repliedCount }),
      ...(description.sentAtMs === undefined ? {} : { sentAtMs: description.sentAtMs }),
      preview: this.#preview.text(),
      truncated: this.#truncated,
    }
  }

  /** Lines are only counted here: no header, nothing for the preview. */
  get #isPlain(): boolean {
    const top = this.#top
    return top.header === undefined && this.#preview.isFull(top.capture)
  }

  get #top(): Frame {
    return this.#frames.at(-1)!
  }

  /** One piece of a line, its end included where `isEnd`. */
  #take(piece: Buffer, isEnd: boolean): void {
    // Of most body lines the first octet is enough to see that they are no boundary.
    if (this.#headLength === 0 || this.#top.header !== undefined || this.#head[0] === DASH)
      this.#headLength += piece.copy(this.#head, this.#headLength)
    const top = this.#top
    if (top.header !== undefined) {
      const kept = top.header.add(piece, this.#headersLeft)
      this.#headersLeft -= kept
      if (kept < piece.length) this.#truncated = true
    } else if (top.capture >= 0) this.#preview.add(top.capture, piece)
    this.#lineLength += piece.length
    if (!isEnd) {
      this.#lastOctet = piece[piece.length - 1]!
      return
    }
    const before = piece.length > 1 ? piece[piece.length - 2]! : this.#lastOctet
    const isCrlf = this.#lineLength > 1 && before === CR
    this.#newlines++
    this.#endLine(true, isCrlf ? 2 : 1)
  }

  #endLine(isEnded: boolean, endLength = 0): void {
    const start = this.#lineStart
    const line = this.#head.subarray(0, this.#headLength)
    const place: LinePlace = {
      start,
      after: start + this.#lineLength,
      newlinesBefore: this.#newlines - (isEnded ? 1 : 0),
      textLength: this.#lineLength - endLength,
    }
    if (!this.#boundary(line, place) && this.#top.header !== undefined)
      this.#headerLine(line, place)
    this.#lineStart = place.after
    this.#lineLength = 0
    this.#headLength = 0
    this.#lastOctet = 0
    this.#endBefore = endLength
    this.#isBlankBefore = place.textLength === 0
  }

  #headerLine(line: Buffer, at: LinePlace): void {
    const frame = this.#top
    if (at.textLength === 0) return this.#openBody(frame, at.after, this.#newlines)
    const isFirst = at.start === frame.headerStart
    const isMbox = /^>?From /.test(toLatin1(line.subarray(0, 6)))
    if (!isFirst || startsField(line) || isMbox) return
    // No header at all: what looked like one is the body already.
    frame.header = new HeaderBuffer()
    this.#openBody(frame, at.start, at.newlinesBefore)
    if (this.#top.header !== undefined) return this.#headerLine(line, at)
    if (this.#top.capture >= 0) {
      this.#preview.add(this.#top.capture, Buffer.concat([line, LINE_END]))
    }
  }

  /** The header of `frame` is whole: reads it and decides what the body is. */
  #openBody(frame: Frame, bodyStart: number, newlines: number): void {
    const isRoot = frame === this.#root
    const description = describeHeader(frame.header!.octets(), {
      isDigest: frame.isDigest,
      isMessage: isRoot || frame.isMessageRoot,
    })
    frame.header = undefined
    frame.description = description
    frame.bodyStart = bodyStart
    frame.newlines = newlines
    if (description.isCut) this.#truncated = true
    const { type, boundary } = description
    const { encoding } = description.fields
    if (type === 'multipart') {
      if (boundary === undefined || boundary.length > BOUNDARY_BYTES_MAX) frame.isBroken = true
      else if (this.#frames.length >= DEPTH_MAX) frame.isOpaque = this.#truncated = true
      else this.#watchFor(frame, `--${boundary}`)
    } else if (isMessageType(description)) {
      // Encoded against RFC 2046 §5.2.1: it cannot be looked into by offsets.
      if (encoding === 'base64' || encoding === 'quoted-printable') return
      if (this.#frames.length >= DEPTH_MAX) this.#truncated = true
      else this.#open(bodyStart, { isDigest: false, isMessageRoot: true })
    }
    if (frame.boundary === undefined && this.#top === frame)
      frame.capture = this.#preview.open(description)
  }

  #open(start: number, kind: { isDigest: boolean; isMessageRoot: boolean }): void {
    const frame = newFrame(start, this.#newlines, kind.isDigest)
    frame.isMessageRoot = kind.isMessageRoot
    this.#top.children.push(frame)
    this.#frames.push(frame)
    if (!kind.isMessageRoot) this.#parts++
  }

  /** Acts on a boundary line of an open multipart (RFC 2046 §5.1.1). */
  #boundary(line: Buffer, at: LinePlace): boolean {
    if (line[0] !== DASH || line[1] !== DASH || this.#isFrozen) return false
    if (at.textLength > LINE_HEAD_BYTES_MAX) return false
    const text = toLatin1(trimEnd(line.subarray(0, at.textLength)))
    const opened = this.#delimiters.get(text)?.at(-1)
    const frame = opened ?? this.#closedBy(text)
    if (frame === undefined) return false
    const isClosing = opened === undefined
    const index = this.#frames.lastIndexOf(frame)
    if (!isClosing && this.#parts >= PARTS_MAX) {
      this.#truncated = true
      this.#isFrozen = true
      return false
    }
    const { capture } = this.#top
    if (capture >= 0) this.#preview.remove(capture, this.#lineLength)
    while (this.#frames.length > index + 1) this.#close(at.start, at)
    if (isClosing) this.#forget(frame)
    else {
      const isDigest = frame.description.subtype === 'digest'
      this.#open(at.after, { isDigest, isMessageRoot: false })
    }
    return true
  }

  /** From now on lines of `delimiter` are boundary lines of the frame, the innermost one. */
  #watchFor(frame: Frame, delimiter: string): void {
    frame.boundary = delimiter
    const frames = this.#delimiters.get(delimiter)
    if (frames === undefined) this.#delimiters.set(delimiter, [frame])
    else frames.push(frame)
  }

  #forget(frame: Frame): void {
    if (frame.boundary === undefined) return
    const frames = this.#delimiters.get(frame.boundary)!
    frames.pop() // all inside it have ended: it is the last
    if (frames.length === 0) this.#delimiters.delete(frame.boundary)
    frame.boundary = undefined
  }

  /** The innermost open multipart that the line closes: its boundary line, two dashes, anything. */
  #closedBy(text: string): Frame | undefined {
    // Whichever is less: a hostile message has a hundred open multiparts, and dashes only.
    if (text.length > this.#frames.length)
      return this.#frames.findLast((frame) => closes(frame.boundary, text))
    const depth = (frame: Frame): number => this.#frames.lastIndexOf(frame)
    let innermost: Frame | undefined
    for (let at = text.indexOf('--', 2); at >= 0; at = text.indexOf('--', at + 1)) {
      const frame = this.#delimiters.get(text.slice(0, at))?.at(-1)
      if (frame === undefined) continue
      const isInside = innermost === undefined || depth(frame) > depth(innermost)
      if (isInside) innermost = frame
    }
    return innermost
  }

  /** Ends the innermost frame at `end`; the line end in front of a boundary line is the boundary's. */
  #close(end: number, line?: LinePlace): void {
    const frame = this.#top
    const newlines = line?.newlinesBefore ?? this.#newlines
    if (frame.header !== undefined) {
      frame.header.cut(end - frame.headerStart)
      this.#openBody(frame, end, newlines)
      if (this.#top !== frame) this.#close(end, line)
    }
    this.#frames.pop()
    this.#forget(frame)
    // An empty last child lies where this boundary line begins: its parent reaches as far.
    const inner = frame.children.at(-1)?.bodyEnd ?? frame.bodyStart
    frame.bodyEnd = line === undefined ? end : Math.max(inner, end - this.#endBefore)
    if (frame.bodyEnd === frame.bodyStart) return
    // A last line without its end counts as a line; in front of a boundary its end is the boundary's.
    const isOpen = line === undefined && this.#endBefore === 0
    const isCut = this.#isBlankBefore && frame.bodyEnd < end
    frame.lines = newlines - frame.newlines + (isOpen ? 1 : 0) - (isCut ? 1 : 0)
  }
}

interface LinePlace {
  readonly start: number
  readonly after: number
  readonly newlinesBefore: number
  readonly textLength: number
}

interface Frame {
  readonly headerStart: number
  readonly isDigest: boolean
  isMessageRoot: boolean
  /** Present while the header is being read. */
  header: HeaderBuffer | undefined
  description: Description
  /** Its boundary line, `--` in front, while it is open; one character an octet. */
  boundary: string | undefined
  /** A multipart that names no boundary. */
  isBroken: boolean
  /** A multipart below the depth limit. */
  isOpaque: boolean
  bodyStart: number
  bodyEnd: number
  newlines: number
  lines: number
  /** Number with the preview's collector, or -1. */
  capture: number
  readonly children: Frame[]
}

const newFrame = (start: number, newlines: number, isDigest: boolean): Frame => ({
  headerStart: start,
  isDigest,
  isMessageRoot: false,
  header: new HeaderBuffer(),
  description: emptyDescription,
  boundary: undefined,
  isBroken: false,
  isOpaque: false,
  bodyStart: start,
  bodyEnd: start,
  newlines,
  lines: 0,
  capture: -1,
  children: [],
})

const LINE_END = Buffer.from('\n')

function trimEnd(line: Buffer): Buffer {
  let end = line.length
  while (end > 0 && line[end - 1]! <= 0x20) end--
  return line.subarray(0, end)
}

const closes = (boundary: string | undefined, text: string): boolean =>
  boundary !== undefined && text.startsWith('--', boundary.length) && text.startsWith(boundary)

/** The part as it is shown; what cannot be looked into becomes a leaf that says so. */
function finished(frame: Frame): MimePart {
  const { description } = frame
  const isMessage = description.type === 'message' && frame.children.length > 0
  const part: MimePart = {
    ...description.fields,
    header: { offset: frame.headerStart, length: frame.bodyStart - frame.headerStart },
    body: { offset: frame.bodyStart, length: frame.bodyEnd - frame.bodyStart },
    lines: frame.lines,
    parts: isMessage ? [] : frame.children.map(finished),
    ...(isMessage ? { message: messageOf(frame.children[0]!) } : {}),
  }
  if (frame.children.length > 0) return part
  // A multipart that names no boundary is text to whoever reads it (RFC 2045 §5.2).
  if (frame.isBroken) return { ...part, ...PLAIN_TEXT }
  if (description.type === 'multipart')
    return frame.isOpaque ? { ...part, ...OPAQUE } : { ...part, parts: [wholeBody(part)] }
  return isMessageType(description) ? { ...part, ...OPAQUE } : part
}

const messageOf = (frame: Frame): NonNullable<MimePart['message']> => ({
  envelope: frame.description.envelope,
  root: finished(frame),
})

/** A multipart without one boundary line still shows its text, as its only child. */
const wholeBody = (part: MimePart): MimePart => ({
  ...PLAIN_TEXT,
  encoding: '7bit',
  header: { offset: part.body.offset, length: 0 },
  body: part.body,
  lines: part.lines,
  parts: [],
})

const PLAIN_TEXT = { type: 'text', subtype: 'plain', params: [] } as const
const OPAQUE = { type: 'application', subtype: 'octet-stream' } as const

const isMessageType = (description: Description): boolean =>
  description.type === 'message' &&
  (description.subtype === 'rfc822' || description.subtype === 'global')
