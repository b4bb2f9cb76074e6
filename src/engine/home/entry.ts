import { fromUtf8, toUtf8 } from '#base/octets.ts'
import { asciiLower } from '#base/text.ts'
import type { DirectoryEntry } from '#model/directory-entry.ts'

/** An entry of texts. */
export const made = (
  dn: string,
  attributes: Readonly<Record<string, readonly string[]>>,
): DirectoryEntry => ({
  dn,
  attributes: Object.entries(attributes).map(([type, values]) => ({
    type,
    values: values.map(fromUtf8),
  })),
})

/** The texts of one attribute of an entry. */
export const textsOf = (entry: DirectoryEntry, type: string): string[] =>
  entry.attributes
    .filter((each) => asciiLower(each.type) === asciiLower(type))
    .flatMap(({ values }) => values.map(toUtf8))
