import { toLatin1 } from '#base/octets.ts'
import type { Octets } from '#base/octets.ts'
import { relaxedField } from '#codec/dkim/signature.ts'
import { headerFields } from '#codec/mime/header.ts'

import { signedNames } from './signed-names.ts'

/** What is signed of a header: names as h= has them, and the fields that they find (RFC 6376 §5.4.2). */
export interface SignedHeader {
  readonly names: readonly string[]
  /** Relaxed (RFC 6376 §3.4.2), from the last one of a name upwards. */
  readonly lines: readonly string[]
}

/** The fields of a header in their relaxed form, by name: read once, however many copies are signed. */
export class RelaxedHeader {
  readonly #byName: ReadonlyMap<string, readonly string[]> | undefined

  constructor(header: Octets) {
    this.#byName = relaxedFields(header)
  }

  /**
   * What is signed where `added` stands in front of it. Undefined where a CR or LF stands alone in
   * one of the two: whoever checks it would find other fields than whoever shows it.
   */
  under(added: Octets): SignedHeader | undefined {
    const above = relaxedFields(added)
    if (above === undefined || this.#byName === undefined) return undefined
    const byName = new Map(this.#byName)
    for (const [name, lines] of above) byName.set(name, [...lines, ...(byName.get(name) ?? [])])
    const names = signedNames(new Map([...byName].map(([name, { length }]) => [name, length])))
    const left = new Map([...byName].map(([name, { length }]) => [name, length]))
    // What is named once more than it is there signs that there is none (RFC 6376 §5.4).
    const lines = names.flatMap((name) => {
      const at = (left.get(name) ?? 0) - 1
      left.set(name, at)
      return byName.get(name)?.[at] ?? []
    })
    return { names, lines }
  }
}

function relaxedFields(header: Octets): Map<string, string[]> | undefined {
  const byName = new Map<string, string[]>()
  for (const { key, range } of headerFields(header)) {
    const raw = toLatin1(header.subarray(range.offset, range.offset + range.length))
    const whole = raw.endsWith('\r\n') ? raw.slice(0, -2) : raw
    if (/\r(?!\n)|(?<!\r)\n/.test(whole)) return undefined
    const line = relaxedField(whole)
    if (line === undefined) continue
    const lines = byName.get(key)
    if (lines === undefined) byName.set(key, [line])
    else lines.push(line)
  }
  return byName
}
