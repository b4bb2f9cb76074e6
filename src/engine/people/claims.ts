import { mainAddressOf } from '#model/account.ts'
import type { Account } from '#model/account.ts'
import { formatAddress, parseAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import type { Directory } from '#store/directory/directory.ts'

/** An address as it is written; a bare name is one of the default domain. Else what is wrong. */
export function addressIn({ defaultDomain }: Directory, text: string): Address | string {
  const whole =
    text.includes('@') || defaultDomain === undefined ? text : `${text}@${defaultDomain}`
  const address = parseAddress(whole)
  return address.ok ? address.value : `${text} is no address`
}

/** Why an address cannot be this account's; undefined: it can, or is. */
export function takenBy(
  directory: Directory,
  address: Address,
  account: Pick<Account, 'id'> | undefined,
): string | undefined {
  const text = formatAddress(address)
  if (directory.domain(address.domain) === undefined)
    return `${text}: ${address.domain} is no local domain`
  const owner = directory.byAddress(address)
  if (owner !== undefined && owner.id !== account?.id)
    return `${text} is an address of ${formatAddress(mainAddressOf(owner))}`
  return undefined
}
