import { CommandBuffer } from '#codec/imap/command-buffer.ts'
import type { LiteralAsk } from '#codec/imap/command-buffer.ts'
import { parseAppendHead } from '#codec/imap/append-head.ts'
import type { AppendHead } from '#codec/imap/append-head.ts'
import type { CommandFault, Tagged } from '#codec/imap/command.ts'
import type { OctetReader } from '#net/lines.ts'
import {
  COMMAND_BYTES_MAX,
  LINE_BYTES_BEFORE_LOGIN_MAX,
  LITERAL_BYTES_BEFORE_LOGIN_MAX,
} from './limits.ts'

/** A whole command as it came, or APPEND up to its message, or why there is none. */
export type Received =
  | { readonly kind: 'command'; readonly text: string }
  | { readonly kind: 'append'; readonly head: Tagged<AppendHead>; readonly message: LiteralAsk }
  /** APPEND that is wrong before its message; what is to be answered once that is out of the way. */
  | ({ readonly kind: 'badAppend'; readonly message: LiteralAsk } & CommandFault)
  /** `text` is what to answer; the command was dropped whole. */
  | { readonly kind: 'fault'; readonly tag?: string; readonly code?: string; readonly text: string }
  | { readonly kind: 'end'; readonly why: 'eof' | 'timeout' | 'tooBig' }

export interface ReadRules {
  readonly loggedIn: boolean
  readonly idleTimeoutMs: number
  /** For each literal, and each line behind one, counted from now. */
  readonly transferTimeoutMs: () => number
  /** Tells the client to send its literal. */
  readonly proceed: () => Promise<void>
}

/** Reads one command with its literals (RFC 9051 §4.3, RFC 7888 §4). */
export async function readCommand(reader: OctetReader, rules: ReadRules): Promise<Received> {
  const bytesMax = rules.loggedIn ? COMMAND_BYTES_MAX : LINE_BYTES_BEFORE_LOGIN_MAX
  const buffer = new CommandBuffer()
  for (let first = true; ; first = false) {
    const timeoutMs = first ? rules.idleTimeoutMs : rules.transferTimeoutMs()
    const line = await reader.line(Math.max(0, bytesMax - buffer.length), timeoutMs)
    if (line === 'eof' || line === 'timeout') return { kind: 'end', why: line }
    if (line === 'tooLong') return fault(buffer, 'Command line too long')
    const ask = buffer.line(line)
    if (ask === undefined) return { kind: 'command', text: buffer.text }
    if (rules.loggedIn) {
      const head = parseAppendHead(buffer.text)
      if (head?.ok === true) return { kind: 'append', head: head.value, message: ask }
      if (head?.ok === false) return { kind: 'badAppend', ...head.error, message: ask }
    }
    const literalMax = rules.loggedIn ? COMMAND_BYTES_MAX : LITERAL_BYTES_BEFORE_LOGIN_MAX
    if (ask.sizeBytes > Math.min(literalMax, bytesMax - buffer.length))
      // What was not asked for is on its way already and cannot be told from commands.
      return ask.waits
        ? { ...fault(buffer, 'Literal too large'), code: 'TOOBIG' }
        : { kind: 'end', why: 'tooBig' }
    if (ask.waits) await rules.proceed()
    const literal = await reader.exactly(ask.sizeBytes, rules.transferTimeoutMs())
    if (literal === 'eof' || literal === 'timeout') return { kind: 'end', why: literal }
    buffer.literal(literal)
  }
}

function fault(buffer: CommandBuffer, text: string): Received & { kind: 'fault' } {
  const tag = /^[^\u0000-\u0020\u007f-\u00ff(){%*"\\+]+(?= )/.exec(buffer.text)?.[0]
  return { kind: 'fault', text, ...(tag === undefined ? {} : { tag }) }
}
