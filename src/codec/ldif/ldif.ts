import { bufferOf, fromUtf8, toLatin1, toUtf8Strict } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { asciiLower } from '#base/text.ts'
import type { DirectoryEntry, EntryAttribute } from '#model/directory-entry.ts'

/** One record of a file: an entry with the line that it begins at, or why it is none. */
export type LdifRecord =
  | { readonly line: number; readonly entry: DirectoryEntry }
  | { readonly line: number; readonly error: string }

/** A record of more lines is none that a directory has written. */
const RECORD_LINES_MAX = 200_000
const FOLDED_AT = 76

/**
 * The entries of a file of LDIF (RFC 2849), one by one; a record that is wrong is told and the next one
 * read. Values by URL are never fetched, and changes but additions are no entries.
 */
export function* readLdif(file: Octets): Generator<LdifRecord> {
  let lines: string[] = []
  let start = 0
  for (const { line, text } of linesOf(file)) {
    if (text === '') {
      yield* recordOf(start, lines)
      lines = []
    } else if (lines.length < RECORD_LINES_MAX) {
      if (lines.length === 0) start = line
      if (text.startsWith(' ') && lines.length > 0) lines.push(`${lines.pop()!}${text.slice(1)}`)
      else lines.push(text)
    }
  }
  yield* recordOf(start, lines)
}

/** Lines without their ends, one character an octet. */
function* linesOf(file: Octets): Generator<{ readonly line: number; readonly text: string }> {
  const octets = bufferOf(file)
  const hasMark = octets[0] === 0xef && octets[1] === 0xbb && octets[2] === 0xbf
  for (let at = hasMark ? 3 : 0, line = 1; at < octets.length; line++) {
    const lf = octets.indexOf(0x0a, at)
    const end = lf < 0 ? octets.length : lf
    yield { line, text: toLatin1(octets.subarray(at, end)).replace(/\r$/, '') }
    at = end + 1
  }
}

/** None where nothing but remarks and the version stand there. */
function* recordOf(line: number, lines: readonly string[]): Generator<LdifRecord> {
  try {
    const record = entryOf(lines)
    if (record !== undefined) yield { line, entry: record }
  } catch (thrown) {
    if (!(thrown instanceof Wrong)) throw thrown
    yield { line, error: thrown.message }
  }
}

function entryOf(lines: readonly string[]): DirectoryEntry | undefined {
  const values = lines.filter((text) => !text.startsWith('#')).map(valueOf)
  if (values[0]?.type === 'version') values.shift()
  const [head, ...body] = values
  if (head === undefined) return undefined
  if (asciiLower(head.type) !== 'dn') throw new Wrong('a record begins with its dn')
  const dn = toUtf8Strict(head.value)
  if (dn === undefined) throw new Wrong('the dn is not UTF-8')
  const change = body.find(({ type }) => asciiLower(type) === 'changetype')
  if (change !== undefined && toLatin1(change.value) !== 'add')
    throw new Wrong(`a change (${toLatin1(change.value)}) is no entry`)
  return { dn, attributes: gathered(body) }
}

class Wrong extends Error {}

/** `type: text`, `type:: base64`. */
function valueOf(text: string): { readonly type: string; readonly value: Octets } {
  const match = /^([A-Za-z0-9][A-Za-z0-9.;_-]*):(:|<)? *(.*)$/s.exec(text)
  if (match === null) throw new Wrong(`'${text.slice(0, 40)}' is no attribute`)
  const [, type = '', how, value = ''] = match
  if (how === '<') throw new Wrong(`${type} lies at an address, which is not looked up`)
  if (how === undefined) return { type, value: Buffer.from(value, 'latin1') }
  if (!/^[A-Za-z0-9+/]*={0,2} *$/.test(value)) throw new Wrong(`${type} is not base64`)
  return { type, value: Buffer.from(value, 'base64') }
}

function gathered(
  body: readonly { readonly type: string; readonly value: Octets }[],
): EntryAttribute[] {
  const byType = new Map<string, { readonly type: string; readonly values: Octets[] }>()
  for (const { type, value } of body) {
    const key = asciiLower(type)
    if (key === 'changetype' || key === 'control') continue
    const found = byType.get(key)
    if (found === undefined) byType.set(key, { type, values: [value] })
    else found.values.push(value)
  }
  return [...byType.values()]
}

/** What may stand as it is (RFC 2849 §2, SAFE-STRING), without a blank at its end. */
const SAFE =
  /^(?:[\u0001-\u0009\u000b\u000c\u000e-\u001f!-9;=-\u007f](?:[\u0001-\u0009\u000b\u000c\u000e-\u007f]*[\u0001-\u0009\u000b\u000c\u000e-\u001f!-\u007f])?)?$/

/** One entry as a record, with the empty line behind it. */
export const writeLdif = ({ dn, attributes }: DirectoryEntry): string =>
  [
    written('dn', fromUtf8(dn)),
    ...attributes.flatMap(({ type, values }) => values.map((value) => written(type, value))),
    '\n',
  ].join('')

/** A change of an entry as a record (RFC 2849 §2, change-modify), with the empty line behind it. */
export const writeLdifChange = (
  dn: string,
  changes: readonly (EntryAttribute & { readonly kind: 'add' | 'delete' | 'replace' })[],
): string =>
  [
    written('dn', fromUtf8(dn)),
    'changetype: modify\n',
    ...changes.flatMap(({ kind, type, values }) => [
      `${kind}: ${type}\n`,
      ...values.map((value) => written(type, value)),
      '-\n',
    ]),
    '\n',
  ].join('')

function written(type: string, value: Octets): string {
  const text = toLatin1(value)
  const line = SAFE.test(text)
    ? `${type}: ${text}`
    : `${type}:: ${bufferOf(value).toString('base64')}`
  const rest = line.slice(FOLDED_AT).match(/[^]{1,75}/g) ?? []
  return `${[line.slice(0, FOLDED_AT), ...rest].join('\n ')}\n`
}
