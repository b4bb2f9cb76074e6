import { asciiLower } from '#base/text.ts'
import { mainAddressOf } from '#model/account.ts'
import type { Account } from '#model/account.ts'
import { addressKey, formatAddress, parseAddress } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import { factsFault, isDay } from '#model/person-facts.ts'
import { profileFault } from '#model/profile.ts'
import type { Directory } from '#store/directory/directory.ts'
import { refuse } from '#store/directory/refusal.ts'
import type { DirectoryRefusal } from '#store/directory/refusal.ts'
import { notLocal, ofAnotherList, ofFormerOwner } from './address.ts'
import { checkTargets } from './targets.ts'

const ADDRESSES_PER_ACCOUNT_MAX = 1_000
const NAME_LENGTH_MAX = 256

/** Undefined where the account may be written into this directory as it stands. */
export function checkAccount(directory: Directory, account: Account): DirectoryRefusal | undefined {
  const own = parseAddress(`${account.username}@${account.domain}`)
  if (
    !own.ok ||
    account.username !== asciiLower(account.username).normalize('NFC') ||
    account.username.includes('+')
  )
    return refuse(
      'invalid',
      `${account.username}@${account.domain} is no address for an account`,
      'Give user@domain in lower case, without "+".',
    )
  const foreign = notLocal(directory, account.domain)
  if (foreign !== undefined) return foreign
  const to = directory.domain(account.domain)?.convertTo
  if (to !== undefined)
    return refuse(
      'conflict',
      `addresses of ${account.domain} are those of ${to}`,
      `Add the account as ${account.username}@${to}.`,
    )
  if ((account.name?.length ?? 0) > NAME_LENGTH_MAX)
    return refuse('limit', `the name is longer than ${NAME_LENGTH_MAX} characters`, 'Shorten it.')
  const fault = factsFault(account)
  if (fault !== undefined) return refuse('invalid', fault, 'Give it as it is to be.')
  const profileIs = profileFault(account.profile ?? {})
  if (profileIs !== undefined) return refuse('invalid', profileIs, 'Shorten it.')
  const { afterLeaving } = account
  if (afterLeaving !== undefined) {
    if (!isDay(afterLeaving.until))
      return refuse('invalid', `${afterLeaving.until} is no day`, 'Give one such as 2031-09-30.')
    const leads = checkTargets(afterLeaving.to, formatAddress(own.value))
    if (leads !== undefined) return leads
  }
  const namesake =
    account.externalId === undefined ? undefined : directory.byExternalId(account.externalId)
  if (namesake !== undefined && namesake.id !== account.id)
    return refuse(
      'conflict',
      `${account.externalId} is the external id of ${formatAddress(mainAddressOf(namesake))}`,
      'Give each person an external id of their own.',
    )
  if (account.addresses.length > ADDRESSES_PER_ACCOUNT_MAX)
    return refuse(
      'limit',
      `more than ${ADDRESSES_PER_ACCOUNT_MAX} addresses`,
      'Use aliases instead.',
    )
  const before = directory.account(account.id)
  if (before === undefined || addressKey(own.value) !== addressKey(mainAddressOf(before))) {
    const taken = checkFree(directory, own.value, account)
    if (taken !== undefined) return taken
  }
  for (const address of account.addresses) {
    const taken = checkFree(directory, address, account)
    if (taken !== undefined) return taken
  }
  return undefined
}

function checkFree(
  directory: Directory,
  address: Address,
  account: Account,
): DirectoryRefusal | undefined {
  const text = formatAddress(address)
  const foreign = notLocal(directory, address.domain)
  if (foreign !== undefined) return foreign
  const owner = directory.byAddress(address)
  if (owner !== undefined && owner.id !== account.id)
    return refuse(
      'conflict',
      `${text} belongs to ${owner.username}@${owner.domain}${owner.deletedAt === undefined ? '' : ', who was deleted and can still be had back'}`,
      owner.deletedAt === undefined
        ? 'Choose another address.'
        : `Choose another address; or: watari user undelete ${text}, watari user delete ${text} --for-good`,
    )
  const former = ofFormerOwner(directory, address, account.id)
  if (former !== undefined) return former
  if (directory.alias(address) !== undefined)
    return refuse('conflict', `${text} is an alias`, `Remove it first: watari alias rm ${text}`)
  return ofAnotherList(directory, address)
}
