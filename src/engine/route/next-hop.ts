import { mainAddressOf } from '#model/account.ts'
import { addressKey, withoutDetail } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { NextHop } from '#model/route.ts'
import type { Addressing } from './convert.ts'

const SMTP_PORT = 25

/**
 * Where a converted recipient goes: the row of its exact address (or of its account's main one), the
 * row of its domain, the local store, an address literal's host, else the domain's exchangers.
 * Asked again at each attempt, so that a changed route moves mail that is queued already.
 */
export function nextHop(address: Address, directory: Addressing): NextHop {
  const plain = withoutDetail(address)
  const account = directory.byAddress(address) ?? directory.byAddress(plain)
  const row =
    directory.route(addressKey(address)) ??
    directory.route(addressKey(plain)) ??
    (account === undefined ? undefined : directory.route(addressKey(mainAddressOf(account)))) ??
    directory.route(address.domain)
  if (row !== undefined) return row.nextHop
  if (account !== undefined || directory.domain(address.domain) !== undefined)
    return { kind: 'local' }
  const literal = /^\[(?:ipv6:)?([0-9a-f:.]+)\]$/.exec(address.domain) // RFC 5321 §4.1.3
  if (literal !== null) return { kind: 'smtp', host: literal[1]!, port: SMTP_PORT }
  return { kind: 'mx', domain: address.domain }
}
