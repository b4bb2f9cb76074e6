/**
 * Replaces `${hex: e3 81 82}` and `${unicode: 3042}` (RFC 5228 §2.4.2.4); what is not quite of that form
 * stays as it is. Octets that stand side by side make characters together. Undefined where a named
 * character is outside Unicode.
 */
export function decodeEncodedCharacters(text: string): string | undefined {
  let bad = false
  const decoded = text.replace(ENCODED, (_, octets?: string, characters?: string) => {
    if (octets !== undefined) return Buffer.from(valuesOf(octets)).toString('utf8')
    const values = valuesOf(characters!)
    if (values.some((value) => value > 0x10_ffff || (value >= 0xd800 && value <= 0xdfff))) {
      bad = true
      return ''
    }
    return String.fromCodePoint(...values)
  })
  return bad ? undefined : decoded
}

const ENCODED =
  /((?:\$\{hex:\s*[0-9a-f]{1,2}(?:\s+[0-9a-f]{1,2})*\s*\})+)|\$\{unicode:(\s*[0-9a-f]+(?:\s+[0-9a-f]+)*\s*)\}/gi

const valuesOf = (list: string): number[] =>
  (list.replace(/\$\{hex:/gi, ' ').match(/[0-9a-f]+/gi) ?? []).map((value) =>
    Number.parseInt(value, 16),
  )
