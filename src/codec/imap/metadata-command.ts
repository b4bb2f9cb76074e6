import type { Scanner } from './scanner.ts'

/** GETMETADATA (RFC 5464 §4.2). */
export interface GetMetadata {
  /** '' names the server. */
  readonly mailbox: string
  /** Lower case. */
  readonly entries: readonly string[]
  readonly depth: 0 | 1 | 'infinity'
  readonly maxSizeBytes?: number
}

/** SETMETADATA (RFC 5464 §4.3); a value of null takes the entry away. */
export interface SetMetadata {
  readonly mailbox: string
  readonly entries: readonly (readonly [entry: string, value: string | null])[]
}

const ENTRIES_MAX = 100
const ENTRY_LENGTH_MAX = 255

interface Options {
  depth?: GetMetadata['depth']
  maxSizeBytes?: number
}

/** Reads all after `GETMETADATA `. Options stand in front; the examples of the RFC have them behind the mailbox. */
export function readGetMetadata(scanner: Scanner): GetMetadata {
  const options: Options = {}
  if (scanner.peek() === '(') {
    readOptions(scanner, options)
    scanner.space()
  }
  const mailbox = scanner.astring()
  scanner.space()
  if (/^\((?:MAXSIZE|DEPTH) /i.test(scanner.text.slice(scanner.position, scanner.position + 9))) {
    readOptions(scanner, options)
    scanner.space()
  }
  const entries =
    scanner.peek() === '(' ? scanner.list(() => readAsked(scanner)) : [readAsked(scanner)]
  if (entries.length === 0 || entries.length > ENTRIES_MAX) scanner.fail('Bad list of entries')
  const { depth = 0, maxSizeBytes } = options
  return { mailbox, entries, depth, ...(maxSizeBytes === undefined ? {} : { maxSizeBytes }) }
}

function readOptions(scanner: Scanner, options: Options): void {
  scanner.list(() => {
    const word = scanner.word()
    scanner.space()
    if (word === 'MAXSIZE') options.maxSizeBytes = scanner.number()
    else if (word === 'DEPTH') {
      const depth = scanner.word()
      if (depth !== '0' && depth !== '1' && depth !== 'INFINITY') return scanner.fail('Bad depth')
      options.depth = depth === 'INFINITY' ? 'infinity' : depth === '1' ? 1 : 0
    } else scanner.fail('Unknown GETMETADATA option')
  })
}

/** Reads all after `SETMETADATA `. */
export function readSetMetadata(scanner: Scanner): SetMetadata {
  const mailbox = scanner.astring()
  scanner.space()
  const entries = scanner.list((): readonly [string, string | null] => {
    const entry = readEntry(scanner)
    scanner.space()
    return [entry, scanner.nstring()]
  })
  if (entries.length === 0 || entries.length > ENTRIES_MAX) scanner.fail('Bad list of entries')
  return { mailbox, entries }
}

/** An entry, or all of one kind: what DEPTH goes down from (RFC 5464 §4.2.2). */
const readAsked = (scanner: Scanner): string => lowerName(scanner, scanner.astring())

/** An entry that can have a value: below /private or /shared (RFC 5464 §3). */
function readEntry(scanner: Scanner): string {
  const entry = lowerName(scanner, scanner.astring())
  return entry.lastIndexOf('/') > 0 ? entry : scanner.fail('Bad entry name')
}

/** RFC 5464 §3: parts between slashes, without case, wildcards, controls and 8-bit octets. */
function lowerName(scanner: Scanner, entry: string): string {
  const isName = /^\/(?:private|shared)(?:\/[^/*%\u0000-\u0019\u007f-\u00ff]+)*$/i.test(entry)
  return isName && entry.length <= ENTRY_LENGTH_MAX
    ? entry.toLowerCase()
    : scanner.fail('Bad entry name')
}
