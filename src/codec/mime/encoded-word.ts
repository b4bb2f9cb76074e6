import { bufferOf, concatOctets, fromLatin1 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { asciiLower } from '#base/text.ts'
import { decodeCharset } from './charset.ts'
import { decodeContent } from './content-decoder.ts'

// RFC 2047 §2, with what is seen in mail: blanks inside Q, a language (RFC 2231 §5).
const WORD = /=\?([^?*\s]{1,60})(?:\*[^?\s]*)?\?([bqBQ])\?([^?]*?)\?=/g

/**
 * Text of an unfolded field value of one character an octet: encoded words decoded (RFC 2047),
 * octets of neighbouring words of one charset joined first, raw 8-bit runs guessed.
 */
export function decodeWords(value: string): string {
  let text = ''
  let end = 0
  let run: { charset: string; octets: Octets[] } | undefined
  const flush = (): void => {
    if (run !== undefined) text += decodeCharset(concatOctets(run.octets), run.charset)
    run = undefined
  }
  for (const match of value.matchAll(WORD)) {
    const between = value.slice(end, match.index)
    const charset = asciiLower(match[1]!)
    // White space between encoded words is not shown (RFC 2047 §6.2).
    const isNext = run !== undefined && /^\s*$/.test(between)
    if (!isNext || run!.charset !== charset) flush()
    if (!isNext) text += decodeRaw(between)
    run ??= { charset, octets: [] }
    run.octets.push(wordOctets(match[2]!, match[3]!))
    end = match.index + match[0].length
  }
  flush()
  return text + decodeRaw(value.slice(end))
}

const decodeRaw = (text: string): string =>
  /[\u001b\u0080-\u00ff]/.test(text) ? decodeCharset(fromLatin1(text)) : text

/** Nothing in it that decoders read in different ways. */
const WHOLE_BASE64 = /^[A-Za-z0-9+/]*={0,2}$/

function wordOctets(encoding: string, text: string): Octets {
  if (encoding === 'B' || encoding === 'b')
    return text.length % 4 === 0 && WHOLE_BASE64.test(text)
      ? Buffer.from(text, 'base64')
      : decodeContent(fromLatin1(text), 'base64')
  const spaced = text.replace(/_/g, ' ')
  return fromLatin1(
    spaced.replace(/=([0-9A-Fa-f]{2})/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    ),
  )
}

/**
 * A parameter by its lower-case name, decoded: RFC 2231 (`name*`), or encoded words where a program
 * wrote those against RFC 2047 §5, or raw 8-bit.
 */
export function paramOf(
  params: readonly (readonly [name: string, value: string])[],
  name: string,
): string | undefined {
  const extended = params.find(([key]) => key === `${name}*`)
  if (extended !== undefined) return decodeExtended(extended[1])
  const plain = params.find(([key]) => key === name)
  return plain === undefined ? undefined : decodeWords(plain[1])
}

/** `charset'language'%XX…` (RFC 2231 §4). */
function decodeExtended(value: string): string {
  const match = /^([^']*)'[^']*'/.exec(value)
  const octets = percentOctets(match === null ? value : value.slice(match[0].length))
  return decodeCharset(octets, match === null || match[1] === '' ? undefined : match[1])
}

function percentOctets(text: string): Octets {
  const plain = text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
  return bufferOf(fromLatin1(plain))
}
