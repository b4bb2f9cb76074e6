import { asciiLower } from '#base/text.ts'
import type { LocalDomain } from '#model/account.ts'
import { domainKey, formatAddress, isDomain } from '#model/address.ts'
import type { Directory } from '#store/directory/directory.ts'
import { refuse } from '#store/directory/refusal.ts'
import type { DirectoryRefusal } from '#store/directory/refusal.ts'
import { notLocal } from './address.ts'

/** Undefined where the domain may be written into this directory as it stands. */
export function checkDomain(
  directory: Directory,
  domain: LocalDomain,
): DirectoryRefusal | undefined {
  const { name, convertTo } = domain
  if (!isDomain(name) || name.startsWith('[') || name !== asciiLower(name).normalize('NFC'))
    return refuse('invalid', `${name} is no domain name`, 'Give a name such as campus.example.')
  if (convertTo === undefined) return undefined
  if (domainKey(convertTo) === domainKey(name))
    return refuse('invalid', `${name} cannot be converted to itself`, 'Name another local domain.')
  const foreign = notLocal(directory, convertTo)
  if (foreign !== undefined) return foreign
  // All accounts are looked at for a new conversion only.
  const isNew = directory.domain(name)?.convertTo !== convertTo
  const owner = isNew
    ? directory
        .accounts()
        .find(
          ({ domain: of, deletedAt }) =>
            deletedAt === undefined && domainKey(of) === domainKey(name),
        )
    : undefined
  if (owner !== undefined)
    return refuse(
      'conflict',
      `${name} has accounts of its own, ${owner.username}@${name} among them`,
      'Move or delete them before the domain is converted.',
    )
  return undefined
}

/** Undefined where the domain may go. */
export function checkDomainRemoval(
  directory: Directory,
  name: string,
): DirectoryRefusal | undefined {
  const key = domainKey(name)
  const converted = directory
    .domains()
    .find(({ convertTo }) => convertTo !== undefined && domainKey(convertTo) === key)
  if (converted !== undefined)
    return refuse(
      'conflict',
      `${converted.name} is converted to ${name}`,
      `Remove ${converted.name} first.`,
    )
  const owner = directory.accounts().find(
    (account) =>
      // Who is deleted comes back when the domain does.
      account.deletedAt === undefined &&
      [account, ...account.addresses].some(({ domain }) => domainKey(domain) === key),
  )
  if (owner !== undefined)
    return refuse(
      'conflict',
      `${owner.username}@${owner.domain} has an address in ${name}`,
      'Move or delete its accounts first.',
    )
  const alias = directory.aliases().find((row) => domainKey(row.from.domain) === key)
  if (alias !== undefined)
    return refuse(
      'conflict',
      `${formatAddress(alias.from)} is an alias in ${name}`,
      `Remove it first: watari alias rm ${formatAddress(alias.from)}`,
    )
  const list = directory
    .lists()
    .find(
      ({ address, addresses, deletedAt }) =>
        deletedAt === undefined &&
        [address, ...addresses].some(({ domain }) => domainKey(domain) === key),
    )
  if (list !== undefined)
    return refuse(
      'conflict',
      `${formatAddress(list.address)} is a list with an address in ${name}`,
      `Delete it first: watari list delete ${formatAddress(list.address)}`,
    )
  return undefined
}
