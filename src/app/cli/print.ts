import { counted } from '#base/text.ts'
import type { CliIo } from './io.ts'

/** A cell of a table; undefined is shown as nothing. */
type Cell = string | number | boolean | undefined

/** `574 octets`, `1.5 MiB`. */
export function size(bytes: number): string {
  for (const [unit, factor] of [
    ['GiB', 1024 ** 3],
    ['MiB', 1024 ** 2],
    ['KiB', 1024],
  ] as const)
    if (bytes >= factor) return `${(bytes / factor).toFixed(1)} ${unit}`
  return counted(bytes, 'octet')
}

/** Rows under their titles, columns as wide as their widest cell; Japanese letters take two places. */
export function table(titles: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const cells = [titles, ...rows.map((row) => row.map(shown))]
  const widths = titles.map((_, column) =>
    cells.reduce((widest, row) => Math.max(widest, widthOf(row[column] ?? '')), 0),
  )
  return cells
    .map((row) =>
      row
        .map((cell, column) => cell + ' '.repeat(widths[column]! - widthOf(cell)))
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('')
}

/** `name: value` lines; values that are not there are left out. */
export function fields(entries: readonly (readonly [string, Cell])[]): string {
  const there = entries.filter(([, value]) => value !== undefined && value !== '')
  const width = Math.max(0, ...there.map(([name]) => widthOf(name)))
  const behind = ' '.repeat(width + 2)
  return there
    .map(([name, value]) => {
      const lines = typeof value === 'string' ? value.split(/\r?\n/) : [value]
      const text = lines.map(shown).join(`\n${behind}`)
      return `${name}:${' '.repeat(width - widthOf(name) + 1)}${text}\n`
    })
    .join('')
}

const shown = (cell: Cell): string =>
  cell === undefined ? '' : typeof cell === 'boolean' ? (cell ? 'yes' : 'no') : safe(String(cell))

/** Nothing that came by mail may steer the terminal. */
const safe = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '�')

/** Cells with tabs between, for programs: none has a tab or a line's end in it. */
export const tabbed = (cells: readonly (string | number)[]): string =>
  cells.map((cell) => safe(String(cell))).join('\t')

/** The text as one line of a terminal. */
export const lineOf = (text: string): string => `${safe(text)}\n`

const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u
const ZERO = /\p{Mark}/u

const widthOf = (text: string): number => {
  let width = 0
  for (const letter of text) width += ZERO.test(letter) ? 0 : WIDE.test(letter) ? 2 : 1
  return width
}

/** What a command found: the API's body with --json, else what people read. */
export function report(io: CliIo, isJson: boolean, body: unknown, text: () => string): void {
  io.out(isJson ? `${JSON.stringify(body, null, 2)}\n` : text())
}

/** Names the nodes that have not taken a write; it is durable all the same. */
export function tellPending(
  io: CliIo,
  pending: readonly { readonly node: string; readonly reason: string }[],
): void {
  for (const { node, reason } of pending)
    io.err(`watari: written, but ${node} has not taken it yet: ${reason}\n`)
}
