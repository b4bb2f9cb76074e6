import type { Outcome } from '#base/outcome.ts'
import { parsed, separated } from './command.ts'
import type { CommandFault, Tagged } from './command.ts'
import { readDateTime } from './date.ts'
import { readFlagList } from './flags.ts'
import type { FlagList } from './flags.ts'
import { Scanner, SyntaxFault } from './scanner.ts'
import { STAR } from './sequence-set.ts'

/** What stands before each message of APPEND. */
export interface AppendOptions {
  readonly flags: FlagList
  readonly internalDateMs?: number
  /** `UTF8 (~{n}`: a parenthesis must follow the message (RFC 9755 §4). */
  readonly utf8?: boolean
}

/** APPEND or REPLACE up to its first message, which is never gathered but streamed. */
export interface AppendHead extends AppendOptions {
  readonly mailbox: string
  /** REPLACE: the message that goes (RFC 8508 §3); a sequence number may be STAR. */
  readonly replaces?: { readonly uid: boolean; readonly number: number }
}

const COMMAND = /^[^ ]+ (?:APPEND|(?:UID )?REPLACE (?:\d{1,10}|\*)) /i
const LITERAL = /~?\{\d+\+?\}$/

/**
 * Parses `tag APPEND mailbox [flags] [date-time] ` before the literal that `head` ends with.
 * Undefined where that literal is not the message: another command, or the mailbox's name.
 */
export function parseAppendHead(
  head: string,
): Outcome<Tagged<AppendHead>, CommandFault> | undefined {
  const command = COMMAND.exec(head)
  if (command === null) return undefined
  const before = head.replace(LITERAL, '')
  if (before.length === command[0].length) return undefined
  return parsed(before, (scanner) => {
    const replaces = readReplaced(scanner)
    scanner.space()
    const mailbox = scanner.astring()
    return { mailbox, ...readOptions(scanner), ...(replaces === undefined ? {} : { replaces }) }
  })
}

function readReplaced(scanner: Scanner): AppendHead['replaces'] {
  const word = scanner.word()
  if (word === 'APPEND') return undefined
  if (word === 'UID') {
    scanner.space()
    scanner.word()
  }
  scanner.space()
  const number = scanner.skip('*') ? STAR : scanner.number()
  if (number === 0) scanner.fail('Zero is no message')
  return { uid: word === 'UID', number }
}

/**
 * Parses what stands between two messages of one APPEND, up to the second one's literal
 * (RFC 3502 §6.3.11). Undefined where it is wrong.
 */
export function parseNextAppend(line: string): AppendOptions | undefined {
  if (!LITERAL.test(line)) return undefined
  const scanner = new Scanner(line.replace(LITERAL, ''))
  try {
    return readOptions(scanner)
  } catch (thrown) {
    if (thrown instanceof SyntaxFault) return undefined
    throw thrown
  }
}

/** ` [flags ][date-time ][UTF8 (]` */
function readOptions(scanner: Scanner): AppendOptions {
  scanner.space()
  const flags =
    scanner.peek() === '(' ? separated(scanner, readFlagList) : { bits: 0, keywords: [] }
  const dated = scanner.peek() === '"'
  const internalDateMs = dated ? separated(scanner, readDateTime) : undefined
  const utf8 = /^UTF8 \($/i.test(scanner.text.slice(scanner.position))
  if (utf8) scanner.position = scanner.text.length
  if (!scanner.atEnd) scanner.fail('Expected the message as a literal')
  return {
    flags,
    ...(utf8 ? { utf8 } : {}),
    ...(internalDateMs === undefined ? {} : { internalDateMs }),
  }
}
