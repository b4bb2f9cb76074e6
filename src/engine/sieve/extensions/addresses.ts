import type { Arguments } from '#engine/sieve/arguments.ts'
import { formatAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'

const PARTS = ['all', 'localpart', 'domain', 'user', 'detail'] as const
export type SieveAddressPart = (typeof PARTS)[number]

/** Takes the part of an address that is compared (RFC 5228 §2.7.4, RFC 5233 §4). */
export const takeAddressPart = (args: Arguments): SieveAddressPart =>
  args.choice(PARTS, (part) => (part === 'user' || part === 'detail' ? 'subaddress' : undefined)) ??
  'all'

export function partsOf(addresses: readonly Address[], part: SieveAddressPart): readonly string[] {
  return addresses.flatMap((address) => {
    const plus = address.localpart.indexOf('+')
    switch (part) {
      case 'all':
        return [formatAddress(address)]
      case 'localpart':
        return [address.localpart]
      case 'domain':
        return [address.domain]
      case 'user': // RFC 5233 §4
        return [plus < 0 ? address.localpart : address.localpart.slice(0, plus)]
      case 'detail':
        return plus < 0 ? [] : [address.localpart.slice(plus + 1)]
    }
  })
}
