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
    const indexer = new MimeIndexer()
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

/** What people read of a text: HTML without its tags. */
export function readableText(run: SieveRun, part: MimePart): string {
  const text = partText(run, part)
  return part.subtype === 'html' ? htmlToText(text) : text
}

/** A part's body, decoded: text by its charset, else what its octets say in UTF-8. */
export function partText(run: SieveRun, part: MimePart): string {
  const { texts } = run.slot(structure)
  const known = texts.get(part)
  if (known !== undefined) return known
  const { offset, length } = part.body
  run.step(length / BYTES_PER_STEP)
  const octets = run.message.content!.subarray(offset, offset + length)
  const text =
    part.type === 'text' ? decodeText(part, octets) : toUtf8(decodeContent(octets, part.encoding))
  texts.set(part, text)
  return text
}
