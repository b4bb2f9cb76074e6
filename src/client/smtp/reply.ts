import { toUtf8 } from '#base/octets.ts'
import { Fault } from '#base/outcome.ts'
import { oneLine } from '#base/text.ts'
import type { Reply } from '#model/reply.ts'
import type { OctetReader } from '#net/lines.ts'

const LINE_BYTES_MAX = 4_096 // RFC 5321 §4.5.3.1.5 says 512; peers write more
const LINES_MAX = 200

/** A reply whose every line is one line of text, cut to a length that a log can hold. */
export interface PeerReply extends Reply {
  readonly status?: string
  readonly text: readonly string[]
}

/** Reads one reply (RFC 5321 §4.2). Throws Fault `timeout`, `closed` or `protocol`. */
export async function readReply(reader: OctetReader, timeoutMs: number): Promise<PeerReply> {
  const text: string[] = []
  let code: string | undefined
  for (let count = 0; count < LINES_MAX; count++) {
    const line = await reader.line(LINE_BYTES_MAX, timeoutMs)
    if (line === 'timeout') throw new Fault('timeout', `no reply in ${timeoutMs} ms`)
    if (line === 'eof') throw new Fault('closed', 'the connection was closed')
    if (line === 'tooLong') throw new Fault('protocol', 'a line of the reply is too long')
    const match = /^([2-5]\d\d)(?:([ -])(.*))?$/s.exec(toUtf8(line))
    if (match === null || (code !== undefined && match[1] !== code))
      throw new Fault('protocol', 'the answer is no SMTP reply')
    code = match[1]!
    text.push(oneLine(match[3] ?? ''))
    if (match[2] !== '-') return withStatus(Number(code), text)
  }
  throw new Fault('protocol', `a reply of more than ${LINES_MAX} lines`)
}

/** Takes the enhanced status (RFC 2034 §4) off the lines where it fits the code. */
function withStatus(code: number, lines: readonly string[]): PeerReply {
  const match = /^([245]\.\d{1,3}\.\d{1,3})(?: |$)/.exec(lines[0] ?? '')
  const status = match?.[1]
  if (status === undefined || Number(status[0]) !== Math.floor(code / 100))
    return { code, text: lines }
  const bare = (line: string): string =>
    line === status || line.startsWith(`${status} `) ? line.slice(status.length + 1) : line
  return { code, status, text: lines.map(bare) }
}
