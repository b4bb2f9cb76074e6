/**
 * Replaces `${hex: e3 81 82}` and `${unicode: 3042}` (RFC 5228 §2.4.2.4); what is not quite of that form
 * stays as it is. Undefined where a named character is outside Unicode.
 */
export function decodeEncodedCharacters(text: string): string | undefined {
  let bad = false
  const decoded = text.replace(
    /\$\{(hex|unicode):([ \t\r\n]*[0-9a-f]+(?:[ \t\r\n]+[0-9a-f]+)*[ \t\r\n]*)\}/gi,
    (whole, kind: string, list: string) => {
      const values = list
        .trim()
        .split(/[ \t\r\n]+/)
        .map((value) => Number.parseInt(value, 16))
      if (kind.toLowerCase() === 'hex')
        return values.some((value) => value > 0xff) ? whole : Buffer.from(values).toString('utf8')
      if (values.some((value) => value > 0x10_ffff || (value >= 0xd800 && value <= 0xdfff))) {
        bad = true
        return ''
      }
      return String.fromCodePoint(...values)
    },
  )
  return bad ? undefined : decoded
}
