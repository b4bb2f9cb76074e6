import { headerFields } from '#codec/mime/header.ts'
import type { HeaderField } from '#codec/mime/header.ts'
import { parseAddressList } from '#codec/mime/address-list.ts'
import { decodeWords } from '#codec/mime/encoded-word.ts'
import type { Octets } from '#base/octets.ts'
import { parseAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'

import type { SieveHeader } from './message.ts'

/** A header block as scripts ask about it: each field is decoded once, when it is first asked for. */
export function headerView(header: Octets): SieveHeader {
  let fields: Map<string, HeaderField[]> | undefined
  const values = new Map<string, readonly string[]>()
  const addresses = new Map<string, readonly (readonly Address[])[]>()
  const named = (name: string): readonly HeaderField[] => {
    fields ??= Map.groupBy(headerFields(header), (field) => field.key)
    return fields.get(name) ?? []
  }
  const addressFields = (name: string): readonly (readonly Address[])[] =>
    once(addresses, name, () => named(name).map(({ value }) => addressesOf(value)))
  return {
    header: (name) => once(values, name, () => named(name).map(({ value }) => decodeWords(value))),
    addresses: (name) => addressFields(name).flat(),
    addressFields,
  }
}

/** The addresses of one field that are such. */
const addressesOf = (value: string): Address[] =>
  parseAddressList(value).flatMap(({ mailbox, host }) => {
    const parsed = parseAddress(decodeWords(`${mailbox ?? ''}@${host ?? ''}`)) // RFC 6532: in UTF-8
    return parsed.ok ? [parsed.value] : []
  })

function once<T>(known: Map<string, T>, name: string, make: () => T): T {
  const found = known.get(name)
  if (found !== undefined) return found
  const made = make()
  known.set(name, made)
  return made
}
