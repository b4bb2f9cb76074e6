import { err, ok } from '#base/outcome.ts'
import type { Outcome } from '#base/outcome.ts'
import { parseAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'

/** `<>`, `<Postmaster>` (RFC 5321 §4.5.1), or an address, and the text behind it. */
export type ParsedPath =
  | { readonly kind: 'null'; readonly rest: string }
  | { readonly kind: 'postmaster'; readonly rest: string }
  | { readonly kind: 'address'; readonly address: Address; readonly rest: string }

/**
 * Reads a path (RFC 5321 §4.1.2). A source route is skipped, as appendix C of it says; brackets may
 * be missing, since old devices leave them out.
 */
export function parsePath(text: string): Outcome<ParsedPath, string> {
  if (!text.startsWith('<')) {
    const end = endOfPath(text, 0, ' ')
    const bare = text.slice(0, end < 0 ? text.length : end)
    return bare === '' || /[<>]/.test(bare)
      ? err('an address in angle brackets is wanted')
      : pathOf(bare, end < 0 ? '' : text.slice(end))
  }
  const close = endOfPath(text, 1, '>')
  if (close < 0) return err('the closing bracket is missing')
  const rest = text.slice(close + 1)
  if (rest !== '' && !/^[ \t]/.test(rest)) return err('a blank belongs behind the path')
  if (close === 1) return ok({ kind: 'null', rest })
  return pathOf(text.slice(1, close), rest)
}

function pathOf(inside: string, rest: string): Outcome<ParsedPath, string> {
  const routed = /^@[^\s:"<>]+:/.exec(inside)
  const text = routed === null ? inside : inside.slice(routed[0].length)
  if (/^postmaster$/i.test(text)) return ok({ kind: 'postmaster', rest })
  const address = parseAddress(text)
  if (address.ok) return ok({ kind: 'address', address: address.value, rest })
  switch (address.error) {
    case 'noDomain':
      return err('the domain is missing')
    case 'badDomain':
      return err('the domain is malformed')
    case 'tooLong':
      return err('the address is too long')
    case 'empty':
    case 'badLocalpart':
      return err('the local part is malformed')
  }
}

/** Where the path ends, quoted strings skipped: they may hold brackets and blanks. */
function endOfPath(text: string, from: number, end: string): number {
  let quoted = false
  for (let i = from; i < text.length; i++) {
    const char = text[i]
    if (quoted && char === '\\') i++
    else if (char === '"') quoted = !quoted
    else if (!quoted && char === end) return i
  }
  return -1
}
