import { toUtf8 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'

/** One alias with where its mail goes. */
export interface UnixAlias {
  readonly line: number
  readonly name: string
  readonly to: readonly UnixTarget[]
}

/** A program and a file are named, never run nor written. */
export type UnixTarget =
  | { readonly kind: 'address'; readonly address: string }
  | { readonly kind: 'include' | 'file' | 'program'; readonly path: string }

/** `/etc/aliases` (aliases(5)); lines that are none are given as they stand. */
export function readAliases(
  file: Octets,
): readonly (UnixAlias | { readonly line: number; readonly text: string })[] {
  return logicalLines(toUtf8(file)).map(({ line, text }) => {
    const match = /^(?:"((?:[^"\\]|\\.)*)"|([^\s:"#]+))\s*:(?!include:)\s*([^]*)$/.exec(text)
    if (match === null) return { line, text }
    const [, quoted, plain, targets = ''] = match
    return { line, name: quoted?.replace(/\\(.)/g, '$1') ?? plain!, to: readTargets(targets) }
  })
}

/** A file that `:include:` names: targets, a line or several with commas each. */
export const readIncluded = (file: Octets): readonly UnixTarget[] =>
  logicalLines(toUtf8(file)).flatMap(({ text }) => readTargets(text))

/** Lines joined with those that go on with a blank; without remarks. */
function logicalLines(text: string): readonly { readonly line: number; readonly text: string }[] {
  const lines: { line: number; text: string }[] = []
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    if (raw.trim() === '' || /^\s*#/.test(raw)) continue
    const last = lines.at(-1)
    if (/^\s/.test(raw) && last !== undefined) last.text += ` ${raw.trim()}`
    else lines.push({ line: index + 1, text: raw.trim() })
  }
  return lines
}

/** Comma-separated; quotes keep commas and blanks together. */
function readTargets(text: string): UnixTarget[] {
  const parts = text.match(/(?:"(?:[^"\\]|\\.)*"?|[^,"])+/g) ?? []
  return parts.flatMap((part) => {
    const word = part.trim()
    return word === '' ? [] : [targetOf(word)]
  })
}

function targetOf(word: string): UnixTarget {
  // "|program" and |"program" are the same.
  const bare = word.replace(/^"([^]*)"$/, '$1')
  const include = /^:include:\s*(.*)$/is.exec(bare)?.[1]
  if (include !== undefined) return { kind: 'include', path: include.replaceAll('"', '').trim() }
  if (bare.startsWith('|'))
    return { kind: 'program', path: bare.slice(1).replaceAll('"', '').trim() }
  if (bare.startsWith('/')) return { kind: 'file', path: bare }
  // A backslash keeps a name from being looked up once more.
  return { kind: 'address', address: bare.replace(/^\\/, '') }
}
