import { toLatin1, toUtf8Strict } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'

/** Text of a file or string whose charset nobody tells: UTF-8 where it is that, else Japanese as `language` has it. */
export function guessedText(octets: Octets, language = 'ja'): string {
  const utf8 = toUtf8Strict(octets)
  // ESC is how ISO-2022-JP begins, which is ASCII to everything else.
  if (utf8 !== undefined && !octets.includes(0x1b)) return utf8
  if (utf8 !== undefined) return new TextDecoder('iso-2022-jp').decode(octets)
  return language === 'ja' ? new TextDecoder('euc-jp').decode(octets) : toLatin1(octets)
}

/** `花子 <hanako@example>`, `hanako@example (花子)`, or the address alone; undefined where there is none. */
export function parseMember(
  text: string,
): { readonly address: string; readonly name?: string } | undefined {
  const angled = /^(.*)<([^<>\s]+@[^<>\s]+)>\s*$/u.exec(text)
  if (angled !== null) return named(angled[2]!, angled[1]!)
  const commented = /^(\S+@\S+)\s+\((.*)\)\s*$/u.exec(text)
  if (commented !== null) return named(commented[1]!, commented[2]!)
  const plain = text.trim()
  return /^[^\s,;<>]+@[^\s,;<>]+$/u.test(plain) ? { address: plain } : undefined
}

function named(address: string, name: string): { address: string; name?: string } {
  const plain = name
    .trim()
    .replace(/^"(.*)"$/u, '$1')
    .replace(/\\(.)/gu, '$1')
    .trim()
  return plain === '' || plain === address ? { address } : { address, name: plain }
}

/** Lines with neither comments nor what is empty. */
export const contentLines = (text: string): string[] =>
  text.split(/\r?\n/u).filter((line) => line.trim() !== '' && !line.startsWith('#'))
