import { bufferOf, fromUtf8, toUtf8Strict } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'

/** A table as spreadsheets write it. */
export interface Table {
  readonly encoding: 'UTF-8' | 'UTF-16' | 'CP932'
  /** Rows of cells, each with the line of the file that it begins at; empty rows are left out. */
  readonly rows: readonly { readonly line: number; readonly cells: readonly string[] }[]
}

const DELIMITERS = [',', '\t', ';'] as const

/**
 * Reads CSV (RFC 4180) as it is found: with and without a byte order mark, UTF-8, UTF-16 and CP932, with
 * commas, semicolons or tabs, whichever the first line has most of.
 */
export function readTable(file: Octets): Table {
  const { encoding, text } = decoded(file)
  const firstLine = text.slice(0, Math.max(0, text.search(/[\r\n]|$/)))
  const count = (sign: string): number => firstLine.split(sign).length
  const delimiter = DELIMITERS.reduce((best, sign) => (count(sign) > count(best) ? sign : best))
  return { encoding, rows: rowsOf(text, delimiter) }
}

function decoded(file: Octets): { readonly encoding: Table['encoding']; readonly text: string } {
  const [a, b] = file
  // The decoders take the byte order mark off.
  if (a === 0xff && b === 0xfe)
    return { encoding: 'UTF-16', text: new TextDecoder('utf-16le').decode(file) }
  if (a === 0xfe && b === 0xff)
    return { encoding: 'UTF-16', text: new TextDecoder('utf-16be').decode(file) }
  const text = toUtf8Strict(file)
  if (text !== undefined) return { encoding: 'UTF-8', text: text.replace(/^\ufeff/, '') }
  // What WHATWG calls shift_jis is CP932, with the letters of NEC and IBM.
  return { encoding: 'CP932', text: new TextDecoder('shift_jis').decode(bufferOf(file)) }
}

function rowsOf(text: string, delimiter: string): Table['rows'] {
  const rows: { line: number; cells: string[] }[] = []
  let line = 1
  let at = 0
  while (at < text.length) {
    const row = { line, cells: [] as string[] }
    for (;;) {
      const cell = text[at] === '"' ? quotedCell(text, at) : plainCell(text, at, delimiter)
      row.cells.push(unguarded(cell.value))
      line += cell.lines
      at = cell.end
      if (text[at] !== delimiter) break
      at++
    }
    if (text[at] === '\r') at++
    if (text[at] === '\n') at++
    line++
    if (row.cells.some((cell) => cell !== '')) rows.push(row)
  }
  return rows
}

interface Cell {
  readonly value: string
  readonly end: number
  readonly lines: number
}

function plainCell(text: string, at: number, delimiter: string): Cell {
  let end = at
  while (end < text.length && text[end] !== delimiter && text[end] !== '\n' && text[end] !== '\r')
    end++
  return { value: text.slice(at, end), end, lines: 0 }
}

/** From its opening quote on; what follows the closing one up to the delimiter is nobody's. */
function quotedCell(text: string, at: number): Cell {
  const parts: string[] = []
  let from = at + 1
  for (;;) {
    const quote = text.indexOf('"', from)
    const end = quote < 0 ? text.length : quote
    parts.push(text.slice(from, end))
    if (text[end + 1] !== '"' || quote < 0) {
      const value = parts.join('')
      return { value, end: Math.min(text.length, end + 1), lines: value.split('\n').length - 1 }
    }
    parts.push('"')
    from = end + 2
  }
}

/**
 * What a spreadsheet would calculate: whoever chooses a name would choose what it does on another's machine.
 * A text that looks guarded by itself is guarded once more, to be read as it was.
 */
const LIKE_FORMULA = /^'*[=+\-@\t\r]/
const unguarded = (cell: string): string =>
  cell.startsWith("'") && LIKE_FORMULA.test(cell) ? cell.slice(1) : cell

/** CSV that spreadsheets open right: UTF-8 with its mark, CRLF, and no cell that is a formula. */
export function writeTable(rows: readonly (readonly string[])[]): Octets {
  const cell = (text: string): string => {
    const guarded = LIKE_FORMULA.test(text) ? `'${text}` : text
    return /[",;\t\r\n]|^ | $/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded
  }
  return fromUtf8(`\ufeff${rows.map((row) => `${row.map(cell).join(',')}\r\n`).join('')}`)
}
