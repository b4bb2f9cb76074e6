import { toUtf8Strict } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import type { DirectoryEntry, EntryTexts } from '#model/directory-entry.ts'

/** The texts of an entry that has octets, as a file of LDIF does. */
export function textsOf({ dn, attributes }: DirectoryEntry): EntryTexts {
  const texts = new Map<string, readonly string[]>()
  const octets = new Map<string, readonly Octets[]>()
  let hasOptions = false
  for (const { type, values } of attributes) {
    const name = type.toLowerCase()
    hasOptions ||= name.includes(';')
    const read = values.map(toUtf8Strict)
    const more = read.filter((text) => text !== undefined)
    texts.set(name, [...(texts.get(name) ?? []), ...more])
    const others = values.filter((_, at) => read[at] === undefined)
    if (others.length > 0) octets.set(name, [...(octets.get(name) ?? []), ...others])
  }
  return { dn, texts, octets, hasOptions }
}
