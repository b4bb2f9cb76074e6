import { asciiLower } from '#base/text.ts'
import { isDomain, parseAddress } from '#model/address.ts'
import { formatNextHop, parseNextHop } from '#model/route.ts'
import type { RouteRow } from '#model/route.ts'
import { refuse } from '#store/directory/refusal.ts'
import type { DirectoryRefusal } from '#store/directory/refusal.ts'

/** Undefined where the route may be written. */
export function checkRoute(route: RouteRow): DirectoryRefusal | undefined {
  const { match } = route
  const known = match.includes('@') ? parseAddress(match).ok : isDomain(match)
  if (!known || match !== asciiLower(match).normalize('NFC'))
    return refuse(
      'invalid',
      `${match} is neither a domain nor an address`,
      'Give example.org or user@example.org.',
    )
  const hop = formatNextHop(route.nextHop)
  if (route.nextHop.kind !== 'mx' && parseNextHop(hop) === undefined)
    return refuse(
      'invalid',
      `${hop} is no next hop`,
      'Give smtp:HOST:PORT, lmtp:HOST:PORT, local or hold.',
    )
  return undefined
}
