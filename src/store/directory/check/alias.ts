import type { Alias } from '#model/account.ts'
import { formatAddress } from '#model/address.ts'
import type { Directory } from '#store/directory/directory.ts'
import { refuse } from '#store/directory/refusal.ts'
import type { DirectoryRefusal } from '#store/directory/refusal.ts'
import { notLocal, ofAnotherList, ofFormerOwner } from './address.ts'
import { checkTargets } from './targets.ts'

const NAME_LENGTH_MAX = 256

/** Undefined where the alias may be written into this directory as it stands. */
export function checkAlias(directory: Directory, alias: Alias): DirectoryRefusal | undefined {
  const from = formatAddress(alias.from)
  const foreign = notLocal(directory, alias.from.domain)
  if (foreign !== undefined) return foreign
  const owner = directory.byAddress(alias.from)
  if (owner !== undefined)
    return refuse(
      'conflict',
      `${from} is an address of ${owner.username}@${owner.domain}`,
      `Forward its mail instead: watari forward set ${owner.username}@${owner.domain} TO --keep`,
    )
  const taken = ofFormerOwner(directory, alias.from) ?? ofAnotherList(directory, alias.from)
  if (taken !== undefined) return taken
  if ([alias.name, alias.externalId].some((text) => text !== undefined && !isLine(text)))
    return refuse(
      'invalid',
      `a name and an external id are one line of 1 to ${NAME_LENGTH_MAX} characters`,
      'Shorten it.',
    )
  // A group is made first, and gets its members later.
  if (alias.name !== undefined && alias.to.length === 0) return undefined
  return checkTargets(alias.to, from)
}

const isLine = (text: string): boolean =>
  text !== '' && text.length <= NAME_LENGTH_MAX && !/[\u0000-\u001f\u007f]/.test(text)
