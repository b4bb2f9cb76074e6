import { mainAddressOf } from '#model/account.ts'
import type { Account } from '#model/account.ts'
import { formatAddress, parseAddress } from '#model/address.ts'
import { FACTS, factsAfter, factsFault } from '#model/person-facts.ts'
import type { PersonFacts } from '#model/person-facts.ts'
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
  if (directory.alias(address) !== undefined) return `${text} is an alias`
  return undefined
}

/** What of these facts can be this account's; `told` hears of the others. */
export function takenFacts(
  directory: Directory,
  facts: PersonFacts,
  { before, told }: { readonly before: Account | undefined; readonly told: string[] },
): PersonFacts {
  let taken: PersonFacts = {}
  for (const fact of FACTS) {
    if (facts[fact] === undefined) continue
    const more = factsAfter(taken, { [fact]: facts[fact] })
    const fault = factsFault(more) ?? (fact === 'externalId' && namesake(directory, facts, before))
    if (typeof fault === 'string') told.push(fault)
    else taken = more
  }
  return taken
}

function namesake(
  directory: Directory,
  { externalId = '' }: PersonFacts,
  before: Account | undefined,
): string | undefined {
  const other = directory.byExternalId(externalId)
  if (other === undefined || other.id === before?.id) return undefined
  return `${externalId} is the external id of ${formatAddress(mainAddressOf(other))}`
}
