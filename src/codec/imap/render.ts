import type { NameForm } from './mailbox-name.ts'

/** Octets that may stand between quotes: no 8-bit, no line ends, no NUL (RFC 3501 §9 quoted). */
const QUOTABLE = /^[\u0001-\u0009\u000b\u000c\u000e-\u007f]*$/
/** Longer strings travel as literals: clients' line buffers are short. */
const QUOTED_LENGTH_MAX = 1_000

/** A string, quoted where it can be, else a literal; one character an octet. NUL cannot travel and is left out. */
export function quote(text: string): string {
  if (text.length <= QUOTED_LENGTH_MAX && QUOTABLE.test(text))
    return `"${text.replace(/["\\]/g, String.raw`\$&`)}"`
  const sendable = text.replaceAll('\0', '')
  return `{${sendable.length}}\r\n${sendable}`
}

export const nstring = (text: string | undefined): string =>
  text === undefined ? 'NIL' : quote(text)

/** Octets that may stand between quotes once UTF-8 was enabled (RFC 9051 §9 QUOTED-CHAR). */
const QUOTABLE_UTF8 = /^[\u0001-\u0009\u000b\u000c\u000e-\u007f\u0080-\u00ff]*$/

/** A mailbox name: an atom where it can be one, else a string. */
export const mailboxString = (name: string, form: NameForm): string =>
  form === 'utf8' &&
  name.length <= QUOTED_LENGTH_MAX &&
  /[^\u0000-\u007f]/.test(name) &&
  QUOTABLE_UTF8.test(name)
    ? `"${name.replace(/["\\]/g, String.raw`\$&`)}"`
    : astring(name)

/** An atom where it can be one, else a string. */
export const astring = (text: string): string =>
  /^[!#$&'+\-./0-9:;<=>?@A-Z^_`a-z|}~]+$/.test(text) && text.toUpperCase() !== 'NIL'
    ? text
    : quote(text)
