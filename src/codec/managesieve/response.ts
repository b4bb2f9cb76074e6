import { concatOctets, fromLatin1, toUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import { renderString } from './words.ts'
import type { Word } from './words.ts'

/** How a command ended (RFC 5804 §1.2). */
export interface ManageSieveResponse {
  readonly kind: 'OK' | 'NO' | 'BYE'
  /** A response code (§1.3), by its name in capitals, with its argument where it has one. */
  readonly code?: { readonly name: string; readonly value?: Octets }
  /** For people. */
  readonly text: string
}

/** A line of an answer: data, or the response that ends it. */
export type ManageSieveLine =
  | {
      readonly kind: 'data'
      readonly strings: readonly Octets[]
      readonly atoms: readonly string[]
    }
  | { readonly kind: 'response'; readonly response: ManageSieveResponse }

export function renderResponse({ kind, code, text }: ManageSieveResponse): Octets {
  const parts: Octets[] = [fromLatin1(kind)]
  if (code !== undefined) {
    parts.push(fromLatin1(` (${code.name}`))
    if (code.value !== undefined) parts.push(fromLatin1(' '), renderString(code.value, 'server'))
    parts.push(fromLatin1(')'))
  }
  if (text !== '') parts.push(fromLatin1(' '), renderString(text, 'server'))
  return concatOctets([...parts, fromLatin1('\r\n')])
}

/** What a server has said; an extension's words in a response code are passed over. Total. */
export function parseManageSieveLine(words: readonly Word[]): Outcome<ManageSieveLine, string> {
  const [first, ...rest] = words
  if (first === undefined) return err('an empty line')
  if (first.kind === 'string') return data(words)
  const kind = first.kind === 'atom' ? first.text.toUpperCase() : ''
  if (kind !== 'OK' && kind !== 'NO' && kind !== 'BYE') return err('neither data nor a response')
  const close = rest[0]?.kind === 'open' ? rest.findIndex((word) => word.kind === 'close') : -1
  if (rest[0]?.kind === 'open' && close < 0) return err('a response code never ends')
  const text = rest[close + 1]
  if (rest.length > close + 2 || (text !== undefined && text.kind !== 'string'))
    return err('malformed response')
  const [name, value] = rest.slice(1, Math.max(1, close))
  if (close >= 0 && name?.kind !== 'atom') return err('malformed response code')
  const code = name?.kind === 'atom' ? { name: name.text.toUpperCase() } : undefined
  return ok({
    kind: 'response',
    response: {
      kind,
      ...(code !== undefined && {
        code: { ...code, ...(value?.kind === 'string' && { value: value.octets }) },
      }),
      text: text === undefined ? '' : toUtf8(text.octets),
    },
  })
}

function data(words: readonly Word[]): Outcome<ManageSieveLine, string> {
  const strings: Octets[] = []
  const atoms: string[] = []
  for (const word of words)
    if (word.kind === 'string') strings.push(word.octets)
    else if (word.kind === 'atom') atoms.push(word.text.toUpperCase())
    else return err('malformed data')
  return ok({ kind: 'data', strings, atoms })
}
