import { headerFields } from '#codec/mime/header.ts'
import type { HeaderField } from '#codec/mime/header.ts'
import { parseAddressList } from '#codec/mime/address-list.ts'
import { decodeWords } from '#codec/mime/encoded-word.ts'
import type { Octets } from '#base/octets.ts'
import { parseAddress } from '#model/address.ts'

import type { SieveHeader, WrittenAddress } from './message.ts'

/** A header block as scripts ask about it: each field is decoded once, when it is first asked for. */
export function headerView(header: Octets): SieveHeader {
  let fields: Map<string, HeaderField[]> | undefined
  const values = new Map<string, readonly string[]>()
  const addresses = new Map<string, readonly (readonly WrittenAddress[])[]>()
  const named = (name: string): readonly HeaderField[] => {
    fields ??= Map.groupBy(headerFields(header), (field) => field.key)
    return fields.get(name) ?? []
  }
  const addressFields = (name: string): readonly (readonly WrittenAddress[])[] =>
    once(addresses, name, () => named(name).map(({ value }) => addressesOf(value)))
  return {
    header: (name) => once(values, name, () => named(name).map(({ value }) => decodeWords(value))),
    addresses: (name) =>
      addressFields(name)
        .flat()
        .flatMap(({ all }) => {
          const parsed = parseAddress(all)
          return parsed.ok ? [parsed.value] : []
        }),
    addressFields,
  }
}

/** The addresses of one field that are such; where none is, all that the field says (RFC 5228 §2.7.4). */
function addressesOf(value: string): readonly WrittenAddress[] {
  const written = parseAddressList(value).flatMap(({ mailbox = '', host = '' }) => {
    const [localpart, domain] = [decodeWords(mailbox), decodeWords(host)] // RFC 6532: in UTF-8
    const all = `${writtenLocalpart(localpart)}@${domain}`
    return parseAddress(all).ok ? [{ all, localpart, domain }] : []
  })
  return written.length > 0 ? written : [{ all: decodeWords(value).trim() }]
}

/** RFC 5322 §3.4.1: what is no dot-atom stands in quotes. */
export const writtenLocalpart = (localpart: string): string =>
  /[\s()<>[\]:;@\\,"]/.test(localpart) ? `"${localpart.replace(/["\\]/g, '\\$&')}"` : localpart

function once<T>(known: Map<string, T>, name: string, make: () => T): T {
  const found = known.get(name)
  if (found !== undefined) return found
  const made = make()
  known.set(name, made)
  return made
}
