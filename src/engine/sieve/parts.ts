import { toUtf8 } from '#base/octets.ts'
import { decodeContent } from '#codec/mime/content-decoder.ts'
import { MimeIndexer } from '#codec/mime/indexer.ts'
import { decodeText, htmlToText } from '#codec/mime/text.ts'
import type { MimePart } from '#model/message.ts'

import { headerView } from './header-view.ts'
import type { SieveHeader } from './message.ts'
import type { SieveRun, SieveSlot } from './run.ts'

/** Octets of a body whose decoding costs a step. */
const BYTES_PER_STEP = 1_024

interface Structure {
  readonly root: MimePart | undefined
  readonly headers: Map<MimePart, SieveHeader>
  readonly texts: Map<MimePart, string>
  /** The parts that loops are at, the innermost last. */
  readonly current: MimePart[]
}

const structure: SieveSlot<Structure> = {
  first(run) {
    const { content } = run.message
    const empty = { headers: new Map(), texts: new Map(), current: [] }
    if (content === undefined) return { ...empty, root: undefined }
    run.step(content.byteLength / BYTES_PER_STEP)
    const indexer = new MimeIndexer('structure')
    indexer.feed(content)
    return { ...empty, root: indexer.finish().root }
  },
}

/** The message as a part; undefined where there is nothing of it. */
export const rootPart = (run: SieveRun): MimePart | undefined => run.slot(structure).root

/** The part that the innermost loop is at. */
export const currentPart = (run: SieveRun): MimePart | undefined =>
  run.slot(structure).current.at(-1)

/** Does something while a loop is at a part. */
export function atPart<T>(run: SieveRun, part: MimePart, act: () => T): T {
  const { current } = run.slot(structure)
  current.push(part)
  const result = act()
  current.pop()
  return result
}

/** What lies directly in it: parts, or the body of a message within it. */
export const partsIn = (part: MimePart): readonly MimePart[] =>
  part.message === undefined ? part.parts : [part.message.root]

/** The part and all that lie in it, each before its own. */
export function* allParts(part: MimePart): Generator<MimePart> {
  yield part
  for (const child of partsIn(part)) yield* allParts(child)
}

/** The header of a part: of the message itself as edits have left it. */
export function partHeader(run: SieveRun, part: MimePart): SieveHeader {
  const { root, headers } = run.slot(structure)
  if (part === root) return run.header
  const { offset, length } = part.header
  const made =
    headers.get(part) ?? headerView(run.message.content!.subarray(offset, offset + length))
  headers.set(part, made)
  return made
}

/** What people read of a text: HTML without its tags; undefined where the part is no text. */
export function readableText(run: SieveRun, part: MimePart): string | undefined {
  if (!isText(run, part)) return undefined
  const text = partText(run, part)
  return part.subtype === 'html' || part.subtype === 'xhtml+xml' ? htmlToText(text) : text
}

const ENCODINGS: ReadonlySet<string> = new Set([
  '7bit',
  '8bit',
  'binary',
  'base64',
  'quoted-printable',
])

/** What is encoded in an unknown way is opaque, whatever its type says (RFC 2045 §6.4). */
export const isOpaque = ({ encoding }: MimePart): boolean => !ENCODINGS.has(encoding)

function isText(run: SieveRun, part: MimePart): boolean {
  const { type, subtype } = part
  if (isOpaque(part) || isMistyped(run, part)) return false
  return type === 'text' || (type === 'application' && subtype === 'xhtml+xml')
}

/** A type with several slashes is none (RFC 5173 §5.2). */
export const isMistyped = (run: SieveRun, part: MimePart): boolean =>
  /^[^;/]*\/[^;/]*\//.test(partHeader(run, part).header('content-type')[0] ?? '')

/** A part's body, decoded: text by its charset, else what its octets say in UTF-8. */
export function partText(run: SieveRun, part: MimePart): string {
  const { texts } = run.slot(structure)
  const known = texts.get(part)
  if (known !== undefined) return known
  const { offset, length } = part.body
  run.step(length / BYTES_PER_STEP)
  const octets = run.message.content!.subarray(offset, offset + length)
  const text =
    part.type === 'text' || part.subtype === 'xhtml+xml'
      ? decodeText(part, octets)
      : toUtf8(decodeContent(octets, part.encoding))
  texts.set(part, text)
  return text
}
