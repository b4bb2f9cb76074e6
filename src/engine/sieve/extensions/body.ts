import { toUtf8 } from '#base/octets.ts'
import { asciiLower } from '#base/text.ts'
import { headerLength } from '#codec/mime/header.ts'
import { fail } from '#engine/sieve/language.ts'
import type { SieveExtension, SieveTestRule } from '#engine/sieve/language.ts'
import { takeKeys, takeMatch } from '#engine/sieve/match.ts'
import { endsBlank } from '#engine/sieve/edits.ts'
import {
  allParts,
  isMistyped,
  isOpaque,
  partText,
  readableText,
  rootPart,
} from '#engine/sieve/parts.ts'
import type { SieveRun } from '#engine/sieve/run.ts'
import type { MimePart } from '#model/message.ts'

const test: SieveTestRule = {
  needs: 'body',
  compile(args) {
    const isRaw = args.flag('raw')
    const isText = args.flag('text')
    const types = args.tagTexts('content')
    if (Number(isRaw) + Number(isText) + Number(types !== undefined) > 1)
      fail(':raw, :content and :text exclude one another')
    // RFC 5173 §6: it sets no match variables.
    const match = takeMatch(args, true)
    const keys = takeKeys(args, match)
    return (run) => {
      const values = !hasBody(run)
        ? []
        : types !== undefined
          ? contents(run, types.of(run))
          : isRaw
            ? raw(run)
            : texts(run)
      const wanted = keys.of(run)
      const hasLines = wanted.some((key) => key.includes('\n'))
      return match(run, hasLines ? values.map(canonical) : values, wanted)
    }
  },
}

/** Lines of text end with CRLF, however it was encoded (RFC 2046 §4.1.1); those of scripts do. */
const canonical = (text: string): string => text.replace(/\r?\n/g, '\r\n')

/** RFC 5173 §3: a header without its blank line has no body, not even an empty one. */
function hasBody({ message: { content } }: SieveRun): boolean {
  if (content === undefined) return false
  const length = headerLength(content)
  return length < content.length || endsBlank(content)
}

/** RFC 5173 §5.1: all behind the header, as it came. */
function raw(run: SieveRun): readonly string[] {
  const content = run.message.content!
  return [toUtf8(content.subarray(headerLength(content)))]
}

/** RFC 5173 §5.3: what people read of it. */
function texts(run: SieveRun): readonly string[] {
  return partsOf(run).flatMap((part) => readableText(run, part) ?? [])
}

const OCTETS = ['application', 'octet-stream'] as const

/** RFC 5173 §5.2 */
function contents(run: SieveRun, types: readonly string[]): readonly string[] {
  const wanted = types.map(asciiLower)
  const isWanted = (part: MimePart): boolean => {
    const [type, subtype] = isOpaque(part) ? OCTETS : [part.type, part.subtype]
    return wanted.some(
      (name) =>
        name === '' || (!isMistyped(run, part) && (name === type || name === `${type}/${subtype}`)),
    )
  }
  return partsOf(run)
    .filter(isWanted)
    .flatMap((part) => contentOf(run, part))
}

function contentOf(run: SieveRun, part: MimePart): readonly string[] {
  const content = run.message.content!
  if (part.message !== undefined) {
    const { offset, length } = part.message.root.header
    return [toUtf8(content.subarray(offset, offset + length)).replace(/(^|\n)\r?\n$/, '$1')]
  }
  const [first] = part.parts
  const last = part.parts.at(-1)
  if (first === undefined || last === undefined) return [partText(run, part)]
  // Of a multipart what stands in front of its parts and behind them, their boundary lines left out.
  const before = toUtf8(content.subarray(part.body.offset, first.header.offset))
  const end = part.body.offset + part.body.length
  const after = toUtf8(content.subarray(last.body.offset + last.body.length, end))
  return [
    before.replace(/(?:^|\r?\n)--[^\n]*\r?\n?$/, ''),
    after.replace(/^\r?\n?--[^\n]*(?:\r?\n)?/, ''),
  ]
}

function partsOf(run: SieveRun): readonly MimePart[] {
  const root = rootPart(run)
  return root === undefined ? [] : [...allParts(root)]
}

export const body: SieveExtension = { names: { body: 'RFC 5173' }, tests: { body: test } }
