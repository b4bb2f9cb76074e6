import { parseManageSieve } from '#codec/managesieve/command.ts'
import type { ManageSieveCommand } from '#codec/managesieve/command.ts'
import { Words } from '#codec/managesieve/words.ts'
import type { OctetReader } from '#net/lines.ts'

/** One command as it came whole, or why there is none. */
export type Received =
  | { readonly kind: 'command'; readonly command: ManageSieveCommand }
  /** What was wrong with it; all of it is out of the way. */
  | { readonly kind: 'fault'; readonly text: string }
  /** A string longer than it may be, that was read to its end and dropped. */
  | { readonly kind: 'tooLarge' }
  | { readonly kind: 'end'; readonly why: 'eof' | 'timeout' | 'tooMuch' | 'notPlus' }

export interface ReadRules {
  /** Of each line. */
  readonly lineBytesMax: number
  /** Of the strings of a command together; longer ones up to `droppedBytesMax` are dropped. */
  readonly stringBytesMax: number
  readonly droppedBytesMax: number
  readonly idleTimeoutMs: number
  /** For each literal, and each line behind one, counted from now. */
  readonly transferTimeoutMs: () => number
}

/** Reads one command with its literals, which come unasked (RFC 5804 §4). */
export async function readCommand(reader: OctetReader, rules: ReadRules): Promise<Received> {
  const words = new Words()
  let dropped = false
  let strings = 0
  for (let part = 0; ; part++) {
    if (part > PARTS_MAX) return { kind: 'end', why: 'tooMuch' }
    const timeoutMs = part === 0 ? rules.idleTimeoutMs : rules.transferTimeoutMs()
    const line = await reader.line(rules.lineBytesMax, timeoutMs)
    if (line === 'eof' || line === 'timeout') return { kind: 'end', why: line }
    // Whether a literal follows it is not known any more, so nothing behind it is to be obeyed.
    if (line === 'tooLong') return { kind: 'end', why: 'tooMuch' }
    const ahead = words.line(line)
    if (ahead === undefined) break
    // Whoever waits to be told to go on would wait for ever; who does not is not understood here.
    if (!ahead.plus) return { kind: 'end', why: 'notPlus' }
    strings += ahead.sizeBytes
    if (strings > rules.droppedBytesMax) return { kind: 'end', why: 'tooMuch' }
    if (strings > rules.stringBytesMax) {
      const end = await drop(reader, ahead.sizeBytes, rules.transferTimeoutMs)
      if (end !== undefined) return { kind: 'end', why: end }
      dropped = true
      continue
    }
    const literal = await reader.exactly(ahead.sizeBytes, rules.transferTimeoutMs())
    if (literal === 'eof' || literal === 'timeout') return { kind: 'end', why: literal }
    words.literal(literal)
  }
  if (dropped) return { kind: 'tooLarge' }
  const gathered = words.end()
  const parsed = gathered.ok ? parseManageSieve(gathered.value) : gathered
  return parsed.ok
    ? { kind: 'command', command: parsed.value }
    : { kind: 'fault', text: parsed.error }
}

/** Literals of one command: none has more than two. */
const PARTS_MAX = 8
const PIECE_BYTES = 64 * 1024

async function drop(
  reader: OctetReader,
  sizeBytes: number,
  timeoutMs: () => number,
): Promise<'eof' | 'timeout' | undefined> {
  for (let left = sizeBytes; left > 0; left -= Math.min(left, PIECE_BYTES)) {
    const piece = await reader.exactly(Math.min(left, PIECE_BYTES), timeoutMs())
    if (typeof piece === 'string') return piece
  }
  return undefined
}
