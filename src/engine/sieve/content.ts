import { decodeWords } from '#codec/mime/encoded-word.ts'
import { headerFields } from '#codec/mime/header.ts'
import { parseAddressList } from '#codec/mime/address-list.ts'
import type { Octets } from '#base/octets.ts'
import { parseAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { Verdict } from '#model/verdict.ts'
import type { SieveMessage } from './message.ts'

/** The message's side of a SieveMessage: its header, read once for all recipients. */
export type SieveContent = Pick<SieveMessage, 'sizeBytes' | 'header' | 'addresses' | 'spamValue'>

/** Reads a header block for scripts; values are decoded when they are asked for. */
export function sieveContent(
  header: Octets,
  sizeBytes: number,
  verdict: Pick<Verdict, 'class'> | undefined,
): SieveContent {
  const fields = Map.groupBy(headerFields(header), (field) => field.key)
  return {
    sizeBytes,
    spamValue: spamValue(verdict),
    header: (name) => fields.get(name)?.map((field) => decodeWords(field.value)) ?? [],
    addresses: (name) =>
      fields.get(name)?.flatMap((field) =>
        parseAddressList(field.value).flatMap(({ mailbox, host }): Address[] => {
          const parsed = parseAddress(`${mailbox ?? ''}@${host ?? ''}`)
          return parsed.ok ? [parsed.value] : []
        }),
      ) ?? [],
  }
}

/** RFC 5235 §2.1: 0 is untested, 10 certainly spam. */
function spamValue(verdict: Pick<Verdict, 'class'> | undefined): number {
  switch (verdict?.class) {
    case undefined:
      return 0
    case 'clean':
      return 1
    case 'suspected':
      return 6
    case 'spam':
      return 10
  }
}
