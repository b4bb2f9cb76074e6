import type { Arguments } from '#engine/sieve/arguments.ts'
import type { WrittenAddress } from '#engine/sieve/message.ts'
import { formatAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'

const PARTS = ['all', 'localpart', 'domain', 'user', 'detail'] as const
export type SieveAddressPart = (typeof PARTS)[number]

/** Takes the part of an address that is compared (RFC 5228 §2.7.4, RFC 5233 §4). */
export const takeAddressPart = (args: Arguments): SieveAddressPart =>
  args.choice(PARTS, (part) => (part === 'user' || part === 'detail' ? 'subaddress' : undefined)) ??
  'all'

/** True where a script says which part it means. */
export const standsAddressPart = (args: Arguments): boolean =>
  PARTS.some((part) => args.stands(part))

export const writtenAddress = (address: Address): WrittenAddress => ({
  all: formatAddress(address),
  localpart: address.localpart.startsWith('"')
    ? address.localpart.slice(1, -1).replace(/\\(.)/gsu, '$1')
    : address.localpart,
  domain: address.domain,
})

/** What of the addresses is compared: of what is none its whole only (RFC 5228 §2.7.4). */
export function partsOf(
  addresses: readonly WrittenAddress[],
  part: SieveAddressPart,
): readonly string[] {
  return addresses.flatMap(({ all, localpart, domain }) => {
    // An empty field is an empty string, whatever the part, like an empty path (RFC 5228 §5.4).
    if (part === 'all' || all === '') return [all]
    if (localpart === undefined || domain === undefined) return []
    const plus = localpart.indexOf('+')
    switch (part) {
      case 'localpart':
        return [localpart]
      case 'domain':
        return [domain]
      case 'user': // RFC 5233 §4
        return [plus < 0 ? localpart : localpart.slice(0, plus)]
      case 'detail':
        return plus < 0 ? [] : [localpart.slice(plus + 1)]
    }
  })
}
