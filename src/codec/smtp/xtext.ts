import { toUtf8Strict } from '#base/octets.ts'

/** Decodes xtext (RFC 3461 §4); undefined where it is malformed or hides a control character. */
export function decodeXtext(text: string): string | undefined {
  if (!/^(?:[!-*,-<>-~\u0080-\u{10ffff}]|\+[0-9A-F]{2})*$/u.test(text)) return undefined
  const octets = Buffer.from(
    Buffer.from(text, 'utf8')
      .toString('latin1')
      .replace(/\+([0-9A-F]{2})/g, (_, hex: string) =>
        String.fromCharCode(Number.parseInt(hex, 16)),
      ),
    'latin1',
  )
  return printable(toUtf8Strict(octets))
}

/** Decodes the `\x{HEX}` of utf-8-addr-xtext and utf-8-addr-unitext (RFC 6533 §3). */
export function decodeUtf8Xtext(text: string): string | undefined {
  if (!/^(?:[!-*,-<>-[\]-~\u0080-\u{10ffff}]|\\x\{[0-9A-F]{2,6}\})*$/u.test(text)) return undefined
  let bad = false
  const decoded = text.replace(/\\x\{([0-9A-F]+)\}/g, (_, hex: string) => {
    const point = Number.parseInt(hex, 16)
    if (point > 0x10_ffff || (point >= 0xd800 && point <= 0xdfff)) bad = true
    return bad ? '' : String.fromCodePoint(point)
  })
  return bad ? undefined : printable(decoded)
}

/** What goes into a report's field must not be able to end it. */
const printable = (text: string | undefined): string | undefined =>
  text === undefined || /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(text) ? undefined : text
