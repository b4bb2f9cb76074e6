import { fromLatin1, fromUtf8, toLatin1, toUtf8Strict } from '#base/octets.ts'
import type { MailboxPath } from '#model/mailbox.ts'

const SEPARATOR = '/'

/** How names travel: RFC 3501 §5.1.3, or RFC 9051 §5.1 and RFC 9755 §3. */
export type NameForm = 'utf7' | 'utf8'

/** A name for the wire, one character an octet. */
export const encodeMailboxName = (text: string, form: NameForm): string =>
  form === 'utf8' ? toLatin1(fromUtf8(text)) : encodeUtf7(text)

/** Text to modified UTF-7 (RFC 3501 §5.1.3). */
export function encodeUtf7(text: string): string {
  return text.replace(/&|[^\u0020-\u007e]+/g, (run) => {
    if (run === '&') return '&-'
    const units = Buffer.alloc(run.length * 2)
    for (let i = 0; i < run.length; i++) units.writeUInt16BE(run.charCodeAt(i), i * 2)
    return `&${units.toString('base64').replace(/=+$/, '').replaceAll('/', ',')}-`
  })
}

/**
 * A mailbox name as it came (one character an octet) to text: modified UTF-7, or raw UTF-8, which
 * some clients send. Undefined where it is neither, or another form stands for the same name. Who enabled UTF-8 names writes `&` as it is.
 */
export function decodeMailboxName(name: string, form: NameForm = 'utf7'): string | undefined {
  if (/[\u0000-\u001f\u007f]/.test(name)) return undefined
  const utf8 = /[^\u0000-\u007f]/.test(name) ? toUtf8Strict(fromLatin1(name)) : name
  if (utf8 === undefined) return undefined
  if (form === 'utf8') return utf8.isWellFormed() ? utf8.normalize('NFC') : undefined
  let text = ''
  let at = 0
  for (const match of utf8.matchAll(/&([^-]*)-/g)) {
    text += utf8.slice(at, match.index)
    at = match.index + match[0].length
    if (match[1] === '') text += '&'
    else {
      const run = decodeRun(match[1]!)
      if (run === undefined) return undefined
      text += run
    }
  }
  const rest = utf8.slice(at)
  if (rest.includes('&')) return undefined
  text += rest
  // RFC 3501 §5.1.3: what can stand for itself is not encoded, and a shift that ends does not begin again.
  if (utf8 === name && encodeUtf7(text) !== name) return undefined
  // RFC 5198 §3: names that look alike are one name, whichever form a client sends.
  return text.isWellFormed() ? text.normalize('NFC') : undefined
}

function decodeRun(run: string): string | undefined {
  if (!/^[A-Za-z0-9+,]+$/.test(run)) return undefined
  const units = Buffer.from(run.replaceAll(',', '/'), 'base64')
  if (units.length < 2 || units.length % 2 !== 0) return undefined
  let text = ''
  for (let i = 0; i < units.length; i += 2) text += String.fromCharCode(units.readUInt16BE(i))
  return /[\u0000-\u001f\u007f]/.test(text) ? undefined : text
}

/** Text to components; INBOX without case (RFC 9051 §5.1). Undefined where a component is empty. */
export function toPath(text: string): MailboxPath | undefined {
  const components = text.split(SEPARATOR)
  if (components.some((component) => component === '')) return undefined
  if (components[0]!.toUpperCase() === 'INBOX') components[0] = 'INBOX'
  return components
}

export const fromPath = (path: MailboxPath): string => path.join(SEPARATOR)

/** Whether `name` matches a pattern of LIST: `*` takes all, `%` all but the separator. Linear in time. */
export function matchesPattern(pattern: string, name: string): boolean {
  // INBOX matches without case, alone or as the first component.
  const wanted = /^inbox(?=$|[/*%])/i.test(pattern) ? `INBOX${pattern.slice(5)}` : pattern
  let states = new Set([0])
  const close = (set: Set<number>): Set<number> => {
    for (const at of set) if (wanted[at] === '*' || wanted[at] === '%') set.add(at + 1)
    return set
  }
  states = close(states)
  for (const unit of name.split('')) {
    const next = new Set<number>()
    for (const at of states) {
      const want = wanted[at]
      if (want === '*' || (want === '%' && unit !== SEPARATOR)) next.add(at)
      else if (want === unit && want !== '%') next.add(at + 1)
    }
    if (next.size === 0) return false
    states = close(next)
  }
  return states.has(wanted.length)
}
