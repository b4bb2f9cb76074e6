import { oneLine } from '#base/text.ts'
import type { Reply } from '#model/reply.ts'

/** RFC 5321 §4.5.3.1.5 allows 512 octets a line. */
const TEXT_CHARS_MAX = 480
/** More text than that tells nobody anything. */
const LINES_MAX = 100

/**
 * A reply as it goes over the wire (RFC 5321 §4.2.1, RFC 2034 §3): one Latin-1 string. Whatever the
 * text holds, it stays one reply; UTF-8 only where the transaction has asked for it (RFC 6531 §3.7.4.2).
 */
export function renderReply(reply: Reply, charset: 'ascii' | 'utf8' = 'ascii'): string {
  const given = typeof reply.text === 'string' ? [reply.text] : reply.text
  const lines = given.length === 0 ? [''] : given.slice(0, LINES_MAX)
  const status = reply.status === undefined ? '' : `${reply.status} `
  let rendered = ''
  lines.forEach((line, i) => {
    const text = inCharset(oneLine(line, TEXT_CHARS_MAX), charset)
    rendered += `${reply.code}${i === lines.length - 1 ? ' ' : '-'}${status}${text}\r\n`
  })
  return rendered
}

const inCharset = (text: string, charset: 'ascii' | 'utf8'): string =>
  charset === 'utf8'
    ? Buffer.from(text, 'utf8').toString('latin1')
    : text.replace(/…/g, '...').replace(/[^\u0000-\u007f]/gu, '?')
