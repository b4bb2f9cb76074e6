import { asciiLower } from '#base/text.ts'
import type { MimeParams } from '#model/message.ts'

/** Parameters of one field that are kept. */
const PARAMS_MAX = 200

export interface ContentType {
  readonly type: string
  readonly subtype: string
  readonly params: MimeParams
}

/** A Content-Type value (RFC 2045 §5.1), or undefined where it is broken (RFC 2045 §5.2: text/plain). */
export function parseContentType(value: string): ContentType | undefined {
  const text = withoutComments(value)
  const match = /^\s*([^\s/;"<>]+)\s*\/\s*([^\s/;"<>]+)/.exec(text)
  if (match === null) return undefined
  return {
    type: asciiLower(match[1]!),
    subtype: asciiLower(match[2]!),
    params: parseParams(text.slice(match[0].length)),
  }
}

/** A Content-Disposition value (RFC 2183 §2). */
export function parseDisposition(
  value: string,
): { readonly kind: string; readonly params: MimeParams } | undefined {
  const text = withoutComments(value)
  const match = /^\s*([^\s;="]+)/.exec(text)
  if (match === null) return undefined
  return { kind: asciiLower(match[1]!), params: parseParams(text.slice(match[0].length)) }
}

/**
 * `; name=value` pairs, names in lower case, quoting undone. Continuations of RFC 2231 §3 are joined:
 * `name*0`, `name*1` become `name`, or `name*` where a piece is percent-encoded.
 */
function parseParams(text: string): MimeParams {
  const plain: [string, string][] = []
  const pieces = new Map<string, { index: number; value: string; isEncoded: boolean }[]>()
  const pair = /;?\s*([^\s=;"]+)\s*=\s*(?:"((?:[^"\\]|\\[\s\S])*)(?:"|$)|([^\s;]*))/y
  let at = 0
  while (at < text.length && plain.length < PARAMS_MAX) {
    pair.lastIndex = at
    const match = pair.exec(text)
    if (match === null) {
      const next = text.indexOf(';', at + 1)
      if (next < 0) break
      at = next
      continue
    }
    at = pair.lastIndex
    const name = asciiLower(match[1]!)
    const value = match[2]?.replace(/\\([\s\S])/g, '$1') ?? match[3]!
    const part = /^(.+?)\*(\d{1,3})(\*?)$/.exec(name)
    if (part === null) {
      if (!plain.some(([key]) => key === name)) plain.push([name, value])
      continue
    }
    const list = pieces.get(part[1]!) ?? []
    if (pieces.size < PARAMS_MAX) pieces.set(part[1]!, list)
    if (list.length < PARAMS_MAX)
      list.push({ index: Number(part[2]), value, isEncoded: part[3] === '*' })
  }
  for (const [name, list] of pieces) {
    const sorted = list.toSorted((a, b) => a.index - b.index)
    const isEncoded = sorted.some((piece) => piece.isEncoded)
    const value = sorted.map((piece) =>
      isEncoded && !piece.isEncoded ? percent(piece.value) : piece.value,
    )
    plain.push([isEncoded ? `${name}*` : name, value.join('')])
  }
  return plain
}

const percent = (text: string): string =>
  text.replace(
    /[^A-Za-z0-9!#$&+.^_`{|}~-]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  )

/** Comments outside quotes become a blank; linear in the text. */
export function withoutComments(value: string): string {
  if (!value.includes('(')) return value
  let out = ''
  let depth = 0
  let isQuoted = false
  for (let at = 0; at < value.length; at++) {
    const sign = value[at]!
    if (sign === '\\') {
      if (depth === 0) out += value.slice(at, at + 2)
      at++
    } else if (sign === '"' && depth === 0) {
      isQuoted = !isQuoted
      out += sign
    } else if (sign === '(' && !isQuoted) {
      if (depth++ === 0) out += ' '
    } else if (sign === ')' && !isQuoted && depth > 0) depth--
    else if (depth === 0) out += sign
  }
  return out
}
