import { addressKey } from '#model/address.ts'
import type { Address } from '#model/address.ts'
import { refuse } from '#store/directory/refusal.ts'
import type { DirectoryRefusal } from '#store/directory/refusal.ts'

const TARGETS_MAX = 10_000

/** Undefined where mail for `from` may lead to these. */
export function checkTargets(to: readonly Address[], from: string): DirectoryRefusal | undefined {
  if (to.length === 0)
    return refuse('invalid', `${from} leads nowhere`, 'Give at least one address.')
  if (to.length > TARGETS_MAX)
    return refuse('limit', `${from} leads to more than ${TARGETS_MAX} addresses`, 'Make it a list.')
  if (new Set(to.map(addressKey)).size !== to.length)
    return refuse('invalid', `${from} names an address twice`, 'Name each address once.')
  return undefined
}
